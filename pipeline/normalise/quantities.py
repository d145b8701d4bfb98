"""Finds numbers with their scale and currency: the raw material of sums of money.

A regular expression runs over the text; each number it finds is read on the spot, with the
scale and the currency beside it. A quantity need not be money: "500 millions" may count users,
and a bare "40" may be a day, or borrow the unit of its neighbour. That is for
:mod:`pipeline.normalise.money` to decide.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from decimal import Decimal
from typing import NamedTuple, TypeVar

from pydantic import Field

from pipeline.lexicon import Row, Text, load
from pipeline.normalise.currencies import Currency, SharedName, name_at, sign_at, sign_before
from pipeline.normalise.numbers import DIGITS, EXACT, WORDS, read_digits, read_words
from pipeline.normalise.patterns import any_of

ONE = Decimal(1)
HALF = Decimal("0.5")
THOUSAND = Decimal(1_000)
MILLION = Decimal(1_000_000)
HUNDREDTH = Decimal("0.01")


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


class ShortUnit(Forms):
    """A scale and a currency in one abbreviation ("ME")."""

    value: Decimal
    currency: Text


class Coin(Forms):
    """A hundredth of a currency.

    ``currency``: the only one it belongs to; ``needs_currency``: it means something else where
    no currency is named after it (50 Cent).
    """

    currency: Text | None = None
    needs_currency: bool = False


class NumberWord(Forms):
    """A number word that text2num lacks."""

    value: Decimal


class Adjective(Forms):
    """An adjective that may stand between a number and its scale."""

    approximate: bool = False


SCALES = load("units", Scale, "scale")
ABBREVIATIONS = load("units", Abbreviation, "abbreviation")
SHORT_UNITS = load("units", ShortUnit, "short_unit")
COINS = load("units", Coin, "coin")
COLLECTIVES = load("units", NumberWord, "collective")
FRACTIONS = load("units", NumberWord, "fraction")
ADJECTIVES = load("units", Adjective, "adjective")

FormsT = TypeVar("FormsT", bound=Forms)


def _by_form(rows: Iterable[FormsT]) -> dict[str, FormsT]:
    return {form: row for row in rows for form in row.forms}


def _any_word(forms: Iterable[str]) -> str:
    return rf"(?i:{any_of(forms)})(?![^\W_])"


_SCALE_OF = _by_form(SCALES)
_ABBREVIATION_OF = _by_form(ABBREVIATIONS)
_SHORT_UNIT_OF = _by_form(SHORT_UNITS)
_COIN_OF = _by_form(COINS)
_COLLECTIVE_OF = _by_form(COLLECTIVES)
_FRACTION_OF = _by_form(FRACTIONS)
_ADJECTIVE_OF = _by_form(ADJECTIVES)

_BIG_SCALE = r"(?i:milli(?:on|ard))"
_NUMBER = re.compile(
    rf"""
    (?P<digits>{DIGITS})
    | (?<![\w-])(?:
        (?:(?i:une?)\ (?:{_any_word(_ADJECTIVE_OF)}\ )?)?(?P<collective>{_any_word(_COLLECTIVE_OF)})
      | (?:(?i:un)\ )?(?P<fraction>{_any_word(_FRACTION_OF)})(?=[ -]{_BIG_SCALE})
      | (?P<definite>(?<=\b[Ll]e\ )|(?<=\bdu\ )|(?<=\bau\ )|(?<=\b[Cc]e\ )|\A)
        (?={_BIG_SCALE}(?![^\W_]))
    )
    | (?!(?:(?<=pour\ )|(?<=[0-9]\ ))(?i:cents?)(?![^\W_]))(?P<words>{WORDS})
    """,
    re.VERBOSE,
)
_SCALE = re.compile(
    rf"(?:[ -](?P<adjective>{_any_word(_ADJECTIVE_OF)}))?"
    rf"(?:[ -]|\ de\ |)(?P<scale>{_any_word(_SCALE_OF)})"
    rf"(?:\ (?:de\ )?(?P<second>(?:{_BIG_SCALE}|(?i:crore))s?)(?![^\W_]))?"
    r"(?P<half>\ et\ demie?(?![^\W_]))?"
)
_COIN = re.compile(rf" (?P<coin>{_any_word(_COIN_OF)})(?P<of> (?:de |d'))?", re.IGNORECASE)
_COINS_FOLLOW_UNITS = re.compile(r" (?:et )?")
_LETTERS = re.compile(r"(?: (?:de )?)?(?P<letters>[A-Za-z]{1,4})")
# Most numbers stand alone; what cannot begin a unit is left without a further look.
_NOTHING_FOLLOWS = re.compile(r"[ -]?(?:[0-9.,;:!?()\"»%]|\Z)")
_GAP = re.compile(r" {0,2}(?=[^\W0-9_]|[^\s\w.,;:!?()«»\"'%/+-])")
_GAP_AFTER_SCALE = re.compile(r" {0,2}(?:de |d')?", re.IGNORECASE)
_EURO_CENTS = re.compile(r"(?<=[0-9]€)[0-9]{2}(?![0-9€.,])")
# "100 livres (113 euros)" are no books.
_CONVERTED = re.compile(
    r" ?\((?:soit |environ |près de ){0,2}[0-9][0-9 .,]*(?:euros?|dollars?|[€$])"
)
# "un dollar fort" speaks of the currency, not of one dollar.
_OF_THE_CURRENCY_ITSELF = re.compile(
    r" (?:fort|faible|stable|numérique|digital|unique|plus|trop|qui|en (?:hausse|baisse))\b"
)


class Quantity(NamedTuple):
    """A number at ``start``–``end`` with the scale and currency that are written beside it.

    ``number`` is as written before the scale ("6,6"). ``firm`` says that the scale stands on
    its own feet ("milliards", "Md"), not only by a currency ("M"). ``like_a_year``: four digits
    from 1900 to 2099 and nothing more. ``alone``: a mere "un" or "une". ``doubtful``: the
    currency may be another thing ("100 livres"); the number alone ends at ``number_end``.
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
    doubtful: bool = False
    number_end: int = 0

    @property
    def value(self) -> Decimal:
        return times(self.number, self.scale or ONE)

    @property
    def is_big(self) -> bool:
        """A firm scale from a million on: money or a count, never a mere number."""
        return self.firm and self.scale is not None and self.scale >= MILLION

    @property
    def is_coins(self) -> bool:
        """Hundredths of a currency: "38 centimes"."""
        return self.scale is HUNDREDTH


def times(number: Decimal, scale: Decimal) -> Decimal:
    """The exact product, whole numbers without a fraction part or exponent."""
    product = number if scale is ONE else EXACT.multiply(number, scale)
    whole = product.to_integral_value(context=EXACT)
    return whole if whole == product else product.normalize(EXACT)


class _Unit(NamedTuple):
    """What stands after a number and ends at ``end``: a scale, a currency, both or nothing."""

    end: int
    scale: Decimal | None = None
    english_scale: Decimal | None = None
    firm: bool = False
    half: bool = False
    approximate: bool = False
    plural: bool = False
    currency: Currency | None = None
    doubtful: bool = False


def find_quantities(text: str) -> list[Quantity]:
    """Every quantity of ``text`` (in plain spaces), in order, without overlap; linear."""
    found: list[Quantity] = []
    for quantity in _scan(text):
        joined = _join(found[-1], quantity, text) if found else None
        if joined is None:
            found.append(quantity)
        else:
            found[-1] = joined
    return found


_HEADED = r"(?: ?(?:milliers|millions|milliards|k€|M€|Mds?€|[kM]?EUR\b))"
_HEADING = re.compile(rf"\b[Ee]n(?={_HEADED})|\((?={_HEADED}[^()0-9]{{0,12}}\))")


def find_headings(text: str) -> list[Quantity]:
    """Units that a table or list states once for all its numbers: "(en millions d'euros)".

    Each is one of its unit.
    """
    units = ((match.start(), _unit_at(text, match.end())) for match in _HEADING.finditer(text))
    return [
        Quantity(start, unit.end, ONE, unit.scale, unit.currency)
        for start, unit in units
        if unit.currency is not None
    ]


def _scan(text: str) -> Iterator[Quantity]:
    readers = {"words": _read_words, "definite": _read_definite}
    position = 0
    while (match := _NUMBER.search(text, position)) is not None:
        if match.lastgroup == "digits":
            read_number = _read_digits(text, match, position)
            position = match.end()
            if read_number is not None:
                position = read_number.end
                yield read_number
            continue
        read = readers.get(match.lastgroup or "", _read_lexicon_word)
        # A definite "le milliard" matches no character of its own.
        position = max(match.end(), match.start() + 1)
        for quantity in read(text, match):
            position = max(position, quantity.end)
            yield quantity


def _read_digits(text: str, match: re.Match[str], floor: int) -> Quantity | None:
    digits = match.group()
    start, end = match.span()
    sign = sign_before(text, start, floor) if start > floor else None
    glued = text[start - 1 : start]
    # "d'euros" may stand right after a number that is written out: "12 500 000 d'euros".
    unit = _unit_at(text, end, of=len(digits) > 6, signed=sign is not None)
    if sign is None and _is_inside_a_word(text, start, unit):
        return None
    number = read_digits(
        digits,
        decimal_point=unit.scale is not None and _point_parts_decimals(digits, unit),
        english=sign is not None and unit.scale is None and glued != " ",
    )
    if unit.currency == "EUR" and (cents := _EURO_CENTS.match(text, unit.end)) is not None:
        number += Decimal(cents.group()).scaleb(-2)
        unit = unit._replace(end=cents.end())
    if sign is not None:
        start = sign[0]
        unit = (
            _Unit(end, currency=sign[1])
            if unit.end == end
            else unit._replace(
                scale=unit.english_scale or unit.scale, currency=unit.currency or sign[1]
            )
        )
    like_a_year = unit.end == end and len(digits) == 4 and digits[:2] in ("19", "20")
    return _quantity(start, number, unit, like_a_year=like_a_year, number_end=end)


def _is_inside_a_word(text: str, start: int, unit: _Unit) -> bool:
    """Whether the digits belong to a name: "A320", "Covid-19".

    Where paragraphs were glued ("il a gagné13 millions d'euros") scale and currency prove a sum.
    """
    before = text[start - 1 : start]
    if before.isalpha():
        return not before.islower() or unit.scale is None or unit.currency is None
    return before == "-" and text[start - 2 : start - 1].isalpha() and unit.currency is None


def _point_parts_decimals(digits: str, unit: _Unit) -> bool:
    """Whether a point before three digits parts decimals: "1.125 million", "1.125 M€".

    It parts thousands before a plural ("2.000 milliards") and where it would leave idle noughts
    ("1.500 M€").
    """
    thousands = unit.plural or digits.endswith("00")
    return digits.startswith("0") or not thousands


def _read_words(text: str, match: re.Match[str]) -> Iterator[Quantity]:
    run = match.group()
    for number in read_words(run):
        start, end = match.start() + number.start, match.start() + number.end
        alone = run[number.start : number.end].lower() in ("un", "une")
        unit = _unit_at(text, end) if end == match.end() else _Unit(end)
        if alone and unit.scale in (None, HUNDREDTH) and not _is_one_unit_of(text, unit):
            unit = _Unit(end)
        if unit.end == end and text[end : end + 1] == "-" and text[end + 1 : end + 2].isalpha():
            continue
        yield _quantity(start, number.value, unit, alone=alone, number_end=end)


def _is_one_unit_of(text: str, unit: _Unit) -> bool:
    """Whether "un" and what follows are a sum: "un euro" is; "un franc succès" is none."""
    if unit.doubtful:
        return True
    return isinstance(unit.currency, str) and not _OF_THE_CURRENCY_ITSELF.match(text, unit.end)


def _read_definite(text: str, match: re.Match[str]) -> Iterator[Quantity]:
    unit = _unit_at(text, match.end())
    if unit.currency is not None and not unit.plural:
        yield _quantity(match.start(), ONE, unit, number_end=match.end())


def _read_lexicon_word(text: str, match: re.Match[str]) -> Iterator[Quantity]:
    if match.lastgroup == "collective":
        value = _COLLECTIVE_OF[match["collective"].lower()].value
        unit = _unit_at(text, match.end(), of=True)
        yield _quantity(match.start(), value, unit, about=True, number_end=match.end())
    else:
        value = _FRACTION_OF[match["fraction"].lower()].value
        unit = _unit_at(text, match.end())
        yield _quantity(match.start(), value, unit, number_end=match.end())


def _quantity(
    start: int,
    number: Decimal,
    unit: _Unit,
    *,
    about: bool = False,
    alone: bool = False,
    like_a_year: bool = False,
    number_end: int,
) -> Quantity:
    return Quantity(
        start,
        unit.end,
        number + HALF if unit.half else number,
        unit.scale,
        unit.currency,
        unit.firm,
        about or unit.approximate,
        like_a_year,
        alone and unit.scale is None,
        unit.doubtful,
        number_end,
    )


def _unit_at(text: str, position: int, *, of: bool = False, signed: bool = False) -> _Unit:
    """The scale and currency that follow a number which ends at ``position``.

    ``of``: "de" may lead to the currency even without a scale ("une centaine d'euros").
    ``signed``: a currency sign stands before the number; only letters may follow it up
    ("$5 CAD"), as another sign would be the next sum's ("$5 $6").
    """
    if _NOTHING_FOLLOWS.match(text, position) is not None:
        return _Unit(position)
    beside = text[position + 1 : position + 2] if text[position] in " -" else text[position]
    if beside.isalpha():
        unit = _coins_at(text, position) or _scale_at(text, position)
    elif signed:
        return _Unit(position)
    else:
        # A sign beside the number leaves no room for a scale.
        unit = _Unit(position)
    if unit.currency is not None or unit.scale is HUNDREDTH:
        return unit
    gap = (_GAP_AFTER_SCALE if of or unit.scale else _GAP).match(text, unit.end)
    if gap is None:
        return unit
    start = gap.end()
    sign = sign_at(text, start)
    if sign is not None:
        end, code = sign
        next_sum_follows = start > unit.end and text[end : end + 1].isdigit()
        if not text[end - 1].isalpha() and (signed or next_sum_follows):
            return unit
        return _priced(unit, end, code)
    name = name_at(text, start)
    if name is None or (unit.scale is None and _is_title(text, start, name[1])):
        return unit
    end, currency = name
    doubtful = unit.scale is None and _may_be_a_thing(text, end, currency)
    return _priced(unit, end, currency, doubtful)


def _priced(unit: _Unit, end: int, currency: Currency, doubtful: bool = False) -> _Unit:
    """The unit with the currency that follows it and ends at ``end``."""
    if unit.scale is None:  # a bare number, the commonest by far: cheaper made than copied
        return _Unit(end, currency=currency, doubtful=doubtful)
    return unit._replace(end=end, currency=currency, doubtful=doubtful)


def _is_title(text: str, start: int, currency: Currency) -> bool:
    """Whether a currency name right after a number belongs to a title: "Sept Couronnes"."""
    is_title = text[start].isupper() and text[start + 1].islower()
    return is_title and currency not in ("EUR", "USD")


def _may_be_a_thing(text: str, end: int, currency: Currency) -> bool:
    """Whether a currency name without a scale may mean something else.

    "100 livres" may be books, unless they are converted.
    """
    needs_scale = isinstance(currency, SharedName) and currency.needs_scale
    return needs_scale and _CONVERTED.match(text, end) is None


def _coins_at(text: str, position: int) -> _Unit | None:
    """The coins, with or without the name of their currency: "38 centimes d'euro"."""
    match = _COIN.match(text, position)
    if match is None:
        return None
    coin = _COIN_OF[match["coin"].lower()]
    name = name_at(text, match.end()) if match["of"] else None
    if name is None:
        if coin.needs_currency:
            return None
        return _Unit(match.end("coin"), HUNDREDTH, firm=True, currency=coin.currency)
    return _Unit(name[0], HUNDREDTH, firm=True, currency=name[1])


def _scale_at(text: str, position: int) -> _Unit:
    word = _SCALE.match(text, position)
    if word is None:
        return _abbreviation_at(text, position)
    form = word["scale"].lower()
    row = _SCALE_OF[form]
    second = _SCALE_OF[word["second"].lower()].value if word["second"] else ONE
    adjective = word["adjective"]
    return _Unit(
        word.end(),
        EXACT.multiply(row.value, second),
        row.english,
        firm=True,
        half=word["half"] is not None,
        approximate=adjective is not None and _ADJECTIVE_OF[adjective.lower()].approximate,
        plural=form.endswith("s"),
    )


def _abbreviation_at(text: str, position: int) -> _Unit:
    match = _LETTERS.match(text, position)
    if match is None:
        return _Unit(position)
    letters = match["letters"]
    for length in range(len(letters), 0, -1):
        end = match.start("letters") + length
        unit = _SHORT_UNIT_OF.get(letters[:length])
        if unit is not None and not text[end : end + 1].isalnum():
            return _Unit(end, unit.value, firm=True, currency=unit.currency)
        row = _ABBREVIATION_OF.get(letters[:length])
        if row is not None and _ends_here(text, end):
            return _Unit(end, row.value, firm=not row.needs_currency)
    return _Unit(position)


def _ends_here(text: str, end: int) -> bool:
    """Whether an abbreviation may end here: at the word's end or before "EUR" or "euros"."""
    if not text[end : end + 1].isalnum():
        return True
    return text.startswith("euro", end) or sign_at(text, end) is not None


def _join(left: Quantity, right: Quantity, text: str) -> Quantity | None:
    """One quantity of "un milliard" and "deux cents millions d'euros" with a space between.

    Or of "2 euros" and "50 centimes".
    """
    if right.is_coins and right.currency is None:
        return _with_coins(left, right, text)
    if not left.is_big or left.currency is not None or left.scale is None:
        return None
    if right.start != left.end + 1 or text[left.end] != " " or right.value >= left.scale:
        return None
    if right.scale is None and right.currency is None:
        return None
    total = EXACT.add(left.value, right.value)
    return left._replace(
        end=right.end,
        number=EXACT.divide(total, left.scale),
        currency=right.currency,
    )


def _with_coins(left: Quantity, right: Quantity, text: str) -> Quantity | None:
    if left.currency is None or left.scale is not None:
        return None
    if _COINS_FOLLOW_UNITS.fullmatch(text, left.end, right.start) is None:
        return None
    return left._replace(end=right.end, number=EXACT.add(left.number, right.value))
