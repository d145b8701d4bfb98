"""One set of mentions: what is a sum, a date, a name, and which names are one party."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal

import pytest
from spacy.language import Language
from spacy.tokens import Doc, DocBin

from pipeline.codes import NOMINALS, read_money
from pipeline.components.mentions import NominalRow
from pipeline.lexicon import load
from pipeline.schema import Qualifier

NAMES = {
    "Alpha": "COMPANY",
    "Alpha Robotics": "COMPANY",
    "Bêta": "ORG",
    "Garonne": "INVESTOR",
    "Sam Rey": "PERSON",
    "Rey": "PERSON",
    "La start-up": "NOM_COMPANY",
    "la start-up": "NOM_COMPANY",
    "ce dernier": "NOM_INVESTOR",
    "le fonds": "NOM_INVESTOR",
    "plusieurs business angels": "GROUP",
    "des proches": "GROUP",
    "série B": "ROUND",
    "dette": "INSTRUMENT",
    "des milliards": "AMOUNT",
    "40 millions d'euros": "VALUATION",
    "12": "ORG",
    "14": "AMOUNT",
    "mai": "ORG",
    "ce printemps": "DATE",
    "la rentrée des classes": "DATE",
}


@pytest.fixture(scope="module")
def read(blank_french: Callable[[], Language]) -> Language:
    nlp = blank_french()
    nlp.add_pipe("fr_deals_sentences")
    ruler = nlp.add_pipe("entity_ruler")
    ruler.add_patterns([{"label": label, "pattern": name} for name, label in NAMES.items()])
    nlp.add_pipe("fr_deals_mentions")
    return nlp


def labels(doc: Doc) -> list[tuple[str, str]]:
    return [(span.text, span.label_) for span in doc.ents]


def test_names_sums_and_dates(read: Language) -> None:
    doc = read("Alpha lève 3 M€ en mai 2023, en série B, avec Garonne, et de la dette.")
    assert labels(doc) == [
        ("Alpha", "COMPANY"),
        ("3 M€", "AMOUNT"),
        ("mai 2023", "DATE"),
        ("série B", "ROUND"),
        ("Garonne", "INVESTOR"),
        ("dette", "INSTRUMENT"),
    ]


def test_a_sum_carries_its_value(read: Language) -> None:
    (span,) = read("Elle lève au moins 12 millions d'euros.").ents
    money = read_money(span.id_)
    assert (money.value, money.currency) == (Decimal(12000000), "EUR")
    assert money.qualifier is Qualifier.AT_LEAST
    assert span.text == "12 millions d'euros"


def test_a_sum_beats_a_name(read: Language) -> None:
    assert labels(read("Il a 12 millions d'euros.")) == [("12 millions d'euros", "AMOUNT")]


def test_a_date_beats_a_name(read: Language) -> None:
    assert labels(read("Il part en mai 2023.")) == [("mai 2023", "DATE")]


def test_a_sum_that_cannot_be_read_is_none(read: Language) -> None:
    assert labels(read("Alpha veut des milliards.")) == [("Alpha", "COMPANY")]


def test_the_names_of_the_ner_tell_a_worth_from_a_sum(read: Language) -> None:
    first, second = read("Alpha lève 3 M€ et vaut 40 millions d'euros.").ents[1:]
    assert read_money(first.id_).kind == ""
    assert read_money(second.id_).kind == "VALUATION"


def test_a_bare_number_that_the_ner_takes_for_a_sum_is_one(read: Language) -> None:
    doc = read("Alpha lève 40 millions d'euros, Bêta (14) aussi.")
    (sum_,) = [ent for ent in doc.ents if ent.text == "14"]
    assert sum_.label_ == "AMOUNT"
    assert read_money(sum_.id_).value == 14_000_000


def test_a_conversion_knows_what_it_converts(read: Language) -> None:
    first, second = (read_money(span.id_) for span in read("Il lève 335 M$ (293 M€).").ents)
    assert first.converts is None
    assert second.converts == first.number


def test_dates_are_resolved_against_the_article(read: Language) -> None:
    doc = read.make_doc("Alpha lève 3 M€ l'an dernier.")
    doc._.published = "2026-03-12"
    assert [span.id_ for span in read(doc).ents if span.label_ == "DATE"] == ["2025"]
    undated = read("Alpha lève 3 M€ l'an dernier.")
    assert [(s.text, s.id_) for s in undated.ents if s.label_ == "DATE"] == [("l'an dernier", "")]


def test_the_head_of_an_article_dates_it_and_is_no_mention(read: Language) -> None:
    doc = read(" date 2026-01-20 Alpha a levé 3 M€ en 2025.")
    assert doc._.published == "2026-01-20"
    assert labels(doc) == [("Alpha", "COMPANY"), ("3 M€", "AMOUNT"), ("2025", "DATE")]


def test_a_given_date_stays(read: Language) -> None:
    doc = read.make_doc(" date 2026-01-20 Alpha lève.")
    doc._.published = "2024-05-01"
    assert read(doc)._.published == "2024-05-01"


def test_the_names_of_one_party_share_a_number(read: Language) -> None:
    doc = read("Alpha Robotics et Garonne. Alpha suit. Sam Rey parle, Rey part.")
    full, fund, short, person, family = (span.id_ for span in doc.ents)
    assert full == short
    assert person == family
    assert len({full, fund, person}) == 3


def test_each_group_without_a_name_is_a_party(read: Language) -> None:
    ids = [s.id_ for s in read("Alpha, plusieurs business angels et des proches.").ents]
    assert len(set(ids)) == 3
    assert all(ids)


def test_a_description_is_no_entity_and_stands_for_a_party(read: Language) -> None:
    doc = read("Alpha lève 3 M€ avec Garonne. La start-up grandit, le fonds aussi.")
    by_text = {span.text: span for span in doc.ents}
    assert "La start-up" not in by_text
    found = [(span.text, span.label_, span.id_) for span in doc.spans[NOMINALS]]
    assert found == [
        ("La start-up", "NOM_COMPANY", by_text["Alpha"].id_),
        ("le fonds", "NOM_INVESTOR", by_text["Garonne"].id_),
    ]


def test_a_description_may_come_before_the_name(read: Language) -> None:
    doc = read("La start-up grandit. Alpha lève 3 M€.")
    assert [span.id_ for span in doc.spans[NOMINALS]] == [doc.ents[0].id_]


def test_the_latter_is_the_nearest_name(read: Language) -> None:
    doc = read("Garonne suit Bêta ; ce dernier part. Alpha reste.")
    named = {span.text: span.id_ for span in doc.ents}
    assert [span.id_ for span in doc.spans[NOMINALS]] == [named["Bêta"]]


def resolved(read: Language, text: str, *found: tuple[str, str, str]) -> Doc:
    """Where the NER finds only the first place of each name: text, label, odds."""
    doc = read.get_pipe("fr_deals_sentences")(read.make_doc(text))
    at = {name: text.index(name) for name, _, _ in found}
    spans = [doc.char_span(at[n], at[n] + len(n), label, kb_id=odds) for n, label, odds in found]
    doc.ents = [span for span in spans if span is not None]
    return read.get_pipe("fr_deals_mentions")(doc)


def test_a_name_that_stands_again_is_found_again(read: Language) -> None:
    doc = resolved(read, "Omble lève. On parle d'Omble et d'Omble Sud.", ("Omble", "ORG", "ORG=9"))
    assert [(e.start_char, e.text, e.label_, e.kb_id_) for e in doc.ents] == [
        (0, "Omble", "ORG", "ORG=9"),
        (23, "Omble", "ORG", "ORG=9"),
    ]
    assert len({ent.id_ for ent in doc.ents}) == 1


def test_of_two_names_that_begin_alike_the_longer_is_found(read: Language) -> None:
    text = "Omble lève. Omble du Nord vend. On parle d'Omble du Nord."
    doc = resolved(read, text, ("Omble", "ORG", ""), ("Omble du Nord", "COMPANY", ""))
    assert [ent.text for ent in doc.ents] == ["Omble", "Omble du Nord", "Omble du Nord"]


@pytest.mark.parametrize(
    "text",
    [
        "omble gagne. Un omble nage.",
        "Omble lève. Un omble nage.",
        "Omble lève. Le Vieux Omble vend.",
    ],
)
def test_other_words_are_no_such_name(read: Language, text: str) -> None:
    name = text.split()[0]
    assert labels(resolved(read, text, (name, "ORG", ""))) == [(name, "ORG")]


def test_a_description_stands_for_what_may_be_its_party(read: Language) -> None:
    text = "Omble et Tanche parlent. La start-up recrute."
    unsure = resolved(read, text, ("Omble", "ORG", "ORG=7 COMPANY=3"), ("Tanche", "ORG", "ORG=9"))
    assert unsure.spans[NOMINALS][0].id_ == unsure.ents[0].id_
    sure = resolved(read, text, ("Omble", "ORG", "COMPANY=3"), ("Tanche", "COMPANY", "COMPANY=9"))
    assert sure.spans[NOMINALS][0].id_ == sure.ents[1].id_


def test_a_description_without_any_name_stays_open(read: Language) -> None:
    doc = read("La start-up lève 3 M€.")
    assert [span.id_ for span in doc.spans[NOMINALS]] == [""]


@pytest.mark.parametrize("apostrophe", ["'", "’"])
@pytest.mark.parametrize(
    "row", load("nominals", NominalRow, "nominal"), ids=lambda row: row.forms[0]
)
def test_the_example_of_a_description_fires_it(
    read: Language, row: NominalRow, apostrophe: str
) -> None:
    example = row.example.replace("'", apostrophe)
    doc = read(f"Alpha et Garonne. {example}")
    found = {span.text.lower().replace("’", "'") for span in doc.spans[NOMINALS] if span.id_}
    assert found & {form.lower() for form in row.forms}


@pytest.mark.parametrize("text", ["", " ", "\n", "Bonjour", "3", "€"])
def test_short_texts(read: Language, text: str) -> None:
    doc = read(text)
    assert doc.text == text
    assert not doc.ents
    assert not doc.spans[NOMINALS]


TEXT = "Alpha lève 3 M€ en mai 2023 avec Garonne. La start-up grandit."


def _ids(doc: Doc) -> list[tuple[str, str, str]]:
    return [(s.text, s.label_, s.id_) for s in [*doc.ents, *doc.spans[NOMINALS]]]


def test_ids_survive_bytes(read: Language) -> None:
    doc = read(TEXT)
    copy = Doc(read.vocab).from_bytes(doc.to_bytes())
    assert _ids(copy) == _ids(doc)
    (binned,) = DocBin(docs=[doc]).get_docs(read.vocab)
    assert [span.id_ for span in binned.ents] == [span.id_ for span in doc.ents]


def test_pipe_equals_call(read: Language) -> None:
    texts = [TEXT, "", "Bonjour"]
    assert [_ids(doc) for doc in read.pipe(texts)] == [_ids(read(text)) for text in texts]
