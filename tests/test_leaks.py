"""The development set stays a test: no party of its events is named where the model learns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from pipeline.markup import parse_folder
from pipeline.schema import NAME_LABELS

DEV = Path("annotations") / "dev" / "press21.gold.json"


def under(key: str, value: object) -> Iterator[Any]:
    """Everything that stands under a key, however deep."""
    if isinstance(value, dict):
        for own, part in value.items():
            yield from [part] if own == key else under(key, part)
    elif isinstance(value, list):
        for part in value:
            yield from under(key, part)


def forms(name: str) -> list[str]:
    """``|`` stands between forms of one name."""
    return [form.strip() for form in name.split("|")]


def companies(gold: object) -> set[str]:
    return {form for name in under("company", gold) for form in forms(name)} - {""}


def investors(gold: object) -> set[str]:
    """The proper names among those of the investors, who are lists that begin with the name."""
    names = (name for investors in under("investors", gold) for name, *_ in investors)
    every = {form for name in names for form in forms(name)}
    return {form for form in every if form[:1].isupper() and "(unnamed)" not in form}


class Names:
    """A search for whole names; it does not show them, so that no failure prints them."""

    def __init__(self, names: set[str]) -> None:
        longest_first = sorted(names, key=len, reverse=True)
        self._any = re.compile(rf"(?<!\w)(?:{'|'.join(map(re.escape, longest_first))})(?!\w)")
        self.count = len(names)

    def in_text(self, text: str) -> int:
        return len(set(self._any.findall(text)))


@pytest.fixture(scope="module")
def names(root: Path) -> Names:
    return Names(companies(json.loads((root / DEV).read_text(encoding="utf-8"))))


@pytest.fixture(scope="module")
def backers(root: Path) -> Names:
    return Names(investors(json.loads((root / DEV).read_text(encoding="utf-8"))))


def test_there_are_names_to_look_for(names: Names, backers: Names) -> None:
    assert names.count > 10
    assert backers.count > 50


def test_whole_names_are_found() -> None:
    names = Names({"Alpha", "Alpha Robotics"})
    assert names.in_text("Alpha lève, (Alpha Robotics) aussi") == 2
    assert names.in_text("l'alpha, Alphabet") == 0
    assert "Alpha" not in repr(names)


def hits(names: Names, files: Iterator[Path], root: Path) -> dict[str, int]:
    """How many names each file holds."""
    found = {}
    for path in files:
        if count := names.in_text(path.read_text(encoding="utf-8")):
            found[path.relative_to(root).as_posix()] = count
    return found


def test_not_in_the_training_text(root: Path, names: Names) -> None:
    assert hits(names, (root / "annotations" / "train").rglob("*.md"), root) == {}


def test_no_investor_is_marked_in_the_training_text(root: Path, backers: Names) -> None:
    found = {
        article.path: backers.in_text(" | ".join(mention.text for mention in article.mentions))
        for article in parse_folder(root / "annotations" / "train")
    }
    assert {path: count for path, count in found.items() if count} == {}


def test_no_investor_is_in_the_lists_of_names(root: Path, backers: Names) -> None:
    assert hits(backers, (root / "annotations" / "names").rglob("*.txt"), root) == {}


def test_no_name_of_the_seeds_is_among_the_known_ones(root: Path) -> None:
    """Else leaving a seed out would not leave its names out."""
    seeds = parse_folder(root / "annotations" / "seeds")
    marks = (mark for article in seeds for mark in article.mentions if mark.label in NAME_LABELS)
    named = Names({mark.text for mark in marks if not mark.nom and not mark.unnamed})
    assert named.count > 30
    assert hits(named, (root / "annotations" / "names").glob("known_*.txt"), root) == {}


def test_not_in_the_lists_of_names(root: Path, names: Names) -> None:
    files = (path for path in (root / "annotations" / "names").rglob("*") if path.is_file())
    assert hits(names, files, root) == {}


@pytest.mark.parametrize("which", ["names", "backers"])
def test_not_in_the_code_and_its_lexicons(
    root: Path, which: str, request: pytest.FixtureRequest
) -> None:
    files = (path for end in ("py", "toml") for path in (root / "pipeline").rglob(f"*.{end}"))
    assert hits(request.getfixturevalue(which), files, root) == {}
