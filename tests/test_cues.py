"""Cue words: every row of the lexicon fires in its own example and in every spelling."""

from __future__ import annotations

import pytest
from spacy.language import Language

from pipeline.cues import Cue, CueMatcher, CueRow, expand
from pipeline.deals import OPERATION_CUES
from pipeline.errors import LexiconError
from pipeline.lexicon import load, parse

ROWS = load("cues", CueRow, "cue")


@pytest.fixture(scope="module")
def find(blank: Language) -> CueMatcher:
    return CueMatcher(blank)


def test_ids_are_unique() -> None:
    ids = [row.id for row in ROWS]
    assert len(ids) == len(set(ids))


def test_two_rows_with_one_id_are_refused() -> None:
    row = '[[cue]]\nid = "x"\ncategory = "y"\nforms = ["{0}"]\nexample = "{0}"\n'
    with pytest.raises(LexiconError, match="row 2: 'x' already stands in row 1"):
        parse(row.format("un") + row.format("deux"), "cues.toml", CueRow, "cue")


@pytest.mark.parametrize("apostrophe", ["'", "’"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_the_example_fires_its_own_row(
    blank: Language, find: CueMatcher, row: CueRow, apostrophe: str
) -> None:
    cues = find(blank(row.example.replace("'", apostrophe)))
    assert (row.id, row.category) in {(cue.rule, cue.category) for cue in cues}


@pytest.mark.parametrize("apostrophe", ["'", "’"])
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.id)
def test_every_spelling_fires_before_a_name(
    blank: Language, find: CueMatcher, row: CueRow, apostrophe: str
) -> None:
    silent = []
    for form in row.forms:
        for spelling in expand(form):
            spelling = spelling.replace("'", apostrophe)
            assert not {"(", ")"} & set(spelling)
            doc = blank(f"Puis {spelling}{'' if spelling[-1] == apostrophe else ' '}Alpha suit.")
            found = (doc[cue.start : cue.end].text for cue in find(doc) if cue.rule == row.id)
            if not any(spelling in text for text in found):
                silent.append(spelling)
    assert not silent


@pytest.mark.parametrize(
    ("form", "spellings"),
    [
        ("prêt", ["prêt"]),
        ("levé(e)(s)", ["levé", "levés", "levée", "levées"]),
        ("en Bourse", ["en Bourse"]),
        ("introduit(e) en Bourse", ["introduit en Bourse", "introduite en Bourse"]),
    ],
)
def test_expand(form: str, spellings: list[str]) -> None:
    assert list(expand(form)) == spellings


def test_cues_are_token_ranges_in_text_order(blank: Language, find: CueMatcher) -> None:
    doc = blank("Un tour mené par Alpha, avec la participation de Bêta.")
    cues = find(doc)
    assert cues == sorted(cues, key=lambda cue: (cue.start, cue.end, cue.rule))
    texts = {cue.rule: doc[cue.start : cue.end].text for cue in cues}
    assert texts["lead.par"] == "mené par"
    assert texts["participant.avec"] == "avec la participation de"
    assert Cue(2, 4, "lead_next", "lead.par") in cues


def test_of_one_rule_the_longest_stays(blank: Language, find: CueMatcher) -> None:
    doc = blank("une levée de fonds")
    found = [doc[c.start : c.end].text for c in find(doc) if c.rule == "financing.levee"]
    assert found == ["levée de fonds"]


def test_case_does_not_matter(blank: Language, find: CueMatcher) -> None:
    assert "financing.levee" in {cue.rule for cue in find(blank("LEVÉE DE FONDS"))}


def test_an_empty_text_has_no_cue(blank: Language, find: CueMatcher) -> None:
    assert find(blank("")) == []
    assert find(blank("Bonjour")) == []


def test_the_code_names_no_category_that_the_lexicon_lacks() -> None:
    assert {row.category for row in ROWS} >= OPERATION_CUES
