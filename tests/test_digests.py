"""Digests of what a model and its scores were made from."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pipeline import digests


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    for name in (
        "pipeline/a.py",
        "pipeline/lexicons/b.toml",
        "models/configs/ner.cfg",
        "models/pretrained/tok2vec.bin",
        "models/fr_deals_md/meta.json",
        "models/README.md",
        "annotations/seeds/a.md",
        "annotations/train/w01/b.md",
        "annotations/heldout/c.md",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(name, encoding="utf-8")
    return tmp_path


DIGESTS: dict[str, Callable[[Path], str]] = {
    "code": digests.code,
    "corpus": digests.corpus,
    "model": digests.model,
}


@pytest.mark.parametrize(
    ("changed", "tells"),
    [
        ("pipeline/a.py", {"code"}),
        ("pipeline/lexicons/b.toml", {"code"}),
        ("pipeline/lexicons/new.toml", {"code"}),
        ("models/configs/ner.cfg", {"code"}),
        ("models/pretrained/tok2vec.bin", {"code"}),
        ("models/fr_deals_md/meta.json", {"model"}),
        ("models/README.md", set()),
        ("annotations/seeds/a.md", {"corpus"}),
        ("annotations/train/w01/b.md", {"corpus"}),
        ("annotations/heldout/c.md", set()),
        ("pipeline/notes.txt", set()),
    ],
)
def test_each_digest_tells_its_own_files(tree: Path, changed: str, tells: set[str]) -> None:
    before = {name: digest(tree) for name, digest in DIGESTS.items()}
    (tree / changed).write_text("other", encoding="utf-8")
    assert {name for name, digest in DIGESTS.items() if digest(tree) != before[name]} == tells


def test_a_file_that_moves_or_takes_of_another_is_told(tree: Path) -> None:
    before = digests.code(tree)
    (tree / "pipeline" / "a.py").rename(tree / "pipeline" / "c.py")
    moved = digests.code(tree)
    (tree / "pipeline" / "c.py").write_text("pipeline/", encoding="utf-8")
    (tree / "pipeline" / "d.py").write_text("a.py", encoding="utf-8")
    assert len({before, moved, digests.code(tree)}) == 3


def test_the_place_of_the_tree_is_no_part_of_it(tree: Path) -> None:
    before = digests.code(tree)
    assert digests.code(tree.rename(tree.parent / "elsewhere")) == before
