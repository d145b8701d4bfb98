"""The poorer readings that the whole is held against."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path

import pytest
import spacy
from handmade import TEXT, event, mention
from spacy.language import Language

from evaluation import baselines, systems
from evaluation.baselines import one_deal
from evaluation.gold import Span, make_article
from evaluation.systems import prediction
from pipeline import library
from pipeline.schema import AmountKind, Article, Label, TypedMention

ARTICLE = make_article("a", TEXT, path="a.txt", published=None)


def entity(words: str, label: str) -> tuple[int, int, str]:
    place = mention(TEXT, words)
    return place.start, place.end, label


def test_all_mentions_of_an_article_make_one_deal() -> None:
    found = one_deal(
        [
            entity("Novalune", "COMPANY"),
            entity("12 millions d'euros", "AMOUNT"),
            entity("Fonds Garonne", "INVESTOR"),
            entity("Piloni", "INVESTOR"),
        ],
        ARTICLE,
    )
    (deal,) = found.deals
    assert deal.company.names == ("Novalune",)
    assert deal.amount is not None
    assert (deal.amount.bounds, deal.amount.currency) == ((Decimal(12_000_000), None), "EUR")
    assert [i.party.names[0] for i in deal.investors] == ["Fonds Garonne", "Piloni"]
    assert len(found.spans) == 4


def test_no_company_no_deal_and_other_labels_are_no_mentions() -> None:
    found = one_deal([entity("Piloni", "INVESTOR"), entity("auprès", "NOM_COMPANY")], ARTICLE)
    assert found.deals == ()
    assert [span.label for span in found.spans] == [Label.INVESTOR]


def test_the_first_organisation_is_the_company(monkeypatch: pytest.MonkeyPatch) -> None:
    nlp = spacy.blank("fr")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns(  # type: ignore[attr-defined]
        [{"label": "ORG", "pattern": name} for name in ("Novalune", "Fonds Garonne", "Piloni")]
    )
    monkeypatch.setattr(spacy, "load", lambda name, enable: nlp)
    empty = make_article("b", "Il pleut.", path="b.txt", published=None)
    found, nothing = baselines.baseline()([ARTICLE, empty])
    (deal,) = found.deals
    assert deal.company.names == ("Novalune",)
    assert deal.amount is not None
    assert (deal.amount.bounds[0], deal.amount.currency) == (Decimal(12_000_000), "EUR")
    assert [i.party.names[0] for i in deal.investors] == ["Fonds Garonne", "Piloni"]
    assert {TEXT[s.start : s.end]: s.label for s in found.spans} == {
        "Novalune": Label.COMPANY,
        "Fonds Garonne": Label.INVESTOR,
        "Piloni": Label.INVESTOR,
        "12 millions d'euros": Label.AMOUNT,
    }
    assert nothing.deals == nothing.spans == ()


@pytest.mark.parametrize(
    ("text", "value", "currency"),
    [
        ("2,5 Md€", 2_500_000_000, "EUR"),
        ("3 milliards de dollars", 3, None),
        ("3 milliards $", 3_000_000_000, "USD"),
        ("1.5 M€", 1_500_000, "EUR"),
        ("40 dollars", 40, "USD"),
    ],
)
def test_the_plain_amount_expression(text: str, value: int, currency: str | None) -> None:
    match = baselines.AMOUNT.search(text)
    if currency is None:
        assert match is None
    else:
        assert match is not None
        amount = baselines.amount_fact(match)
        assert (amount.bounds, amount.currency) == ((Decimal(value), None), currency)


def backers() -> Language:
    """A pipeline whose "ner" knows two names, and whose other pipe would spoil them."""
    nlp = spacy.blank("fr")
    ruler = nlp.add_pipe("entity_ruler", name="ner")
    ruler.add_patterns(  # type: ignore[attr-defined]
        [{"label": "COMPANY", "pattern": "Novalune"}, {"label": "INVESTOR", "pattern": "Piloni"}]
    )
    spoiler = nlp.add_pipe("entity_ruler", name="rules", config={"overwrite_ents": True})
    spoiler.add_patterns([{"label": "ORG", "pattern": "Piloni"}])  # type: ignore[attr-defined]
    return nlp


def test_the_ner_alone_reads_without_the_rules(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(library, "load", backers)
    (found,) = systems.ner_only()([ARTICLE])
    assert [span.label for span in found.spans] == [Label.COMPANY, Label.INVESTOR]
    assert found.deals[0].investors[0].party.names == ("Piloni",)


def test_the_pipeline_is_loaded_as_each_system_needs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, list[str]]] = []

    def load(model: object = None, *, exclude: Iterable[str] = ()) -> str:
        calls.append((model, list(exclude)))
        return "nlp"

    def read_deals(nlp: str, articles: Iterable[Article]) -> Iterator[library.Reading]:
        assert nlp == "nlp"
        for article in articles:
            yield library.Reading(article, (event(TEXT, "Novalune"),), ())

    monkeypatch.setattr(library, "load", load)
    monkeypatch.setattr(library, "read_deals", read_deals)
    for system in (systems.whole(), systems.whole(Path("other"))):
        (found,) = system([ARTICLE])
        assert found.deals[0].company.names == ("Novalune",)
    assert calls == [(None, []), (Path("other"), [])]


def test_a_reading_becomes_a_prediction() -> None:
    place = mention(TEXT, "12 millions d'euros")
    typed = TypedMention(
        **place.model_dump(), article="a", label=Label.AMOUNT, kind=AmountKind.DEAL
    )
    made = prediction([event(TEXT, "Novalune")], [typed])
    assert made.spans == (Span(14, 33, Label.AMOUNT),)
    assert made.spans[0].kind is AmountKind.DEAL
    assert made.deals[0].company.names == ("Novalune",)
