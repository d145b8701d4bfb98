"""Runs a Python command with the network closed, and tells what it opened."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

GUARD = Path(__file__).parent / "guard"


@dataclass(frozen=True)
class Watched:
    """What a watched command did: its result, and the rows of ``guard/sitecustomize.py``."""

    code: int
    stdout: str
    stderr: str
    rows: Sequence[Sequence[str]]
    folder: Path

    def of(self, *events: str) -> list[Sequence[str]]:
        return [row for row in self.rows if str(row[1]).startswith(events)]

    def processes(self) -> int:
        return len({row[0] for row in self.rows})


def watch(folder: Path, *arguments: str) -> Watched:
    """Runs ``python *arguments`` in ``folder``, and the processes that it starts, under watch."""
    log = folder / "audit.jsonl"
    log.unlink(missing_ok=True)
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-P", *arguments],
        cwd=folder,
        env={
            **kept,
            "AUDIT": str(log),
            "PYTHONPATH": str(GUARD),
            "PYTHONDONTWRITEBYTECODE": "1",
        },
        capture_output=True,
        text=True,
    )
    rows = [json.loads(line) for line in log.read_text("utf-8").splitlines()]
    return Watched(done.returncode, done.stdout, done.stderr, rows, folder)
