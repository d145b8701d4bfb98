"""What an annotated corpus holds, and so what a model can learn from it, and what it cannot."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from evaluation import phenomena
from evaluation.counts import DASH, ratio
from evaluation.phenomena import Phenomenon
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

NONE = "(none)"
"""Stands for a writer, desk or currency that is not told."""

LEAST_DEALS = 40
"""Deals of a type below which it is flagged as thin."""

LEAST = 20
"""Examples of a value, passages of a phenomenon, deals in a currency, uses of a tag below which
it is flagged as thin, or folded into the others."""

THIN = "thin"


def tables(articles: Sequence[GoldArticle]) -> list[Table]:
    """Sizes; types by desk and by currency; phenomena by type and by desk; every value of every
    enumeration (0 too); currencies; tags that belong to no phenomenon."""
    found = {one: _passages(one, articles) for one in phenomena.read()}
    desks = sorted({article.head.desk or NONE for article in articles})
    tags = (tag for article in articles for tag in article.head.phenomena)
    loose = [tag for tag in tags if not any(one.covers(tag) for one in found)]
    return [
        _sizes(articles),
        _types(
            "Deals: type by desk",
            [(event.type, article.head.desk or NONE) for article, event in _deals(articles)],
        ),
        _types(
            "Deals: type by currency of the amount",
            [(event.type, _currency(article, event)) for article, event in _deals(articles)],
        ),
        _phenomena(
            "Phenomena: passages with a deal of the type", found, list(EventType), _types_of
        ),
        _phenomena("Phenomena: passages by desk", found, desks, _desk_of),
        _values(articles),
        _listing("Currencies of all sums", (m.currency or NONE for m in _sums(articles))),
        _listing("Tags of no phenomenon", loose),
    ]


def _deals(articles: Iterable[GoldArticle]) -> Iterator[tuple[GoldArticle, GoldEvent]]:
    return ((article, event) for article in articles for event in article.events)


def _currency(article: GoldArticle, event: GoldEvent) -> str:
    if event.amount is None:
        return "no amount"
    return article.by_id()[event.amount][0].currency or NONE


def _sizes(articles: Sequence[GoldArticle]) -> Table:
    writers: dict[str, list[GoldArticle]] = {}
    for article in articles:
        writers.setdefault(article.head.writer or NONE, []).append(article)
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


def _types(title: str, pairs: Sequence[tuple[EventType, str]]) -> Table:
    """Deals by type and by a column that is told beside it; rare columns are folded."""
    columns = Counter(column for _, column in pairs)
    rare = {column for column, count in columns.items() if count < LEAST}
    others = _others(rare)
    counts = Counter((kind, others if column in rare else column) for kind, column in pairs)
    shown = [column for column, _ in columns.most_common() if column not in rare]
    shown += [others] if rare else []
    rows = []
    for kind in EventType:
        row = [counts[kind, column] for column in shown]
        flag = THIN if sum(row) < LEAST_DEALS else ""
        rows.append((kind, *map(str, row), str(sum(row)), flag))
    return Table(
        title=title,
        header=("type", *shown, "all", ""),
        rows=rows,
        note=f"{THIN}: fewer than {LEAST_DEALS} deals.",
    )


def _others(rare: Collection[str]) -> str:
    return f"others ({len(rare)})"


@dataclass(frozen=True, slots=True)
class _Passages:
    """The passages that show a phenomenon, and in how many it is tagged or seen in the marks."""

    shown: Sequence[GoldArticle]
    tagged: int
    marked: int | None


def _passages(one: Phenomenon, articles: Sequence[GoldArticle]) -> _Passages:
    tagged = [one.tagged(article) for article in articles]
    marked = [one.marked(article) for article in articles]
    return _Passages(
        [article for article, *told in zip(articles, tagged, marked, strict=True) if any(told)],
        sum(tagged),
        None if one.marks is None else sum(marked),
    )


def _phenomena(
    title: str,
    found: Mapping[Phenomenon, _Passages],
    columns: Sequence[str],
    told: Callable[[GoldArticle], Collection[str]],
) -> Table:
    return Table(
        title=title,
        header=("phenomenon", "tagged", "in marks", "passages", *columns, ""),
        rows=[
            (
                one.name,
                str(passages.tagged),
                DASH if passages.marked is None else str(passages.marked),
                str(len(passages.shown)),
                *(str(sum(column in told(a) for a in passages.shown)) for column in columns),
                THIN if len(passages.shown) < LEAST else "",
            )
            for one, passages in found.items()
        ],
        note="Tagged by the writer, seen in the marks, or either. "
        f"{THIN}: fewer than {LEAST} passages.",
    )


def _types_of(article: GoldArticle) -> Collection[str]:
    return {event.type for event in article.events}


def _desk_of(article: GoldArticle) -> Collection[str]:
    return {article.head.desk or NONE}


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
        header=("field", "value", "count", ""),
        rows=[
            (name, value, str(counts[value]), THIN if counts[value] < LEAST else "")
            for name, values, counts in said
            for value in values
        ],
        note=f"{THIN}: fewer than {LEAST}.",
        left=2,
    )


def _instruments(events: Iterable[GoldEvent]) -> Iterable[Instrument | None]:
    for event in events:
        yield event.instrument
        yield from (component.instrument for component in event.components)


def _sums(articles: Iterable[GoldArticle]) -> list[GoldMention]:
    return [m for article in articles for m in article.mentions if m.label in MONEY_LABELS]


def _listing(title: str, names: Iterable[str]) -> Table:
    """Names by count; those below ``LEAST`` in one row."""
    counts = Counter(names)
    rare = {name: count for name, count in counts.items() if count < LEAST}
    rows = [(name, str(count)) for name, count in counts.most_common() if name not in rare]
    rows += [(_others(rare), str(sum(rare.values())))] if rare else []
    return Table(title=title, header=("", "count"), rows=rows)
