"""What travels between the components inside a ``Doc``, as text: labels, groups, money codes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from spacy.attrs import ORTH, SPACY
from spacy.tokens import Doc

from pipeline.normalise.money import MoneySpan
from pipeline.schema import Qualifier

NOMINALS = "nominals"
"""The span group of descriptions that stand for a party."""

NOM_COMPANY = "NOM_COMPANY"
NOM_INVESTOR = "NOM_INVESTOR"
GROUP = "GROUP"
"""Labels that the NER learns beside those of the contract: descriptions of a company ("la
start-up") and of an investor, and groups without a name ("plusieurs business angels")."""

NOTHING = "NONE"
"""The answer of a model where a found span is no mention, or an attribute is not told."""


def text_of(doc: Doc) -> str:
    """``doc.text``, which spaCy joins anew each time from one Python object a token."""
    words, spaces = doc.to_array([ORTH, SPACY]).T.tolist()
    spelt = {key: doc.vocab.strings[key] for key in set(words)}
    pairs = zip(words, spaces, strict=True)
    return "".join([spelt[key] + " " if space else spelt[key] for key, space in pairs])


def odds_code(labels: Sequence[str], tenths: Sequence[float]) -> str:
    """The labels of a span that are at all probable, in tenths: ``COMPANY=6 ORG=3``."""
    told = zip(labels, tenths, strict=True)
    return " ".join(f"{label}={count:.0f}" for label, count in told if count)


def read_odds(code: str) -> dict[str, int]:
    """The inverse of :func:`odds_code`."""
    pairs = (part.split("=") for part in code.split())
    return {label: int(count) for label, count in pairs}


# The article's date; for each token how probable each answer of pipeline.attributes is, in tenths,
# one column an answer; the right answers, for training: by token their columns; what another
# network than the model's own read of the mentions, for training; and what fr_deals_events found:
# ``events`` and ``mentions`` as plain records.
for _name in ("published", "attributes", "gold_attributes", "links", "deal_records"):
    if not Doc.has_extension(_name):
        Doc.set_extension(_name, default=None)


@dataclass(frozen=True, slots=True)
class MoneyCode:
    """A sum as it travels in ``span.id_``; ``number`` and ``converts`` tie conversions."""

    value: Decimal | None
    minimum: Decimal | None
    maximum: Decimal | None
    currency: str | None
    qualifier: Qualifier
    inferred: bool
    number: int
    converts: int | None
    kind: str = ""

    def same_sum(self) -> tuple[Decimal | None, Decimal | None, Decimal | None, str | None]:
        """Equal for two mentions of one sum."""
        return (self.value, self.minimum, self.maximum, self.currency)


def money_code(money: MoneySpan, converts: int | None, number: int, kind: str = "") -> str:
    """``kind|value|min|max|currency|qualifier|inferred|number|converts``."""
    fields = (
        kind,
        *("" if n is None else f"{n:f}" for n in (money.value, money.minimum, money.maximum)),
        money.currency or "",
        money.qualifier,
        "1" if money.currency_inferred else "",
        str(number),
        "" if converts is None else str(converts),
    )
    return "|".join(fields)


def with_kind(code: str, kind: str) -> str:
    """The same code, now saying what the sum counts."""
    return f"{kind}|{code.split('|', 1)[1]}"


def read_money(code: str) -> MoneyCode:
    """The inverse of :func:`money_code`."""
    kind, value, minimum, maximum, currency, qualifier, inferred, number, converts = code.split("|")
    return MoneyCode(
        value=_number(value),
        minimum=_number(minimum),
        maximum=_number(maximum),
        currency=currency or None,
        qualifier=Qualifier(qualifier),
        inferred=bool(inferred),
        number=int(number),
        converts=int(converts) if converts else None,
        kind=kind,
    )


def _number(text: str) -> Decimal | None:
    return Decimal(text) if text else None
