"""The annotation notation: one strict parser and one printer for gold files and tests.

A gold file is a TOML head between two lines of ``+++`` and, after it, the article with inline
marks ``[text](LABEL id flag key=value)``. Stripped of its marks the body *is* the article,
character by character; a literal ``[``, ``]`` or backslash of the article is written with a
backslash before it. ``annotations/GUIDELINES.md`` says what is marked and why.

Everything that cannot be right is a :class:`~pipeline.errors.MarkupError` with file and line:
an unclosed mark, an unknown label, flag or key, an id that points nowhere or to the wrong
kind of mention, a value that the marked text contradicts.
"""

from __future__ import annotations

import json
import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import NoReturn

import tomli_w
from pydantic import BaseModel, ConfigDict, ValidationError

from pipeline.errors import MarkupError
from pipeline.normalise.dates import interval
from pipeline.normalise.money import parse_money
from pipeline.schema import (
    MONEY_LABELS,
    NAME_LABELS,
    AmountKind,
    Basis,
    Certainty,
    Commitment,
    EventType,
    Focus,
    Instrument,
    InvestorRole,
    Label,
    Qualifier,
    RoundName,
    Status,
)

FENCE = "+++\n"
NO_VALUE = "none"
"""Written for a currency that the article never names and a date that it cannot resolve."""

_ID = re.compile(r"[a-z][a-z0-9_]*")
_NUMBER = re.compile(r"[0-9]+(?:\.[0-9]+)?")
_YEAR = re.compile(r"\b(?:19|20)[0-9]{2}\b")
_SPECIAL = re.compile(r"[\\\[\]]")
_MONEY_KEYS = frozenset({"value", "min", "max", "currency", "qualifier", "also"})
_KEYS: dict[Label, frozenset[str]] = {
    Label.AMOUNT: _MONEY_KEYS | {"kind"},
    Label.VALUATION: _MONEY_KEYS,
    Label.DATE: frozenset({"value"}),
}
_FLAGS: dict[Label, frozenset[str]] = {
    Label.AMOUNT: frozenset({"inferred"}),
    Label.VALUATION: frozenset({"inferred"}),
    **{label: frozenset({"nom", "unnamed"}) for label in NAME_LABELS},
}
_ID_OPTIONAL = frozenset({Label.DATE, Label.ROUND, Label.INSTRUMENT})


@dataclass(frozen=True, slots=True)
class GoldMention:
    """One mark. ``start`` and ``end`` are code points in the article's text.

    ``nom`` marks a definite description that stands for a named party ("la start-up"),
    ``unnamed`` a party that the article never names ("des fonds souverains du Golfe").
    """

    label: Label
    id: str | None
    start: int
    end: int
    text: str
    line: int
    value: Decimal | None = None
    minimum: Decimal | None = None
    maximum: Decimal | None = None
    currency: str | None = None
    qualifier: Qualifier = Qualifier.EXACT
    inferred: bool = False
    kind: AmountKind | None = None
    also: str | None = None
    date: str | None = None
    has_date: bool = False
    nom: bool = False
    unnamed: bool = False

    def sum(self) -> tuple[Decimal | None, Decimal | None, Decimal | None, str | None]:
        """What all mentions of one sum have in common."""
        return (self.value, self.minimum, self.maximum, self.currency)


class _Head(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class GoldInvestor(_Head):
    ref: str
    role: InvestorRole = InvestorRole.PARTICIPANT
    commitment: Commitment = Commitment.CONFIRMED
    returning: bool | None = None
    amount: str | None = None


class GoldValuation(_Head):
    ref: str
    basis: Basis = Basis.UNSPECIFIED


class GoldComponent(_Head):
    amount: str
    instrument: Instrument | None = None
    investor: str | None = None
    timing: str | None = None


class GoldEvent(_Head):
    """An event of the contract; every fact is the id of a mark."""

    type: EventType
    focus: Focus = Focus.MAIN
    status: Status = Status.CLOSED
    certainty: Certainty = Certainty.ASSERTED
    company: str
    amount: str | None = None
    components: tuple[GoldComponent, ...] = ()
    total_raised: str | None = None
    valuations: tuple[GoldValuation, ...] = ()
    investors: tuple[GoldInvestor, ...] = ()
    round: RoundName | None = None
    instrument: Instrument | None = None
    date: str | None = None
    expected_close: str | None = None
    sources: tuple[str, ...] = ()

    @property
    def members(self) -> set[str]:
        """The ids of all that plays a part in the event, but the timing of its components."""
        told = {
            self.company, self.amount, self.date, self.expected_close, self.total_raised,
            *self.sources,
            *(worth.ref for worth in self.valuations),
            *(part.amount for part in self.components),
            *(investor.ref for investor in self.investors),
            *(investor.amount for investor in self.investors),
        }  # fmt: skip
        return {id_ for id_ in told if id_ is not None}


class GoldHead(_Head):
    """The head of a gold file. ``story`` groups files that tell the same deal."""

    published: str | None = None
    writer: str | None = None
    desk: str | None = None
    story: str | None = None
    phenomena: tuple[str, ...] = ()
    event: tuple[GoldEvent, ...] = ()


@dataclass(frozen=True, slots=True)
class GoldArticle:
    """A parsed gold file: the article's text, its marks in text order, and its events."""

    path: str
    text: str
    head: GoldHead
    mentions: tuple[GoldMention, ...]

    @property
    def events(self) -> tuple[GoldEvent, ...]:
        return self.head.event

    def by_id(self) -> dict[str, list[GoldMention]]:
        """All marks of each id, in text order: the coreference chains of the article."""
        chains: dict[str, list[GoldMention]] = {}
        for mention in self.mentions:
            if mention.id is not None:
                chains.setdefault(mention.id, []).append(mention)
        return chains


def parse(source: str, *, path: str = "<string>") -> GoldArticle:
    """Reads one gold file.

    Raises:
        MarkupError: with ``path`` and the 1-based line of the first mistake.
    """
    return _Parser(source, path).parse()


def parse_file(path: Path) -> GoldArticle:
    """Reads one gold file from disk (UTF-8, line ends as they stand)."""
    with path.open(encoding="utf-8", newline="") as stream:
        return parse(stream.read(), path=path.as_posix())


def parse_folder(folder: Path) -> list[GoldArticle]:
    """All ``*.md`` gold files below ``folder``, in sorted order of their paths."""
    return [parse_file(path) for path in sorted(folder.rglob("*.md"))]


def render(article: GoldArticle) -> str:
    """Prints an article in the notation; ``parse(render(a))`` equals ``a`` but for ``line``."""
    head = article.head.model_dump(mode="json", exclude_defaults=True, exclude_none=True)
    events = head.pop("event", ())
    out = [FENCE, tomli_w.dumps(head)]
    for event in events:
        out.append("[[event]]\n")
        out.extend(f"{key} = {_inline(value)}\n" for key, value in event.items())
    out.append(FENCE)
    position = 0
    for mention in article.mentions:
        out.append(_escape(article.text[position : mention.start]))
        out.append(f"[{_escape(mention.text)}]({' '.join(_attributes(mention))})")
        position = mention.end
    out.append(_escape(article.text[position:]))
    return "".join(out)


def _inline(value: object) -> str:
    """A value of an event on one line, as people write it; ids and terms need no escapes."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{key} = {_inline(part)}" for key, part in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_inline, value)) + "]"
    return json.dumps(value)


def _escape(text: str) -> str:
    return _SPECIAL.sub(lambda match: "\\" + match.group(), text)


def _attributes(mention: GoldMention) -> Iterator[str]:
    yield mention.label
    if mention.id is not None:
        yield mention.id
    for flag in ("nom", "unnamed", "inferred"):
        if getattr(mention, flag):
            yield flag
    if mention.label in MONEY_LABELS:
        for key, number in (
            ("value", mention.value),
            ("min", mention.minimum),
            ("max", mention.maximum),
        ):
            if number is not None:
                yield f"{key}={number:f}"
        yield f"currency={mention.currency or NO_VALUE}"
        if mention.qualifier not in (Qualifier.EXACT, Qualifier.RANGE):
            yield f"qualifier={mention.qualifier}"
        if mention.kind is not None:
            yield f"kind={mention.kind}"
        if mention.also is not None:
            yield f"also={mention.also}"
    if mention.has_date:
        yield f"value={mention.date or NO_VALUE}"


@dataclass
class _Parser:
    source: str
    path: str
    mentions: list[GoldMention] = field(default_factory=list)

    def parse(self) -> GoldArticle:
        head, body_start = self._head()
        text = self._body(body_start)
        article = GoldArticle(self.path, text, head, tuple(self.mentions))
        _Checker(article, self._event_lines(body_start)).check()
        return article

    def _fail(self, message: str, offset: int) -> NoReturn:
        line = self.source.count("\n", 0, offset) + 1
        raise MarkupError(message, path=self.path, line=line)

    def _head(self) -> tuple[GoldHead, int]:
        if not self.source.startswith(FENCE):
            self._fail("a gold file begins with a line '+++'", 0)
        end = self.source.find("\n" + FENCE, len(FENCE) - 1)
        if end < 0:
            self._fail("the head is not closed by a second line '+++'", 0)
        try:
            head = GoldHead.model_validate(tomllib.loads(self.source[len(FENCE) : end + 1]))
        except tomllib.TOMLDecodeError as error:
            self._fail(f"the head is no TOML: {error}", 0)
        except ValidationError as error:
            first = error.errors()[0]
            self._fail(f"{'.'.join(map(str, first['loc']))}: {first['msg']}", 0)
        if head.published is not None:
            self._checked_interval(head.published, 0)
        return head, end + 1 + len(FENCE)

    def _event_lines(self, body_start: int) -> list[int]:
        head = self.source[:body_start]
        starts = (match.start() for match in re.finditer(r"^\[\[event\]\]", head, re.M))
        return [head.count("\n", 0, start) + 1 for start in starts]

    def _checked_interval(self, value: str, offset: int) -> tuple[str, str]:
        try:
            return interval(value)
        except ValueError:
            self._fail(f"{value!r} is no date (write 2026, 2026-Q1, 2026-01 or 2026-01-20)", offset)

    def _body(self, position: int) -> str:
        """Strips the marks, collecting them; returns the article's text."""
        out: list[str] = []
        length = 0
        while match := _SPECIAL.search(self.source, position):
            at = match.start()
            out.append(self.source[position:at])
            length += at - position
            if match.group() == "\\":
                out.append(self._escaped(at))
                length += 1
                position = at + 2
            elif match.group() == "]":
                self._fail("a ']' that closes nothing (write \\] for a literal bracket)", at)
            else:
                text, close = self._marked_text(at)
                position = self._mark(text, length, close)
                out.append(text)
                length += len(text)
        out.append(self.source[position:])
        return "".join(out)

    def _escaped(self, at: int) -> str:
        char = self.source[at + 1 : at + 2]
        if not char or not _SPECIAL.match(char):
            self._fail("a backslash stands only before [, ] or another backslash", at)
        return char

    def _marked_text(self, opening: int) -> tuple[str, int]:
        """The text of the mark that opens at ``opening``, and the offset of its ``]``."""
        out: list[str] = []
        position = opening + 1
        while match := _SPECIAL.search(self.source, position):
            at = match.start()
            out.append(self.source[position:at])
            if match.group() == "]":
                return "".join(out), at
            if match.group() == "[":
                self._fail("a mark inside a mark (or an unclosed one)", at)
            out.append(self._escaped(at))
            position = at + 2
        self._fail("an unclosed mark", opening)

    def _mark(self, text: str, start: int, close: int) -> int:
        """Reads ``(LABEL id …)`` after the ``]`` at ``close``; returns the offset behind it."""
        end = self.source.find(")", close)
        if self.source[close + 1 : close + 2] != "(" or end < 0:
            self._fail("a mark needs '(LABEL id …)' right after its ']'", close)
        if not text or text != text.strip():
            self._fail(f"the marked text {text!r} is empty or has space at its edge", close)
        words = self.source[close + 2 : end].split()
        if not words or words[0] not in Label.__members__:
            self._fail(f"unknown label {' '.join(words[:1])!r}", close)
        label = Label(words[0])
        id_, rest = None, words[1:]
        if rest and _ID.fullmatch(rest[0]) and rest[0] not in _FLAGS.get(label, ()):
            id_, rest = rest[0], rest[1:]
        if id_ is None and label not in _ID_OPTIONAL:
            self._fail(f"a {label} needs an id (a letter, then letters, digits, _)", close)
        flags = {word for word in rest if "=" not in word}
        pairs = dict(word.split("=", 1) for word in rest if "=" in word)
        if len(flags) + len(pairs) != len(rest):
            self._fail("a flag or key given twice", close)
        if unknown := (flags - _FLAGS.get(label, frozenset())) | (
            pairs.keys() - _KEYS.get(label, frozenset())
        ):
            self._fail(f"{label} takes no {', '.join(sorted(unknown))}", close)
        line = self.source.count("\n", 0, close) + 1
        base = {"label": label, "id": id_, "start": start, "end": start + len(text), "text": text}
        self.mentions.append(
            GoldMention(**base, line=line, **self._values(label, text, flags, pairs, close))  # type: ignore[arg-type]
        )
        return end + 1

    def _values(
        self, label: Label, text: str, flags: set[str], pairs: dict[str, str], at: int
    ) -> dict[str, object]:
        if label in MONEY_LABELS:
            return self._money(label, text, flags, pairs, at)
        if label is Label.DATE:
            value = pairs.get("value")
            if value not in (None, NO_VALUE):
                first, last = self._checked_interval(str(value), at)
                years = _YEAR.findall(text)
                if len(years) == 1 and not first[:4] <= years[0] <= last[:4]:
                    self._fail(f"{text!r} says {years[0]}, the mark says {value}", at)
            return {"date": None if value == NO_VALUE else value, "has_date": value is not None}
        return dict.fromkeys(flags, True)

    def _money(
        self, label: Label, text: str, flags: set[str], pairs: dict[str, str], at: int
    ) -> dict[str, object]:
        written = {key: pairs[key] for key in ("value", "min", "max") if key in pairs}
        if not all(map(_NUMBER.fullmatch, written.values())):
            self._fail("value, min and max are plain decimal numbers", at)
        numbers = {key: Decimal(number) for key, number in written.items()}
        is_range = numbers.keys() == {"min", "max"}
        if not is_range and numbers.keys() != {"value"}:
            self._fail("a sum has either value= or both min= and max=", at)
        currency = pairs.get("currency", "")
        if currency != NO_VALUE and not re.fullmatch("[A-Z]{3}", currency):
            self._fail("a sum needs currency= (ISO 4217, or 'none' if never named)", at)
        qualifier = pairs.get("qualifier", Qualifier.RANGE if is_range else Qualifier.EXACT)
        if qualifier not in list(Qualifier) or (qualifier == Qualifier.RANGE) is not is_range:
            self._fail(f"qualifier {qualifier!r} is unknown or does not fit value/min/max", at)
        if (label is Label.AMOUNT) is not (pairs.get("kind") in list(AmountKind)):
            self._fail(f"an AMOUNT needs kind= one of {', '.join(AmountKind)}", at)
        if is_range:
            self._range_contradiction(text, numbers["min"], numbers["max"], currency, at)
        else:
            self._contradiction(text, numbers["value"], currency, at)
        return {
            "value": numbers.get("value"),
            "minimum": numbers.get("min"),
            "maximum": numbers.get("max"),
            "currency": None if currency == NO_VALUE else currency,
            "qualifier": Qualifier(qualifier),
            "inferred": "inferred" in flags,
            "kind": AmountKind(pairs["kind"]) if "kind" in pairs else None,
            "also": pairs.get("also"),
        }

    def _contradiction(self, text: str, value: Decimal, currency: str, at: int) -> None:
        """A dropped unit or currency may be supplied by the context, but nothing contradicted."""
        read = parse_money(text)
        if read is None or read.value is None:
            self._fail(f"{text!r} is no sum of money that can be read", at)
        self._currency_contradiction(text, read.currency, currency, at)
        scales = {read.value * 10**power for power in (0, 3, 6, 9, 12)}
        has_scale = read.value >= 1000
        if value != read.value and (has_scale or value not in scales):
            self._fail(f"{text!r} is {read.value:f}, the mark says {value:f}", at)

    def _range_contradiction(
        self, text: str, minimum: Decimal, maximum: Decimal, currency: str, at: int
    ) -> None:
        """A range whose scale stands elsewhere ("40 à 45") cannot be read from its text alone."""
        if minimum >= maximum:
            self._fail(f"the range from {minimum:f} to {maximum:f} does not rise", at)
        read = parse_money(text)
        if read is None or read.minimum is None:
            return
        self._currency_contradiction(text, read.currency, currency, at)
        if (read.minimum, read.maximum) != (minimum, maximum):
            self._fail(
                f"{text!r} is {read.minimum:f} to {read.maximum:f}, "
                f"the mark says {minimum:f} to {maximum:f}",
                at,
            )

    def _currency_contradiction(self, text: str, read: str | None, marked: str, at: int) -> None:
        # francs are told apart by the article, not by the mark
        if read not in (None, marked, "FRF"):
            self._fail(f"{text!r} says {read}, the mark says {marked}", at)


@dataclass
class _Checker:
    """Holds the events of an article against its marks."""

    article: GoldArticle
    event_lines: list[int]

    def check(self) -> None:
        self.chains = self.article.by_id()
        self._chains_agree()
        used: set[str] = set()
        companies: set[str] = set()
        for number, event in enumerate(self.article.events):
            self.line = self.event_lines[number] if number < len(self.event_lines) else 1
            self._event(event, used)
            companies.add(event.company)
        for id_, chain in self.chains.items():
            first = chain[0]
            self.line = first.line
            if first.kind in (AmountKind.DEAL, AmountKind.COMPONENT) and not (
                id_ in used or (first.also or "") in used
            ):
                self._fail(f"AMOUNT {id_} is kind={first.kind} but no event uses it")
            if any(m.label is Label.COMPANY for m in chain) and id_ not in companies:
                self._fail(f"{id_} is marked COMPANY but is no event's company: mark it ORG")

    def _fail(self, message: str) -> NoReturn:
        raise MarkupError(message, path=self.article.path, line=self.line)

    def _chains_agree(self) -> None:
        for id_, chain in self.chains.items():
            first = chain[0]
            for other in chain[1:]:
                self.line = other.line
                both_names = first.label in NAME_LABELS and other.label in NAME_LABELS
                if first.label is not other.label and not both_names:
                    self._fail(f"id {id_} is both {first.label} and {other.label}")
                if first.sum() != other.sum():
                    self._fail(f"two mentions of {id_} have different values")
                if first.date != other.date and first.has_date and other.has_date:
                    self._fail(f"two mentions of {id_} have different values")
            if first.label in NAME_LABELS and all(m.nom for m in chain):
                self.line = first.line
                self._fail(f"{id_} has only 'nom' mentions: name it, or flag it 'unnamed'")
            if first.also is not None:
                self.line = first.line
                self._ref(first.also, {first.label}, "also")

    def _event(self, event: GoldEvent, used: set[str]) -> None:
        self._ref(event.company, {Label.COMPANY}, "company")
        self._amount(event.amount, {AmountKind.DEAL}, "amount", used)
        self._amount(event.total_raised, {AmountKind.TOTAL_RAISED}, "total_raised", used)
        shares = {AmountKind.COMPONENT, AmountKind.DEAL}
        for component in event.components:
            self._amount(component.amount, shares, "components.amount", used)
            if component.investor is not None:
                self._ref(component.investor, {Label.INVESTOR}, "components.investor")
            self._date(component.timing, "components.timing")
        for investor in event.investors:
            self._ref(investor.ref, {Label.INVESTOR}, "investors")
            self._amount(investor.amount, shares, "investors.amount", used)
        for valuation in event.valuations:
            self._ref(valuation.ref, {Label.VALUATION}, "valuations")
        for source in event.sources:
            self._ref(
                source,
                {Label.MEDIA, Label.PERSON, Label.ORG, Label.INVESTOR, Label.COMPANY},
                "sources",
            )
        self._date(event.date, "date")
        self._date(event.expected_close, "expected_close")

    def _ref(self, id_: str, labels: set[Label], role: str) -> list[GoldMention]:
        chain = [m for m in self.chains.get(id_, []) if m.label in labels]
        if not chain:
            wanted = " or ".join(sorted(labels))
            self._fail(f"{role}: no mention {id_!r} marked {wanted}")
        return chain

    def _amount(self, id_: str | None, kinds: set[AmountKind], role: str, used: set[str]) -> None:
        if id_ is None:
            return
        for mention in self._ref(id_, {Label.AMOUNT}, role):
            if mention.kind not in kinds:
                self._fail(f"{role}: {id_} is kind={mention.kind}")
        used.add(id_)

    def _date(self, id_: str | None, role: str) -> None:
        if id_ is not None and not any(m.has_date for m in self._ref(id_, {Label.DATE}, role)):
            self._fail(f"{role}: the DATE {id_} needs value= (or value={NO_VALUE})")
