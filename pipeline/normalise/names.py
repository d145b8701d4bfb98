"""Names: the key under which spellings of one name meet, slugs, and which names are one party."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

_LEGAL = frozenset(
    [
        "sa",
        "sas",
        "sarl",
        "sasu",
        "se",
        "sca",
        "scs",
        "inc",
        "corp",
        "corporation",
        "ltd",
        "plc",
        "llc",
        "lp",
        "gmbh",
        "ag",
        "bv",
        "nv",
        "spa",
        "oy",
        "ab",
        "co",
        "company",
        "cie",
    ]
)
"""Legal forms: they are part of the name but tell nothing apart."""

_DESCRIPTIVE = frozenset(
    [
        "capital",
        "partners",
        "ventures",
        "venture",
        "group",
        "groupe",
        "holding",
        "technologies",
        "technology",
        "labs",
        "therapeutics",
        "pharma",
        "biosciences",
        "medical",
        "systems",
        "solutions",
        "robotics",
        "energy",
        "france",
        "europe",
        "international",
        "global",
        "management",
        "equity",
        "investments",
        "invest",
        "investissement",
        "ai",
        "io",
    ]
)
"""Words that a full name adds to the short one in use ("Sequoia", "Sequoia Capital")."""

_TOO_GENERIC = frozenset(
    [
        "la",
        "le",
        "les",
        "banque",
        "credit",
        "fonds",
        "groupe",
        "compagnie",
        "societe",
        "caisse",
        "region",
        "ville",
        "banco",
        "bank",
        "the",
        "saint",
        "new",
        "crédit",
        "université",
        "universite",
        "institut",
        "ministere",
        "fondation",
    ]
)

_WORD = re.compile(r"\w+")
_ASCII_WORD = re.compile(r"[a-z0-9]+")


def _plain(name: str) -> str:
    if name.isascii():
        return name.casefold()
    decomposed = unicodedata.normalize("NFKD", name.casefold())
    return "".join(char for char in decomposed if not unicodedata.combining(char))


def words(name: str) -> tuple[str, ...]:
    """The words of a name without case, accents, punctuation and legal forms."""
    found = tuple(_WORD.findall(_plain(name)))
    kept = tuple(word for word in found if word not in _LEGAL)
    return kept or found


def key(name: str) -> str:
    """Equal for spellings of one name: "X.AI" and "xAI", "Crédit-Sud SA" and "Credit Sud"."""
    return "".join(words(name))


def slug(name: str) -> str:
    """An ASCII identifier: "Crédit Mutuel Innovation" is ``credit-mutuel-innovation``."""
    bare = _plain(name).replace("_", " ")
    if bare.isascii():
        return "-".join(_ASCII_WORD.findall(bare)) or "unnamed"
    ascii_words = (re.sub(r"[^a-z0-9]", "", word) for word in _WORD.findall(bare))
    return "-".join(word for word in ascii_words if word) or "unnamed"


@dataclass(frozen=True, slots=True)
class Name:
    """A mention of a name: its text and a label that tells what it is taken for."""

    text: str
    label: str


def unite(names: Sequence[Name]) -> list[int]:
    """Which mentions name one party: for each name, in text order, the number of its party.

    A short form joins the one longer name before it of which it is the beginning ("Sequoia"
    after "Sequoia Capital") or, for people, the end ("Altman" after "Sam Altman"). A longer
    name joins a shorter one before it only where it adds descriptive words alone, or where
    both carry the same label and so play one part (a headline's short form).
    """
    parties: list[int] = []
    by_key: dict[str, int] = {}
    known = _Known()
    count = 0
    for name in names:
        own = words(name.text)
        own_key = "".join(own)
        party = by_key.get(own_key)
        if party is None:
            matches = known.parties(own, name.label)
            party = matches.pop() if len(matches) == 1 else count
            count += party == count
            by_key[own_key] = party
            known.add(own, name.label, party)
        parties.append(party)
    return parties


_LONGEST = 20
"""Words of a name that may have a shorter form; what is longer is a name found by mistake."""


class _Known:
    """The forms seen so far, found by what they are, begin with and end with.

    A list of funds that all begin with one word is so not compared fund by fund.
    """

    def __init__(self) -> None:
        self._whole: dict[tuple[str, ...], tuple[tuple[str, ...], str, int]] = {}
        self._cut: dict[tuple[str, ...], list[tuple[tuple[str, ...], str, int]]] = {}

    def add(self, form: tuple[str, ...], label: str, party: int) -> None:
        self._whole[form] = entry = (form, label, party)
        for part in _parts(form):
            self._cut.setdefault(part, []).append(entry)

    def parties(self, own: tuple[str, ...], label: str) -> set[int]:
        """The parties of which ``own`` is another form."""
        longer = self._cut.get(own, ())
        shorter = (self._whole[part] for part in _parts(own) if part in self._whole)
        return {
            party
            for form, form_label, party in (*longer, *shorter)
            if _alias(form, form_label, own, label)
        }


def _parts(form: tuple[str, ...]) -> Iterator[tuple[str, ...]]:
    """The proper beginnings and ends of a form."""
    if len(form) <= _LONGEST:
        for cut in range(1, len(form)):
            yield form[:cut]
            yield form[cut:]


def _alias(form: tuple[str, ...], label: str, own: tuple[str, ...], own_label: str) -> bool:
    """Whether ``own`` is another form of the earlier ``form``."""
    if not form or not own:
        return False
    person = "PERSON" in (label, own_label)
    if len(own) < len(form):
        if own[0] in _TOO_GENERIC and len(own) == 1:
            return False
        family_name = person or (label == own_label == "INVESTOR" and len(form) == 2)
        if family_name and form[-len(own) :] == own:
            return True
        return form[: len(own)] == own and not person
    if len(own) > len(form) and own[: len(form)] == form:
        if len(form) == 1 and form[0] in _TOO_GENERIC:
            return False
        added = own[len(form) :]
        return all(word in _DESCRIPTIVE for word in added) or (label == own_label == "COMPANY")
    return person and len(own) > len(form) and own[-len(form) :] == form
