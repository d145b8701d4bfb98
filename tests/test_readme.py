"""The first command of the README does on a fresh machine what the README says."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.schema import Event


def command(root: Path, mark: str) -> str:
    """The lines of the shell block that follows ``<!-- mark -->``."""
    readme = (root / "README.md").read_text(encoding="utf-8")
    block = re.search(rf"<!-- {mark} -->\s*```sh\n(.*?)\n```", readme, re.S)
    assert block is not None, f"README.md has no shell block after <!-- {mark} -->"
    return block[1]


@pytest.fixture
def clone(root: Path, tmp_path: Path) -> Iterator[Path]:
    """What git keeps of the repository, and nothing else of this machine."""
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=root, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        if (root / name).exists():
            (tmp_path / "clone" / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy2(root / name, tmp_path / "clone" / name)
    yield tmp_path / "clone"
    shutil.rmtree(tmp_path / "clone")  # half a gigabyte, which pytest would keep


def test_the_first_command_reads_the_seeds(root: Path, clone: Path, tmp_path: Path) -> None:
    """It takes the packages from pip's cache where they are, but a home directory of its own."""
    cache = os.environ.get("PIP_CACHE_DIR", str(Path.home() / ".cache" / "pip"))
    kept = {name: value for name, value in os.environ.items() if name.startswith("PIP_")}
    environment = {
        **kept,
        "PATH": os.pathsep.join([f"{sys.base_prefix}/bin", os.defpath]),
        "HOME": str(tmp_path),
        "PIP_CACHE_DIR": cache,
    }
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", command(root, "run")],
        cwd=clone,
        env=environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert (clone / ".venv" / "bin" / "python").exists()

    events = [Event.model_validate_json(line) for line in done.stdout.splitlines()]
    articles = {path.stem: path.read_bytes().decode() for path in (root / "seeds").glob("*.txt")}
    assert {event.article.id for event in events} == set(articles)
    for event in events:
        text = articles[event.article.id]
        for mention in (*event.company.mentions, *event.evidence):
            assert text[mention.start : mention.end] == mention.text


def test_ci_runs_the_second_command_word_for_word(root: Path) -> None:
    tests = command(root, "test")
    assert "-m pytest" in tests
    script = (root / ".ci" / "run").read_text(encoding="utf-8")
    assert "<!-- test -->" in script
    assert tests not in script, "the command stands in one place"
