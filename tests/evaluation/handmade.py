"""Short ways to write deals and cases by hand."""

from __future__ import annotations

import json
from collections.abc import Sequence
from decimal import Decimal
from hashlib import sha256
from pathlib import Path

from evaluation.deals import (
    DateFact,
    Deal,
    InvestorFact,
    MoneyFact,
    PartyFact,
    ValuationFact,
    from_event,
)
from evaluation.gold import Case, Span, case_from_markup, make_article
from evaluation.score import Prediction
from pipeline.markup import parse
from pipeline.schema import (
    AmountKind,
    Article,
    ArticleRef,
    Certainty,
    Event,
    EventType,
    Focus,
    Investor,
    Label,
    Mention,
    Money,
    Party,
    Qualifier,
    Status,
)

TEXT = "Novalune lève 12 millions d'euros auprès de Fonds Garonne et Piloni."

SOURCE = """\
+++
[[event]]
type = "financing"
company = "c1"
amount = "a1"
investors = [{ref = "i1", role = "lead"}]
+++
[Novalune](COMPANY c1) lève [12 millions d'euros](AMOUNT a1 value=12000000 currency=EUR kind=deal) \
auprès de [Fonds Garonne](INVESTOR i1). [La start-up](COMPANY c1 nom) recrute.
"""
"""A gold file of one deal with three facts, three mentions and one description."""

NO_DEAL = """\
+++
+++
[Piloni](ORG o1) ouvre une usine.
"""


def party(*names: str, named: bool = True, optional: bool = False) -> PartyFact:
    return PartyFact(names, named, optional)


def euros(value: int, qualifier: Qualifier | None = Qualifier.EXACT) -> MoneyFact:
    return MoneyFact((Decimal(value), None), "EUR", qualifier)


def deal(
    company: str = "Novalune",
    amount: int | None = 12,
    investors: tuple[str, ...] = (),
    valuations: tuple[int, ...] = (),
    date: str | None = None,
    **more: object,
) -> Deal:
    return Deal(
        **{"type": EventType.FINANCING, **more},  # type: ignore[arg-type]
        company=party(company),
        amount=None if amount is None else euros(amount),
        investors=tuple(InvestorFact(party(name)) for name in investors),
        valuations=tuple(ValuationFact(euros(value)) for value in valuations),
        date=None if date is None else DateFact(date),
    )


def case(*deals: Deal, text: str = TEXT, spans: tuple[Span, ...] | None = None) -> Case:
    return Case(make_article("a", text, path="a.txt", published=None), deals, spans)


def mention(text: str, words: str) -> Mention:
    start = text.index(words)
    return Mention(start=start, end=start + len(words), text=words)


def span(text: str, words: str, label: Label) -> Span:
    place = mention(text, words)
    return Span(place.start, place.end, label)


def event(
    text: str, company: str, amount: tuple[str, int] | None = None, investors: tuple[str, ...] = ()
) -> Event:
    """An event of the contract whose parties and sum stand in ``text``."""
    digest = sha256(text.encode()).hexdigest()
    return Event(
        id="e",
        article=ArticleRef(id="a", sha256=digest),
        type=EventType.FINANCING,
        focus=Focus.MAIN,
        status=Status.CLOSED,
        certainty=Certainty.ASSERTED,
        company=Party(name=company, id=company.lower(), mentions=(mention(text, company),)),
        amount=amount
        and Money(value=Decimal(amount[1]), currency="EUR", mention=mention(text, amount[0])),
        investors=tuple(
            Investor(name=name, id=name.lower(), mentions=(mention(text, name),))
            for name in investors
        ),
        confidence=0.9,
    )


def gold_case(source: str = SOURCE) -> Case:
    return case_from_markup(parse(source, path="gold.md"))


def write_project(root: Path) -> Path:
    """A project with made-up gold: two seeds, a training passage, no held-out set, a dev set."""
    for name, source in {
        "annotations/seeds/one.md": SOURCE,
        "annotations/seeds/two.md": NO_DEAL,
        "annotations/train/w1/three.md": SOURCE.replace("Novalune", "Tilleul"),
        "annotations/dev/made.gold.json": json.dumps({"docs": {"901": DEV_DEAL}}),
        "annotations/dev/made.jsonl": json.dumps({"id": "901", "text": TEXT}),
        "pipeline/code.py": "A = 1\n",
        "pipeline/lexicons/words.toml": "a = 1\n",
        "models/configs/ner.cfg": "[nlp]\n",
        "models/fr_deals_md/weights": "1",
        "evaluation/README": "floors and reports go here",
    }.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(source, encoding="utf-8")
    return root


DEV_DEAL = {
    "deals": [
        {
            "type": "financing",
            "focus": "main",
            "status": "closed",
            "certainty": "asserted",
            "company": "Novalune",
            "amount": [12000000, "EUR", "exact"],
        }
    ]
}


def reads_novalune(articles: Sequence[Article]) -> list[Prediction]:
    """A system that knows one deal: Novalune's 12 million, wherever that name stands."""
    told = from_event(event(TEXT, "Novalune", ("12 millions d'euros", 12_000_000)))
    spans = (Span(0, 8, Label.COMPANY), Span(14, 33, Label.AMOUNT, AmountKind.DEAL))
    return [
        Prediction((told,), spans) if "Novalune" in article.text else Prediction()
        for article in articles
    ]
