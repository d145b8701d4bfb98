"""Values of dates in ISO 8601 / EDTF, their days, and the choice among dates of one name.

Written are years, months and days (``2023``, ``2023-09``, ``2023-09-04``; EDTF level 0), quarters
(``2026-Q1``, as the event contract has it), seasons (``2023-21`` for spring to ``2023-24`` for
winter) and decades (``199X``; both EDTF level 1), and intervals of these (``2026-01/2026-06``),
which stand for half-years, weeks, weekends and runs of days.

EDTF does not say which days a season has. Here it has the three whole months of the
meteorologists, and a winter bears the year in which it begins.
"""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from enum import Enum, StrEnum
from functools import lru_cache

_VALUE = re.compile(
    r"(?P<year>[0-9]{4})"
    r"(?:-(?P<month>0[1-9]|1[0-2])(?:-(?P<day>[0-9]{2}))?|-Q(?P<quarter>[1-4])|-2(?P<season>[1-4]))?"
    r"|(?P<decade>[0-9]{3})X"
)


def interval(value: str) -> tuple[str, str]:
    """First and last day, in ISO 8601, of an EDTF value.

    Raises:
        ValueError: the value is malformed, no date of the calendar, or ends before it begins.
    """
    first, last = bounds(value)
    return first.isoformat(), last.isoformat()


@lru_cache(maxsize=1 << 12)
def bounds(value: str) -> tuple[date, date]:
    """:func:`interval` as dates."""
    begin, slash, end = value.partition("/")
    first, last = _simple_bounds(begin)
    if slash:
        last = _simple_bounds(end)[1]
    if last < first:
        raise ValueError(f"{value!r} ends before it begins")
    return first, last


def _simple_bounds(value: str) -> tuple[date, date]:
    match = _VALUE.fullmatch(value)
    if match is None:
        raise ValueError(f"{value!r} is no EDTF date")
    if decade := match["decade"]:
        return date(int(f"{decade}0"), 1, 1), date(int(f"{decade}9"), 12, 31)
    year = int(match["year"])
    if match["day"]:
        day = date.fromisoformat(value)
        return day, day
    if match["month"]:
        return months(year, int(match["month"]), 1)
    if match["quarter"]:
        return months(year, 3 * int(match["quarter"]) - 2, 3)
    if match["season"]:
        return months(year, 3 * int(match["season"]), 3)
    return months(year, 1, 12)


def months(year: int, month: int, count: int) -> tuple[date, date]:
    """First and last day of ``count`` months; ``month`` counts on beyond 1 to 12."""
    first = date(year + (month - 1) // 12, (month - 1) % 12 + 1, 1)
    last_year, last_month = divmod(12 * first.year + first.month + count - 2, 12)
    return first, date(last_year, last_month + 1, monthrange(last_year, last_month + 1)[1])


def valid(value: str) -> str | None:
    """``value`` if the calendar has it."""
    try:
        bounds(value)
    except ValueError:
        return None
    return value


@lru_cache(maxsize=1 << 12)
def in_year(template: str, year: int) -> str | None:
    """What a date of every year ("{year:04d}-03-15") is in that year, if the year has it."""
    return valid(template.format(year=year))


def quarter_value(year: int, index: int) -> str:
    """The quarter with that index from the year's first, 0, on; it may lie in another year."""
    return f"{year + index // 4:04d}-Q{index % 4 + 1}"


def semester_value(year: int, index: int) -> str:
    """The half-year with that index from the year's first, 0, on."""
    year, half = year + index // 2, index % 2
    return f"{year:04d}-{6 * half + 1:02d}/{year:04d}-{6 * half + 6:02d}"


def run_value(first: date, length: int) -> str:
    """``length`` days from ``first`` on."""
    last = first + timedelta(length - 1)
    return first.isoformat() if length == 1 else f"{first.isoformat()}/{last.isoformat()}"


# ---- Parts of a time -------------------------------------------------------------------------


class Part(StrEnum):
    """The part of a time that is meant: "début", "mi-", "fin"; "première moitié"."""

    WHOLE = "whole"
    START = "start"
    MIDDLE = "middle"
    END = "end"
    FIRST_HALF = "first half"
    SECOND_HALF = "second half"


_THIRDS = (Part.START, Part.MIDDLE, Part.END)
_HALVES = (Part.FIRST_HALF, Part.SECOND_HALF)


def narrow(first: date, last: date, part: Part) -> tuple[date, date]:
    """The days of ``part`` of the time from ``first`` to ``last``.

    A third or half of several months is whole months; of one month, the days 1-10, 11-20, 21-end
    or 1-15, 16-end; of a week, Monday and Tuesday, Wednesday and Thursday, Friday to Sunday. Any
    other time is not narrowed.
    """
    if part is Part.WHOLE:
        return first, last
    parts = _THIRDS if part in _THIRDS else _HALVES
    index = parts.index(part)
    if (last - first).days == 6 and parts is _THIRDS:
        return _between(first, (0, 2, 4, 7), index)
    if first.day != 1:
        return first, last
    length = 12 * (last.year - first.year) + last.month - first.month + 1
    if length > 1:
        size = length // len(parts)
        return months(first.year, first.month + index * size, size)
    cuts = (0, 10, 20, last.day) if parts is _THIRDS else (0, 15, last.day)
    return _between(first, cuts, index)


def _between(first: date, cuts: Sequence[int], index: int) -> tuple[date, date]:
    return first + timedelta(cuts[index]), first + timedelta(cuts[index + 1] - 1)


# ---- Dates of one name -----------------------------------------------------------------------

_LONG_AGO = timedelta(243)  # eight months


class Aim(Enum):
    """Which of the dates of one name is meant ("mars", "mardi"), seen from a day."""

    LAST = "over before that day"
    NEXT = "begins after it"
    PAST = "the latest that has begun"
    RECENT = "the latest that has begun, or the next one if that is over for eight months"
    FUTURE = "the first that is not over"
    NEAREST = "the nearest in time"


def choose(values: Iterable[str], day: date, aim: Aim) -> str | None:
    """The one of ``values``, which stand in the order of time, that ``aim`` means on ``day``."""
    dated = [(value, *bounds(value)) for value in values]
    match aim:
        case Aim.LAST:
            return next((value for value, _, last in reversed(dated) if last < day), None)
        case Aim.NEXT:
            return next((value for value, first, _ in dated if first > day), None)
        case Aim.PAST:
            return next((value for value, first, _ in reversed(dated) if first <= day), None)
        case Aim.RECENT:
            since = day - _LONG_AGO
            return next((value for value, _, last in dated if last > since), None)
        case Aim.FUTURE:
            return next((value for value, _, last in dated if last >= day), None)
        case Aim.NEAREST:
            nearest = min(dated, key=lambda it: max(it[1] - day, day - it[2]), default=None)
            return nearest[0] if nearest else None
