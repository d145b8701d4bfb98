"""The development set stays a test: no party of its events is named where the model learns."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from pipeline.markup import parse_folder

DEV = Path("annotations") / "dev" / "press21.gold.json"


def companies(value: object) -> Iterator[str]:
    """Every name under a key ``company``, however deep; ``|`` stands between forms of one."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "company" and isinstance(part, str):
                yield from (name.strip() for name in part.split("|"))
            else:
                yield from companies(part)
    elif isinstance(value, list):
        for part in value:
            yield from companies(part)


def investors(value: object) -> Iterator[str]:
    """The proper names among those of the investors, who are lists that begin with the name."""
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "investors":
                forms = (form.strip() for name, *_ in part for form in name.split("|"))
                yield from (f for f in forms if f[:1].isupper() and "(unnamed)" not in f)
            else:
                yield from investors(part)
    elif isinstance(value, list):
        for part in value:
            yield from investors(part)


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
    return Names(set(companies(json.loads((root / DEV).read_text(encoding="utf-8")))) - {""})


@pytest.fixture(scope="module")
def backers(root: Path) -> Names:
    return Names(set(investors(json.loads((root / DEV).read_text(encoding="utf-8")))))


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
    files = (path for path in (root / "annotations" / "names").rglob("*.txt"))
    assert hits(backers, files, root) == {}


def test_not_in_the_lists_of_names(root: Path, names: Names) -> None:
    files = (path for path in (root / "annotations" / "names").rglob("*") if path.is_file())
    assert hits(names, files, root) == {}


def test_not_in_the_code_and_its_lexicons(root: Path, names: Names) -> None:
    files = (path for end in ("py", "toml") for path in (root / "pipeline").rglob(f"*.{end}"))
    assert hits(names, files, root) == {}
