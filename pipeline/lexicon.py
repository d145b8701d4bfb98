"""Loads and checks the lexicons: TOML data under ``pipeline/lexicons``.

A lexicon file holds one or more arrays of tables. Each array has one row model, a subclass of
:class:`Row` that stands beside the code that uses it; every row carries an ``example``, a
stretch of French in which the row must fire (the tests hold each row to it)::

    [[scale]]
    forms = ["million", "millions", "M"]
    value = 1000000
    example = "3 millions d'euros"
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from functools import lru_cache
from importlib import resources
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, ConfigDict, StringConstraints, ValidationError

from pipeline.errors import LexiconError

Text = Annotated[str, StringConstraints(min_length=1, strip_whitespace=True)]
"""A non-empty string; every textual field of a row should be one."""


class Row(BaseModel):
    """One row of a lexicon. Subclasses add fields; unknown keys are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    example: Text

    def claims(self) -> Iterable[str]:
        """What this row alone may say: two rows of one table that share a claim are an error.

        Unless overridden it is the row's whole content but for the example.
        """
        return [self.model_dump_json(exclude={"example"})]


RowT = TypeVar("RowT", bound=Row)


def load(name: str, model: type[RowT], table: str = "row") -> tuple[RowT, ...]:
    """The rows of the array ``[[table]]`` of ``lexicons/<name>.toml``, in the file's order.

    Raises :class:`LexiconError`, naming file and row, as :func:`parse` does, and when there is
    no such lexicon.
    """
    source = f"{name}.toml"
    try:
        content = (resources.files("pipeline") / "lexicons" / source).read_text("utf-8")
    except FileNotFoundError:
        raise LexiconError(f"{source}: no such lexicon in pipeline/lexicons") from None
    return parse(content, source, model, table)


@lru_cache(maxsize=1)  # the tables of one file are asked for one after the other
def _toml(content: str) -> dict[str, Any]:
    return tomllib.loads(content)


def parse(content: str, source: str, model: type[RowT], table: str = "row") -> tuple[RowT, ...]:
    """The rows of the array ``[[table]]`` in the TOML ``content``; ``source`` names it in errors.

    Raises :class:`LexiconError` for text that is no TOML, a missing or empty table, a row that
    the model refuses (one without an example among them) and two rows with a common claim.
    """
    try:
        raw_rows = _toml(content).get(table)
    except tomllib.TOMLDecodeError as error:
        raise LexiconError(f"{source}: not TOML: {error}") from error
    if not isinstance(raw_rows, list) or not raw_rows:
        raise LexiconError(f"{source}: no [[{table}]] row")
    rows: list[RowT] = []
    owner: dict[str, int] = {}
    for number, raw in enumerate(raw_rows, start=1):
        place = f"{source}: [[{table}]] row {number}"
        try:
            row = model.model_validate(raw)
        except ValidationError as error:
            first = error.errors()[0]
            field = ".".join(str(part) for part in first["loc"])
            raise LexiconError(f"{place}: {field}: {first['msg']}") from error
        for claim in dict.fromkeys(row.claims()):
            if claim in owner:
                raise LexiconError(f"{place}: {claim!r} already stands in row {owner[claim]}")
            owner[claim] = number
        rows.append(row)
    return tuple(rows)
