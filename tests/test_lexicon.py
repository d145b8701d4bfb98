"""The loader of the lexicons, and what holds for every lexicon there is."""

from __future__ import annotations

import tomllib
from importlib import resources

import pytest

from pipeline.errors import LexiconError
from pipeline.lexicon import Row, Text, load, parse


class Word(Row):
    form: Text
    value: int = 0

    def claims(self) -> tuple[str, ...]:
        return (self.form,)


class Plain(Row):
    """Without claims of its own, so that its whole content is its claim."""

    form: Text
    value: int = 0


ROW = '[[row]]\nform = "deux"\nvalue = 2\nexample = "deux euros"\n'


def test_rows_come_typed_and_in_order() -> None:
    rows = parse(ROW + '[[row]]\nform = "un"\nexample = "un euro"\n', "x.toml", Word)
    assert [(row.form, row.value, row.example) for row in rows] == [
        ("deux", 2, "deux euros"),
        ("un", 0, "un euro"),
    ]


def test_a_file_may_hold_several_tables() -> None:
    content = ROW + '[[other]]\nform = "trois"\nexample = "trois"\n'
    assert [row.form for row in parse(content, "x.toml", Word, "other")] == ["trois"]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", r"x\.toml: no \[\[row\]\] row"),
        ("row = []", r"x\.toml: no \[\[row\]\] row"),
        ("row = 3", r"x\.toml: no \[\[row\]\] row"),
        ("[row]\nform = 'a'\nexample = 'a'", r"x\.toml: no \[\[row\]\] row"),
        ("row = [1]", r"x\.toml: \[\[row\]\] row 1: "),
        ("[[row]\n", r"x\.toml: not TOML: .*line 1"),
        (ROW + "[[row]]\nform = 'trois'\n", r"x\.toml: \[\[row\]\] row 2: example: "),
        (ROW + "[[row]]\nform = 'trois'\nexample = ' '\n", r"row 2: example: "),
        (ROW + "[[row]]\nform = ''\nexample = 'a'\n", r"row 2: form: "),
        (ROW + "[[row]]\nexample = 'a'\n", r"row 2: form: "),
        (ROW + "[[row]]\nform = 'a'\nexample = 'a'\nvalu = 1\n", r"row 2: valu: "),
        (ROW + "[[row]]\nform = 'a'\nexample = 'a'\nvalue = 'b'\n", r"row 2: value: "),
        (ROW + ROW, r"x\.toml: \[\[row\]\] row 2: 'deux' already stands in row 1"),
    ],
)
def test_a_bad_lexicon_is_refused_with_its_place(content: str, message: str) -> None:
    with pytest.raises(LexiconError, match=message):
        parse(content, "x.toml", Word)


def test_rows_that_differ_in_their_example_only_are_doubles() -> None:
    double = ROW.replace("deux euros", "deux dollars")
    with pytest.raises(LexiconError, match=r"row 2: .* already stands in row 1"):
        parse(ROW + double, "x.toml", Plain)


def test_a_missing_lexicon_is_named() -> None:
    with pytest.raises(LexiconError, match=r"no_such\.toml: no such lexicon"):
        load("no_such", Word)


LEXICONS = sorted(
    entry.name
    for entry in (resources.files("pipeline") / "lexicons").iterdir()
    if entry.name.endswith(".toml")
)


@pytest.mark.parametrize("name", LEXICONS)
def test_every_row_of_every_lexicon_has_an_example(name: str) -> None:
    content = (resources.files("pipeline") / "lexicons" / name).read_text("utf-8")
    tables = tomllib.loads(content)
    assert tables
    for table, rows in tables.items():
        assert isinstance(rows, list), f"{name}: {table} is no array of tables"
        for number, row in enumerate(rows, start=1):
            assert row.get("example", "").strip(), f"{name}: [[{table}]] row {number}"
