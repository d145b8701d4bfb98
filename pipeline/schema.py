"""The event contract, version 1.0, as pydantic models.

Everything that the pipeline writes and everything that the annotations say is typed here.
The module imports nothing else of this package and no spaCy, so that a consumer of the
JSONL can use it alone: ``Event.model_validate_json(line)`` and
``Event.model_json_schema()`` need pydantic only.
"""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, PlainSerializer, model_validator

SCHEMA_VERSION: Literal["1.0"] = "1.0"


class Label(StrEnum):
    """NER labels: the role that a mention plays where it stands."""

    AMOUNT = "AMOUNT"
    VALUATION = "VALUATION"
    INVESTOR = "INVESTOR"
    COMPANY = "COMPANY"
    ORG = "ORG"
    PERSON = "PERSON"
    MEDIA = "MEDIA"
    DATE = "DATE"
    ROUND = "ROUND"
    INSTRUMENT = "INSTRUMENT"


NAME_LABELS: frozenset[Label] = frozenset(
    {Label.INVESTOR, Label.COMPANY, Label.ORG, Label.PERSON, Label.MEDIA}
)
"""Labels of mentions that name a party; one party may carry several of them in one article."""

MONEY_LABELS: frozenset[Label] = frozenset({Label.AMOUNT, Label.VALUATION})
"""Labels of mentions that carry a Money."""


class AmountKind(StrEnum):
    """What an AMOUNT mention counts."""

    DEAL = "deal"
    COMPONENT = "component"
    TOTAL_RAISED = "total_raised"
    REVENUE = "revenue"
    PROFIT_LOSS = "profit_loss"
    SPENDING = "spending"
    MARKET = "market"
    FUND_SIZE = "fund_size"
    OTHER = "other"


class Qualifier(StrEnum):
    EXACT = "exact"
    APPROXIMATE = "approximate"
    AT_LEAST = "at_least"
    AT_MOST = "at_most"
    RANGE = "range"


class EventType(StrEnum):
    FINANCING = "financing"
    ACQUISITION = "acquisition"
    IPO = "ipo"
    FUND_CLOSE = "fund_close"
    VALUATION = "valuation"


class Focus(StrEnum):
    MAIN = "main"
    BACKGROUND = "background"


class Status(StrEnum):
    CLOSED = "closed"
    ANNOUNCED = "announced"
    IN_PROGRESS = "in_progress"
    PLANNED = "planned"
    CANCELLED = "cancelled"


class Certainty(StrEnum):
    ASSERTED = "asserted"
    REPORTED = "reported"
    HYPOTHETICAL = "hypothetical"
    DENIED = "denied"


class Basis(StrEnum):
    PRE_MONEY = "pre_money"
    POST_MONEY = "post_money"
    PREVIOUS = "previous"
    UNSPECIFIED = "unspecified"


class InvestorRole(StrEnum):
    LEAD = "lead"
    PARTICIPANT = "participant"
    LENDER = "lender"
    BUYER = "buyer"
    SELLER = "seller"


class Commitment(StrEnum):
    CONFIRMED = "confirmed"
    POTENTIAL = "potential"
    DECLINED = "declined"


class RoundName(StrEnum):
    PRE_SEED = "pre_seed"
    SEED = "seed"
    SERIES_A = "series_a"
    SERIES_B = "series_b"
    SERIES_C = "series_c"
    SERIES_D = "series_d"
    SERIES_E = "series_e"
    SERIES_F = "series_f"
    SERIES_G = "series_g"
    SERIES_H = "series_h"
    SERIES_I = "series_i"
    SERIES_J = "series_j"
    BRIDGE = "bridge"
    GROWTH = "growth"
    EXTENSION = "extension"


class Instrument(StrEnum):
    EQUITY = "equity"
    CONVERTIBLE_NOTE = "convertible_note"
    DEBT = "debt"
    GRANT = "grant"
    SECONDARY = "secondary"
    CROWDFUNDING = "crowdfunding"
    MIXED = "mixed"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Mention(_Model):
    """A stretch of the article: ``article_text[start:end] == text``, in code points."""

    start: int = Field(ge=0)
    end: int = Field(ge=0)
    text: str

    @model_validator(mode="after")
    def _length(self) -> Mention:
        if self.end - self.start != len(self.text):
            raise ValueError(f"mention [{self.start}, {self.end}) is not {self.text!r} long")
        return self


def decimal_number(value: Decimal) -> int | float:
    """The JSON number that prints like ``value``: no exponent, no trailing zero.

    Sums of money are whole or have a few decimals; both survive ``json.dumps`` digit by digit
    (an int is exact, and a float of at most 15 significant digits prints as it was read).
    """
    return int(value) if value == value.to_integral_value() else float(value)


JsonDecimal = Annotated[
    Decimal, PlainSerializer(decimal_number, return_type=int | float, when_used="json")
]


class Conversion(_Model):
    """The text's own conversion of a sum into another currency."""

    value: JsonDecimal
    currency: str = Field(pattern=r"^[A-Z]{3}$")
    mention: Mention


class Money(_Model):
    """A sum in whole currency units, exact.

    ``qualifier == "range"``: ``value`` is ``None`` and ``min``/``max`` speak; else the reverse.
    """

    value: JsonDecimal | None
    min: JsonDecimal | None = None
    max: JsonDecimal | None = None
    currency: str | None = Field(pattern=r"^[A-Z]{3}$")
    qualifier: Qualifier = Qualifier.EXACT
    currency_inferred: bool = False
    also: tuple[Conversion, ...] = ()
    mention: Mention

    @model_validator(mode="after")
    def _range_or_value(self) -> Money:
        if self.qualifier is Qualifier.RANGE:
            if self.value is not None or self.min is None or self.max is None:
                raise ValueError("a range has min and max and no value")
        elif self.value is None or self.min is not None or self.max is not None:
            raise ValueError("a sum that is no range has a value and neither min nor max")
        return self


class PartialDate(_Model):
    """A date as precise as the text and no more (ISO 8601 / EDTF level 0 and quarters)."""

    value: str | None
    start: str | None
    end: str | None
    mention: Mention


class Party(_Model):
    name: str
    id: str
    wikidata: str | None = None
    named: bool = True
    mentions: tuple[Mention, ...]


class Investor(Party):
    role: InvestorRole = InvestorRole.PARTICIPANT
    commitment: Commitment = Commitment.CONFIRMED
    returning: bool | None = None
    amount: Money | None = None


class Valuation(Money):
    basis: Basis = Basis.UNSPECIFIED


class Component(_Model):
    """A tranche or share of a deal's amount; ``investor`` is the id of one of its investors."""

    amount: Money
    instrument: Instrument | None = None
    investor: str | None = None
    timing: PartialDate | None = None


class ArticleRef(_Model):
    """What an event says of the article that tells it."""

    id: str
    path: str | None = None
    published: str | None = None
    title: str | None = None
    outlet: str | None = None
    url: str | None = None
    sha256: str


class Article(ArticleRef):
    """One article as it was read; offsets count in ``text``."""

    text: str

    def ref(self) -> ArticleRef:
        return ArticleRef.model_validate(self.model_dump(exclude={"text"}))


class Event(_Model):
    """One deal as one article tells it."""

    schema_version: Literal["1.0"] = SCHEMA_VERSION
    id: str
    article: ArticleRef
    type: EventType
    focus: Focus
    status: Status
    certainty: Certainty
    company: Party
    amount: Money | None = None
    components: tuple[Component, ...] = ()
    total_raised: Money | None = None
    valuations: tuple[Valuation, ...] = ()
    investors: tuple[Investor, ...] = ()
    round: RoundName | None = None
    instrument: Instrument | None = None
    date: PartialDate | None = None
    expected_close: PartialDate | None = None
    sources: tuple[Party, ...] = ()
    evidence: tuple[Mention, ...] = ()
    confidence: float = Field(ge=0, le=1)
    trace: tuple[str, ...] = ()


class TypedMention(Mention):
    """One line of ``--mentions``: a mention with its label and what it was read as."""

    article: str
    label: Label
    kind: AmountKind | None = None
    money: Money | None = None
    date: PartialDate | None = None
    party: str | None = None
