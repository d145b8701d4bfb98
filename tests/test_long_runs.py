"""Runs that are interrupted, in processes of their own, with a small trained model."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest
from spacy.language import Language
from tiny import COMPANIES, FUNDS

from pipeline.library import read_deals
from pipeline.reader import read_articles
from pipeline.schema import Article
from pipeline.writer import event_json, mention_json

# Notes how far it is after every article, and not only once a second.
BOOT = """\
import sys
sys.path[:0] = [{root!r}]
import pipeline.writer
pipeline.writer._KEEP_EVERY = 0
from pipeline.run import app
app()
"""
ARTICLES = 400


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Articles that tell a deal each, in folders and in JSONL."""
    folder = tmp_path_factory.mktemp("corpus") / "in"
    folder.mkdir()
    for start in range(0, ARTICLES, 100):
        rows = [
            {"id": f"n{number:03}", "text": told(number)} for number in range(start, start + 90)
        ]
        text = "".join(json.dumps(row) + "\n" for row in rows)
        (folder / f"{start:03}.jsonl").write_text(text, "utf-8")
        for number in range(start + 90, start + 100):
            (folder / f"{start:03}-{number:03}.txt").write_text(told(number), "utf-8")
    return folder


def told(number: int) -> str:
    company, fund = COMPANIES[number % len(COMPANIES)], FUNDS[number % len(FUNDS)]
    return f"{company} lève {number + 1} millions d'euros auprès de {fund}.\n"


@pytest.fixture(scope="module")
def expected(tiny: Language, corpus: Path) -> tuple[str, str]:
    """The bytes of the deals and of the mentions, read without any worker."""
    articles = [item for item in read_articles(corpus) if isinstance(item, Article)]
    readings = list(read_deals(tiny, articles))
    deals = [event_json(event) for reading in readings for event in reading.events]
    mentions = [mention_json(mention) for reading in readings for mention in reading.mentions]
    assert len(deals) >= len(articles) == ARTICLES
    return "\n".join(deals) + "\n", "\n".join(mentions) + "\n"


@pytest.fixture
def command(root: Path, corpus: Path, tiny_model: Path) -> list[str]:
    boot = [sys.executable, "-c", BOOT.format(root=str(root))]
    return [*boot, str(corpus), "--model", str(tiny_model), "--jobs", "2"]


@pytest.fixture
def files(tmp_path: Path) -> list[str]:
    return ["-o", str(tmp_path / "deals.jsonl"), "--mentions", str(tmp_path / "mentions.jsonl")]


@contextmanager
def started(command: list[str], **options: Any) -> Iterator[subprocess.Popen[str]]:
    """The command under way; after the block neither it nor a worker of it is left."""
    mark = f"test-{time.monotonic_ns()}"
    process = subprocess.Popen(
        command,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
        env={**os.environ, "RUN_OF_A_TEST": mark},
        **options,
    )
    try:
        with process:
            yield process
            process.wait(timeout=60)
    finally:
        process.kill()
    wait_until(lambda: not processes("environ", lambda found: mark in found), seconds=10)


def workers(parent: subprocess.Popen[str]) -> list[int]:
    """The processes that it started, in the order of their numbers."""
    return processes("stat", lambda found: found.rpartition(")")[2].split()[1] == str(parent.pid))


def processes(file: str, says: Callable[[str], bool]) -> list[int]:
    """The processes of whom a file of ``/proc`` says so."""
    found = []
    for path in Path("/proc").glob(f"[0-9]*/{file}"):
        with suppress(OSError):
            if says(path.read_text("utf-8", "replace")):
                found.append(int(path.parent.name))
    return sorted(found)


def wait_until(holds: Callable[[], object], seconds: float = 60) -> None:
    end = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < end, "this never came"
        time.sleep(0.01)


def lines(path: Path) -> int:
    return path.read_bytes().count(b"\n") if path.exists() else 0


def read(tmp_path: Path) -> tuple[str, str]:
    return (
        (tmp_path / "deals.jsonl").read_text("utf-8"),
        (tmp_path / "mentions.jsonl").read_text("utf-8"),
    )


def test_interrupted_in_every_way_nothing_is_lost_or_doubled(
    command: list[str], files: list[str], tmp_path: Path, expected: tuple[str, str]
) -> None:
    said = {
        signal.SIGKILL: "",
        signal.SIGTERM: "",
        signal.SIGINT: "error: interrupted; what was read is kept; the same command with --resume "
        "goes on\n",
    }
    partial = tmp_path / "deals.jsonl.partial"
    for turn, fatal in enumerate(said, start=1):
        with started([*command, *files, "--resume"]) as process:
            wait_until(lambda turn=turn: lines(partial) >= turn * 50)
            # As a terminal does with Ctrl-C; the others go to the parent alone.
            (os.killpg if fatal == signal.SIGINT else os.kill)(process.pid, fatal)
            assert process.communicate(timeout=60)[1] == said[fatal]
        assert process.returncode == (130 if fatal == signal.SIGINT else -fatal)
        assert not (tmp_path / "deals.jsonl").exists()
        assert lines(partial) < ARTICLES
    done = subprocess.run([*command, *files, "--resume"], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert read(tmp_path) == expected
    assert sorted(os.listdir(tmp_path)) == ["deals.jsonl", "mentions.jsonl"]


def test_ctrl_c_while_the_workers_start(command: list[str], files: list[str]) -> None:
    with started([*command, *files]) as process:
        wait_until(lambda: workers(process))
        os.killpg(process.pid, signal.SIGINT)
        _, said = process.communicate(timeout=60)
    assert (process.returncode, said) == (130, "error: interrupted\n")


def test_broken_pipe_ends_the_workers(command: list[str]) -> None:
    with started(command, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("{")
        process.stdout.close()
        assert process.stderr is not None
        assert process.stderr.read() == ""
    assert process.returncode == 1


def test_killed_worker_is_told_and_nothing_is_lost(
    command: list[str], files: list[str], tmp_path: Path, expected: tuple[str, str]
) -> None:
    with started([*command, *files]) as process:
        wait_until(lambda: lines(tmp_path / "deals.jsonl.partial") >= 20)
        os.kill(workers(process)[0], signal.SIGKILL)
        _, said = process.communicate(timeout=60)
    assert process.returncode == 0
    assert re.fullmatch(
        r"warning: a worker was killed by SIGKILL, perhaps for want of memory, while it read 1?\d "
        r"articles from \S+ \(\S+\) on; each is tried again alone\n",
        said,
    )
    assert read(tmp_path) == expected
