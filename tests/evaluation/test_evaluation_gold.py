"""Gold files and the compact JSON become the same kind of case."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path

import pytest
from handmade import NO_DEAL, SOURCE, gold_case

from evaluation.gold import Span, cases_from_dev
from pipeline.schema import (
    AmountKind,
    Basis,
    Certainty,
    Commitment,
    InvestorRole,
    Label,
    Qualifier,
)

RICH = """\
+++
published = "2026-03-12"
story = "tilleul"
[[event]]
type = "acquisition"
status = "announced"
company = "c1"
amount = "a1"
components = [{amount = "a2", instrument = "debt", investor = "i2", timing = "d2"}]
valuations = [{ref = "v1", basis = "post_money"}]
investors = [
    {ref = "i1", role = "buyer", returning = true},
    {ref = "i2", role = "lender", commitment = "potential", amount = "a2"},
]
date = "d1"
expected_close = "d2"
sources = ["m1"]
+++
[Tilleul](COMPANY c1) est racheté par [Piloni](INVESTOR i1) pour \
[335 M$](AMOUNT a1 value=335000000 currency=USD kind=deal) \
([293 M€](AMOUNT a3 value=293000000 currency=EUR kind=deal also=a1)), dont \
[90 M$](AMOUNT a2 value=90000000 currency=USD kind=component) de dette de \
[plusieurs banques](INVESTOR i2 unnamed), ce qui vaut \
[entre 1 et 2 milliards de dollars](VALUATION v1 min=1000000000 max=2000000000 currency=USD) \
à [Tilleul Energie](COMPANY c1), [hier](DATE d1 value=2026-03-11) selon [Le Fil](MEDIA m1), \
et [bientôt](DATE d2 value=none).
"""


def test_a_gold_file_becomes_a_case() -> None:
    case = gold_case()
    assert case.article.id == "gold"
    assert case.article.text.startswith("Novalune lève 12 millions")
    assert case.group == "gold"
    (deal,) = case.deals
    assert deal.company.names == ("Novalune",)
    assert deal.amount is not None
    assert deal.amount.bounds == (Decimal(12_000_000), None)
    assert deal.investors[0].role is InvestorRole.LEAD


def test_descriptions_are_no_mentions() -> None:
    case = gold_case()
    text = case.article.text
    assert case.spans is not None
    assert [text[span.start : span.end] for span in case.spans] == [
        "Novalune",
        "12 millions d'euros",
        "Fonds Garonne",
    ]
    assert case.spans[1].kind is AmountKind.DEAL
    (description,) = case.descriptions
    assert text[description.start : description.end] == "La start-up"
    assert description.names == ("Novalune",)
    assert case.neutral == ((description.start, description.end),)


def test_every_field_of_the_notation_arrives() -> None:
    case = gold_case(RICH)
    (deal,) = case.deals
    assert case.group == "tilleul"
    assert case.article.published == "2026-03-12"
    assert deal.company.names == ("Tilleul Energie", "Tilleul")
    assert deal.amount is not None
    assert deal.amount.also == ((Decimal(293_000_000), "EUR"),)
    (component,) = deal.components
    assert component.money.bounds == (Decimal(90_000_000), None)
    assert component.investor is not None and not component.investor.named
    assert component.timing is not None and component.timing.value is None
    (valuation,) = deal.valuations
    assert valuation.money.bounds == (Decimal(10**9), Decimal(2 * 10**9))
    assert valuation.money.qualifier is Qualifier.RANGE
    assert valuation.basis is Basis.POST_MONEY
    assert [i.returning for i in deal.investors] == [True, None]
    assert deal.investors[1].commitment is Commitment.POTENTIAL
    assert deal.investors[1].amount == component.money
    assert deal.date is not None and deal.date.value == "2026-03-11"
    assert [source.names for source in deal.sources] == [("Le Fil",)]
    assert case.spans is not None
    assert Label.INVESTOR in {span.label for span in case.spans}
    assert len(case.neutral) == 1


def test_an_article_without_a_deal_stays_in() -> None:
    case = gold_case(NO_DEAL)
    assert case.deals == ()
    assert case.spans == (Span(0, 6, Label.ORG),)


DEV = {
    "about": "made up for this test",
    "docs": {
        "901": {
            "date": "2026-01-20",
            "deals": [
                {
                    "type": "financing",
                    "focus": "main",
                    "status": "closed",
                    "certainty": "reported",
                    "company": "Novalune|Novalune Santé",
                    "amount": [12000000, "EUR", "exact"],
                    "also": [[14000000, "USD"]],
                    "total_raised": [20500000.5, "EUR"],
                    "valuations": [[90000000, "EUR", "pre_money"], [50000000, "EUR", "previous"]],
                    "valuations_also": [[105000000, "USD", "pre_money"]],
                    "investors": [
                        ["Fonds Garonne|Garonne", "lead", "confirmed", [5000000, "EUR", "exact"]],
                        ["des proches (unnamed)", "participant", "potential", None],
                    ],
                    "round": "series_a",
                    "instrument": "equity",
                    "date": "2026-01",
                    "sources": ["Le Fil"],
                },
                {
                    "type": "acquisition",
                    "focus": "background",
                    "status": "planned",
                    "certainty": "asserted",
                    "company": "Piloni",
                    "amount": [[10, 15], "USD", "range"],
                    "optional": True,
                },
            ],
            "not_deal_amounts": [[1.5, "EUR", "revenue"]],
        },
        "902": {"date": None, "deals": [], "not_deal_amounts": []},
    },
}


def write_dev(folder: Path, gold: dict[str, object] = DEV) -> tuple[Path, Path]:
    rows = [
        {"id": "901", "text": "Novalune lève 12 M€.", "published": "2026-01-20"},
        {"id": "902", "text": "Rien à signaler.\u2028Suite.", "published": None},
    ]
    gold_path, articles_path = folder / "made.gold.json", folder / "made.jsonl"
    gold_path.write_text(json.dumps(gold), encoding="utf-8")
    lines = (json.dumps(row, ensure_ascii=False) for row in rows)
    articles_path.write_text("\n".join(lines), encoding="utf-8")
    return gold_path, articles_path


def test_the_compact_form_is_read(tmp_path: Path) -> None:
    case, empty = cases_from_dev(*write_dev(tmp_path))
    deal, optional = case.deals
    assert case.article.published == "2026-01-20"
    assert case.spans is None
    assert deal.company.names == ("Novalune", "Novalune Santé")
    assert deal.certainty is Certainty.REPORTED
    assert deal.amount is not None
    assert deal.amount.also == ((Decimal(14_000_000), "USD"),)
    assert deal.total_raised is not None
    assert deal.total_raised.bounds == (Decimal("20500000.5"), None)
    assert deal.total_raised.qualifier is None
    pre, previous = deal.valuations
    assert pre.money.also == ((Decimal(105_000_000), "USD"),)
    assert previous.money.also == ()
    assert previous.basis is Basis.PREVIOUS
    lead, group = deal.investors
    assert lead.party.names == ("Fonds Garonne", "Garonne")
    assert lead.amount is not None and lead.amount.bounds == (Decimal(5_000_000), None)
    assert group.party.names == ("des proches",)
    assert group.party.optional and not group.party.named
    assert deal.date is not None and deal.date.value == "2026-01"
    assert [source.names for source in deal.sources] == [("Le Fil",)]
    assert optional.optional
    assert optional.amount is not None
    assert optional.amount.bounds == (Decimal(10), Decimal(15))
    assert optional.amount.qualifier is Qualifier.RANGE
    assert empty.deals == ()


def test_an_article_without_gold_is_an_error(tmp_path: Path) -> None:
    paths = write_dev(tmp_path, {"docs": {"901": DEV["docs"]["901"]}})  # type: ignore[index]
    with pytest.raises(ValueError, match="902"):
        cases_from_dev(*paths)


def test_an_unknown_key_is_an_error(tmp_path: Path) -> None:
    docs = {"901": {"deals": [{"type": "ipo", "colour": "red"}]}, "902": {"deals": []}}
    with pytest.raises(ValueError, match="colour"):
        cases_from_dev(*write_dev(tmp_path, {"docs": docs}))


def test_the_example_has_the_mentions_it_says() -> None:
    assert SOURCE.count("](") == 4
