"""Names by their shape alone, for a reading without the trained NER.

A name begins with a capital, has one inside ("iPhone") or is told by what it ends on ("Bêta
Ventures"). Words that begin a sentence are names only where nothing says that they are common:
neither the lexicon nor the text itself, which would write them small elsewhere, nor the
vocabulary that is asked.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Literal

from babel import Locale

from pipeline.lexicon import Row, Text, load
from pipeline.schema import Label
from pipeline.view import first_names

_SHAPE = re.compile(r"(?:[^\W\d_]*[A-ZÀ-ÖØ-Þ]|\d+[A-ZÀ-ÖØ-Þ])[\w.&'’+\-]*\Z")
_NUMERAL = re.compile(r"(?:\d{1,3}|[IVX]{1,4})\Z")
_LINKS = frozenset({"de", "du", "des", "d'", "d’", "la", "les", "l'", "l’", "&", "et"})
_FEW_LINKS = frozenset({"du", "des", "&"})
_NOT_A_COUNTRY = frozenset({"Nord", "Sud", "Territoires", "État", "Cité", "République"})
_ARTICLES = frozenset({"Le", "La", "Les", "L'", "L’"})
_PLACING = frozenset({"à", "en"})
_LONGEST = 8


class NotANameRow(Row):
    """Words that bear a capital and name no party."""

    kind: Literal["acronym", "round", "people", "place", "day", "starter"]
    words: tuple[Text, ...]


class HeadRow(Row):
    """Words that begin a name and may have a complement: "Caisse des Dépôts"."""

    words: tuple[Text, ...]


class SuffixRow(Row):
    """Words on which names end, with the label that they give."""

    label: Literal["INVESTOR"]
    words: tuple[Text, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """A name in token indices."""

    start: int
    end: int
    label: str


@dataclass(frozen=True)
class _Words:
    not_names: frozenset[str]
    heads: frozenset[str]
    suffixes: dict[str, str]


@cache
def _words() -> _Words:
    suffixes = load("shapes", SuffixRow, "suffix")
    listed = (word for row in load("shapes", NotANameRow, "not_a_name") for word in row.words)
    countries = (word for name in Locale("fr").territories.values() for word in name.split())
    return _Words(
        frozenset(
            [*listed, *(w for w in countries if w[:1].isupper() and w not in _NOT_A_COUNTRY)]
        ),
        frozenset(w for row in load("shapes", HeadRow, "head") for w in row.words),
        {word: row.label for row in suffixes for word in row.words},
    )


def find_names(
    tokens: Sequence[str],
    spaces: Sequence[bool],
    starts: Sequence[bool],
    is_common: Callable[[str], bool],
) -> list[Found]:
    """The names among ``tokens``, in text order and without overlap.

    Args:
        tokens: the words of a document.
        spaces: for each token whether white space follows.
        starts: for each token whether a sentence begins there.
        is_common: whether a word in small letters belongs to the general vocabulary.
    """
    words = _words()
    small = frozenset(token for token in tokens if token.islower())
    capital = [_is_name(token, words) for token in tokens]
    first = _first_words(tokens, starts)
    seen = {
        t for t, name, begins in zip(tokens, capital, first, strict=True) if name and not begins
    }
    for place, token in enumerate(tokens):
        followed = place + 1 < len(tokens) and capital[place + 1]
        if capital[place] and first[place] and token not in seen:
            lowered = token.lower()
            known = lowered in small or (is_common(lowered) and not followed)
            capital[place] = not known or (token in words.heads and followed)
        elif token in _ARTICLES and not first[place]:
            capital[place] = followed
    out = []
    place = 0
    while place < len(tokens):
        if not capital[place]:
            place += 1
            continue
        heading = tokens[place] in words.heads
        end = _end(tokens, spaces, capital, starts, place, heading)
        alone = end == place + 1
        governed = place > 0 and tokens[place - 1].lower() in _PLACING
        if not (alone and (governed or heading)):
            out.append(Found(place, end, _label(tokens[place:end], words)))
        place = end
    return out


def _is_name(token: str, words: _Words) -> bool:
    bare = token.replace("’", "'")
    if len(bare) < 2 or not words.not_names.isdisjoint({bare, bare.capitalize()}):
        return False
    return bool(_SHAPE.match(bare))


def _first_words(tokens: Sequence[str], starts: Sequence[bool]) -> list[bool]:
    """Whether each token is the first word of its sentence, after quotes and dashes."""
    out = []
    waiting = True
    for token, starts_here in zip(tokens, starts, strict=True):
        waiting = waiting or starts_here
        word = token[:1].isalnum()
        out.append(waiting and word)
        if word:
            waiting = token in ("L'", "L’", "D'", "D’")
        elif token in ("«", ":", '"', "“"):
            waiting = True
    return out


def _end(
    tokens: Sequence[str],
    spaces: Sequence[bool],
    capital: Sequence[bool],
    starts: Sequence[bool],
    start: int,
    heading: bool,
) -> int:
    """Where the name that begins at ``start`` ends; more words link on to a ``heading`` one."""
    linking = _LINKS if heading else _FEW_LINKS
    end = start + 1
    while end < len(tokens) and end - start < _LONGEST and not starts[end]:
        if capital[end] or _NUMERAL.match(tokens[end]):
            end += 1
            continue
        over = end
        if tokens[end] == "-" and not (spaces[end] or spaces[end - 1]):
            over += 1
        while over < len(tokens) and over - end < 2 and tokens[over] in linking:
            over += 1
        if over == end or over >= len(tokens) or starts[over] or not capital[over]:
            break
        end = over + 1
    return end


def _label(name: Sequence[str], words: _Words) -> str:
    if (label := words.suffixes.get(name[-1])) and len(name) > 1:
        return label
    person = 1 < len(name) <= 4 and name[0].lower() in first_names()
    return Label.PERSON if person else Label.ORG
