"""Gold sets -> cases: articles with the deals and, where they are marked, the mentions they hold.

Two sources: the project's own notation (:mod:`pipeline.markup`) and the compact JSON of the
development set, whose ``about`` key says how it is to be read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from evaluation.deals import (
    ComponentFact,
    DateFact,
    Deal,
    InvestorFact,
    MoneyFact,
    Offsets,
    PartyFact,
    ValuationFact,
)
from pipeline.markup import GoldArticle, GoldEvent, GoldMention
from pipeline.schema import (
    AmountKind,
    Article,
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

UNNAMED = "(unnamed)"
"""Ends a name of the development set that describes a group instead of naming it."""


@dataclass(frozen=True, slots=True, order=True)
class Span:
    """A labelled mention; offsets in code points of the article's text."""

    start: int
    end: int
    label: Label
    kind: AmountKind | None = field(default=None, compare=False)


@dataclass(frozen=True, slots=True)
class Description:
    """A ``nom`` mark ("la start-up") with the accepted names of the party it stands for."""

    start: int
    end: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Case:
    """One article and what is to be found in it; ``spans`` is ``None`` where none are marked.

    ``neutral``: places of descriptions and of groups without a name, which are no mentions of
    the contract; whether they are found is scored with the parties of the deals.
    """

    article: Article
    deals: tuple[Deal, ...]
    spans: tuple[Span, ...] | None = None
    neutral: tuple[Offsets, ...] = ()
    descriptions: tuple[Description, ...] = ()
    group: str = ""


def case_from_markup(gold: GoldArticle) -> Case:
    """A parsed gold file as a case; ``group`` unites the articles that tell the same story."""
    stem = Path(gold.path).stem
    chains = gold.by_id()
    return Case(
        article=make_article(stem, gold.text, path=gold.path, published=gold.head.published),
        deals=tuple(_Marked(chains).deal(event) for event in gold.events),
        spans=tuple(
            Span(m.start, m.end, m.label, m.kind) for m in gold.mentions if not (m.nom or m.unnamed)
        ),
        neutral=tuple((m.start, m.end) for m in gold.mentions if m.nom or m.unnamed),
        descriptions=tuple(
            Description(m.start, m.end, _names(chains[m.id]))
            for m in gold.mentions
            if m.nom and m.id is not None
        ),
        group=gold.head.story or stem,
    )


def cases_from_dev(gold: Path, articles: Path) -> list[Case]:
    """The development set: deals from ``gold`` (compact JSON), texts from ``articles`` (JSONL).

    Raises:
        ValueError: where an article has no gold or a gold entry no article.
    """
    entries = json.loads(gold.read_text(encoding="utf-8"), parse_float=Decimal)["docs"]
    lines = articles.read_text(encoding="utf-8").split("\n")
    rows = [json.loads(line) for line in lines if line.strip()]
    if missing := entries.keys() ^ {row["id"] for row in rows}:
        raise ValueError(f"only in one of {gold} and {articles}: {', '.join(sorted(missing))}")
    return [
        Case(
            article=make_article(
                row["id"], row["text"], path=articles.as_posix(), published=row.get("published")
            ),
            deals=tuple(_compact_deal(deal) for deal in entries[row["id"]]["deals"]),
            group=row["id"],
        )
        for row in rows
    ]


def make_article(id_: str, text: str, *, path: str, published: str | None) -> Article:
    """An article with the digest of its text."""
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    return Article(id=id_, text=text, path=path, published=published, sha256=digest)


def _names(chain: Sequence[GoldMention]) -> tuple[str, ...]:
    """The names of a chain, longest first; the descriptions of a party that has no name."""
    named = {m.text for m in chain if not m.nom and not m.unnamed}
    unnamed = {m.text for m in chain if m.unnamed}
    return tuple(sorted(named or unnamed, key=lambda name: (-len(name), name)))


@dataclass(frozen=True, slots=True)
class _Marked:
    """Looks the ids of an event up in the article's coreference chains."""

    chains: Mapping[str, Sequence[GoldMention]]

    def deal(self, event: GoldEvent) -> Deal:
        return Deal(
            type=event.type,
            company=self.party(event.company),
            focus=event.focus,
            status=event.status,
            certainty=event.certainty,
            amount=self.money(event.amount),
            components=tuple(
                ComponentFact(
                    money=self.sum(component.amount),
                    instrument=component.instrument,
                    investor=self.party(component.investor) if component.investor else None,
                    timing=self.date(component.timing),
                )
                for component in event.components
            ),
            total_raised=self.money(event.total_raised),
            valuations=tuple(ValuationFact(self.sum(v.ref), v.basis) for v in event.valuations),
            investors=tuple(
                InvestorFact(
                    party=self.party(investor.ref),
                    role=investor.role,
                    commitment=investor.commitment,
                    returning=investor.returning,
                    amount=self.money(investor.amount),
                )
                for investor in event.investors
            ),
            round=event.round,
            instrument=event.instrument,
            date=self.date(event.date),
            expected_close=self.date(event.expected_close),
            sources=tuple(self.party(source) for source in event.sources),
        )

    def party(self, id_: str) -> PartyFact:
        chain = self.chains[id_]
        return PartyFact(
            names=_names(chain),
            named=any(not m.nom and not m.unnamed for m in chain),
            spans=_places(chain),
        )

    def money(self, id_: str | None) -> MoneyFact | None:
        return None if id_ is None else self.sum(id_)

    def sum(self, id_: str) -> MoneyFact:
        chain = self.chains[id_]
        conversions = [m for other in self.chains.values() for m in other if m.also == id_]
        return MoneyFact(
            bounds=_bounds(chain[0]),
            currency=chain[0].currency,
            qualifier=chain[0].qualifier,
            also=tuple(
                dict.fromkeys((m.value, m.currency) for m in conversions if m.value is not None)
            ),
            spans=_places(chain),
        )

    def date(self, id_: str | None) -> DateFact | None:
        if id_ is None:
            return None
        chain = self.chains[id_]
        return DateFact(next((m.date for m in chain if m.has_date), None), _places(chain))


def _bounds(mention: GoldMention) -> tuple[Decimal, Decimal | None]:
    if mention.value is not None:
        return mention.value, None
    assert mention.minimum is not None  # the parser refuses a sum with neither
    return mention.minimum, mention.maximum


def _places(chain: Sequence[GoldMention]) -> tuple[Offsets, ...]:
    return tuple((m.start, m.end) for m in chain)


# The JSON has no schema of its own; a key or a shape that is not expected raises at once.


def _compact_deal(deal: Mapping[str, Any]) -> Deal:
    known = {
        "type", "focus", "status", "certainty", "company", "amount", "also", "total_raised",
        "total_raised_also", "valuations", "valuations_also", "investors", "round", "instrument",
        "date", "sources", "optional",
    }  # fmt: skip
    if unknown := deal.keys() - known:
        raise ValueError(f"a deal has unknown keys: {', '.join(sorted(unknown))}")
    return Deal(
        type=EventType(deal["type"]),
        company=_compact_party(deal["company"]),
        focus=Focus(deal["focus"]),
        status=Status(deal["status"]),
        certainty=Certainty(deal["certainty"]),
        amount=_compact_money(deal.get("amount"), deal.get("also", ())),
        total_raised=_compact_money(deal.get("total_raised"), deal.get("total_raised_also", ())),
        valuations=tuple(
            ValuationFact(_compact_sum([value, currency], _same_basis(deal, basis)), Basis(basis))
            for value, currency, basis in deal.get("valuations", ())
        ),
        investors=tuple(
            InvestorFact(
                party=_compact_party(names),
                role=InvestorRole(role),
                commitment=Commitment(commitment),
                amount=_compact_money(amount),
            )
            for names, role, commitment, amount in deal.get("investors", ())
        ),
        round=RoundName(deal["round"]) if deal.get("round") else None,
        instrument=Instrument(deal["instrument"]) if deal.get("instrument") else None,
        date=DateFact(deal["date"]) if deal.get("date") else None,
        sources=tuple(_compact_party(names) for names in deal.get("sources", ())),
        optional=bool(deal.get("optional", False)),
    )


def _same_basis(deal: Mapping[str, Any], basis: str) -> list[Sequence[Any]]:
    """A conversion of a valuation belongs to the one with its basis."""
    return [also[:2] for also in deal.get("valuations_also", ()) if also[2] == basis]


def _compact_party(names: str) -> PartyFact:
    forms = tuple(name.strip() for name in names.replace(UNNAMED, "").split("|"))
    unnamed = UNNAMED in names
    return PartyFact(names=forms, named=not unnamed, optional=unnamed)


def _compact_money(
    money: Sequence[Any] | None, also: Sequence[Sequence[Any]] = ()
) -> MoneyFact | None:
    return None if money is None else _compact_sum(money, also)


def _compact_sum(money: Sequence[Any], also: Sequence[Sequence[Any]]) -> MoneyFact:
    value, currency, *rest = money
    low, high = value if isinstance(value, list) else (value, None)
    return MoneyFact(
        bounds=(Decimal(low), None if high is None else Decimal(high)),
        currency=currency,
        qualifier=Qualifier(rest[0]) if rest else None,
        also=tuple((Decimal(number), unit) for number, unit, *_ in also),
    )
