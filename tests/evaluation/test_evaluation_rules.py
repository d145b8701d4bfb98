"""Deals by rules alone: the drafting, on sentences whose names have an unmistakable shape."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from spacy.language import Language

import pipeline.components.shapes  # noqa: F401  (registers the component)
from evaluation import rules
from evaluation.gold import Span, make_article
from evaluation.score import Prediction
from pipeline.cues import CueMatcher
from pipeline.schema import AmountKind, Commitment, EventType, InvestorRole, Label

Read = Callable[[str], Prediction]


@pytest.fixture(scope="module")
def read() -> Read:
    import spacy

    nlp: Language = spacy.blank(
        "fr", config={"nlp": {"tokenizer": {"@tokenizers": "fr_deals.Tokenizer.v1"}}}
    )
    for pipe in ("fr_deals_sentences", "fr_deals_shapes", "fr_deals_mentions"):
        nlp.add_pipe(pipe)
    system = rules.reader(nlp, CueMatcher(nlp))

    def one(text: str) -> Prediction:
        (found,) = system([make_article("a", text, path="a.txt", published=None)])
        return found

    return one


def test_a_round_with_its_investors(read: Read) -> None:
    found = read(
        "La start-up Zubrelle lève 3 millions d'euros, un tour mené par Kraz Ventures, avec "
        "Olmek et Truvo. Le fonds Bralt a décliné. Zubrelle est valorisée 20 millions d'euros."
    )
    (deal,) = found.deals
    assert deal.type is EventType.FINANCING
    assert deal.company.names == ("Zubrelle",)
    assert deal.amount is not None
    assert (deal.amount.bounds, deal.amount.currency) == ((Decimal(3_000_000), None), "EUR")
    assert [(i.party.names[0], i.role, i.commitment) for i in deal.investors] == [
        ("Kraz Ventures", InvestorRole.LEAD, Commitment.CONFIRMED),
        ("Olmek", InvestorRole.PARTICIPANT, Commitment.CONFIRMED),
        ("Truvo", InvestorRole.PARTICIPANT, Commitment.CONFIRMED),
        ("Bralt", InvestorRole.PARTICIPANT, Commitment.DECLINED),
    ]
    assert [v.money.bounds[0] for v in deal.valuations] == [Decimal(20_000_000)]


def test_a_takeover_without_a_sum(read: Read) -> None:
    (deal,) = read("Le groupe Olmek a racheté Zubrelle.").deals
    assert deal.type is EventType.ACQUISITION
    assert (deal.company.names, deal.amount) == (("Zubrelle",), None)
    assert [(i.party.names, i.role) for i in deal.investors] == [(("Olmek",), InvestorRole.BUYER)]


def test_the_company_told_last_gets_the_sum(read: Read) -> None:
    found = read("Le groupe Olmek a racheté Zubrelle. Elle avait levé 2 millions d'euros en 2020.")
    assert [(deal.company.names[0], deal.amount is not None) for deal in found.deals] == [
        ("Zubrelle", True)
    ]


def test_the_spans(read: Read) -> None:
    text = "La start-up Zubrelle lève 3 millions d'euros auprès de Kraz. Marie Prolt sourit."
    found = read(text)
    told = {text[span.start : span.end]: span.label for span in found.spans}
    assert told == {
        "Zubrelle": Label.COMPANY,
        "3 millions d'euros": Label.AMOUNT,
        "Kraz": Label.INVESTOR,
        "Marie Prolt": Label.PERSON,
    }
    (amount,) = [span for span in found.spans if span.label is Label.AMOUNT]
    assert amount.kind is AmountKind.DEAL
    assert amount == Span(amount.start, amount.end, Label.AMOUNT)


def test_a_text_without_a_deal(read: Read) -> None:
    assert read("Zubrelle ouvre un magasin.").deals == ()
    assert read("").deals == ()
