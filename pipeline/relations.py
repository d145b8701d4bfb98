"""Relation rules: syntax-like patterns over the mentions and words of a sentence.

A sentence of the :class:`~pipeline.view.View` becomes a string with one character a symbol: a
mention is one symbol (a name or description of any label, a sum, a date), every word that some
rule speaks of has its own, every other word is a filler. A rule of ``lexicons/relations.toml``
is compiled once to a regular expression over such strings; all its repetitions are bounded, so
a sentence is read in linear time. The label that a name bears plays no part.

The pattern language: elements separated by white space, read from left to right.

``word``, ``a|b``, ``{class}``, ``a|{class}``
    A word in small letters, one of several, a form of a ``[[words]]`` row.
``N:slot``, ``L:slot``
    A name, or an enumeration of names of which every member is captured. Words of the noun
    phrase ("auprès *du fonds américain* N") and an insertion after it ("N, *spécialiste de la
    paie*, lève") are passed over. Without ``:slot`` nothing is captured. At the beginning of a
    pattern the name is a subject: one after a preposition ("avec N") does not count.
``.N:slot``, ``.L:slot``
    The same, but no "de" may stand in the noun phrase before the name.
``S:slot``, ``D:slot``
    A sum, a date.
``~3``
    Up to three words, none of them a negation, a relative pronoun or a mention but a date.
``..9``
    Up to nine symbols of any sort within the sentence.
``!x``, ``<!x``
    What follows is not ``x``; what precedes is none of the single words ``x``.
``[`` … ``]``, ``x?``
    May be missing.
``^``
    The beginning of the sentence.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache

from pydantic import field_validator

from pipeline.cues import expand
from pipeline.errors import LexiconError
from pipeline.lexicon import Row, Text, load
from pipeline.schema import Label
from pipeline.view import PARTY_LABELS, Item, Role, View

INVESTOR_SLOTS = frozenset(
    ["investor", "lead", "participant", "buyer", "seller", "lender", "declined"]
)
SLOTS = INVESTOR_SLOTS | {
    "company",
    "bystander",
    "source",
    "amount",
    "share",
    "total",
    "valuation",
    "other",
    "date",
}
"""What a slot may be called. ``investor`` says nothing of the role, ``bystander`` is a client,
an adviser, a competitor, an employer …; ``share`` is one investor's own sum, ``total`` what was
raised so far, ``other`` a sum that is no part of a deal."""


class WordsRow(Row):
    """A class of words for patterns; ``forms`` as in ``cues.toml``: "racheté(e)(s) par"."""

    name: Text
    forms: tuple[Text, ...]

    def claims(self) -> Iterable[str]:
        """No two rows have one name."""
        return [self.name]


class RelationRow(Row):
    """A rule. In ``example`` the names stand in square brackets; ``slots`` is what it finds."""

    id: Text
    pattern: Text
    slots: Mapping[str, tuple[Text, ...]]

    def claims(self) -> Iterable[str]:
        """No two rows have one id, no two one pattern."""
        return [self.id, self.pattern]

    @field_validator("slots")
    @classmethod
    def _known(cls, slots: Mapping[str, tuple[str, ...]]) -> Mapping[str, tuple[str, ...]]:
        if unknown := slots.keys() - SLOTS:
            raise ValueError(f"unknown slot {', '.join(sorted(unknown))}")
        return slots


@dataclass(frozen=True, slots=True)
class Match:
    """A rule that fired in a sentence, and the items in its slots, in text order."""

    rule: str
    sent: int
    slots: Mapping[str, tuple[Item, ...]]


# ---- the alphabet -----------------------------------------------------------------------------

_NAME, _GOVERNED, _SUM, _DATE, _FILLER, _NUMBER, _MARK = "NnSDw0."
_ANY_NAME = "[Nn]"
_MENTIONS = frozenset({_NAME, _GOVERNED, _SUM, _DATE})
_PUNCTUATION = {",": ",", "(": "(", ")": ")", ":": ":", ";": ";", "–": ",", "—": ",", "-": ","}
_OPEN, _CLOSE = re.escape("("), re.escape(")")
_UNSEEN = frozenset("«»“”\"'’*•")
_DIGIT = re.compile(r"\d")
_PIECE = re.compile(r"[^\s']+'?|'")
_FIRST_PRIVATE = 0xE000


class _Alphabet:
    """One character for each word that patterns speak of."""

    def __init__(self, classes: Mapping[str, Sequence[str]], patterns: Iterable[str]) -> None:
        self._char: dict[str, str] = dict(_PUNCTUATION)
        self.classes = {
            name: sorted({self._spell(text) for form in forms for text in expand(form)})
            for name, forms in classes.items()
        }
        for pattern in patterns:
            for literal in _literals(pattern):
                self._spell(literal)

    def _spell(self, text: str) -> str:
        """The characters of a word or phrase; a new word gets a new one."""
        out = []
        for word in _PIECE.findall(text.lower()):
            if word not in self._char:
                self._char[word] = chr(_FIRST_PRIVATE + len(self._char))
            out.append(self._char[word])
        return "".join(out)

    def spell(self, text: str) -> str:
        return self._spell(text)

    def one_of(self, texts: Iterable[str]) -> str:
        """An expression for any of several words, phrases and classes, the longest first."""
        spelt: set[str] = set()
        for text in texts:
            spelt.update(self.classes[text[1:-1]] if text[0] == "{" else [self._spell(text)])
        single = sorted(word for word in spelt if len(word) == 1)
        longer = sorted((word for word in spelt if len(word) > 1), key=lambda w: (-len(w), w))
        options = [re.escape(word) for word in longer]
        if single:
            options.append(_set_of(single))
        return options[0] if len(options) == 1 else f"(?:{'|'.join(options)})"

    def words(self, name: str) -> str:
        """The single words of a class, for a character set."""
        return "".join(word for word in self.classes[name] if len(word) == 1)

    def symbol(self, word: str) -> str:
        """The symbol of a token in small letters; "" for one that is passed over."""
        word = word.replace("’", "'")
        char = self._char.get(word)
        if char is not None:
            return char
        if word in _UNSEEN or word.isspace():
            return ""
        if _DIGIT.search(word):
            return _NUMBER
        return _FILLER if word[0].isalpha() else _MARK


def _set_of(chars: Iterable[str]) -> str:
    return f"[{''.join(re.escape(char) for char in chars)}]"


def _elements(pattern: str) -> Iterator[str]:
    """The elements of a pattern; ``x?`` is written out as ``[ x ]``."""
    for element in pattern.split():
        if element.endswith("?"):
            yield from ("[", element[:-1], "]")
        else:
            yield element


def _literals(pattern: str) -> Iterator[str]:
    for element in _elements(pattern):
        if _is_words(element):
            yield from (t for t in element.lstrip("<!").split("|") if not t.startswith("{"))


_MENTION = re.compile(r"(?P<strict>\.?)(?P<family>[NLSD])(?::(?P<slot>[a-z]+))?\Z")
_GAP = re.compile(r"(?P<sort>~|\.\.)(?P<most>\d{1,2})\Z")


def _is_words(element: str) -> bool:
    return (
        element not in ("[", "]", "^") and not _MENTION.match(element) and not _GAP.match(element)
    )


# ---- patterns ---------------------------------------------------------------------------------


class _Grammar:
    """The parts that every pattern is made of, and the compiler from patterns to expressions."""

    def __init__(self, alphabet: _Alphabet) -> None:
        self._alphabet = alphabet
        marks = f"{_NAME}{_GOVERNED}{_SUM}{_MARK}{''.join(_PUNCTUATION.values())}"
        self._gap = f"[^{re.escape(marks + alphabet.words('stop'))}]"
        determiner = _set_of(alphabet.words("determiner"))
        self._noun = {_FILLER, _NUMBER, *alphabet.words("determiner"), *alphabet.words("noun")}
        self._de = set(alphabet.words("de"))
        self._prepositions = set(alphabet.words("preposition"))
        self._joins = set(alphabet.words("join"))
        noun = _set_of(sorted(self._noun))
        joins = alphabet.one_of(["{join}"])
        kin = alphabet.one_of(["{kin}"])
        plain, named = f"[^,.;:{_OPEN}{_CLOSE}NnS]", f"[^,.;:{_OPEN}{_CLOSE}]"
        bracket = r"(?:\([^()]{1,16}\))?"
        inserted = f"(?!{joins}){noun}{plain}{{0,14}}|{kin}{named}{{1,12}}"
        appositive = f"(?:,(?:{inserted})(?:,(?={joins})|(?=,|{joins})))?"
        self._head = f"{noun}{{0,8}}"
        self._strict_head = f"{_set_of(sorted(self._noun - self._de))}{{0,4}}"
        self._tail = f"{bracket}(?:,(?!{_ANY_NAME}){named}{{1,25}},)?"
        member = f"(?:{determiner}{noun}{{0,7}}|{noun}{{1,2}})?{_ANY_NAME}{bracket}{appositive}"
        late = alphabet.one_of(["{late_join}"])
        bare = f"(?:{determiner}{noun}{{0,7}}|{noun}{{1,2}})?{_ANY_NAME}{bracket}"
        link = f"(?:,?{joins}|,)"
        last = f"(?:(?:,?{late}|{joins}){bare}|(?:,{member}){{2,16}}(?=[.;:)]|$))"
        self._list = f"{bracket}{appositive}(?:(?:,{member}){{0,16}}{last}){{0,3}}"
        step = f"{link}?{self._head}(?P<name>{_ANY_NAME}){bracket}{appositive}"
        self._step = re.compile(step)

    def compile(self, pattern: str) -> tuple[re.Pattern[str], list[frozenset[str]]]:
        """The expression of a pattern, and sets of symbols of which each must be present."""
        parts: list[str] = []
        needs: list[frozenset[str]] = []
        depth = 0
        for place, element in enumerate(_elements(pattern)):
            mention, gap = _MENTION.match(element), _GAP.match(element)
            family = mention["family"] if mention else ""
            if element == "[":
                parts.append("(?:")
                depth += 1
            elif element == "]":
                parts.append(")?")
                depth -= 1
            elif element == "^":
                parts.append("^")
            elif mention:
                parts.append(self._mention(mention, place == 0))
                if not depth:
                    names = {_NAME} if place == 0 else {_NAME, _GOVERNED}
                    needs.append(frozenset({"N": names, "L": names}.get(family, {family})))
            elif gap:
                symbols = self._gap if gap["sort"] == "~" else "[^.]"
                parts.append(f"{symbols}{{0,{gap['most']}}}?")
            else:
                part = self._alphabet.one_of(element.lstrip("<!").split("|"))
                if element.startswith("<!"):
                    parts.append(f"(?<!{part})")
                elif element.startswith("!"):
                    parts.append(f"(?!{part})")
                else:
                    parts.append(part)
                    if not depth:
                        needs.append(self._firsts(element))
        return re.compile("".join(parts)), needs

    def _firsts(self, element: str) -> frozenset[str]:
        """The symbols with which a word element may begin."""
        out: set[str] = set()
        for text in element.split("|"):
            if text[0] == "{":
                out.update(word[0] for word in self._alphabet.classes[text[1:-1]])
            else:
                out.add(self._alphabet.spell(text)[0])
        return frozenset(out)

    def _mention(self, mention: re.Match[str], first: bool) -> str:
        family = mention["family"]
        opening = f"(?P<{mention['slot']}>" if mention["slot"] else "(?:"
        if family not in "NL":
            return rf"{opening}{family})(?:\([^()]{{1,12}}\))?"
        head = self._strict_head if mention["strict"] else self._head
        start = f"{opening}{_NAME}" if first else f"{head}{opening}{_ANY_NAME}"
        return f"{start}{self._list if family == 'L' else ''}){self._tail}"

    def governed(self, symbols: Sequence[str]) -> bool:
        """Whether a name that follows ``symbols`` hangs on a preposition: "avec le fonds N"."""
        if not symbols:
            return False
        if symbols[-1] in self._de:
            return True
        place = len(symbols) - 1
        while place > max(0, len(symbols) - 9) and symbols[place] in self._noun:
            place -= 1
        before = symbols[place]
        return before in self._prepositions or (
            before in self._joins and place > 0 and symbols[place - 1] == _GOVERNED
        )

    def members(self, symbols: str, start: int, end: int) -> list[int]:
        """The places of the names of an enumeration, those in brackets and insertions left out."""
        out = []
        while start < end and (step := self._step.match(symbols, start, end)):
            out.append(step.start("name"))
            start = step.end()
        return out


class Relations:
    """The rules of ``rows``, ready to be looked for.

    Raises :class:`LexiconError` for a pattern that cannot be read.
    """

    def __init__(self, rows: Sequence[RelationRow], words: Sequence[WordsRow]) -> None:
        classes = {row.name: row.forms for row in words}
        self._alphabet = _Alphabet(classes, (row.pattern for row in rows))
        self._grammar = _Grammar(self._alphabet)
        self._rules = []
        self._by_symbol: dict[str, list[int]] = defaultdict(list)
        """By each symbol the rules that wait for it: those of whose rarest need it is one."""
        for number, row in enumerate(rows):
            try:
                expression, needs = self._grammar.compile(row.pattern)
            except (KeyError, re.error) as error:
                raise LexiconError(f"relations.toml: {row.id}: {error}") from error
            if set(expression.groupindex) != set(row.slots):
                raise LexiconError(f"relations.toml: {row.id}: slots differ from the pattern's")
            self._rules.append((row.id, expression, needs))
            for symbol in min(needs, key=lambda need: (not need.isdisjoint(_MENTIONS), len(need))):
                self._by_symbol[symbol].append(number)

    def find(self, view: View) -> list[Match]:
        """Every place where a rule fires: by sentence, place in it, order of the rules."""
        return [match for sent in range(len(view.sents)) for match in self._in_sentence(view, sent)]

    def _in_sentence(self, view: View, sent: int) -> list[Match]:
        symbols, items = self.symbols(view, sent)
        present = frozenset(symbols)
        waiting = {number for symbol in present for number in self._by_symbol.get(symbol, ())}
        found = []
        for number in waiting:
            rule, expression, needs = self._rules[number]
            if any(need.isdisjoint(present) for need in needs):
                continue
            for match in expression.finditer(symbols):
                slots = {
                    slot: self._items(symbols, items, *match.span(slot))
                    for slot in expression.groupindex
                    if match.start(slot) >= 0
                }
                found.append((match.start(), number, Match(rule, sent, slots)))
        return [match for _, _, match in sorted(found, key=lambda f: f[:2])]

    def _items(
        self, symbols: str, items: Sequence[Item | None], start: int, end: int
    ) -> tuple[Item, ...]:
        places = [start] if end - start == 1 else self._grammar.members(symbols, start, end)
        return tuple(item for place in places if (item := items[place]) is not None)

    def symbols(self, view: View, sent: int) -> tuple[str, list[Item | None]]:
        """The symbols of a sentence, and for each the mention that it stands for."""
        position, high = view.sents[sent]
        symbols: list[str] = []
        items: list[Item | None] = []
        while position < high:
            item = view.item_at.get(position)
            family = _family(item) if item is not None else ""
            if item is not None and family:
                governed = family == _NAME and self._grammar.governed(symbols)
                symbols.append(_GOVERNED if governed else family)
                items.append(item)
                position = max(position + 1, item.end)
                continue
            symbol = self._alphabet.symbol(view.tokens[position])
            position += 1
            if symbol:
                symbols.append(symbol)
                items.append(None)
        return "".join(symbols), items


def _family(item: Item) -> str:
    """The symbol of a mention; rounds and instruments are read as words."""
    if item.label in PARTY_LABELS:
        return _NAME
    if item.money is not None:
        return _SUM
    return _DATE if item.label == Label.DATE else ""


@cache
def relations() -> Relations:
    """The rules of ``lexicons/relations.toml``."""
    return Relations(load("relations", RelationRow, "rule"), load("relations", WordsRow, "words"))


def note_roles(view: View, matches: Iterable[Match]) -> None:
    """Sets ``view.roles``: for each item the slots in which matches hold it."""
    for number, match in enumerate(matches):
        for slot, items in match.slots.items():
            for item in items:
                view.roles.setdefault(item.index, []).append(Role(number, match.rule, slot))


# ---- what the rules say of a party ------------------------------------------------------------

_LABEL_OF = {
    "company": Label.COMPANY,
    **dict.fromkeys(INVESTOR_SLOTS, Label.INVESTOR),
    "bystander": Label.ORG,
    "source": Label.ORG,
}
_PRIORITY = (Label.COMPANY, Label.INVESTOR, Label.ORG)


def decide(view: View, matches: Sequence[Match]) -> dict[int, str]:
    """What each party that some rule reaches is: COMPANY, INVESTOR or ORG.

    The label with most mentions wins, of equal ones the first in that order.
    """
    votes: dict[int, Counter[str]] = defaultdict(Counter)
    seen: set[tuple[int, str]] = set()
    for match in matches:
        for slot, items in match.slots.items():
            label = _LABEL_OF.get(slot)
            for item in items:
                if label and item.party is not None and (item.index, label) not in seen:
                    seen.add((item.index, label))
                    votes[item.party][label] += 1
    return {
        party: min(_PRIORITY, key=lambda label: (-count[label], _PRIORITY.index(label)))
        for party, count in sorted(votes.items())
    }
