"""What the words for rounds and instruments mean: ``lexicons/terms.toml``."""

from __future__ import annotations

import re
from collections.abc import Sequence

from pipeline.lexicon import Row, Text, load
from pipeline.schema import Instrument, RoundName


class RoundRow(Row):
    """A round and the words that name it."""

    value: RoundName
    pattern: Text


class InstrumentRow(Row):
    """An instrument and the words that name it."""

    value: Instrument
    pattern: Text


_ROUNDS = [(re.compile(row.pattern), row.value) for row in load("terms", RoundRow, "round")]
_INSTRUMENTS = [
    (re.compile(row.pattern), row.value) for row in load("terms", InstrumentRow, "instrument")
]


def _lookup(text: str, table: Sequence[tuple[re.Pattern[str], str]]) -> str | None:
    lowered = text.lower().replace("\u00a0", " ")
    return next((str(value) for pattern, value in table if pattern.search(lowered)), None)


def round_of(text: str) -> str | None:
    """The round that the words of a ROUND mention name; the first row of the lexicon wins."""
    return _lookup(text, _ROUNDS)


def instrument_of(text: str) -> str | None:
    """The instrument that the words of an INSTRUMENT mention name; the first row wins."""
    return _lookup(text, _INSTRUMENTS)
