"""The parent's side, with workers that know no spaCy and do what an article's text tells them."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

import pipeline.workers
from pipeline.errors import InputError, ModelError, WorkerError
from pipeline.schema import Article
from pipeline.workers import Lines, Workers, batches

BOOT = """\
import json, os, pathlib, sys, time

def obey(text):
    order, _, argument = text.partition(" ")
    if order == "sleep":
        time.sleep(float(argument))
    elif order == "die":
        os.kill(os.getpid(), 9)
    elif order == "exit":
        sys.exit(3)
    elif order == "die-once":
        try:
            pathlib.Path(argument).touch(exist_ok=False)
        except FileExistsError:
            return
        os.kill(os.getpid(), 9)
    elif order == "fail":
        return {"error": "article was not read: " + argument}
    elif order == "stop":
        return None

def say(message):
    print(json.dumps(message), flush=True)

setup = json.loads(sys.stdin.readline())
obey(setup.get("order", ""))
if "error" in setup:
    say({"error": setup["error"]})
    sys.exit()
say({})
for line in sys.stdin:
    answers = []
    for article in json.loads(line):
        if article["text"] == "stop":
            say({"error": "the model is damaged"})
            sys.exit()
        answers.append(
            obey(article["text"])
            or {"events": [article["id"], str(os.getpid())], "mentions": [article["text"]]}
        )
    say(answers)
"""


@pytest.fixture(autouse=True)
def boot(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.workers, "_BOOT", BOOT)


def article(number: int, text: str = "") -> tuple[int, Article]:
    """An article under its number as its key."""
    return number, Article(id=f"n{number}", path="in/x.jsonl", sha256="0" * 64, text=text)


def is_alive(process: str) -> bool:
    return Path("/proc", process).exists()


def test_order_and_keys_are_kept() -> None:
    """The first batch is by far the slowest."""
    items = [article(number, "sleep 0.2" if number == 3 else "") for number in range(100)]
    with Workers(2, {}) as workers:
        found = list(workers.read(items))
    assert [key for key, _ in found] == list(range(100))
    assert [lines.events[0] for _, lines in found if isinstance(lines, Lines)] == [
        f"n{number}" for number in range(100)
    ]
    assert len({lines.events[1] for _, lines in found if isinstance(lines, Lines)}) == 2


def test_errors_stay_where_they_were() -> None:
    broken = InputError("is empty", path="b.txt")
    with Workers(1, {}) as workers:
        found = list(
            workers.read([article(0), (1, broken), article(2, "fail KeyError"), (3, broken)])
        )
    assert [key for key, _ in found] == [0, 1, 2, 3]
    assert [type(answer) for _, answer in found] == [Lines, InputError, InputError, InputError]
    assert str(found[2][1]) == "in/x.jsonl: article was not read: KeyError"
    assert found[1][1] is broken


def test_nothing_is_started_without_an_article(tmp_path: Path) -> None:
    with Workers(2, {"order": "die"}) as workers:
        assert list(workers.read([])) == []
        assert len(list(workers.read([(0, InputError("is empty", path="b.txt"))]))) == 1


def test_setup_and_bytes_reach_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    echo = (
        "import json, sys\n"
        "setup = json.loads(sys.stdin.buffer.readline())\n"
        "data = sys.stdin.buffer.read(setup['size'])\n"
        "print('{}', flush=True)\n"
        "sys.stdin.buffer.readline()\n"
        "lines = {'events': [setup['model'], data.hex()], 'mentions': []}\n"
        "print(json.dumps([lines]), flush=True)\n"
    )
    monkeypatch.setattr(pipeline.workers, "_BOOT", echo)
    with Workers(1, {"model": "m"}, b"\n\x00\xff") as workers:
        assert list(workers.read([article(0)])) == [(0, Lines(["m", "0a00ff"], []))]


# Deaths


def test_articles_of_a_dead_worker_are_tried_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    items = [article(number) for number in range(40)]
    items[20] = article(20, f"die-once {tmp_path}/died")
    with Workers(2, {}) as workers:
        found = [lines.events[0] for _, lines in workers.read(items) if isinstance(lines, Lines)]
    assert found == [f"n{number}" for number in range(40)]
    assert caplog.messages == [
        "a worker was killed by SIGKILL, perhaps for want of memory, while it read 16 articles "
        "from in/x.jsonl (n16) on; each is tried again alone"
    ]


@pytest.mark.parametrize(
    ("order", "end"),
    [
        ("die", "was killed by SIGKILL, perhaps for want of memory,"),
        ("exit", "ended with status 3"),
    ],
)
def test_article_that_ends_every_worker_is_named(order: str, end: str) -> None:
    items = [article(number, order if number == 5 else "") for number in range(20)]
    with Workers(1, {}) as workers:
        found = dict(workers.read(items))
    assert list(found) == list(range(20))
    assert [key for key, answer in found.items() if isinstance(answer, InputError)] == [5]
    assert str(found[5]) == (
        f"in/x.jsonl: article n5 was not read: twice a worker {end} over it; split it or leave it "
        "out"
    )


def test_article_over_which_a_worker_hangs_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.workers, "TIME_LIMIT", 1)
    items = [article(number, "sleep 600" if number == 5 else "") for number in range(20)]
    with Workers(1, {}) as workers:
        found = dict(workers.read(items))
    assert [key for key, answer in found.items() if isinstance(answer, InputError)] == [5]
    assert str(found[5]) == (
        "in/x.jsonl: article n5 was not read: twice a worker took longer than 1 s and was stopped "
        "over it; split it or leave it out"
    )


def test_a_long_article_may_take_its_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline.workers, "TIME_LIMIT", 0)
    with Workers(1, {}) as workers:
        ((_, answer),) = workers.read([article(0, f"sleep 2 {' ' * 20_000}")])
    assert isinstance(answer, Lines)


def test_worker_that_cannot_start() -> None:
    with (
        pytest.raises(WorkerError, match=r"SIGKILL.* before it could read; see to memory"),
        Workers(2, {"order": "die"}) as workers,
    ):
        list(workers.read([article(0)]))


def test_model_that_cannot_be_loaded_or_used() -> None:
    with (
        pytest.raises(ModelError, match=r"^no model here$"),
        Workers(2, {"error": "no model here"}) as workers,
    ):
        list(workers.read([article(0)]))
    with pytest.raises(ModelError, match=r"^the model is damaged$"), Workers(2, {}) as workers:
        list(workers.read([article(0), article(1, "stop")]))


# The end


def test_leaving_the_block_ends_the_workers_at_once() -> None:
    begun = time.monotonic()
    with Workers(2, {}) as workers:
        answers = workers.read(article(n, "sleep 60" if n >= 32 else "") for n in range(64))
        read = [lines for _, lines in islice(answers, 32)]
        processes = {lines.events[1] for lines in read if isinstance(lines, Lines)}
        assert all(map(is_alive, processes))
    assert processes
    assert not any(map(is_alive, processes))
    assert time.monotonic() - begun < 10


def test_workers_end_with_their_parent_even_if_it_is_not_left() -> None:
    """Their standard input ends with it: here, as if the parent were gone."""
    workers = Workers(1, {})
    (answer,) = workers.read([article(0)])
    assert isinstance(answer[1], Lines)
    (worker,) = workers._started
    assert worker._process.stdin is not None
    worker._process.stdin.close()
    assert worker._process.wait(timeout=10) == 0
    workers.__exit__(None, None, None)


# Streaming


def test_only_a_few_batches_are_held() -> None:
    taken = 0

    def items() -> Iterator[tuple[int, Article]]:
        nonlocal taken
        for number in range(10_000):
            taken = number
            yield article(number, "sleep 0.1" if number == 0 else "")

    with Workers(2, {}) as workers:
        answers = workers.read(items())
        next(answers)
        assert taken <= 16 * 6
        for _ in range(1_000):
            next(answers)
        assert taken <= 1_000 + 16 * 6


def test_an_answer_does_not_wait_for_a_full_window() -> None:
    """A slow feed: what is read is given as soon as the next batch is there."""
    with Workers(4, {}) as workers:

        def items() -> Iterator[tuple[int, Article]]:
            for number in range(48):
                if number == 31:
                    time.sleep(1)
                assert number < 47 or seen, "nothing was given so far"
                yield article(number)

        seen: list[int] = []
        for key, _ in workers.read(items()):
            seen.append(key)
        assert seen == list(range(48))


def test_batches_are_small_where_articles_are_long() -> None:
    items = [article(n, "a" * 20_000) for n in range(7)] + [article(n) for n in range(40)]
    assert [len(batch) for batch in batches(items)] == [3, 3, 16, 16, 9]
    assert [len(batch) for batch in batches([article(0, "a" * 10**6), article(1)])] == [1, 1]
    assert list(batches([])) == []


def test_the_environment_of_a_worker_is_that_of_its_parent(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the parent put on its path, the worker finds."""
    monkeypatch.setattr("sys.path", ["/nowhere:really", *sys.path])
    monkeypatch.setattr(
        pipeline.workers,
        "_BOOT",
        "import json, sys\n"
        "sys.stdin.readline()\n"
        "print('{}', flush=True)\n"
        "sys.stdin.readline()\n"
        "path = json.loads(sys.argv[1])[0]\n"
        "print(json.dumps([{'events': [path], 'mentions': []}]), flush=True)\n",
    )
    with Workers(1, {}) as workers:
        assert list(workers.read([article(0)])) == [(0, Lines(["/nowhere:really"], []))]
