"""Names by their shape: what is a name, what only bears a capital."""

from __future__ import annotations

import pytest
from spacy.language import Language

import pipeline.components.shapes  # noqa: F401  (registers the component)
from pipeline.lexicon import load
from pipeline.schema import Label
from pipeline.shape import Found, HeadRow, NotANameRow, SuffixRow, find_names

COMMON = frozenset({"fondée", "selon", "banque", "hier", "mirabelle", "le", "caisse"})


def names(blank: Language, text: str) -> list[str]:
    """The names of a text of one sentence."""
    doc = blank(text)
    tokens = [token.text for token in doc]
    spaces = [bool(token.whitespace_) for token in doc]
    found = find_names(tokens, spaces, [i == 0 for i in range(len(doc))], COMMON.__contains__)
    return [doc[name.start : name.end].text for name in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("hier, il pleuvait", []),
        ("le fonds Alpha suit", ["Alpha"]),
        ("le fonds Alpha Ventures suit", ["Alpha Ventures"]),
        ("auprès d'Alpha et de Bêta Capital", ["Alpha", "Bêta Capital"]),
        ("la start-up iBulle et xAI", ["iBulle", "xAI"]),
        ("le fonds 360Capital", ["360Capital"]),
        ("avec Dupont & Fils", ["Dupont & Fils"]),
        ("le véhicule Montagne III", ["Montagne III"]),
        # a complement belongs to the names of institutions only
        ("avec la Caisse des Dépôts", ["Caisse des Dépôts"]),
        ("avec la Banque de Savoie", ["Banque de Savoie"]),
        ("la filiale Alpha de Bêta", ["Alpha", "Bêta"]),
        ("le groupe Crédit Agricole", ["Crédit Agricole"]),
        ("une Banque", []),
        # an article with a capital inside a sentence is part of the name
        ("avec La Ruche", ["La Ruche"]),
        ("avec Saint-Gobain", ["Saint-Gobain"]),
        # capitals that name no party
        ("le PDG et la PME", []),
        ("en France, à Quimper, en Bourse", []),
        ("les Français et les Américains", []),
        ("FRANCE", []),
        ("à la Une", []),
        # the first word of a sentence
        ("Fondée en mai", []),
        ("Mirabelle lève", []),
        ("Zubrelle lève", ["Zubrelle"]),
        ("Mirabelle Robotics lève", ["Mirabelle Robotics"]),
        ("Mirabelle lève, et c'est tant mieux pour Mirabelle", ["Mirabelle", "Mirabelle"]),
        ("Zubrelle ou zubrelle", []),
        ("« Selon lui »", []),
    ],
)
def test_names(blank: Language, text: str, expected: list[str]) -> None:
    assert names(blank, text) == expected


def test_labels(blank: Language) -> None:
    tokens = ["avec", "Marie", "Zubr", ",", "Zubr", "Capital", "et", "Zubrelle"]
    found = find_names(tokens, [True] * 8, [True] + [False] * 7, COMMON.__contains__)
    assert found == [
        Found(1, 3, Label.PERSON),
        Found(4, 6, Label.INVESTOR),
        Found(7, 8, Label.ORG),
    ]


@pytest.mark.parametrize("row", load("shapes", NotANameRow, "not_a_name"), ids=lambda r: r.kind)
def test_the_example_of_a_word_that_names_nobody(blank: Language, row: NotANameRow) -> None:
    assert names(blank, f"puis {row.example}") == []
    assert any(word in row.example.split() for word in row.words)


@pytest.mark.parametrize("row", load("shapes", HeadRow, "head"))
def test_the_example_of_a_head(blank: Language, row: HeadRow) -> None:
    assert names(blank, row.example) == ["Caisse des Dépôts"]


@pytest.mark.parametrize("row", load("shapes", SuffixRow, "suffix"))
def test_the_example_of_a_suffix(row: SuffixRow) -> None:
    tokens = row.example.split()
    (found,) = find_names(tokens, [True] * 2, [True, False], COMMON.__contains__)
    assert found.label == row.label


def test_the_component_sets_the_entities(blank_french: object) -> None:
    assert callable(blank_french)
    nlp = blank_french()
    nlp.add_pipe("fr_deals_sentences")
    nlp.add_pipe("fr_deals_shapes")
    doc = nlp("La start-up Zubrelle lève des fonds. Selon Zubr Capital, tant mieux.")
    assert [(ent.text, ent.label_) for ent in doc.ents] == [
        ("Zubrelle", "ORG"),
        ("Zubr Capital", "INVESTOR"),
    ]
