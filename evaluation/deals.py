"""A deal as the scorers see it, and when two facts are the same.

Gold and predicted deals have one type, :class:`Deal`. A gold fact may accept several forms (all
names of a coreference chain, the text's own conversion of a sum); a predicted one has its own.
Spans are ``(start, end)`` in code points of the article's text; empty where they are unknown, as
in the development set.

Names are normalised here and not by ``pipeline.normalise``: a mistake in shared code would
cancel itself out.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from decimal import Decimal

from pipeline.schema import (
    Basis,
    Certainty,
    Commitment,
    Event,
    EventType,
    Focus,
    Instrument,
    InvestorRole,
    Money,
    PartialDate,
    Party,
    Qualifier,
    RoundName,
    Status,
)

Offsets = tuple[int, int]

_WORD = re.compile(r"[^\W_]+")
_ARTICLES = frozenset({"l", "la", "le", "les"})
# What may stand before the head noun of "une vingtaine de business angels".
_BEFORE_HEAD = _ARTICLES | {
    *("au", "aux", "ce", "ces", "cet", "cette", "d", "de", "des", "du", "un", "une"),
    *("leur", "leurs", "nos", "notre", "sa", "ses", "son", "vos", "votre"),
    *("autres", "certaines", "certains", "divers", "diverses", "plusieurs", "quelques"),
    *("nombreuses", "nombreux", "deux", "trois", "quatre", "cinq", "six", "sept", "huit", "dix"),
    *("centaine", "dizaine", "douzaine", "quinzaine", "trentaine", "vingtaine"),
}


@dataclass(frozen=True, slots=True)
class PartyFact:
    """A party by all accepted ``names``, the one to show first."""

    names: tuple[str, ...]
    named: bool = True
    optional: bool = False
    spans: tuple[Offsets, ...] = ()


@dataclass(frozen=True, slots=True)
class MoneyFact:
    """A sum: ``(value, None)`` or ``(min, max)``, and ``also`` its conversions in the text.

    ``qualifier`` is ``None`` where the gold does not tell it; then it is not scored.
    """

    bounds: tuple[Decimal, Decimal | None]
    currency: str | None
    qualifier: Qualifier | None = Qualifier.EXACT
    also: tuple[tuple[Decimal, str | None], ...] = ()
    spans: tuple[Offsets, ...] = ()


@dataclass(frozen=True, slots=True)
class DateFact:
    """A date in EDTF, ``None`` where the text's expression cannot be resolved."""

    value: str | None
    spans: tuple[Offsets, ...] = ()


@dataclass(frozen=True, slots=True)
class InvestorFact:
    party: PartyFact
    role: InvestorRole = InvestorRole.PARTICIPANT
    commitment: Commitment = Commitment.CONFIRMED
    returning: bool | None = None
    amount: MoneyFact | None = None


@dataclass(frozen=True, slots=True)
class ValuationFact:
    money: MoneyFact
    basis: Basis = Basis.UNSPECIFIED


@dataclass(frozen=True, slots=True)
class ComponentFact:
    money: MoneyFact
    instrument: Instrument | None = None
    investor: PartyFact | None = None
    timing: DateFact | None = None


@dataclass(frozen=True, slots=True)
class Deal:
    """An event of the contract, reduced to what is scored.

    ``optional`` deals are neither rewarded nor punished. ``confidence`` is ``None`` in gold.
    """

    type: EventType
    company: PartyFact
    focus: Focus = Focus.MAIN
    status: Status = Status.CLOSED
    certainty: Certainty = Certainty.ASSERTED
    amount: MoneyFact | None = None
    components: tuple[ComponentFact, ...] = ()
    total_raised: MoneyFact | None = None
    valuations: tuple[ValuationFact, ...] = ()
    investors: tuple[InvestorFact, ...] = ()
    round: RoundName | None = None
    instrument: Instrument | None = None
    date: DateFact | None = None
    expected_close: DateFact | None = None
    sources: tuple[PartyFact, ...] = ()
    optional: bool = False
    confidence: float | None = None


def words(name: str) -> tuple[str, ...]:
    """The words of a name in lower case without accents or a leading article.

    >>> words("La Caisse des Dépôts")
    ('caisse', 'des', 'depots')
    """
    bare = "".join(
        char for char in unicodedata.normalize("NFKD", name) if not unicodedata.combining(char)
    )
    found = tuple(_WORD.findall(bare.casefold()))
    return found[1:] if len(found) > 1 and found[0] in _ARTICLES else found


def same_name(one: str, other: str) -> float:
    """1 for the same name (``X.AI``, ``xAI``), 0.9 where one begins with the other, else 0.

    Words count, not letters: "Goldman Sachs" begins "Goldman Sachs Asset Management", but
    "Sequa" does not begin "Sequana".
    """
    a, b = words(one), words(other)
    if not a or not b:
        return 0.0
    if "".join(a) == "".join(b):
        return 1.0
    shorter, longer = sorted((a, b), key=len)
    return 0.9 if longer[: len(shorter)] == shorter else 0.0


def head_noun(description: str) -> str:
    """The first word that is neither determiner nor number, without the mark of the plural."""
    for word in words(description):
        if word not in _BEFORE_HEAD and not word.isdigit():
            return word.rstrip("sx")
    return ""


def overlaps(one: Iterable[Offsets], other: Iterable[Offsets]) -> bool:
    """Whether any span of the one shares a character with any of the other."""
    theirs = tuple(other)
    return any(a < d and c < b for a, b in one for c, d in theirs)


def same_party(gold: PartyFact, found: PartyFact) -> float:
    """How well two parties agree, 0 (not at all) to 1.

    Named parties by their names. A group without a name matches only another one: by a common
    place in the text, or by the head noun of its description; where the gold marks it optional,
    any will do, for nothing is won or lost with it.
    """
    if gold.named != found.named:
        return 0.0
    if gold.named:
        return max((same_name(a, b) for a in gold.names for b in found.names), default=0.0)
    if overlaps(gold.spans, found.spans):
        return 1.0
    heads = {head_noun(name) for name in gold.names} - {""}
    if heads & {head_noun(name) for name in found.names}:
        return 0.9
    return 0.5 if gold.optional else 0.0


def same_money(gold: MoneyFact | None, found: MoneyFact | None) -> float:
    """1 where bounds and currency agree, or the found sum is one of the gold's conversions."""
    if gold is None or found is None:
        return 0.0
    if (gold.bounds, gold.currency) == (found.bounds, found.currency):
        return 1.0
    value, maximum = found.bounds
    return float(maximum is None and (value, found.currency) in gold.also)


def same_date(gold: DateFact | None, found: DateFact | None) -> float:
    """1 for the same EDTF value; two that cannot be resolved must stand at the same place."""
    if gold is None or found is None or gold.value != found.value:
        return 0.0
    return float(gold.value is not None or overlaps(gold.spans, found.spans))


def from_event(event: Event) -> Deal:
    """What the pipeline predicted, as the scorers see it."""
    parties = {investor.id: _party(investor) for investor in event.investors}
    return Deal(
        type=event.type,
        company=_party(event.company),
        focus=event.focus,
        status=event.status,
        certainty=event.certainty,
        amount=_money(event.amount),
        components=tuple(
            ComponentFact(
                money=money_fact(component.amount),
                instrument=component.instrument,
                investor=parties.get(component.investor) if component.investor else None,
                timing=_date(component.timing),
            )
            for component in event.components
        ),
        total_raised=_money(event.total_raised),
        valuations=tuple(ValuationFact(money_fact(v), v.basis) for v in event.valuations),
        investors=tuple(
            InvestorFact(
                party=parties[investor.id],
                role=investor.role,
                commitment=investor.commitment,
                returning=investor.returning,
                amount=_money(investor.amount),
            )
            for investor in event.investors
        ),
        round=event.round,
        instrument=event.instrument,
        date=_date(event.date),
        expected_close=_date(event.expected_close),
        sources=tuple(_party(source) for source in event.sources),
        confidence=event.confidence,
    )


def money_fact(money: Money) -> MoneyFact:
    """A Money of the contract without its text."""
    if money.value is not None:
        bounds: tuple[Decimal, Decimal | None] = (money.value, None)
    else:
        assert money.min is not None  # the schema refuses a Money with neither
        bounds = (money.min, money.max)
    return MoneyFact(
        bounds=bounds,
        currency=money.currency,
        qualifier=money.qualifier,
        also=tuple((also.value, also.currency) for also in money.also),
        spans=((money.mention.start, money.mention.end),),
    )


def _money(money: Money | None) -> MoneyFact | None:
    return None if money is None else money_fact(money)


def _date(date: PartialDate | None) -> DateFact | None:
    if date is None:
        return None
    return DateFact(date.value, ((date.mention.start, date.mention.end),))


def _party(party: Party) -> PartyFact:
    return PartyFact(
        names=(party.name,),
        named=party.named,
        spans=tuple((mention.start, mention.end) for mention in party.mentions),
    )
