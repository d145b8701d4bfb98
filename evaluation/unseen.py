"""The names test: what a set scores when every name in it is one that nobody has seen.

The new names come from ``annotations/names/unseen_*.txt``, which training never opens. They are
put in here and not by ``pipeline.corpus.swapped``: training learns with that, it leaves alone
what it cannot vary (acronyms, names after a plural), and here nothing may be left.
"""

from __future__ import annotations

import random
import re
import tomllib
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from evaluation.gold import Case, case_from_markup
from evaluation.sets import ANNOTATIONS
from pipeline.corpus import rebuilt
from pipeline.errors import DealReaderError
from pipeline.markup import GoldArticle, GoldMention, parse_folder
from pipeline.schema import NAME_LABELS, EventType, Label

FOLDER = ANNOTATIONS / "names"
SORTS = ("companies", "funds", "people", "media")

DRAWS = 4
"""Copies of each article, each with other names: one draw alone moves role F1 by a point."""

LARGEST_COST = 0.02
"""What unseen names may cost of the role F1."""

_WORD_BEFORE = re.compile(r"\w+(?:['’]|\s+)\Z")
_WORD_LENGTH = 20
_VOWELS = frozenset("aeiouœæ")
_ELIDING = frozenset({"de", "que", "lorsque", "puisque", "jusque"})
_GENDERS = {"la": "feminine", "le": "masculine", "du": "masculine", "au": "masculine"}
_PLURAL = frozenset({"les", "des", "aux"})
_ACRONYM = 5
"""Capitals up to this length are an acronym, longer ones a name in capitals."""


@dataclass(frozen=True, slots=True)
class Names:
    """The unseen names by sort; ``heads``, ``first_names`` and ``fund_words`` (the last words of
    investors' names) are those of the training lists and say how names are made."""

    unseen: dict[str, tuple[str, ...]]
    heads: dict[str, frozenset[str]]
    first_names: frozenset[str]
    fund_words: frozenset[str]


def read_names(root: Path) -> Names:
    """The lists below ``root``.

    Raises:
        DealReaderError: a list is missing.
    """
    try:
        heads = tomllib.loads((root / FOLDER / "heads.toml").read_text(encoding="utf-8"))
        return Names(
            unseen={sort: _listed(root, f"unseen_{sort}") for sort in SORTS},
            heads={gender: frozenset(words) for gender, words in heads.items()},
            first_names=frozenset(name.split()[0] for name in _listed(root, "people")),
            fund_words=frozenset(name.split()[-1] for name in _listed(root, "funds")),
        )
    except FileNotFoundError as error:
        raise DealReaderError(f"{error.filename} is missing: no names to put in") from error


def _listed(root: Path, name: str) -> tuple[str, ...]:
    return tuple((root / FOLDER / f"{name}.txt").read_text(encoding="utf-8").splitlines())


def cases(root: Path, name: str, draws: int = DRAWS) -> list[Case]:
    """The articles of an annotated set, ``draws`` times, each time with other unseen names."""
    names = read_names(root)
    articles = parse_folder(root / ANNOTATIONS / name)
    return [
        case_from_markup(renamed(article, names, draw))
        for draw in range(draws)
        for article in articles
    ]


def renamed(article: GoldArticle, names: Names, draw: int = 0) -> GoldArticle:
    """A copy of the article in which every party bears an unseen name.

    The fullest mention becomes the new name, a shorter one the same part of it, an acronym its
    initials; any other alias gets a name of its own. A name that agrees with the elision or the
    article before it is preferred. Text between marks, descriptions, ids and values stay as they
    are. The same ``draw`` gives the same copy.

    Raises:
        DealReaderError: the article has more parties than a list has names.
    """
    renamer = _Renamer(article, names, draw)
    for chain in article.by_id().values():
        said = [m for m in chain if m.label in NAME_LABELS and not m.nom and not m.unnamed]
        if said:
            renamer.rename(said)
    return rebuilt(article, renamer.texts)


class _Renamer:
    """Gives each party of one article another name; ``texts`` holds them by start of mention."""

    def __init__(self, article: GoldArticle, names: Names, draw: int) -> None:
        self.article = article
        self.names = names
        self.texts: dict[int, str] = {}
        order = random.Random(f"{draw} {article.text}")
        self._left = {sort: order.sample(all_, len(all_)) for sort, all_ in names.unseen.items()}

    def rename(self, chain: Sequence[GoldMention]) -> None:
        full = max((mention.text for mention in chain), key=len)
        sort = self._sort(chain, full)
        part_of = {m.text: _Part.of(m.text, full, sort == "people") for m in chain}
        parts = [(mention, part) for mention in chain if (part := part_of[mention.text])]
        name = self._take(sort, parts)
        for mention, part in parts:
            self._write(mention, self._said(name, part))
        for alias in (text for text, part in part_of.items() if part is None):
            mentions = [mention for mention in chain if mention.text == alias]
            initials = "".join(word[0] for word in name.split() if word[0].isupper())
            short = alias.isupper() and len(alias) <= _ACRONYM and len(initials) > 1
            whole = [(mention, _Part()) for mention in mentions]
            new = initials if short else self._take(sort, whole)
            for mention in mentions:
                self._write(mention, new)

    def _sort(self, chain: Sequence[GoldMention], full: str) -> str:
        labels = {mention.label for mention in chain}
        words = full.split()
        if Label.MEDIA in labels:
            return "media"
        if Label.PERSON in labels:
            return "people"
        if Label.COMPANY in labels:
            closes = any(
                event.company == chain[0].id and event.type is EventType.FUND_CLOSE
                for event in self.article.events
            )
            return "funds" if closes else "companies"
        if Label.INVESTOR not in labels:
            return "companies"
        first = not self.names.first_names.isdisjoint((words[0], words[0].split("-")[0]))
        person = first and len(words) > 1 and words[-1] not in self.names.fund_words
        return "people" if person else "funds"

    def _take(self, sort: str, parts: Sequence[tuple[GoldMention, _Part]]) -> str:
        """The next name that agrees with all that stands before it, else the next name."""
        left = self._left[sort]
        if not left:
            raise DealReaderError(f"{self.article.path}: more names than unseen_{sort}.txt has")
        before = [(self._word_before(mention), part) for mention, part in parts]
        fitting = (
            name
            for name in left
            if all(self._agrees(word, self._said(name, part)) for word, part in before)
        )
        name = next(fitting, left[0])
        left.remove(name)
        return name

    def _said(self, name: str, part: _Part) -> str:
        """That part of a name; a firm's goes on until it can end ("Fonds Girolle")."""
        words = name.split()
        if part.last:
            return words[-1]
        end = part.first or len(words)
        while end < len(words) and self._is_weak(words[end - 1]):
            end += 1
        return " ".join(words[:end])

    def _is_weak(self, word: str) -> bool:
        return any(word.casefold() in heads for heads in self.names.heads.values())

    def _write(self, mention: GoldMention, new: str) -> None:
        capitals = mention.text.isupper() and len(mention.text) > _ACRONYM
        self.texts[mention.start] = new.upper() if capitals else new

    def _word_before(self, mention: GoldMention) -> str:
        before = self.article.text[max(0, mention.start - _WORD_LENGTH) : mention.start]
        found = _WORD_BEFORE.search(before)
        return found.group().strip().casefold().replace("’", "'") if found else ""

    def _agrees(self, before: str, name: str) -> bool:
        head = name.split()[0].casefold()
        if before.endswith("'"):
            return _begins_with_vowel(name)
        if before in _GENDERS:
            return head in self.names.heads[_GENDERS[before]]
        if before in _PLURAL:
            return head.endswith("s") and head in self.names.heads["weak"] - _PLURAL
        if before in _ELIDING and _begins_with_vowel(name):
            return False
        return before not in ("de", "à") or head not in ("le", "les")


@dataclass(frozen=True, slots=True)
class _Part:
    """What of a name is said: its ``first`` words (0: all of them), or its ``last`` one."""

    first: int = 0
    last: bool = False

    @classmethod
    def of(cls, said: str, full: str, person: bool) -> _Part | None:
        """The part that ``said`` is of the name ``full``; ``None`` for an alias."""
        words, whole = _words(said), _words(full)
        if words == whole:
            return cls(last=person and len(whole) == 1)
        if words == whole[: len(words)]:
            return cls(first=len(words))
        return cls(last=True) if person and words == whole[-len(words) :] else None


def _words(text: str) -> list[str]:
    return text.casefold().replace("’", "'").split()


def _begins_with_vowel(name: str) -> bool:
    return unicodedata.normalize("NFD", name)[0].casefold() in _VOWELS
