"""Every wrong field of a set with the sentence it stands in, grouped by what went wrong."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import TypeVar

from evaluation.align import Alignment, align_deals
from evaluation.counts import DASH
from evaluation.deals import (
    ComponentFact,
    DateFact,
    Deal,
    InvestorFact,
    MoneyFact,
    Offsets,
    PartyFact,
    ValuationFact,
    overlaps,
    same_date,
    same_money,
    same_name,
    same_party,
)
from evaluation.gold import Case, Span
from evaluation.score import (
    Filler,
    Prediction,
    Role,
    core,
    fillers,
    is_optional,
    match_roles,
    same_filler,
)
from evaluation.tables import Table
from pipeline.normalise.money import parse_money
from pipeline.schema import MONEY_LABELS, NAME_LABELS, Label

T = TypeVar("T")

_SENTENCE = re.compile(r"[^\n.!?]*(?:[.!?](?!\s)[^\n.!?]*)*[.!?]?")
_LONGEST = 240


class Cause(StrEnum):
    MENTION_MISSED = "mention missed"
    NOT_ATTACHED = "mention found, but its deal does not use it"
    DEAL_MISSED = "mention found, but its deal is missed"
    ROLE_WRONG = "role wrong"
    WRONG_DEAL = "attached to the wrong deal"
    MERGED = "merged: the deal's facts stand in another deal"
    SPLIT = "split: the facts belong to a deal already found"
    INVENTED = "invented"
    VALUE = "value"
    ATTRIBUTE = "attribute"


@dataclass(frozen=True, slots=True)
class Error:
    """One wrong field; ``gold`` or ``found`` is a dash where that side has nothing."""

    cause: Cause
    field: str
    article: str
    gold: str
    found: str
    sentence: str


def errors(
    cases: Sequence[Case],
    predictions: Sequence[Prediction],
    unscored: frozenset[Role] = frozenset(),
) -> list[Error]:
    """All wrong fields, in the order of the articles."""
    return [
        error
        for case, prediction in zip(cases, predictions, strict=True)
        for error in _Article(case, prediction, unscored).errors()
    ]


def tables(found: Sequence[Error], limit: int | None = None) -> list[Table]:
    """What goes wrong how often, then one table a cause, the most frequent first.

    Within a cause the most frequent field comes first; ``limit`` rows of each are shown.
    """
    groups: dict[Cause, list[Error]] = defaultdict(list)
    for error in found:
        groups[error.cause].append(error)
    causes = sorted(groups.items(), key=lambda item: -len(item[1]))
    return [_overview(causes), *(_cause(cause, group, limit) for cause, group in causes)]


def _overview(causes: Sequence[tuple[Cause, Sequence[Error]]]) -> Table:
    whole = sum(len(group) for _, group in causes)
    return Table(
        title="Wrong fields by cause",
        header=("cause", "which", "fields", "share"),
        rows=[
            (
                cause,
                ", ".join(f"{field} {count}" for field, count in _fields(group).most_common()),
                str(len(group)),
                f"{len(group) / whole:.0%}",
            )
            for cause, group in causes
        ],
        left=2,
    )


def _cause(cause: Cause, group: Sequence[Error], limit: int | None) -> Table:
    fields = _fields(group)
    rows = sorted(group, key=lambda error: (-fields[_field(error)], _field(error)))
    return Table(
        title=f"{cause} ({len(group)})",
        header=("article", "field", "gold", "found", "sentence"),
        rows=[(e.article, e.field, e.gold, e.found, e.sentence) for e in rows[:limit]],
        note="" if limit is None or len(rows) <= limit else f"The first {limit} of {len(rows)}.",
        left=5,
    )


def _fields(group: Iterable[Error]) -> Counter[str]:
    return Counter(map(_field, group))


def _field(error: Error) -> str:
    """The field without the fact or the deal that it belongs to."""
    return error.field.partition(" of ")[0]


def show(fact: Filler | None) -> str:
    """A fact in short."""
    if fact is None:
        return DASH
    inner = core(fact)
    if isinstance(inner, PartyFact):
        return inner.names[0]
    if isinstance(inner, MoneyFact):
        bounds = "–".join(f"{bound:f}" for bound in inner.bounds if bound is not None)
        return f"{bounds} {inner.currency or '?'}"
    return inner.value or "unresolved"


@dataclass(frozen=True)
class _Article:
    case: Case
    prediction: Prediction
    unscored: frozenset[Role]

    @cached_property
    def alignment(self) -> Alignment:
        return align_deals(self.case.deals, self.prediction.deals)

    def errors(self) -> Iterator[Error]:
        gold, found = self.case.deals, self.prediction.deals
        for g, f in self.alignment.pairs:
            if not gold[g].optional:
                yield from self._pair(gold[g], found[f])
        for g in self.alignment.missed:
            if not gold[g].optional:
                yield from self._missed_deal(gold[g])
        for f in self.alignment.extra:
            yield from self._extra_deal(found[f])

    def _pair(self, gold: Deal, found: Deal) -> Iterator[Error]:
        for match in match_roles(gold, found, self.unscored):
            missed, extra = match.missed, match.extra
            for wanted, said in _values(missed, extra):
                missed = [fact for fact in missed if fact is not wanted]
                extra = [fact for fact in extra if fact is not said]
                yield self._error(Cause.VALUE, match.role, wanted, said, gold)
            for fact in missed:
                yield self._error(self._why_missed(fact, found), match.role, fact, None, gold)
            for fact in extra:
                yield self._error(self._why_extra(fact, gold), match.role, None, fact, gold)
            for right, read in match.right:
                for name, one, other in _fact_attributes(right, read):
                    label = f"{match.role}.{name} of {show(right)}"
                    yield self._attribute(label, one, other, right, gold.company)
        for name in ("type", "focus", "status", "certainty", "round", "instrument"):
            one, other = getattr(gold, name), getattr(found, name)
            if one is not other:
                yield self._attribute(name, one, other, gold.amount or gold.company, gold.company)

    def _missed_deal(self, gold: Deal) -> Iterator[Error]:
        matched = {f for _, f in self.alignment.pairs}
        merged = any(f in matched for fact in self._telling(gold) for f in self._strays(fact))
        for role, fact in self._facts(gold):
            if not is_optional(fact):
                cause = Cause.MENTION_MISSED
                if merged:
                    cause = Cause.MERGED
                elif self._mentioned(fact):
                    cause = Cause.DEAL_MISSED
                yield self._error(cause, f"{role} of a missed deal", fact, None, gold)

    def _extra_deal(self, found: Deal) -> Iterator[Error]:
        split = any(
            same_party(self.case.deals[g].company, found.company) > 0
            and any(_holds(self.case.deals[g], fact, theirs=True) for fact in self._telling(found))
            for g, _ in self.alignment.pairs
        )
        for role, fact in self._facts(found):
            cause = Cause.SPLIT if split else Cause.INVENTED
            yield self._error(cause, f"{role} of an extra deal", None, fact, found)

    def _facts(self, deal: Deal) -> list[tuple[Role, Filler]]:
        return [(role, fact) for role in self._roles() for fact in fillers(deal, role)]

    def _telling(self, deal: Deal) -> list[Filler]:
        """The facts that tell one deal of a company from another."""
        return [fact for role, fact in self._facts(deal) if role is not Role.COMPANY]

    def _roles(self) -> list[Role]:
        return [role for role in Role if role not in self.unscored]

    def _why_missed(self, fact: Filler, found: Deal) -> Cause:
        if _holds(found, fact):
            return Cause.ROLE_WRONG
        if next(self._strays(fact), None) is not None:
            return Cause.WRONG_DEAL
        return Cause.NOT_ATTACHED if self._mentioned(fact) else Cause.MENTION_MISSED

    def _strays(self, fact: Filler) -> Iterator[int]:
        """The found deals that have a fact of the gold which is not theirs to have."""
        partners = {f: self.case.deals[g] for g, f in self.alignment.pairs}
        for f, deal in enumerate(self.prediction.deals):
            own = f in partners and _holds(partners[f], fact, theirs=True)
            if not own and _holds(deal, fact):
                yield f

    def _why_extra(self, fact: Filler, gold: Deal) -> Cause:
        if _holds(gold, fact, theirs=True):
            return Cause.ROLE_WRONG
        if any(_holds(deal, fact, theirs=True) for deal in self.case.deals):
            return Cause.WRONG_DEAL
        return Cause.INVENTED

    def _mentioned(self, fact: Filler) -> bool:
        """Whether any predicted mention stands for the fact, whatever its label."""
        inner = core(fact)
        if inner.spans:
            return overlaps(((s.start, s.end) for s in self.prediction.spans), inner.spans)
        return any(self._reads(span, inner) for span in self.prediction.spans)

    def _error(
        self, cause: Cause, field: str, gold: Filler | None, found: Filler | None, deal: Deal
    ) -> Error:
        sentence = self._sentence(gold, found, deal.company)
        return Error(cause, field, self.case.article.id, show(gold), show(found), sentence)

    def _attribute(self, field: str, gold: object, found: object, *at: Filler) -> Error:
        words = [DASH if one is None else str(one) for one in (gold, found)]
        sentence = self._sentence(*at)
        return Error(Cause.ATTRIBUTE, field, self.case.article.id, words[0], words[1], sentence)

    def _sentence(self, *facts: Filler | None) -> str:
        """The sentence of the first fact whose place can be told."""
        for fact in facts:
            place = self._place(fact) if fact is not None else None
            if place is not None:
                return sentence_at(self.case.article.text, place[0])
        return ""

    def _place(self, fact: Filler) -> Offsets | None:
        """Where a fact stands, or its name or a sum of its value where its gold has no marks."""
        inner = core(fact)
        if inner.spans:
            return inner.spans[0]
        if isinstance(inner, PartyFact):
            for name in inner.names:
                if (start := self.case.article.text.find(name)) >= 0:
                    return start, start + len(name)
        return next(
            ((s.start, s.end) for s in self.prediction.spans if self._reads(s, inner)), None
        )

    def _reads(self, span: Span, inner: PartyFact | MoneyFact | DateFact) -> bool:
        """Whether a predicted mention reads like a fact that has no place in its gold."""
        words = self.case.article.text[span.start : span.end]
        if isinstance(inner, PartyFact):
            return span.label in NAME_LABELS and any(same_name(n, words) for n in inner.names)
        if isinstance(inner, MoneyFact):
            money = parse_money(words) if span.label in MONEY_LABELS else None
            return money is not None and money.value == inner.bounds[0]
        return span.label is Label.DATE


def sentence_at(text: str, offset: int) -> str:
    """The sentence around an offset, cut to a readable length."""
    for match in _SENTENCE.finditer(text):
        if match.start() <= offset < match.end():
            sentence = match.group().strip()
            return sentence if len(sentence) <= _LONGEST else f"{sentence[:_LONGEST]}…"
    return ""


def _fact_attributes(gold: Filler, found: Filler) -> Iterator[tuple[str, object, object]]:
    """Name, gold value and found value of all that is wrong about a fact that is itself right."""
    pairs: list[tuple[str, object, object]] = []
    if isinstance(gold, InvestorFact) and isinstance(found, InvestorFact):
        pairs.append(("role", gold.role, found.role))
        pairs.append(("commitment", gold.commitment, found.commitment))
        if gold.returning is not None:
            pairs.append(("returning", gold.returning, found.returning))
        if not _same(same_money, gold.amount, found.amount):
            pairs.append(("amount", show(gold.amount), show(found.amount)))
    if isinstance(gold, ValuationFact) and isinstance(found, ValuationFact):
        pairs.append(("basis", gold.basis, found.basis))
    if isinstance(gold, ComponentFact) and isinstance(found, ComponentFact):
        pairs.append(("instrument", gold.instrument, found.instrument))
        if not _same(same_party, gold.investor, found.investor):
            pairs.append(("investor", show(gold.investor), show(found.investor)))
        if not _same(same_date, gold.timing, found.timing):
            pairs.append(("timing", show(gold.timing), show(found.timing)))
    wanted, said = core(gold), core(found)
    if isinstance(wanted, MoneyFact) and isinstance(said, MoneyFact) and wanted.qualifier:
        pairs.append(("qualifier", wanted.qualifier, said.qualifier))
    return (pair for pair in pairs if pair[1] != pair[2])


def _same(same: Callable[[T, T], float], gold: T | None, found: T | None) -> bool:
    """Whether an optional field is right: empty on both sides, or the same."""
    if gold is None or found is None:
        return gold is found
    return same(gold, found) > 0


def _holds(deal: Deal, fact: Filler, *, theirs: bool = False) -> bool:
    """Whether a deal has the fact in any role; ``theirs``: the deal is gold, the fact is not."""
    facts = (one for role in Role for one in fillers(deal, role))
    return any((same_filler(one, fact) if theirs else same_filler(fact, one)) > 0 for one in facts)


def _values(missed: Iterable[Filler], extra: Sequence[Filler]) -> list[tuple[Filler, Filler]]:
    """Missed and extra facts that were read at the same place, but to another value."""
    pairs = []
    left = list(extra)
    for fact in missed:
        inner = core(fact)
        if isinstance(inner, PartyFact):
            continue
        for other in left:
            if _misread(inner.spans, core(other).spans, fact, other):
                pairs.append((fact, other))
                left.remove(other)
                break
    return pairs


def _misread(
    gold: Sequence[Offsets], found: Sequence[Offsets], fact: Filler, other: Filler
) -> bool:
    if gold:
        return overlaps(gold, found)
    one, two = core(fact), core(other)
    if isinstance(one, MoneyFact) and isinstance(two, MoneyFact):
        return one.bounds == two.bounds
    return False
