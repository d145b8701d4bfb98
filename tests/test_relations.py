"""Relation rules: every row fires in its example; the pattern language does what it says."""

from __future__ import annotations

import re

import pytest
import spacy
from clock import cost
from spacy.language import Language

from pipeline.cues import CueMatcher
from pipeline.errors import LexiconError
from pipeline.lexicon import load, parse
from pipeline.relations import (
    Match,
    RelationRow,
    Relations,
    WordsRow,
    decide,
    relations,
)
from pipeline.view import View, read_view

RULES = load("relations", RelationRow, "rule")
WORDS = load("relations", WordsRow, "words")
_NAME = re.compile(r"\[([^\]]+)\]")


@pytest.fixture(scope="module")
def reader() -> tuple[Language, CueMatcher]:
    nlp = spacy.blank("fr", config={"nlp": {"tokenizer": {"@tokenizers": "fr_deals.Tokenizer.v1"}}})
    nlp.add_pipe("fr_deals_sentences")
    nlp.add_pipe("fr_deals_mentions")
    return nlp, CueMatcher(nlp)


def see(reader: tuple[Language, CueMatcher], marked: str, label: str = "ORG") -> View:
    """The view of a text in which the names stand in square brackets."""
    nlp, find_cues = reader
    places, text, end = [], "", 0
    for name in _NAME.finditer(marked):
        text += marked[end : name.start()]
        places.append((len(text), len(text) + len(name[1])))
        text += name[1]
        end = name.end()
    doc = nlp.make_doc(text + marked[end:])
    spans = [doc.char_span(*place, label=label) for place in places]
    assert None not in spans, f"a name of {marked!r} cuts a token"
    doc.ents = [span for span in spans if span is not None]
    for _, pipe in nlp.pipeline:
        doc = pipe(doc)
    return read_view(doc, find_cues)


def rules(*rows: tuple[str, str]) -> Relations:
    """Rules r0, r1 … of patterns and their slots: ("N:company lève", "company")."""
    made = [
        RelationRow(
            id=f"r{number}",
            pattern=pattern,
            slots=dict.fromkeys(slots.split(), ("x",)),
            example="x",
        )
        for number, (pattern, slots) in enumerate(rows)
    ]
    return Relations(made, WORDS)


def said(matches: list[Match]) -> list[dict[str, list[str]]]:
    return [
        {slot: [item.text for item in items] for slot, items in match.slots.items()}
        for match in matches
    ]


def test_the_ids_are_unique() -> None:
    ids = [row.id for row in RULES]
    assert len(ids) == len(set(ids)) > 100


@pytest.mark.parametrize("row", RULES, ids=lambda row: row.id)
def test_the_example_fires_with_exactly_its_slots(
    reader: tuple[Language, CueMatcher], row: RelationRow
) -> None:
    found = [m for m in relations().find(see(reader, row.example)) if m.rule == row.id]
    wanted = {slot: list(texts) for slot, texts in row.slots.items()}
    assert said(found) == [wanted]


@pytest.mark.parametrize("row", WORDS, ids=lambda row: row.name)
def test_the_words_fire_in_their_example(
    reader: tuple[Language, CueMatcher], row: WordsRow
) -> None:
    """Each class by itself between any two stretches of the example."""
    alone = Relations(
        [RelationRow(id="r", pattern=f"{{{row.name}}}", slots={}, example="x")], WORDS
    )
    assert alone.find(see(reader, row.example))


def test_every_class_is_used() -> None:
    grammar = {"stop", "determiner", "noun", "preposition", "join", "late_join", "kin", "de"}
    used = {name for row in RULES for name in re.findall(r"\{([^}]+)\}", row.pattern)}
    assert {row.name for row in WORDS} - grammar - used == set()


def test_the_label_plays_no_part(reader: tuple[Language, CueMatcher]) -> None:
    text = "[Alpha] lève 3 M€ auprès de [Bêta]."
    found = [
        said(relations().find(see(reader, text, label)))
        for label in ("ORG", "COMPANY", "INVESTOR", "PERSON")
    ]
    assert found[0]
    assert all(one == found[0] for one in found)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("avec [A1].", ["A1"]),
        ("avec [A1] et [B2].", ["A1", "B2"]),
        ("avec [A1], [B2] et [C3].", ["A1", "B2", "C3"]),
        ("avec le fonds lyonnais [A1], la banque [B2] ainsi que [C3].", ["A1", "B2", "C3"]),
        ("avec [A1] (ex-[B2]) et [C3].", ["A1", "C3"]),
        ("avec [A1], filiale de [B2], et [C3].", ["A1", "C3"]),
        ("avec [A1], un fonds texan, et [C3].", ["A1", "C3"]),
        ("avec [A1], [B2], [C3] et enfin [D4].", ["A1", "B2", "C3"]),
        ("avec [A1], [B2], [C3].", ["A1", "B2", "C3"]),
        # two names beside a comma are no enumeration: the second begins the main clause
        ("avec [A1], [B2] lève des fonds.", ["A1"]),
        ("avec [A1] et compte [B2] parmi ses clients.", ["A1"]),
        ("avec [A1] et accompagnée par [B2].", ["A1"]),
    ],
)
def test_enumerations(reader: tuple[Language, CueMatcher], text: str, names: list[str]) -> None:
    found = rules(("avec L:investor", "investor")).find(see(reader, f"Un tour {text}"))
    assert said(found) == [{"investor": names}]


@pytest.mark.parametrize(
    "subject",
    [
        "[Alpha]",
        "La start-up lyonnaise [Alpha]",
        "[Alpha] (Lyon)",
        "[Alpha], spécialiste de la paie,",
        "[Alpha] – un éditeur de logiciels –",
        "[Alpha] (Lyon), filiale de [Bêta],",
        "« [Alpha] »",
    ],
)
def test_what_stands_between_a_subject_and_its_verb(
    reader: tuple[Language, CueMatcher], subject: str
) -> None:
    found = rules(("N:company ~3 lève S:amount", "company amount")).find(
        see(reader, f"{subject} lève 3 M€.")
    )
    assert said(found) == [{"company": ["Alpha"], "amount": ["3 M€"]}]


@pytest.mark.parametrize(
    "text",
    [
        "[Alpha] ne lève 3 M€.",  # a gap passes over no negation
        "Avec [Alpha] lève 3 M€.",  # the name hangs on a preposition
        "Le patron de [Alpha] lève 3 M€.",
        "Avec [Bêta] et [Alpha] lève 3 M€.",
        "[Alpha]. Il lève 3 M€.",  # another sentence
        "[Alpha] un deux trois quatre lève 3 M€.",  # more words than the gap allows
    ],
)
def test_what_is_no_subject(reader: tuple[Language, CueMatcher], text: str) -> None:
    assert not rules(("N:company ~3 lève", "company")).find(see(reader, text))


def test_elements(reader: tuple[Language, CueMatcher]) -> None:
    def fires(pattern: str, text: str) -> bool:
        return bool(rules((pattern, "")).find(see(reader, text)))

    assert fires("le|la chat", "Voici la chat.")
    assert not fires("le|la chat", "Voici un chat.")
    assert fires("le gros? chat", "le chat")
    assert fires("le [ très gros ] chat", "le très gros chat")
    assert fires("chat ..3 chien", "chat, Alpha : chien")
    assert not fires("chat ~3 chien", "chat, Alpha : chien")
    assert fires("chat !noir", "chat blanc")
    assert not fires("chat !noir", "chat noir")
    assert fires("<!le chat", "un chat")
    assert not fires("<!le chat", "le chat")
    assert fires("^ le chat", "le chat")
    assert not fires("^ le chat", "puis le chat")
    assert fires("D ~1 S", "mardi, 3 M€") is False
    assert fires("D , S", "mardi, 3 M€")
    assert fires("l' un", "L’un")


def test_a_strict_head_passes_over_no_de(reader: tuple[Language, CueMatcher]) -> None:
    text = "le fonds de [Alpha]"
    assert rules(("fonds N:investor", "investor")).find(see(reader, text))
    assert not rules(("fonds .N:investor", "investor")).find(see(reader, text))
    assert rules(("fonds .N:investor", "investor")).find(see(reader, "le fonds lyonnais [Alpha]"))


def test_matches_stand_in_text_order(reader: tuple[Language, CueMatcher]) -> None:
    made = rules(("chez N:company", "company"), ("N:buyer lève", "buyer"))
    view = see(reader, "[A1] lève chez [B2]. Puis chez [C3].")
    found = made.find(view)
    assert [(match.sent, match.rule) for match in found] == [(0, "r1"), (0, "r0"), (1, "r0")]
    assert made.find(view) == found


def test_an_empty_document_has_no_match(reader: tuple[Language, CueMatcher]) -> None:
    assert relations().find(see(reader, "")) == []
    assert relations().find(see(reader, "Il pleut.")) == []


def test_a_faulty_row_is_refused() -> None:
    with pytest.raises(LexiconError, match="r0: 'nowhere'"):
        rules(("{nowhere} N", ""))
    with pytest.raises(LexiconError, match="r0: slots differ"):
        rules(("N:company lève", "buyer"))
    with pytest.raises(LexiconError, match="r0: "):
        rules(("N:company [ lève", "company"))
    row = '[[rule]]\nid = "x"\npattern = "N:boss"\nexample = "[A]"\nslots = {boss = ["A"]}\n'
    with pytest.raises(LexiconError, match="unknown slot boss"):
        parse(row, "relations.toml", RelationRow, "rule")


@pytest.mark.parametrize(
    "stretch",
    [
        "[Alpha], ",
        "[Alpha] et ",
        "avec [Alpha] (un fonds), ",
        "le fonds [Alpha] lève mené par ",
        "[Alpha] a levé 3 M€ et ",
        "mené par le fonds de la société de ",
        "( , ",
    ],
)
def test_long_sentences_take_linear_time(reader: tuple[Language, CueMatcher], stretch: str) -> None:
    """Ten times the text may take thirty times as long, and never seconds."""

    def seconds(times: int) -> float:
        view = see(reader, stretch * times)
        return cost(relations().find, view)

    seconds(10)  # the rules are compiled
    short = max(seconds(200), 0.01)
    assert seconds(2000) < 30 * short


def test_parties_are_decided_by_priority_and_count(
    reader: tuple[Language, CueMatcher],
) -> None:
    made = rules(
        ("N:company lève", "company"), ("chez N:bystander", "bystander"), ("avec L:lead", "lead")
    )

    def labels(text: str) -> dict[str, str]:
        view = see(reader, text)
        decided = decide(view, made.find(view))
        return {view.parties[party][0].text: label for party, label in decided.items()}

    assert labels("[Alpha] lève avec [Bêta]. [Gamma] part.") == {
        "Alpha": "COMPANY",
        "Bêta": "INVESTOR",
    }
    # once each: a company before an investor, an investor before a bystander
    assert labels("[Alpha] lève. Un tour avec [Alpha].") == {"Alpha": "COMPANY"}
    assert labels("Il est chez [Alpha]. Un tour avec [Alpha].") == {"Alpha": "INVESTOR"}
    # more mentions win
    assert labels("[Alpha] lève. Il est chez [Alpha], puis chez [Alpha].") == {"Alpha": "ORG"}
