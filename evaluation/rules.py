"""Deals by rules alone: names by their shape, relation rules, and the plainest drafting.

No trained model has a say. A sum that a rule takes for the amount of a deal makes one with the
company of the same match, else with the company told last; so does a takeover that a rule
tells. What the other matches hold goes to the deal that stands nearest before it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from evaluation.deals import Deal, InvestorFact, MoneyFact, PartyFact, ValuationFact
from evaluation.gold import Span
from evaluation.score import Prediction
from pipeline.codes import GROUP, NOM_COMPANY, NOM_INVESTOR
from pipeline.relations import INVESTOR_SLOTS, Match, decide, relations
from pipeline.schema import AmountKind, Article, Commitment, EventType, InvestorRole, Label
from pipeline.view import Item, View, read_view

if TYPE_CHECKING:
    from spacy.language import Language

    from pipeline.cues import CueMatcher

TRAINED_PIPES = ("tok2vec", "ner", "fr_deals_events")
"""What is left out of the pipeline."""

_KINDS = {
    "amount": AmountKind.DEAL,
    "share": AmountKind.COMPONENT,
    "total": AmountKind.TOTAL_RAISED,
    "other": AmountKind.OTHER,
}
_ROLES = {
    "lead": InvestorRole.LEAD,
    "buyer": InvestorRole.BUYER,
    "seller": InvestorRole.SELLER,
    "lender": InvestorRole.LENDER,
}
_UNNAMED = frozenset({GROUP, NOM_COMPANY, NOM_INVESTOR})
_OPERATION = frozenset({"buyer", "seller"})


@dataclass
class _Draft:
    company: int
    sent: int
    amount: Item | None = None
    slots: dict[int, set[str]] = field(default_factory=dict)
    """For each investor's party the slots in which it was found."""
    valuations: list[Item] = field(default_factory=list)
    sources: list[int] = field(default_factory=list)
    total: Item | None = None


def rules_only() -> Callable[[Sequence[Article]], list[Prediction]]:
    """The pipeline's tokens, sums and dates, with names by shape and deals by rules."""
    import pipeline.components.shapes  # noqa: F401  (registers the component)
    from pipeline.cues import CueMatcher
    from pipeline.library import load

    nlp = load(exclude=list(TRAINED_PIPES))
    nlp.add_pipe("fr_deals_shapes", before="fr_deals_mentions")
    return reader(nlp, CueMatcher(nlp))


def reader(nlp: Language, find_cues: CueMatcher) -> Callable[[Sequence[Article]], list[Prediction]]:
    """Reads articles with a pipeline that ends with ``fr_deals_mentions``."""

    def read(articles: Sequence[Article]) -> list[Prediction]:
        return [_prediction(read_view(nlp(a.text), find_cues)) for a in articles]

    return read


def _prediction(view: View) -> Prediction:
    matches = relations().find(view)
    drafts = draft(view, matches)
    return Prediction(
        deals=tuple(_deal(view, draft) for draft in drafts), spans=_spans(view, matches)
    )


def draft(view: View, matches: Sequence[Match]) -> list[_Draft]:
    """The deals of a document, in text order."""
    labels = decide(view, matches)
    companies = {party for party, label in labels.items() if label == Label.COMPANY}
    drafts: dict[object, _Draft] = {}
    last: _Draft | None = None
    for match in matches:
        company = _company(view, match, companies)
        amount = match.slots.get("amount", (None,))[0]
        takeover = "company" in match.slots and not _OPERATION.isdisjoint(match.slots)
        if company is not None and (amount is not None or takeover):
            assert amount is None or amount.money is not None
            key = (company, None if amount is None or amount.money is None
                   else amount.money.same_sum())  # fmt: skip
            last = drafts.setdefault(key, _Draft(company, match.sent, amount))
        if last is not None:
            _add(last, match)
    return _merged(list(drafts.values()))


def _company(view: View, match: Match, companies: set[int]) -> int | None:
    """The company of the match, else the one named last before it, else the first after."""
    for item in match.slots.get("company", ()):
        return item.party
    place = max(item.start for items in match.slots.values() for item in items)
    named = [item for item in view.items if item.party in companies]
    before = [item for item in named if item.start <= place]
    chosen = before[-1] if before else next(iter(named), None)
    return chosen.party if chosen is not None else None


def _add(draft: _Draft, match: Match) -> None:
    for slot, items in match.slots.items():
        for item in items:
            if slot in INVESTOR_SLOTS and item.party not in (None, draft.company):
                assert item.party is not None
                draft.slots.setdefault(item.party, set()).add(slot)
            elif slot == "valuation" and item not in draft.valuations:
                draft.valuations.append(item)
            elif slot == "total":
                draft.total = draft.total or item
            elif slot == "source" and item.party is not None and item.party not in draft.sources:
                draft.sources.append(item.party)


def _merged(drafts: list[_Draft]) -> list[_Draft]:
    """Without the drafts that have no sum where their company has one with a sum."""
    told = {draft.company for draft in drafts if draft.amount is not None}
    return [draft for draft in drafts if draft.amount is not None or draft.company not in told]


def _deal(view: View, draft: _Draft) -> Deal:
    slots = {slot for found in draft.slots.values() for slot in found}
    return Deal(
        type=EventType.FINANCING if slots.isdisjoint(_OPERATION) else EventType.ACQUISITION,
        company=_party(view, draft.company),
        amount=None if draft.amount is None else _money(draft.amount),
        valuations=tuple(ValuationFact(_money(item)) for item in draft.valuations),
        investors=tuple(
            InvestorFact(
                _party(view, party),
                next((_ROLES[s] for s in _ROLES if s in found), InvestorRole.PARTICIPANT),
                Commitment.DECLINED if "declined" in found else Commitment.CONFIRMED,
            )
            for party, found in draft.slots.items()
        ),
        total_raised=None if draft.total is None else _money(draft.total),
        sources=tuple(_party(view, party) for party in draft.sources),
    )


def _party(view: View, party: int) -> PartyFact:
    items = view.parties[party]
    names = [item.text for item in items if item.label not in _UNNAMED]
    spans = tuple((item.char_start, item.char_end) for item in items)
    fullest = max(names or [item.text for item in items], key=len)
    return PartyFact((fullest,), named=bool(names), spans=spans)


def _money(item: Item) -> MoneyFact:
    code = item.money
    assert code is not None
    first = code.minimum if code.value is None else code.value
    first = code.maximum if first is None else first
    assert first is not None
    bounds = (first, None if code.value is not None else code.maximum)
    return MoneyFact(
        bounds, code.currency, code.qualifier, spans=((item.char_start, item.char_end),)
    )


def _spans(view: View, matches: Sequence[Match]) -> tuple[Span, ...]:
    """Every name and sum with the label that the rules give it; untold sums are left out."""
    labels = decide(view, matches)
    kinds: dict[int, str] = {}
    for match in matches:
        for slot, items in match.slots.items():
            for item in items:
                if item.money is not None:
                    kinds.setdefault(item.index, slot)
    out = []
    for item in view.items:
        kind = kinds.get(item.index)
        if kind == "valuation":
            out.append(Span(item.char_start, item.char_end, Label.VALUATION))
        elif item.money is not None:
            if kind is not None:
                out.append(Span(item.char_start, item.char_end, Label.AMOUNT, _KINDS[kind]))
        elif item.label not in _UNNAMED:
            out.append(Span(item.char_start, item.char_end, _label(item, labels)))
    return tuple(out)


def _label(item: Item, labels: Mapping[int, str]) -> Label:
    """What the rules say of the party; a person who stands by stays one."""
    decided = labels.get(item.party) if item.party is not None else None
    if decided is None or (decided, item.label) == (Label.ORG, Label.PERSON):
        return Label(item.label)
    return Label(decided)
