"""Digests of the code, the training text and the shipped model, so that a stale report is told."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256
from pathlib import Path


def code(root: Path) -> str:
    """Of the pipeline's modules and lexicons, and of what training starts from."""
    files = [
        *(root / "pipeline").rglob("*.py"),
        *(root / "pipeline").rglob("*.toml"),
        *below(root / "models" / "configs"),
        *below(root / "models" / "pretrained"),
    ]
    return digest(files, root)


def corpus(root: Path) -> str:
    """Of the gold that the model is trained on."""
    annotations = root / "annotations"
    return digest([*below(annotations / "seeds"), *below(annotations / "train")], root)


def model(root: Path, name: str = "fr_deals_md") -> str:
    """Of the shipped model, or of another one in the folder of models."""
    return digest(below(root / "models" / name), root)


def digest(files: Iterable[Path], root: Path) -> str:
    """SHA-256 over the files' names below ``root`` and their bytes, in the order of the names."""
    out = sha256()
    for name, file in sorted((file.relative_to(root).as_posix(), file) for file in files):
        content = file.read_bytes()
        out.update(f"{name}\0{len(content)}\0".encode())
        out.update(content)
    return out.hexdigest()


def below(folder: Path) -> list[Path]:
    """Every file in ``folder`` and its subfolders."""
    return [file for file in folder.rglob("*") if file.is_file()]
