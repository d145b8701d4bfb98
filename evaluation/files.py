"""Stored reports, each written whole or not at all."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pipeline.writer import atomic_open


def write(contents: Mapping[Path, str]) -> None:
    """Writes each text at its place; folders are made if need be.

    Raises:
        OutputError: where a place cannot be written.
    """
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_open(path) as stream:
            stream.write(content)
