"""Stored reports: what they are made of, and the one way in which they are written."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from pipeline.writer import atomic_open


class Record(BaseModel):
    """A report or a part of one: it never changes, and refuses what it does not know."""

    model_config = ConfigDict(extra="forbid", frozen=True)


def write(contents: Mapping[Path, str]) -> None:
    """Writes each text at its place, whole or not at all; folders are made if need be.

    Raises:
        OutputError: where a place cannot be written.
    """
    for path, content in contents.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        with atomic_open(path) as stream:
            stream.write(content)
