"""Finds numbers with their scale and currency: the raw material of sums of money.

A regular expression runs over the text; each number it finds is read on the spot, with the
scale and the currency beside it. A quantity need not be money: "500 millions" may count users,
and a bare "40" may be a day, or borrow the unit of its neighbour. That is for
:mod:`pipeline.normalise.money` to decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import TypeVar

from pydantic import Field

from pipeline.lexicon import Row, Text, load
from pipeline.normalise.currencies import Currency, SharedName, currency_at, sign_before
from pipeline.normalise.numbers import DIGITS, EXACT, WORDS, read_digits, read_words

ONE = Decimal(1)
HALF = Decimal("0.5")
MILLION = Decimal(1_000_000)


class Forms(Row):
    """A row that says something of several written forms."""

    forms: tuple[Text, ...] = Field(min_length=1)

    def claims(self) -> tuple[str, ...]:
        return self.forms


class Scale(Forms):
    """A power of ten in words; ``english``: its value where the currency stands before it."""

    value: Decimal
    english: Decimal | None = None


class Abbreviation(Forms):
    """A power of ten abbreviated; ``needs_currency``: it means something else without one."""

    value: Decimal
    needs_currency: bool = False


class NumberWord(Forms):
    """A number word that text2num lacks."""

    value: Decimal


class Adjective(Forms):
    """An adjective that may stand between a number and its scale."""

    approximate: bool = False


SCALES = load("units", Scale, "scale")
ABBREVIATIONS = load("units", Abbreviation, "abbreviation")
COLLECTIVES = load("units", NumberWord, "collective")
FRACTIONS = load("units", NumberWord, "fraction")
ADJECTIVES = load("units", Adjective, "adjective")

FormsT = TypeVar("FormsT", bound=Forms)


def _by_form(rows: Iterable[FormsT]) -> dict[str, FormsT]:
    return {form: row for row in rows for form in row.forms}


def _any_of(forms: Iterable[str]) -> str:
    return f"(?i:{'|'.join(map(re.escape, sorted(forms, key=len, reverse=True)))})(?![^\\W_])"


_SCALE_OF = _by_form(SCALES)
_ABBREVIATION_OF = _by_form(ABBREVIATIONS)
_COLLECTIVE_OF = _by_form(COLLECTIVES)
_FRACTION_OF = _by_form(FRACTIONS)
_ADJECTIVE_OF = _by_form(ADJECTIVES)

_BIG_SCALE = r"(?i:milli(?:on|ard))"
_NUMBER = re.compile(
    rf"""
    (?P<digits>{DIGITS})
    | (?<![\w-])(?:
        (?:(?i:une?)\ (?:(?P<size>{_any_of(_ADJECTIVE_OF)})\ )?)?
        (?P<collective>{_any_of(_COLLECTIVE_OF)})
      | (?:(?i:un)\ )?(?P<fraction>{_any_of(_FRACTION_OF)})[ -](?={_BIG_SCALE})
      | (?P<definite>(?<=\b[Ll]e\ )|(?<=\bdu\ )|(?<=\bau\ )|(?<=\b[Cc]e\ ))
        (?={_BIG_SCALE}(?![^\W_]))
    )
    | (?<!pour\ )(?<![0-9]\ )(?P<words>{WORDS})
    """,
    re.VERBOSE,
)
_TAIL = re.compile(
    rf"(?:[ -](?P<adjective>{_any_of(_ADJECTIVE_OF)}))?"
    rf"(?:[ -]|\ de\ |)(?P<scale>{_any_of(_SCALE_OF)})"
    rf"(?:\ (?:de\ )?(?P<second>{_BIG_SCALE}s?)(?![^\W_]))?"
    r"(?P<half>\ et\ demie?(?![^\W_]))?"
)
_LETTERS = re.compile(r"(?: (?:de )?)?([A-Za-z]{1,4})")
_BEFORE_CURRENCY = re.compile(r" {0,2}(?:(?P<of>de |d'))?(?=[^\W0-9_]|[^\s\w.,;:!?()«»\"'%/+-])")
_EURO_CENTS = re.compile(r"(?<=[0-9]€)[0-9]{2}(?![0-9€.,])")
# "un dollar fort" speaks of the currency, not of one dollar.
_OF_THE_CURRENCY_ITSELF = re.compile(
    r" (?:fort|faible|stable|numérique|digital|unique|plus|trop|qui|en (?:hausse|baisse))\b"
)
_YEARS = range(1900, 2101)


@dataclass(frozen=True, slots=True)
class Quantity:
    """A number at ``start``–``end`` with the scale and currency that are written beside it.

    ``number`` is as written before the scale ("6,6"). ``firm`` says that the scale stands on
    its own feet ("milliards", "Md"), not only by a currency ("M"). ``like_a_year``: four digits
    from 1900 to 2100 and nothing more. ``alone``: a mere "un" or "une".
    """

    start: int
    end: int
    number: Decimal
    scale: Decimal | None = None
    currency: Currency | None = None
    firm: bool = False
    approximate: bool = False
    like_a_year: bool = False
    alone: bool = False
    definite: bool = False

    @property
    def value(self) -> Decimal:
        return times(self.number, self.scale or ONE)

    @property
    def is_big(self) -> bool:
        """A firm scale from a million on: money or a count, never a mere number."""
        return self.firm and self.scale is not None and self.scale >= MILLION


def times(number: Decimal, scale: Decimal) -> Decimal:
    """The exact product, whole numbers without a fraction part or exponent."""
    product = EXACT.multiply(number, scale)
    whole = product.to_integral_value(context=EXACT)
    return whole if whole == product else product.normalize(EXACT)


def find_quantities(text: str) -> list[Quantity]:
    """Every quantity of ``text`` (in plain spaces), in order, without overlap; linear."""
    found: list[Quantity] = []
    for quantity in _scan(text):
        joined = _join(text, found[-1], quantity) if found else None
        if joined is None:
            found.append(quantity)
        else:
            found[-1] = joined
    return found


def _scan(text: str) -> Iterator[Quantity]:
    position = 0
    while (match := _NUMBER.search(text, position)) is not None:
        position = match.end()
        for number in _read_number(match):
            quantity = _with_unit(text, number, match) if number.end == position else number
            quantity = _with_sign_before(text, quantity, match)
            if _is_part_of_a_word(text, quantity):
                continue
            position = max(position, quantity.end)
            yield quantity
        # A definite "le milliard" matches no character of its own.
        position = max(position, match.start() + 1)


def _read_number(match: re.Match[str]) -> list[Quantity]:
    """The numbers of one match; digits keep their plain reading until the scale is known."""
    start, end = match.span()
    kind = match.lastgroup
    if kind == "digits":
        digits = match["digits"]
        like_a_year = len(digits) == 4 and digits.isdigit() and int(digits) in _YEARS
        return [Quantity(start, end, read_digits(digits), like_a_year=like_a_year)]
    if kind == "words":
        return [
            Quantity(
                start + word.start,
                start + word.end,
                word.value,
                alone=match["words"][word.start : word.end].lower() in ("un", "une"),
            )
            for word in read_words(match["words"])
        ]
    if match["collective"] is not None:
        value = _COLLECTIVE_OF[match["collective"].lower()].value
        return [Quantity(start, end, value, approximate=True)]
    if match["fraction"] is not None:
        # The scale's own separator is matched with the scale.
        return [Quantity(start, end - 1, _FRACTION_OF[match["fraction"].lower()].value)]
    return [Quantity(start, end, ONE, definite=True)]
