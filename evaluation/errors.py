"""Every wrong field of a set with the sentence it stands in, grouped by what went wrong."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from evaluation.align import Alignment, align_deals
from evaluation.counts import DASH
from evaluation.deals import (
    Deal,
    InvestorFact,
    MoneyFact,
    Offsets,
    PartyFact,
    ValuationFact,
    overlaps,
    same_name,
)
from evaluation.gold import Case
from evaluation.score import (
    Filler,
    Match,
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

_SENTENCE = re.compile(r"[^\n.!?]*(?:[.!?](?!\s)[^\n.!?]*)*[.!?]?")
_LONGEST = 240


class Cause(StrEnum):
    MENTION_MISSED = "mention missed"
    NOT_ATTACHED = "mention found, no deal uses it"
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


def tables(found: Sequence[Error]) -> list[Table]:
    """One table a cause, the most frequent first."""
    groups: dict[Cause, list[Error]] = defaultdict(list)
    for error in found:
        groups[error.cause].append(error)
    return [
        Table(
            title=f"{cause} ({len(group)})",
            header=("article", "field", "gold", "found", "sentence"),
            rows=[(e.article, e.field, e.gold, e.found, e.sentence) for e in group],
            left=5,
        )
        for cause, group in sorted(groups.items(), key=lambda item: -len(item[1]))
    ]


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


@dataclass(frozen=True, slots=True)
class _Article:
    case: Case
    prediction: Prediction
    unscored: frozenset[Role]

    def errors(self) -> Iterator[Error]:
        gold, found = self.case.deals, self.prediction.deals
        alignment = align_deals(gold, found)
        for g, f in alignment.pairs:
            if not gold[g].optional:
                yield from self._pair(gold[g], found[f])
        for g in alignment.missed:
            if not gold[g].optional:
                yield from self._missed_deal(gold[g])
        for f in alignment.extra:
            yield from self._extra_deal(found[f], alignment)

    def _pair(self, gold: Deal, found: Deal) -> Iterator[Error]:
        for match in match_roles(gold, found, self.unscored):
            missed, extra = match.missed, match.extra
            for wanted, said in _values(missed, extra):
                missed = [fact for fact in missed if fact is not wanted]
                extra = [fact for fact in extra if fact is not said]
                yield self._error(Cause.VALUE, match.role, wanted, said)
            for fact in missed:
                yield self._error(self._why_missed(fact, found), match.role, fact, None)
            for fact in extra:
                yield self._error(self._why_extra(fact, gold), match.role, None, fact)
            yield from self._fact_attributes(match)
        for name in ("type", "focus", "status", "certainty", "round", "instrument"):
            wanted, said = getattr(gold, name), getattr(found, name)
            if wanted is not said:
                yield self._attribute(name, wanted, said, gold.amount or gold.company)

    def _fact_attributes(self, match: Match) -> Iterator[Error]:
        for gold, found in match.right:
            pairs: list[tuple[str, object, object]] = []
            if isinstance(gold, InvestorFact) and isinstance(found, InvestorFact):
                pairs.append(("role", gold.role, found.role))
                pairs.append(("commitment", gold.commitment, found.commitment))
                if gold.returning is not None:
                    pairs.append(("returning", gold.returning, found.returning))
            if isinstance(gold, ValuationFact) and isinstance(found, ValuationFact):
                pairs.append(("basis", gold.basis, found.basis))
            wanted, said = core(gold), core(found)
            if isinstance(wanted, MoneyFact) and isinstance(said, MoneyFact) and wanted.qualifier:
                pairs.append(("qualifier", wanted.qualifier, said.qualifier))
            for name, one, other in pairs:
                if one != other:
                    label = f"{match.role}.{name} of {show(gold)}"
                    yield self._attribute(label, one, other, gold)

    def _missed_deal(self, gold: Deal) -> Iterator[Error]:
        facts = [(role, fact) for role in self._roles() for fact in fillers(gold, role)]
        telling = [fact for role, fact in facts if role is not Role.COMPANY]
        merged = any(_holds(deal, fact) for fact in telling for deal in self.prediction.deals)
        for role, fact in facts:
            if not is_optional(fact):
                cause = Cause.MENTION_MISSED
                if merged:
                    cause = Cause.MERGED
                elif self._mentioned(fact):
                    cause = Cause.NOT_ATTACHED
                yield self._error(cause, f"{role} of a missed deal", fact, None)

    def _extra_deal(self, found: Deal, alignment: Alignment) -> Iterator[Error]:
        facts = [(role, fact) for role in self._roles() for fact in fillers(found, role)]
        telling = [fact for role, fact in facts if role is not Role.COMPANY]
        matched = [self.case.deals[g] for g, _ in alignment.pairs]
        split = any(_holds(deal, fact, theirs=True) for deal in matched for fact in telling)
        for role, fact in facts:
            cause = Cause.SPLIT if split else Cause.INVENTED
            yield self._error(cause, f"{role} of an extra deal", None, fact)

    def _roles(self) -> list[Role]:
        return [role for role in Role if role not in self.unscored]

    def _why_missed(self, fact: Filler, found: Deal) -> Cause:
        if _holds(found, fact):
            return Cause.ROLE_WRONG
        if any(_holds(deal, fact) for deal in self.prediction.deals):
            return Cause.WRONG_DEAL
        return Cause.NOT_ATTACHED if self._mentioned(fact) else Cause.MENTION_MISSED

    def _why_extra(self, fact: Filler, gold: Deal) -> Cause:
        if _holds(gold, fact, theirs=True):
            return Cause.ROLE_WRONG
        if any(_holds(deal, fact, theirs=True) for deal in self.case.deals):
            return Cause.WRONG_DEAL
        return Cause.INVENTED

    def _mentioned(self, fact: Filler) -> bool:
        """Whether any predicted mention stands for the fact, whatever its label."""
        inner = core(fact)
        text = self.case.article.text
        for span in self.prediction.spans:
            words = text[span.start : span.end]
            if overlaps([(span.start, span.end)], inner.spans):
                return True
            if inner.spans:
                continue
            if isinstance(inner, PartyFact):
                right = span.label in NAME_LABELS and any(same_name(n, words) for n in inner.names)
            elif isinstance(inner, MoneyFact):
                money = parse_money(words) if span.label in MONEY_LABELS else None
                right = money is not None and money.value == inner.bounds[0]
            else:
                right = span.label is Label.DATE
            if right:
                return True
        return False

    def _error(self, cause: Cause, field: str, gold: Filler | None, found: Filler | None) -> Error:
        return Error(
            cause=cause,
            field=field,
            article=self.case.article.id,
            gold=show(gold),
            found=show(found),
            sentence=self._sentence(gold, found),
        )

    def _attribute(self, field: str, gold: object, found: object, at: Filler) -> Error:
        words = [DASH if one is None else str(one) for one in (gold, found)]
        sentence = self._sentence(at, None)
        return Error(Cause.ATTRIBUTE, field, self.case.article.id, words[0], words[1], sentence)

    def _sentence(self, *facts: Filler | None) -> str:
        """The sentence of the first fact whose place is known or whose name stands in the text."""
        for fact in facts:
            place = self._place(fact) if fact is not None else None
            if place is not None:
                return sentence_at(self.case.article.text, place[0])
        return ""

    def _place(self, fact: Filler) -> Offsets | None:
        inner = core(fact)
        if inner.spans:
            return inner.spans[0]
        for name in inner.names if isinstance(inner, PartyFact) else ():
            if (start := self.case.article.text.find(name)) >= 0:
                return start, start + len(name)
        return None


def sentence_at(text: str, offset: int) -> str:
    """The sentence around an offset, cut to a readable length."""
    for match in _SENTENCE.finditer(text):
        if match.start() <= offset < match.end():
            sentence = match.group().strip()
            return sentence if len(sentence) <= _LONGEST else f"{sentence[:_LONGEST]}…"
    return ""


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
