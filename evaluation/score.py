"""Scores of one article: mentions, roles, deals, values, attributes, false alarms.

Keys of :class:`evaluation.counts.Scores`:

- counts: ``roles`` (micro) and ``role.<role>``; ``deals``; ``exact``; ``strict`` and ``partial``
  (mentions, micro) and ``strict.<LABEL>``, ``partial.<LABEL>``; on matched deals ``round``,
  ``instrument``, ``investor.amount``, ``component.instrument``, ``component.investor``,
  ``component.timing``, which may be empty on either side
- ratios: on matched deals ``type``, ``focus``, ``status``, ``status_group``, ``certainty``,
  ``amount.value``, ``amount.currency``, ``amount.qualifier``; on matched facts
  ``sum.qualifier``, ``valuation.basis``, ``investor.role``, ``investor.commitment``,
  ``investor.returning``; ``quiet`` (articles without a deal in which none was found);
  ``amount.kind`` (of AMOUNT mentions found to the character); ``coreference`` (descriptions found
  as a mention of the right party)

Conventions: a fact of a missed deal is missed, a fact of an invented deal is invented. What gold
marks optional is neither rewarded nor punished. A deal is exact where every scored role is right
and type, status group and certainty too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import TypeVar

from evaluation.align import Alignment, align, align_deals
from evaluation.counts import Scores
from evaluation.deals import (
    ComponentFact,
    DateFact,
    Deal,
    InvestorFact,
    MoneyFact,
    PartyFact,
    ValuationFact,
    overlaps,
    same_date,
    same_money,
    same_party,
)
from evaluation.gold import Case, Description, Span
from pipeline.schema import Status


class Role(StrEnum):
    COMPANY = "company"
    AMOUNT = "amount"
    VALUATION = "valuation"
    INVESTOR = "investor"
    TOTAL_RAISED = "total_raised"
    COMPONENT = "component"
    DATE = "date"
    EXPECTED_CLOSE = "expected_close"
    SOURCE = "source"


T = TypeVar("T")
Filler = PartyFact | InvestorFact | MoneyFact | ValuationFact | ComponentFact | DateFact

STATUS_GROUP: dict[Status, str] = {
    Status.CLOSED: "done",
    Status.ANNOUNCED: "open",
    Status.IN_PROGRESS: "open",
    Status.PLANNED: "open",
    Status.CANCELLED: "dropped",
}
"""Done, still open, or dropped: the coarse status that a deal must have right to be exact."""


@dataclass(frozen=True, slots=True)
class Prediction:
    """What a system says of one article."""

    deals: tuple[Deal, ...] = ()
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class Match:
    """The fillers of one role in a pair of deals, matched one to one."""

    role: Role
    gold: Sequence[Filler]
    found: Sequence[Filler]
    alignment: Alignment

    @property
    def right(self) -> list[tuple[Filler, Filler]]:
        return [
            (self.gold[g], self.found[f])
            for g, f in self.alignment.pairs
            if not is_optional(self.gold[g])
        ]

    @property
    def missed(self) -> list[Filler]:
        return [self.gold[g] for g in self.alignment.missed if not is_optional(self.gold[g])]

    @property
    def extra(self) -> list[Filler]:
        return [self.found[f] for f in self.alignment.extra]


def fillers(deal: Deal, role: Role) -> Sequence[Filler]:
    """The facts that play ``role`` in a deal, in the deal's order."""
    single: dict[Role, Filler | None] = {
        Role.COMPANY: deal.company,
        Role.AMOUNT: deal.amount,
        Role.TOTAL_RAISED: deal.total_raised,
        Role.DATE: deal.date,
        Role.EXPECTED_CLOSE: deal.expected_close,
    }
    several: dict[Role, Sequence[Filler]] = {
        Role.VALUATION: deal.valuations,
        Role.INVESTOR: deal.investors,
        Role.COMPONENT: deal.components,
        Role.SOURCE: deal.sources,
    }
    if role in several:
        return several[role]
    filler = single[role]
    return () if filler is None else (filler,)


def core(filler: Filler) -> PartyFact | MoneyFact | DateFact:
    """The party, sum or date that decides whether a filler is right."""
    if isinstance(filler, InvestorFact):
        return filler.party
    if isinstance(filler, ValuationFact | ComponentFact):
        return filler.money
    return filler


def same_filler(gold: Filler, found: Filler) -> float:
    """How well two fillers agree, 0 to 1; facts of different kinds never do."""
    a, b = core(gold), core(found)
    if isinstance(a, PartyFact) and isinstance(b, PartyFact):
        return same_party(a, b)
    if isinstance(a, MoneyFact) and isinstance(b, MoneyFact):
        return same_money(a, b)
    if isinstance(a, DateFact) and isinstance(b, DateFact):
        return same_date(a, b)
    return 0.0


def is_optional(filler: Filler) -> bool:
    fact = core(filler)
    return isinstance(fact, PartyFact) and fact.optional


def match_roles(gold: Deal, found: Deal, unscored: frozenset[Role] = frozenset()) -> list[Match]:
    """The fillers of every scored role of a pair of deals, matched."""
    return [
        Match(role, theirs, ours, align(theirs, ours, same_filler))
        for role in Role
        if role not in unscored
        for theirs, ours in [(fillers(gold, role), fillers(found, role))]
    ]


def score_case(
    case: Case, prediction: Prediction, unscored: frozenset[Role] = frozenset()
) -> Scores:
    """Everything that can be counted on one article; ``unscored`` roles are left out."""
    scores = Scores()
    _score_deals(scores, case.deals, prediction.deals, unscored)
    if not case.deals:
        scores.judge("quiet", not prediction.deals)
        scores.false_deals += len(prediction.deals)
    if case.spans is not None:
        score_mentions(scores, case.spans, _without_neutral(case, prediction.spans))
        for description in case.descriptions:
            scores.judge("coreference", _resolved(description, prediction.deals))
    return scores


def _without_neutral(case: Case, found: Iterable[Span]) -> list[Span]:
    """The found mentions but those that stand only where the case has a neutral place."""
    spans = [(span.start, span.end) for span in case.spans or ()]
    return [
        span
        for span in found
        if overlaps([(span.start, span.end)], spans)
        or not overlaps([(span.start, span.end)], case.neutral)
    ]


def score_mentions(scores: Scores, gold: Iterable[Span], found: Iterable[Span]) -> None:
    """Strict: the same characters and label. Partial: a shared character and the same label."""
    theirs, ours = set(gold), set(found)
    kinds = {span: span.kind for span in ours}
    for span in theirs:
        if span.kind is not None and span in kinds:
            scores.judge("amount.kind", kinds[span] is span.kind)
    for label in sorted({span.label for span in theirs | ours}):
        a = sorted(span for span in theirs if span.label is label)
        b = sorted(span for span in ours if span.label is label)
        for key, hits in (("strict", len(set(a) & set(b))), ("partial", _overlapping(a, b))):
            for name in (key, f"{key}.{label}"):
                scores.count(name, tp=hits, fp=len(b) - hits, fn=len(a) - hits)


def _overlapping(gold: Sequence[Span], found: Sequence[Span]) -> int:
    """How many can be paired; both are sorted and neither overlaps itself, so one walk does."""
    hits = i = j = 0
    while i < len(gold) and j < len(found):
        if gold[i].start < found[j].end and found[j].start < gold[i].end:
            hits, i, j = hits + 1, i + 1, j + 1
        elif gold[i].end <= found[j].start:
            i += 1
        else:
            j += 1
    return hits


def _resolved(description: Description, deals: Iterable[Deal]) -> bool:
    """Whether a deal's party of the right name has a mention where the description stands."""
    place = ((description.start, description.end),)
    wanted = PartyFact(description.names)
    return any(
        overlaps(place, party.spans) and same_party(wanted, party) > 0
        for deal in deals
        for party in (deal.company, *(i.party for i in deal.investors), *deal.sources)
    )


def _score_deals(
    scores: Scores, gold: Sequence[Deal], found: Sequence[Deal], unscored: frozenset[Role]
) -> None:
    alignment = align_deals(gold, found)
    for g, f in alignment.pairs:
        if gold[g].optional:
            continue
        matches = match_roles(gold[g], found[f], unscored)
        for match in matches:
            _count_role(scores, match.role, len(match.right), len(match.extra), len(match.missed))
        _judge_attributes(scores, gold[g], found[f])
        for match in matches:
            _judge_facts(scores, match)
        exact = is_exact(gold[g], found[f], matches)
        scores.count("deals", tp=1)
        scores.count("exact", tp=exact, fp=not exact, fn=not exact)
        _note_confidence(scores, found[f], _company_and_amount_right(gold[g], found[f]))
    for g in alignment.missed:
        if not gold[g].optional:
            for role in _scored(unscored):
                facts = fillers(gold[g], role)
                _count_role(scores, role, 0, 0, sum(not is_optional(fact) for fact in facts))
            scores.count("deals", fn=1)
            scores.count("exact", fn=1)
    for f in alignment.extra:
        for role in _scored(unscored):
            _count_role(scores, role, 0, len(fillers(found[f], role)), 0)
        scores.count("deals", fp=1)
        scores.count("exact", fp=1)
        _note_confidence(scores, found[f], False)


def _scored(unscored: frozenset[Role]) -> list[Role]:
    return [role for role in Role if role not in unscored]


def _count_role(scores: Scores, role: Role, tp: int, fp: int, fn: int) -> None:
    scores.count("roles", tp=tp, fp=fp, fn=fn)
    scores.count(f"role.{role}", tp=tp, fp=fp, fn=fn)


def is_exact(gold: Deal, found: Deal, matches: Iterable[Match]) -> bool:
    """Whether a matched deal has every scored role, type, status group and certainty right."""
    return (
        not any(match.missed or match.extra for match in matches)
        and gold.type is found.type
        and STATUS_GROUP[gold.status] == STATUS_GROUP[found.status]
        and gold.certainty is found.certainty
    )


def _company_and_amount_right(gold: Deal, found: Deal) -> bool:
    company = gold.company.optional or same_party(gold.company, found.company) > 0
    if gold.amount is None or found.amount is None:
        return company and gold.amount is found.amount
    return company and same_money(gold.amount, found.amount) > 0


def _note_confidence(scores: Scores, found: Deal, right: bool) -> None:
    if found.confidence is not None:
        scores.confidences.append((found.confidence, right))


def _judge_attributes(scores: Scores, gold: Deal, found: Deal) -> None:
    scores.judge("type", gold.type is found.type)
    scores.judge("focus", gold.focus is found.focus)
    scores.judge("status", gold.status is found.status)
    scores.judge("status_group", STATUS_GROUP[gold.status] == STATUS_GROUP[found.status])
    scores.judge("certainty", gold.certainty is found.certainty)
    _count_optional(scores, "round", gold.round, found.round, _equal)
    _count_optional(scores, "instrument", gold.instrument, found.instrument, _equal)
    if gold.amount is not None:
        amount = found.amount
        same = same_money(gold.amount, amount) > 0
        scores.judge(
            "amount.value", same or (amount is not None and amount.bounds == gold.amount.bounds)
        )
        scores.judge(
            "amount.currency",
            same or (amount is not None and amount.currency == gold.amount.currency),
        )
        if gold.amount.qualifier is not None:
            scores.judge(
                "amount.qualifier",
                amount is not None and amount.qualifier is gold.amount.qualifier,
            )


def _judge_facts(scores: Scores, match: Match) -> None:
    """What hangs on a filler that is itself right."""
    for gold, found in match.right:
        if isinstance(gold, InvestorFact) and isinstance(found, InvestorFact):
            scores.judge("investor.role", gold.role is found.role)
            scores.judge("investor.commitment", gold.commitment is found.commitment)
            if gold.returning is not None:
                scores.judge("investor.returning", gold.returning is found.returning)
            _count_optional(scores, "investor.amount", gold.amount, found.amount, same_money)
        elif isinstance(gold, ValuationFact) and isinstance(found, ValuationFact):
            scores.judge("valuation.basis", gold.basis is found.basis)
        elif isinstance(gold, ComponentFact) and isinstance(found, ComponentFact):
            _count_optional(
                scores, "component.instrument", gold.instrument, found.instrument, _equal
            )
            _count_optional(scores, "component.investor", gold.investor, found.investor, same_party)
            _count_optional(scores, "component.timing", gold.timing, found.timing, same_date)
        theirs, ours = core(gold), core(found)
        if (
            match.role is not Role.AMOUNT
            and isinstance(theirs, MoneyFact)
            and isinstance(ours, MoneyFact)
            and theirs.qualifier is not None
        ):
            scores.judge("sum.qualifier", theirs.qualifier is ours.qualifier)


def _equal(one: object, other: object) -> float:
    return float(one == other)


def _count_optional(
    scores: Scores, key: str, gold: T | None, found: T | None, same: Callable[[T, T], float]
) -> None:
    """Counts a field that may be empty on either side; a wrong value is both missed and extra."""
    right = gold is not None and found is not None and same(gold, found) > 0
    scores.count(
        key,
        tp=right,
        fp=found is not None and not right,
        fn=gold is not None and not right,
    )
