"""Currencies as French text names them, read into ISO 4217 codes.

Everyday names and signs stand in the lexicon ``currencies``; full names ("couronnes suédoises")
come from the Unicode CLDR through babel, loaded at the first name looked up (about 60 ms).
Names that countries share ("couronnes", "dirhams") are read from the article's own words.
All functions expect the text as :func:`pipeline.normalise.numbers.plain` gives it.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from functools import cache
from typing import Annotated, TypeAlias

from babel import Locale
from babel.numbers import get_currency_name
from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from pipeline.lexicon import Row, Text, load
from pipeline.normalise.numbers import plain

Code = Annotated[str, StringConstraints(pattern=r"^[A-Z]{3}$")]


class CurrencyRow(Row):
    """A currency: its signs (on either side of the number), further codes and everyday names."""

    code: Code
    signs: tuple[Text, ...]
    codes: tuple[Text, ...] = ()
    names: tuple[Text, ...]

    def claims(self) -> list[str]:
        return [self.code, *(sign for sign in self.signs if sign != self.code), *self.names]


class Reading(BaseModel):
    """One country's reading of a shared name, and the words that call for it."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    code: Code
    words: tuple[Text, ...] = Field(min_length=1)


class SharedName(Row):
    """A name that several currencies share."""

    names: tuple[Text, ...] = Field(min_length=1)
    default: Code | None = None
    needs_scale: bool = False
    not_before: tuple[Text, ...] = ()
    reading: tuple[Reading, ...] = ()

    def claims(self) -> tuple[str, ...]:
        return self.names


Currency: TypeAlias = "str | SharedName"
"""An ISO code, or a name that only the article as a whole can tell."""

CURRENCIES = load("currencies", CurrencyRow, "currency")
SHARED_NAMES = load("currencies", SharedName, "shared_name")


def _any_of(forms: list[str]) -> str:
    """A pattern of the literal forms, longest first; a space in a form is optional."""
    ordered = sorted(forms, key=len, reverse=True)
    return "|".join(re.escape(form).replace(r"\ ", " ?") for form in ordered)


_BY_SIGN = {sign.replace(" ", "").upper(): row.code for row in CURRENCIES for sign in row.signs} | {
    code: row.code for row in CURRENCIES for code in (row.code, *row.codes)
}
_SIGN = (
    rf"(?:(?i:{_any_of([sign for row in CURRENCIES for sign in row.signs])})"
    rf"|{_any_of([code for row in CURRENCIES for code in (row.code, *row.codes)])})"
)
# A sign that ends in a letter ends a word: "5 $ c" is Canadian, "5 $ c'est" is not.
_SIGN_AFTER = re.compile(rf"{_SIGN}(?:(?<=\W)|(?![\w']))")
_SIGN_BEFORE = re.compile(rf"(?<![^\W_]){_SIGN} ?\Z")
_LONGEST_SIGN = 6
_SIGN_ENDS = {end for sign in _BY_SIGN for end in (sign[-1], sign[-1].lower())}
_NAME = re.compile(r"[^\W\d_]+(?:[ '-][^\W\d_]+){0,5}")
_LAST_WORD = re.compile(r"[ '-][^ '-]+\Z")
_NOT_BEFORE = {
    row.names: re.compile(rf" (?:\w+ )?(?i:{_any_of(list(row.not_before))})")
    for row in SHARED_NAMES
    if row.not_before
}


def cldr_names() -> dict[str, str]:
    """The French CLDR names of the world's currencies, lower case, singular and plural -> code.

    Only names of several words that no bracket narrows down ("franc CFA (BEAC)"), without the
    metals and units of account: the rest is everyday language, which the lexicon holds.
    """
    locale = Locale.parse("fr")
    names = {
        plain(get_currency_name(code, count, locale)).lower(): code
        for code in map(str, locale.currencies)
        if code[0] != "X" or code in ("XPF", "XCD", "XCG")
        for count in (1, 2)
    }
    return {
        name: code
        for name, code in names.items()
        if " " in name and "(" not in name and not name.startswith("unité")
    }


@cache
def _names() -> dict[str, Currency]:
    names: dict[str, Currency] = dict(cldr_names())
    names.update({name.lower(): row.code for row in CURRENCIES for name in row.names})
    names.update({name.lower(): row for row in SHARED_NAMES for name in row.names})
    return names


def sign_before(text: str, end: int, floor: int = 0) -> tuple[int, str] | None:
    """(start, code) of the currency sign right before ``end`` that begins at ``floor`` or later."""
    last = text[end - 1 : end]
    if (text[end - 2 : end - 1] if last == " " else last) not in _SIGN_ENDS:
        return None
    found = _SIGN_BEFORE.search(text, max(floor, end - _LONGEST_SIGN - 1), end)
    if found is None:
        return None
    return found.start(), _BY_SIGN[_key(found.group())]


def sign_at(text: str, start: int) -> tuple[int, str] | None:
    """(end, code) of the currency sign or code that begins at ``start``."""
    one = text[start : start + 1]
    if one in _BY_SIGN and text[start + 1 : start + 2].isdigit():
        return start + 1, _BY_SIGN[one]
    sign = _SIGN_AFTER.match(text, start)
    return None if sign is None else (sign.end(), _BY_SIGN[_key(sign.group())])


def name_at(text: str, start: int) -> tuple[int, Currency] | None:
    """(end, currency) of the currency name that begins at ``start``; the longest name wins."""
    words = _NAME.match(text, start)
    if words is None:
        return None
    name = words.group()
    while name:
        currency = _names().get(name.lower())
        if currency is not None:
            end = start + len(name)
            return None if _is_other_thing(text, end, currency) else (end, currency)
        shorter = _LAST_WORD.search(name)
        name = name[: shorter.start()] if shorter else ""
    return None


def _key(sign: str) -> str:
    compact = sign.replace(" ", "")
    return compact if compact in _BY_SIGN else compact.upper()


def _is_other_thing(text: str, end: int, currency: Currency) -> bool:
    """Whether what follows shows that the name is no currency: "livres vendus", "euro-député"."""
    if text[end : end + 1] == "-" and text[end + 1 : end + 2].isalpha():
        return True
    if isinstance(currency, str) or currency.names not in _NOT_BEFORE:
        return False
    return _NOT_BEFORE[currency.names].match(text, end) is not None


class Places:
    """Where an article speaks of which country, as far as shared currency names need it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._found: dict[tuple[str, ...], list[tuple[int, str]]] = {}

    def resolve(self, currency: Currency, at: int) -> str | None:
        """The ISO code of ``currency`` standing at ``at``: the nearest reading, or the default."""
        if isinstance(currency, str):
            return currency
        found = self._readings(currency)
        if not found:
            return currency.default
        right = bisect_left(found, (at, ""))
        return min(found[max(0, right - 1) : right + 1], key=lambda hit: abs(hit[0] - at))[1]

    def _readings(self, shared: SharedName) -> list[tuple[int, str]]:
        if shared.names not in self._found:
            pattern = _reading_pattern(shared.names)
            self._found[shared.names] = [
                (match.start(), shared.reading[(match.lastindex or 1) - 1].code)
                for match in pattern.finditer(self._text)
            ]
        return self._found[shared.names]


@cache
def _reading_pattern(names: tuple[str, ...]) -> re.Pattern[str]:
    """One group per reading of the shared name; words match at their beginning."""
    shared = next(row for row in SHARED_NAMES if row.names == names)
    groups = "|".join(f"({'|'.join(map(re.escape, row.words))})" for row in shared.reading)
    return re.compile(rf"(?<![^\W_])(?i:{groups})" if groups else r"(?!)")
