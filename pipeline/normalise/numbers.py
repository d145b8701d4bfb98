"""Numbers as French text writes them, in digits and in words, read into Decimal.

Conventions: the comma is the decimal sign and a space, a point or an apostrophe parts the
thousands ("1 500 000,50", "1.500.000", "1'500'000"); the press also writes a point as the
decimal sign before a scale ("1.5 M€") and, after a currency sign, the English way ("$1,500").
Number words are read by text2num; the lexicon ``units`` adds what it lacks.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from decimal import Context, Decimal
from functools import lru_cache

from text_to_num import find_numbers

EXACT = Context(prec=60)
"""Wide enough for every number that :data:`DIGITS` lets through times every scale."""

# Same length out as in: offsets must hold in the original text.
_PLAIN = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "’": "'", "\u2011": "-"})


def plain(text: str) -> str:
    """``text`` with plain spaces, apostrophes and hyphens; its length does not change."""
    return text.translate(_PLAIN)


DIGITS = (
    r"(?<![0-9])(?<![0-9][.,])(?:"
    r"[0-9]{1,3}(?:\ [0-9]{3}){1,5}(?![0-9])(?:,[0-9]{1,9})?"
    r"|[0-9]{1,3}(?:\.[0-9]{3}){1,5}(?![0-9])(?:,[0-9]{1,9})?"
    r"|[0-9]{1,3}(?:'[0-9]{3}){1,5}(?![0-9])(?:[.,][0-9]{1,2})?"
    r"|[0-9]{1,3}(?:,[0-9]{3}){1,5}\.[0-9]{1,9}"
    r"|[0-9]{1,3}(?:,[0-9]{3}){2,5}(?![0-9])"
    r"|[0-9]{1,15}(?:[.,][0-9]{1,9})?"
    r")(?![.,]?[0-9])"
)
"""A number in digits (verbose syntax)."""

_WORD = (
    r"(?i:zéro|une?|deux|trois|quatre|cinq|six|sept|huit|neuf|dix|onze|douze|treize|quatorze"
    r"|quinze|seize|vingts?|trente|quarante|cinquante|soixante|septante|huitante|octante"
    r"|nonante|cents?|mille)(?![^\W_])"
)
# Bounded, so that a page of "un un un" costs no more than its length.
WORDS = rf"(?<![^\W_]){_WORD}(?:(?:[\ -]|[\ -](?i:et)[\ -]|\ (?i:virgule)\ ){_WORD}){{0,20}}"
"""A run of number words, perhaps of several numbers (verbose syntax)."""

_GROUPED = re.compile(r"[0-9]{1,3}(?:[ .'][0-9]{3})+(?:[.,][0-9]+)?")
_ENGLISH = re.compile(r"[0-9]{1,3}(?:,[0-9]{3})+(?:\.[0-9]+)?")
_TOKEN = re.compile(r"[^\W_]+(?:-[^\W_]+)*")


def read_digits(digits: str, *, decimal_point: bool = False, english: bool = False) -> Decimal:
    """The value of what :data:`DIGITS` matched.

    ``decimal_point``: a single point parts decimals even before three digits ("1.125 milliard").
    ``english``: a single comma before three digits parts thousands ("$1,500").
    """
    if digits.isdecimal():
        return Decimal(digits)
    single_point = digits.count(".") == 1 and not set(digits) & set(" ',")
    if single_point and decimal_point:
        return Decimal(digits)
    if _GROUPED.fullmatch(digits):
        head, comma, decimals = digits.partition(",")
        if not comma and "'" in digits and digits[-4] != "'":
            head, _, decimals = digits.partition(".")
        whole = head.translate({ord(sign): None for sign in " .'"})
        return Decimal(f"{whole}.{decimals or 0}")
    if _ENGLISH.fullmatch(digits) and (english or "." in digits or digits.count(",") > 1):
        return Decimal(digits.replace(",", ""))
    return Decimal(digits.replace(",", "."))


@dataclass(frozen=True, slots=True)
class WordNumber:
    """One number in words, at ``start``–``end`` of the run it was read from."""

    start: int
    end: int
    value: Decimal


class _Token:
    """A word as text2num's Token protocol wants it; nothing but the word is known of it."""

    def __init__(self, match: re.Match[str]) -> None:
        self.start, self.end = match.span()
        self._text = match.group()

    def text(self) -> str:
        return self._text

    def nt_separated(self, previous: _Token) -> bool:
        return False

    def not_a_number_part(self) -> bool:
        return False


@lru_cache(maxsize=1024)
def read_words(run: str) -> tuple[WordNumber, ...]:
    """The numbers of a run that :data:`WORDS` matched: "dix et onze" holds two.

    "deux virgule quatre" is one, 2.4.
    """
    tokens = [_Token(match) for match in _TOKEN.finditer(run)]
    return tuple(
        WordNumber(
            tokens[found.start].start,
            tokens[found.end - 1].end,
            Decimal(found.text.replace(",", ".")),
        )
        for found in find_numbers(tokens, "fr", 0.0)
    )
