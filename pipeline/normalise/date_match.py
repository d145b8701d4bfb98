"""A form of date found in the tokens: what stands in it and around it, and what it means.

What a form says of the article's date is kept as a function of that date (a ``Resolver``) and
settled last, by :meth:`Reference.resolve`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import date, timedelta
from functools import lru_cache
from typing import Literal

from pipeline.normalise.date_words import EDGES, MODIFIERS, OPEN_ENDS, ORDINALS, Tokens
from pipeline.normalise.edtf import (
    Aim,
    Part,
    bounds,
    choose,
    in_year,
    months,
    quarter_value,
    run_value,
    semester_value,
)

Resolver = Callable[[date], str | None]


@dataclass(frozen=True, slots=True)
class Reading:
    """What the tokens ``start`` to ``end`` say.

    ``value``: known, or a function of the article's date, or ``None`` where it is vague.
    ``yearly``: what it is in any year (see :func:`in_year`), where the text leaves it unsaid.
    ``now``: it takes the article's own date where that is less precise than a day.
    """

    start: int
    end: int
    value: str | Resolver | None
    part: Part = Part.WHOLE
    yearly: str | None = None
    now: bool = False


@dataclass(frozen=True, slots=True)
class Reference:
    """The article's date, which may be a month or a year."""

    value: str
    first: date
    last: date

    def resolve(self, resolver: Resolver) -> str | None:
        """What the resolver says of both ends of this date, where it says the same."""
        try:
            value = resolver(self.first)
            if value is None or (self.first != self.last and value != resolver(self.last)):
                return None
            bounds(value)
        except (ValueError, OverflowError):  # beyond the years 1 to 9999
            return None
        return value


def read_reference(published: str | None) -> Reference | None:
    """Raises :class:`ValueError` where ``published`` is no EDTF value."""
    return None if published is None else Reference(published, *bounds(published))


_YEARS_AROUND = (2, 8)  # the 29th of February may be eight years off


def yearly(template: str, aim: Aim) -> Resolver:
    """Chooses among the years around the article's date; for ``template`` see :func:`in_year`."""
    return lambda day: _yearly(template, aim, day)


@lru_cache(maxsize=1 << 10)
def _yearly(template: str, aim: Aim, day: date) -> str | None:
    for around in _YEARS_AROUND:
        years = range(day.year - around, day.year + around + 1)
        values = [it for year in years if (it := in_year(template, year))]
        if value := choose(values, day, aim):
            return value
    return None


def weekly(weekday: int, length: int, aim: Aim) -> Resolver:
    """Chooses among the weeks around: ``length`` days from ``weekday`` (Monday is 1) on."""
    return lambda day: _weekdays(day, weekday, length, aim)


@lru_cache(maxsize=1 << 10)
def _weekdays(day: date, weekday: int, length: int, aim: Aim) -> str | None:
    monday = day - timedelta(day.weekday())
    firsts = [monday + timedelta(7 * week + weekday - 1) for week in range(-2, 3)]
    return choose([run_value(first, length) for first in firsts], day, aim)


def shifted(kind: str, offset: int) -> Resolver | None:
    """The year, month, … that lies ``offset`` of its kind from the one of the article's date."""
    match kind:
        case "year":
            return lambda day: f"{day.year + offset:04d}"
        case "month":
            return lambda day: months(day.year, day.month + offset, 1)[0].isoformat()[:7]
        case "week":
            return lambda day: run_value(day + timedelta(7 * offset - day.weekday()), 7)
        case "day":
            return lambda day: (day + timedelta(offset)).isoformat()
        case "quarter":
            return lambda day: quarter_value(day.year, (day.month - 1) // 3 + offset)
        case "semester":
            return lambda day: semester_value(day.year, (day.month - 1) // 6 + offset)
        case "decade" if offset == 0:
            return lambda day: f"{day.year // 10:03d}X"
        case _:
            return None


# ---- Matches ---------------------------------------------------------------------------------

Tense = Literal["past", "future"] | None

_PARTICIPLES = ("é", "ée", "és", "ées")  # "lancé cet été"
_CLAUSE = 15  # tokens that the verb may stand away
_HALVES = {1: Part.FIRST_HALF, 2: Part.SECOND_HALF}


class Match:
    """A form found in the tokens: its named parts and what stands around it.

    ``alone``: the expression is the whole text, known to be a date, so that no context is asked.
    ``after_year``: a list of years goes on here ("2021, 2022 et …").
    """

    def __init__(
        self, tokens: Tokens, found: re.Match[str], *, alone: bool, after_year: bool
    ) -> None:
        self.tokens = tokens
        self.start, self.end = found.span()
        self.alone = alone
        self.after_year = after_year
        self._spans = {
            name: found.span(name) for name, text in found.groupdict().items() if text is not None
        }

    def has(self, *names: str) -> bool:
        return not self._spans.keys().isdisjoint(names)

    def index(self, name: str) -> int:
        return self._spans[name][0]

    def words(self, name: str) -> list[str]:
        """The words of the part ``name``, none where it is absent."""
        start, end = self._spans.get(name, (0, 0))
        return self.tokens.words[start:end]

    def word(self, name: str) -> str:
        return "".join(self.words(name)[:1])

    def before(self, steps: int = 1) -> str:
        return self.tokens.word(self.start - steps)

    def after(self, steps: int = 0) -> str:
        return self.tokens.word(self.end + steps)

    def begins_with(self, terminal: str) -> bool:
        return self.tokens.is_(self.start, terminal)

    def is_followed_by(self, *terminals: str) -> bool:
        return self.tokens.is_(self.end, *terminals)

    def is_name(self, name: str) -> bool:
        """Whether a capital inside a sentence makes the part ``name`` a name ("le Printemps")."""
        index = self.index(name)
        return self.tokens.capital(index) and not self.tokens.begins_sentence(index)

    def part(self) -> Part:
        if self.has("half"):
            return _HALVES.get(ORDINALS[self.word("half")], Part.WHOLE)
        return EDGES[self.word("edge")] if self.has("edge") else Part.WHOLE

    def tense(self) -> Tense:
        """What the nearest verb to the left in the sentence says.

        A date at the head of the sentence looks to the right.
        """
        left = range(self.start - 1, max(-1, self.start - 1 - _CLAUSE), -1)
        if tense := self._first_tense(left):
            return tense
        heads = range(max(0, self.start - 2), self.start + 1)
        if not any(self.tokens.begins_sentence(index) for index in heads):
            return None
        right = range(self.end, min(len(self.tokens.words), self.end + _CLAUSE))
        return self._first_tense(right)

    def _first_tense(self, indices: Iterable[int]) -> Tense:
        for index in indices:
            tense = self.tokens.tense(index)
            if tense is not None:
                return None if tense == "end" else tense
        return None

    def aim(self) -> Aim:
        """Which of the dates of one name is meant here."""
        if self.has("mod"):
            return Aim.LAST if MODIFIERS[self.word("mod")] == "last" else Aim.NEXT
        near = {self.before(), self.before(2)}
        if "depuis" in near:
            return Aim.PAST
        tense = "future" if "ici" in near else self.tense()
        if tense == "future" and "qu'" not in near:  # "plus facile qu'en février"
            return Aim.FUTURE
        past = tense == "past"
        if self.begins_with("THIS"):
            done = past or self.before().endswith(_PARTICIPLES)
            return Aim.PAST if done else Aim.NEAREST
        day = self.has("days", "numeric")
        if near & OPEN_ENDS and (day or not past):
            return Aim.NEAREST
        return Aim.RECENT if day else Aim.PAST

    def reading(
        self, value: str | Resolver | None, *, start: str | None = None, now: bool = False
    ) -> Reading:
        """The reading of this match, from its part ``start`` on if that is given."""
        first = self.start if start is None else self.index(start)
        return Reading(first, self.end, value, self.part(), now=now)

    def recurring(self, template: str, *, start: str | None = None) -> Reading | None:
        """The reading of what comes every year; for ``template`` see :func:`in_year`.

        ``None`` where the year is said and has no such day.
        """
        reading = self.reading(None, start=start)
        if self.has("ref"):
            value = self._in_year_said(template)
            return None if value is None and self.has("year") else replace(reading, value=value)
        if self.has("mod"):
            story = MODIFIERS[self.word("mod")] == "story"
            return replace(reading, value=None if story else yearly(template, self.aim()))
        return replace(reading, value=yearly(template, self.aim()), yearly=template)

    def _in_year_said(self, template: str) -> str | Resolver | None:
        """The value in the year of the part ``ref``: "2023", "de l'an dernier", "de l'année"."""
        if self.has("year"):
            return in_year(template, int(self.word("year")))
        times = [MODIFIERS[word] for word in self.words("ref") if word in MODIFIERS]
        if times == ["story"]:
            return None
        offset = {"last": -1, "next": 1}.get(times[0], 0) if times else 0
        return lambda day: in_year(template, day.year + offset)
