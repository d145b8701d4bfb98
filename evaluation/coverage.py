"""What an annotated corpus holds, and so what a model can learn from it, and what it cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from enum import StrEnum

from evaluation.counts import DASH, ratio
from evaluation.tables import Table
from pipeline.markup import GoldArticle, GoldEvent, GoldMention
from pipeline.schema import (
    MONEY_LABELS,
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

NO_DESK = "(none)"


def tables(articles: Sequence[GoldArticle]) -> list[Table]:
    """Sizes, types by desk, every value of every enumeration (0 too), currencies, phenomena."""
    return [
        _sizes(articles),
        _types_by_desk(articles),
        _values(articles),
        _listing("Currencies", (m.currency or "unknown" for m in _sums(articles))),
        _listing("Phenomena", (name for article in articles for name in article.head.phenomena)),
    ]


def _sizes(articles: Sequence[GoldArticle]) -> Table:
    writers: dict[str, list[GoldArticle]] = {}
    for article in articles:
        writers.setdefault(article.head.writer or NO_DESK, []).append(article)
    groups = [*sorted(writers.items()), ("all", list(articles))]
    return Table(
        title="Sizes",
        header=("writer", "passages", "words", "deals", "mentions", "without a deal"),
        rows=[(name, *_size(group)) for name, group in groups],
    )


def _size(articles: Sequence[GoldArticle]) -> tuple[str, ...]:
    empty = sum(not article.events for article in articles)
    share = ratio(empty, len(articles))
    return (
        str(len(articles)),
        str(sum(len(article.text.split()) for article in articles)),
        str(sum(len(article.events) for article in articles)),
        str(sum(len(article.mentions) for article in articles)),
        f"{empty} ({DASH if share is None else f'{share:.0%}'})",
    )


def _types_by_desk(articles: Sequence[GoldArticle]) -> Table:
    counts = Counter(
        (event.type, article.head.desk or NO_DESK)
        for article in articles
        for event in article.events
    )
    desks = sorted({article.head.desk or NO_DESK for article in articles})
    return Table(
        title="Deals: type by desk",
        header=("type", *desks, "all"),
        rows=[
            (kind, *(str(counts[kind, desk]) for desk in desks), str(_row(counts, kind)))
            for kind in EventType
        ],
    )


def _row(counts: Counter[tuple[EventType, str]], kind: EventType) -> int:
    return sum(count for (one, _), count in counts.items() if one is kind)


def _values(articles: Sequence[GoldArticle]) -> Table:
    events = [event for article in articles for event in article.events]
    investors = [investor for event in events for investor in event.investors]
    mentions = [mention for article in articles for mention in article.mentions]
    said: list[tuple[str, type[StrEnum], Counter[object]]] = [
        ("status", Status, Counter(event.status for event in events)),
        ("focus", Focus, Counter(event.focus for event in events)),
        ("certainty", Certainty, Counter(event.certainty for event in events)),
        ("round", RoundName, Counter(event.round for event in events)),
        ("instrument", Instrument, Counter(_instruments(events))),
        ("investor role", InvestorRole, Counter(i.role for i in investors)),
        ("commitment", Commitment, Counter(i.commitment for i in investors)),
        ("basis", Basis, Counter(v.basis for event in events for v in event.valuations)),
        ("qualifier", Qualifier, Counter(mention.qualifier for mention in _sums(articles))),
        ("amount kind", AmountKind, Counter(mention.kind for mention in mentions)),
        ("label", Label, Counter(mention.label for mention in mentions)),
    ]
    return Table(
        title="Every value of every field",
        header=("field", "value", "count"),
        rows=[
            (name, value, str(counts[value])) for name, values, counts in said for value in values
        ],
        left=2,
    )


def _instruments(events: Iterable[GoldEvent]) -> Iterable[Instrument | None]:
    for event in events:
        yield event.instrument
        yield from (component.instrument for component in event.components)


def _sums(articles: Iterable[GoldArticle]) -> list[GoldMention]:
    return [m for article in articles for m in article.mentions if m.label in MONEY_LABELS]


def _listing(title: str, names: Iterable[str]) -> Table:
    return Table(
        title=title,
        header=("", "count"),
        rows=[(name, str(count)) for name, count in Counter(names).most_common()],
    )
