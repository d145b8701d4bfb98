"""The phenomena that the corpus must hold: told by the writers' tags and by the marks."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

from pipeline.markup import GoldArticle, GoldEvent, GoldInvestor
from pipeline.schema import (
    MONEY_LABELS,
    NAME_LABELS,
    AmountKind,
    Basis,
    Certainty,
    Focus,
    Instrument,
    InvestorRole,
)

DATA = Path(__file__).with_name("phenomena.toml")

_BARE_NUMBER = re.compile(r"[\d.,\s]+")
_GLUED = re.compile(r"\d[A-Za-z€$£]")
_GROUPED = re.compile(r"\d[.,]\d{3}(?!\d)")
_CAPITALS = 5
"""All in capitals up to this length is an acronym, and nothing odd."""


@dataclass(frozen=True, slots=True)
class Phenomenon:
    """``tags`` are fnmatch patterns, ``marks`` is a key of :data:`MARKS` or ``None``."""

    name: str
    tags: tuple[str, ...]
    marks: str | None = None

    def covers(self, tag: str) -> bool:
        return any(fnmatchcase(tag, pattern) for pattern in self.tags)

    def tagged(self, article: GoldArticle) -> bool:
        return any(map(self.covers, article.head.phenomena))

    def marked(self, article: GoldArticle) -> bool:
        return self.marks is not None and MARKS[self.marks](article)


def read(path: Path = DATA) -> tuple[Phenomenon, ...]:
    """The phenomena in the order of the file."""
    rows = tomllib.loads(path.read_text(encoding="utf-8"))["phenomenon"]
    return tuple(Phenomenon(row["name"], tuple(row["tags"]), row.get("marks")) for row in rows)


def _sums(article: GoldArticle) -> Iterator[str]:
    return (mention.text for mention in article.mentions if mention.label in MONEY_LABELS)


def _investors(article: GoldArticle) -> Iterator[GoldInvestor]:
    return (investor for event in article.events for investor in event.investors)


def _role(role: InvestorRole) -> Callable[[GoldArticle], bool]:
    return lambda article: any(investor.role is role for investor in _investors(article))


def _kind(kind: AmountKind) -> Callable[[GoldArticle], bool]:
    return lambda article: any(mention.kind is kind for mention in article.mentions)


def _swiss(article: GoldArticle) -> bool:
    return any(m.currency == "CHF" and "franc" in m.text.casefold() for m in article.mentions)


def _is_package(event: GoldEvent) -> bool:
    parts = {component.instrument for component in event.components} - {None}
    return event.instrument is Instrument.MIXED or len(parts) > 1


def _earlier_deal(article: GoldArticle) -> bool:
    main = {event.company for event in article.events if event.focus is Focus.MAIN}
    return any(e.focus is Focus.BACKGROUND and e.company in main for e in article.events)


def _leads(event: GoldEvent) -> int:
    return sum(investor.role is InvestorRole.LEAD for investor in event.investors)


def _is_odd(name: str) -> bool:
    capitals = name.isupper() and len(name) > _CAPITALS
    return capitals or name[0].islower() or any(char.isdigit() or char in "&Ÿ" for char in name)


def _any_event(test: Callable[[GoldEvent], bool]) -> Callable[[GoldArticle], bool]:
    return lambda article: any(map(test, article.events))


MARKS: dict[str, Callable[[GoldArticle], bool]] = {
    "bare number": lambda article: any(map(_BARE_NUMBER.fullmatch, _sums(article))),
    "no digit": lambda article: any(not re.search(r"\d", text) for text in _sums(article)),
    "glued unit": lambda article: any(map(_GLUED.search, _sums(article))),
    "grouped digits": lambda article: any(map(_GROUPED.search, _sums(article))),
    "swiss francs": _swiss,
    "conversion": lambda article: any(mention.also for mention in article.mentions),
    "package": _any_event(_is_package),
    "total raised": _kind(AmountKind.TOTAL_RAISED),
    "fund size": _kind(AmountKind.FUND_SIZE),
    "worth before": _any_event(
        lambda event: any(v.basis is Basis.PREVIOUS for v in event.valuations)
    ),
    "lead": _role(InvestorRole.LEAD),
    "several leads": _any_event(lambda event: _leads(event) > 1),
    "unnamed": lambda article: any(mention.unnamed for mention in article.mentions),
    "returning": lambda article: any(i.returning is not None for i in _investors(article)),
    "seller": _role(InvestorRole.SELLER),
    "lender": _role(InvestorRole.LENDER),
    "source": _any_event(lambda event: bool(event.sources)),
    "denied": _any_event(lambda event: event.certainty is Certainty.DENIED),
    "earlier deal": _earlier_deal,
    "odd name": lambda article: any(
        _is_odd(m.text)
        for m in article.mentions
        if m.label in NAME_LABELS and not m.nom and not m.unnamed
    ),
}
"""Whether the marks of an article show a phenomenon, whatever its writer tagged."""
