"""Date expressions of French news: where they stand and which days they mean.

How it reads. The text becomes tokens, each token a letter for what it can be in a date (month,
weekday, unit, "dernier", …), so that a form ("fin", perhaps "de", month, perhaps year) is a
regular expression over letters (``date_forms.py``). At each place the longest form that its context
allows wins. What a form says of the article's date is kept as a function and settled last.

Conventions (no standard has them; the tests show each):

- Values are ISO 8601 / EDTF: ``2023``, ``2023-09``, ``2023-09-04``, a quarter ``2026-Q1``, a
  season ``2023-21`` (spring) to ``2023-24`` (winter), a decade ``199X``; a half-year, a week, a
  weekend and a run of days are intervals (``2026-01/2026-06``).
- Seasons are the meteorological ones, of three whole months; a winter bears the year in which
  it begins.
- "début", "mi-", "fin" leave the value and narrow the days to the first, second or last third:
  whole months of a year, quarter or season; days 1-10, 11-20, 21-end of a month; Monday and
  Tuesday, Wednesday and Thursday, Friday to Sunday of a week.
- A weekday, day, month, quarter or season without a year is the latest that had begun when the
  article appeared ("mars"); with "dernier" the latest that was over, with "prochain", "d'ici" or
  in a sentence about the future the next one; with "ce", "dès", "jusqu'au" or "pour" the nearest.
  A day that would be eight months past ("le 11 mai", said in April) is the next one. A weekday
  before a day and month chooses the year, and so does the other end of a range.
- "il y a" and "dans" with days give the day, with weeks or months the month, with years the
  year ("un an et demi": the month).
- An article dated by month or year only: the expression is read for the first and the last day
  of that time, and has a value only where both agree ("le mois dernier", not "mardi"). "hier",
  "aujourd'hui", "ce mois-ci" then take the article's own date as their value.
- Without a value: what is vague ("récemment", "les prochains mois", "il y a plus d'un an"), what
  counts from another moment of the story ("la veille", "l'année suivante"), fiscal quarters.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date

from pipeline.normalise.date_forms import ANY_FORM, EACH_FORM, FORMS, LINKS
from pipeline.normalise.date_match import Match, Reading, Reference, read_reference
from pipeline.normalise.date_words import Tokens
from pipeline.normalise.edtf import bounds, in_year, interval, narrow

__all__ = ["DateSpan", "find_dates", "interval", "parse_date"]


@dataclass(frozen=True, slots=True)
class DateSpan:
    """One date expression, ``text[start:end]`` (code points).

    ``value``: ISO 8601 / EDTF as in the module's conventions, ``None`` where it is vague or
    relative to a date that is not known. ``first``, ``last``: its days in ISO 8601, or ``None``.
    """

    start: int
    end: int
    value: str | None
    first: str | None
    last: str | None


def _longest(tokens: Tokens, at: int, *, after_year: bool) -> Reading | None:
    """The longest reading of the forms that match at the token ``at``."""
    found = EACH_FORM.match(tokens.letters, at)
    assert found is not None  # it matches everywhere
    best: Reading | None = None
    for (pattern, read), (_, end) in zip(FORMS, found.regs[1:], strict=True):
        if end <= (at if best is None else best.end):
            continue
        form = pattern.match(tokens.letters, at)
        assert form is not None
        best = read(Match(tokens, form, alone=False, after_year=after_year)) or best
    return best


def _readings(tokens: Tokens) -> Iterator[Reading]:
    """Readings in the order of the text, none overlapping."""
    at, year_end = 0, -1
    while found := ANY_FORM.search(tokens.letters, at):
        at = found.start()
        after_year = at - 1 == year_end and tokens.is_(at - 1, "COMMA", "AND", "AT", "TO", "DASH")
        reading = _longest(tokens, at, after_year=after_year)
        if reading is None:
            at += 1
            continue
        yield reading
        at = reading.end
        if tokens.is_(at - 1, "YEAR"):
            year_end = at


def _with_years(tokens: Tokens, readings: Sequence[Reading]) -> Iterator[Reading]:
    """In "de mars à juin 2023" the first date takes the year of the second."""
    for index, reading in enumerate(readings):
        following = readings[index + 1] if index + 1 < len(readings) else None
        if reading.yearly and following and (last := _shared_year(tokens, reading, following)):
            value = in_year(reading.yearly, last.year)
            if value is None or bounds(value)[0] > last:
                value = in_year(reading.yearly, last.year - 1)
            reading = replace(reading, value=value)
        yield reading


def _shared_year(tokens: Tokens, reading: Reading, following: Reading) -> date | None:
    """The first day of the second date, where the text says its year for both."""
    link = tokens.letters[reading.end : following.start]
    linked = 1 <= len(link) <= 3 and LINKS.issuperset(link)
    if not linked or not isinstance(following.value, str) or "-" not in following.value:
        return None
    return bounds(following.value)[0]


def _settle(tokens: Tokens, reading: Reading, reference: Reference | None) -> DateSpan:
    start, end = tokens.starts[reading.start], tokens.ends[reading.end - 1]
    value = reading.value
    if callable(value):
        value = reference.resolve(value) if reference else None
        if value is None and reading.now and reference:
            value = reference.value
    if value is None:
        return DateSpan(start, end, None, None, None)
    first, last = narrow(*bounds(value), reading.part)
    return DateSpan(start, end, value, first.isoformat(), last.isoformat())


def find_dates(text: str, published: str | None = None) -> list[DateSpan]:
    """Every date expression of an article, in the order of the text, none overlapping.

    ``published`` is the article's own date as an EDTF value ("2026-01-20", "2023-10"), or
    ``None``. Prepositions stay outside the spans, and so do articles ("le [15 mars]", "au
    [printemps]") but for those that belong to a relative expression ("[la semaine dernière]").

    Raises:
        ValueError: ``published`` is malformed.
    """
    reference = read_reference(published)
    tokens = Tokens(text)
    readings = list(_readings(tokens))
    return [_settle(tokens, reading, reference) for reading in _with_years(tokens, readings)]


def parse_date(text: str, published: str | None = None) -> DateSpan | None:
    """The one date that the whole of ``text`` is, as an annotator marked it; else ``None``.

    No context is asked for: "mars" alone is the month. Spaces at the ends and an article before
    the date are let be, and stay outside the span.

    Raises:
        ValueError: ``published`` is malformed.
    """
    reference = read_reference(published)
    tokens = Tokens(text)
    for start in range(2 if tokens.is_(0, "THE") else 1):
        for pattern, read in FORMS:
            if found := pattern.fullmatch(tokens.letters, start):
                reading = read(Match(tokens, found, alone=True, after_year=False))
                if reading and reading.start == start:
                    return _settle(tokens, reading, reference)
    return None
