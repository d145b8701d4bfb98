"""The words of date expressions and a text's tokens.

A token is a word, a number, an elision ("l'") or a sign. Each has a letter for what it can be in
a date, its *terminal* (month, weekday, unit, "dernier", …), so that a form of date is a regular
expression over letters.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Literal

from pipeline.lexicon import Row, Text, load
from pipeline.normalise.edtf import Part
from pipeline.normalise.numbers import WORDS, plain

TokenTense = Literal["past", "future", "end"]


class Forms(Row):
    """A row of words that play one role."""

    forms: tuple[Text, ...]

    def claims(self) -> Iterable[str]:
        return self.forms


class Month(Forms):
    """``abbreviations`` count only between a day and a year, or before a year."""

    abbreviations: tuple[Text, ...]
    number: int


class Numbered(Forms):
    """Weekdays (ISO 8601, Monday is 1) and ordinals."""

    number: int


class Season(Forms):
    """``code`` is that of EDTF level 1."""

    code: int


class Unit(Forms):
    kind: Literal["year", "month", "week", "day", "quarter", "semester", "weekend", "decade"]


class Edge(Forms):
    part: Literal["start", "middle", "end", "whole"]


class Modifier(Forms):
    """Which one of its kind: ``story`` counts from another moment than the article's date."""

    time: Literal["last", "next", "current", "story"]


class Day(Forms):
    """``offset`` in days from the article's date; ``article``: only after "le" or "la"."""

    offset: int | None = None
    article: bool


class Approximator(Forms):
    exact: bool


class YearCue(Forms):
    sure: bool


class Tense(Forms):
    time: Literal["past", "future"]


def _words(table: str) -> frozenset[str]:
    return frozenset(form for row in load("dates", Forms, table) for form in row.forms)


def _numbers(table: str) -> dict[str, int]:
    return {form: row.number for row in load("dates", Numbered, table) for form in row.forms}


_MONTH_ROWS = load("dates", Month, "month")
ABBREVIATIONS = {form: row.number for row in _MONTH_ROWS for form in row.abbreviations}
MONTHS = {form: row.number for row in _MONTH_ROWS for form in row.forms} | ABBREVIATIONS
WEEKDAYS = _numbers("weekday")
ORDINALS = _numbers("ordinal")
SEASONS = {form: row.code for row in load("dates", Season, "season") for form in row.forms}
UNITS = {form: row.kind for row in load("dates", Unit, "unit") for form in row.forms}
EDGES = {form: Part(row.part) for row in load("dates", Edge, "edge") for form in row.forms}
MODIFIERS = {form: row.time for row in load("dates", Modifier, "modifier") for form in row.forms}
DAYS = {form: row for row in load("dates", Day, "day") for form in row.forms}
APPROXIMATORS = {
    form: row.exact for row in load("dates", Approximator, "approximator") for form in row.forms
}
YEAR_CUES = {form: row.sure for row in load("dates", YearCue, "year_cue") for form in row.forms}
_TENSES = {form: row.time for row in load("dates", Tense, "tense") for form in row.forms}
_PARTS_OF_DAY = _words("part_of_day")
MARS_CUES = _words("mars_cue")
SEASON_CUES = _words("season_cue")
SEASON_NAMES = _words("season_name")
YEAR_ANCHORS = _words("year_anchor")
QUANTITIES = _words("quantity")
COUNTED = _words("counted")
FOLLOWERS = _words("follower")
YEAR_VERBS = _words("year_verb")
SCHOOL = _words("school")
OPEN_ENDS = _words("open_end")
ANNOUNCING = _words("announcing")


# ---- Tokens ----------------------------------------------------------------------------------

_FUNCTION_WORDS = {
    "le": "THE", "la": "THE", "l'": "THE", "les": "THE",
    "ce": "THIS", "cet": "THIS", "cette": "THIS", "ces": "THIS",
    "de": "OF", "d'": "OF", "du": "OF", "des": "OF",
    "à": "AT", "au": "TO", "aux": "TO", "en": "IN", "et": "AND", "ou": "AND",
    "il": "IL", "y": "Y", "a": "A", "dans": "WITHIN", "ici": "HERE",
    "ci": "CI", "là": "CI", "même": "SAME", "cours": "COURSE",
    "qui": "WHO", "venir": "COME", "viennent": "COME",
    "plus": "MORE", "tôt": "SOON", "tard": "SOON", "auparavant": "BEFOREHAND",
    "moitié": "HALF", "quinzaine": "HALF", "demi": "DEMI", "demie": "DEMI",
    "premiers": "FIRSTS", "premières": "FIRSTS",
    "quelques": "FEW", "plusieurs": "FEW", "nuit": "NIGHT",
    ",": "COMMA", "-": "DASH", "–": "DASH", "—": "DASH", "/": "SLASH",
}  # fmt: skip

_UNIT_TERMINALS = {
    "year": "YEAR_UNIT", "month": "MONTH_UNIT", "quarter": "QUARTER", "semester": "SEMESTER",
    "week": "OTHER_UNIT", "day": "OTHER_UNIT", "weekend": "OTHER_UNIT", "decade": "OTHER_UNIT",
}  # fmt: skip

_VOCABULARY: dict[str, str] = {
    **dict.fromkeys(MONTHS, "MONTH"),
    **dict.fromkeys(ABBREVIATIONS, "ABBREVIATION"),
    **dict.fromkeys(WEEKDAYS, "WEEKDAY"),
    **dict.fromkeys(SEASONS, "SEASON"),
    **{form: "FIRST" if number == 1 else "ORDINAL" for form, number in ORDINALS.items()},
    **dict.fromkeys(EDGES, "EDGE"),
    **{form: time.upper() for form, time in MODIFIERS.items()},
    **dict.fromkeys(DAYS, "DAY_WORD"),
    **dict.fromkeys(_PARTS_OF_DAY, "PART_OF_DAY"),
    **{form: _UNIT_TERMINALS[kind] for form, kind in UNITS.items()},
    **_FUNCTION_WORDS,
}

_TERMINALS = sorted(
    {*_VOCABULARY.values(), "DAY", "YEAR", "NUMBER", "YEARS", "NUMERIC", "PERIOD_CODE", "BREAK"}
)
# Letters of the private use area: none has a meaning in a regular expression.
LETTERS = {terminal: chr(0xE000 + index) for index, terminal in enumerate(_TERMINALS)}
_OTHER = " "

NUMBER_WORDS = re.compile(WORDS, re.VERBOSE)
NUMERIC = re.compile(
    r"(?P<d>[0-9]{1,2})(?P<s>[/.-])(?P<m>[0-9]{1,2})(?P=s)(?P<y>[0-9]{4}|[0-9]{2})"
    r"|(?P<Y>[0-9]{4})(?P<S>[/-])(?P<M>[0-9]{2})(?P=S)(?P<D>[0-9]{2})"
    r"|(?P<month>[0-9]{2})/(?P<year>[0-9]{4})"
    r"|(?P<day>[0-9]{2})/(?P<of>[0-9]{2})"
)
YEARS = re.compile(r"(?P<first>(?:19|20)[0-9]{2})[-/](?P<last>[0-9]{2}|[0-9]{4})")
PERIOD_CODE = re.compile(
    r"(?:(?P<quarter>[tq])(?P<number>[1-4])|(?P<half>[sh])(?P<of>[12])|(?P<n>[1-4])t)"
    r"(?P<year>[0-9]{2})?"
)
_TOKEN = re.compile(
    rf"""
    (?<![\w./-])
    (?:[0-9]{{1,2}}/[0-9]{{1,2}}/(?:[0-9]{{4}}|[0-9]{{2}})|[0-9]{{1,2}}\.[0-9]{{1,2}}\.[0-9]{{4}}
      |[0-9]{{4}}/[0-9]{{2}}/[0-9]{{2}}|[0-9]{{4}}/[0-9]{{2,4}}|[0-9]{{2}}/[0-9]{{2,4}})
    (?![\w/-]|[.,][0-9])
    |[0-9]+(?:[.,][0-9]+)+
    |(?<![^\W_])(?i:{"|".join(re.escape(form) for form in ABBREVIATIONS)})(?=\s?[0-9]{{4}})
    |(?<=[0-9]\s)(?i:{"|".join(re.escape(form) for form in ABBREVIATIONS)})
    |(?i:aujourd'hui)
    |[^\W\d_]+'(?=\w)
    |[^\W_]+(?:-[^\W_]+)*
    |\n[ \t]*\n
    |[^\w\s]|_
    """,
    re.VERBOSE,
)


def _terminal(word: str) -> str | None:
    """What a token, in lower case, can be in a date; ``None`` for most words."""
    if known := _VOCABULARY.get(word):
        return known
    if word[0] == "\n":
        return "BREAK"
    if "0" <= word[0] <= "9":
        return _numeric_terminal(word)
    if PERIOD_CODE.fullmatch(word):
        return "PERIOD_CODE"
    return "NUMBER" if NUMBER_WORDS.fullmatch(word) else None


def _numeric_terminal(word: str) -> str | None:
    if word.isdecimal():
        if len(word) == 4 and 1700 <= int(word) <= 2099:
            return "YEAR"
        return "DAY" if len(word) <= 2 and 1 <= int(word) <= 31 else "NUMBER"
    if (years := YEARS.fullmatch(word)) and last_year(years) is not None:
        return "YEARS"
    if NUMERIC.fullmatch(word):
        return "NUMERIC"
    return "PERIOD_CODE" if PERIOD_CODE.fullmatch(word) else None


def last_year(years: re.Match[str]) -> int | None:
    """The end of "2022-23" or "2022-2023", where it is a later year and not far off."""
    first, last = int(years["first"]), int(years["last"])
    if len(years["last"]) == 2:
        return first + 1 if last == (first + 1) % 100 else None
    return last if first < last <= first + 20 else None


class Tokens:
    """A text's tokens: words in lower case, offsets, and one letter for each in ``letters``."""

    def __init__(self, text: str) -> None:
        self.text = plain(text)
        self.words: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []
        self._tenses: dict[int, TokenTense | None] = {}
        letters: list[str] = []
        for match in _TOKEN.finditer(self.text):
            start, end = match.span()
            parts, read = _parts(match.group())
            letters.append(read)
            for part in parts:
                self.words.append(part)
                self.starts.append(start)
                start = end if len(parts) == 1 else start + len(part)
                self.ends.append(start)
        self.letters = "".join(letters)

    def word(self, index: int) -> str:
        """The token at ``index`` in lower case, empty beyond the ends."""
        return self.words[index] if 0 <= index < len(self.words) else ""

    def is_(self, index: int, *terminals: str) -> bool:
        return 0 <= index < len(self.words) and self.letters[index] in _letters(terminals)

    def capital(self, index: int) -> bool:
        return self.text[self.starts[index]].isupper()

    def begins_sentence(self, index: int) -> bool:
        if index == 0 or self.is_(index - 1, "BREAK"):
            return True
        gap = self.text[self.ends[index - 1] : self.starts[index]]
        opener = self.words[index - 1]
        return "\n" in gap or (opener in _SENTENCE_OPENERS and (bool(gap) or opener != "-"))

    def tense(self, index: int) -> TokenTense | None:
        """What the token says of the time of its sentence; ``"end"`` where the sentence ends."""
        if index not in self._tenses:
            self._tenses[index] = self._read_tense(index)
        return self._tenses[index]

    def _read_tense(self, index: int) -> TokenTense | None:
        word = self.words[index]
        if word in _SENTENCE_ENDS:
            return "end"
        following = self.starts[index + 1] if index + 1 < len(self.words) else len(self.text)
        if "\n" in self.text[self.starts[index] : following]:
            return "end"
        if word in _TENSES:
            return _TENSES[word]
        if self.letters[index] != _OTHER or self.capital(index) or word in _NO_FUTURE:
            return None
        return "future" if _FUTURE_VERB.fullmatch(word) else None


@lru_cache(maxsize=1 << 8)
def _letters(terminals: tuple[str, ...]) -> frozenset[str]:
    return frozenset(LETTERS[terminal] for terminal in terminals)


_SENTENCE_ENDS = frozenset(".!?;…")
_SENTENCE_OPENERS = _SENTENCE_ENDS | frozenset(':«“"(–—•*·|-')
# Simple futures, and conditionals that tell the future of a past.
_FUTURE_VERB = re.compile(r"[^\W\d_]+(?:(?:er|ir|dr|vr|ur|rr)(?:a|ont)|(?:er|dr)ai(?:t|ent))")
_NO_FUTURE = frozenset({"serait", "seraient", "aurait", "auraient"})


@lru_cache(maxsize=1 << 14)
def _parts(token: str) -> tuple[tuple[str, ...], str]:
    """The words of a token in lower case, and one letter for each."""
    word = token.lower()
    parts = _compound(word) if "-" in word and _terminal(word) is None else None
    # Lower case may be longer than what it stands for (İ); such a word is no date.
    if parts is None or sum(map(len, parts)) != len(token):
        parts = (word,)
    return parts, "".join(LETTERS.get(_terminal(part) or "", _OTHER) for part in parts)


@lru_cache(maxsize=1 << 12)
def _compound(word: str) -> tuple[str, ...] | None:
    """The parts of "mi-mars" or "mois-ci" with their hyphens; ``None`` for "rendez-vous"."""
    parts = re.split("(-)", word)
    return tuple(parts) if all(_terminal(part) for part in parts) else None
