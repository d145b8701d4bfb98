"""The layer that answers questions about mentions: what it learns from, gives and keeps."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.tokens import Doc
from spacy.training import Example
from spacy.util import fix_random_seed

import pipeline.library  # noqa: F401  registers the components
from pipeline.attributes import (
    ASKED,
    ATTRIBUTES,
    COLUMN_OF,
    COLUMNS,
    SLICES,
    attribute_features,
    likeness,
    mean,
)
from pipeline.components.attributes import probabilities

TEXTS = ["Alpha lève 3 M€ .", "Bêta prête 2 M€ ."]
LEAD, LENDER = COLUMN_OF["role=lead"], COLUMN_OF["role=lender"]


def made() -> tuple[Language, list[Example]]:
    nlp = spacy.blank("fr_deals")
    encoder = {
        "@architectures": "spacy.HashEmbedCNN.v2", "width": 96, "depth": 1, "embed_size": 100,
        "window_size": 1, "maxout_pieces": 2, "subword_features": False, "pretrained_vectors": None,
    }  # fmt: skip
    nlp.add_pipe("tok2vec", config={"model": encoder})
    nlp.add_pipe("fr_deals_attributes")
    examples = []
    for text, column in zip(TEXTS, (LEAD, LENDER), strict=True):
        reference = nlp.make_doc(text)
        reference._.gold_attributes = [(0, [column])]
        examples.append(Example(nlp.make_doc(text), reference))
    fix_random_seed(7)
    nlp.initialize(lambda: examples)
    return nlp, examples


@pytest.fixture(scope="module")
def trained() -> Language:
    nlp, examples = made()
    for _ in range(30):
        nlp.update(examples)
    return nlp


def test_untrained_it_finds_every_answer_as_probable_as_another() -> None:
    nlp, _ = made()
    row = nlp(TEXTS[0])._.attributes[0]
    for name, answers in ATTRIBUTES.items():
        assert set(row[SLICES[name]].tolist()) == {round(10 / len(answers))}


def test_it_learns_what_it_is_told(trained: Language) -> None:
    lead, lender = (doc._.attributes[0] for doc in trained.pipe(TEXTS))
    assert lead[LEAD] > 8 > 2 > lead[LENDER]
    assert lender[LENDER] > 8 > 2 > lender[LEAD]


def test_one_row_a_token_one_column_an_answer(trained: Language) -> None:
    docs = list(trained.pipe(["", *TEXTS]))
    assert [doc._.attributes.shape for doc in docs] == [(len(doc), len(COLUMNS)) for doc in docs]
    assert trained("")._.attributes.shape == (0, len(COLUMNS))


def test_only_what_is_asked_at_a_told_token_has_a_gradient() -> None:
    nlp, examples = made()
    pipe: Any = nlp.get_pipe("fr_deals_attributes")
    scores = [np.ones((len(e.reference), len(COLUMNS)), np.float32) for e in examples]
    loss, gradients = pipe.get_loss(examples, scores)
    role = SLICES["role"]
    first = gradients[0]
    assert loss > 0
    assert not first[1:].any()
    assert not first[0, : role.start].any() and not first[0, role.stop :].any()
    assert first[0, LEAD] == pytest.approx(0.2 - 1)
    assert first[0, LENDER] == pytest.approx(0.2)


def test_the_answers_to_a_question_share_all_probability() -> None:
    rows = np.random.default_rng(7).normal(size=(5, len(COLUMNS))).astype(np.float32) * 50
    found = probabilities(rows)
    for own in SLICES.values():
        np.testing.assert_allclose(found[:, own].sum(axis=1), 1, rtol=1e-5)


def test_it_is_kept(trained: Language, tmp_path: Path) -> None:
    trained.to_disk(tmp_path)
    loaded = spacy.load(tmp_path)
    for text in TEXTS:
        assert (loaded(text)._.attributes == trained(text)._.attributes).all()
    doc = trained(TEXTS[0])
    again = Doc(trained.vocab).from_bytes(doc.to_bytes())
    assert np.array_equal(again._.attributes, doc._.attributes)


def tenths(**answers: int) -> list[int]:
    row = [0] * len(COLUMNS)
    for column, count in answers.items():
        row[COLUMN_OF[column.replace("_is_", "=")]] = count
    return row


def test_features_are_of_what_is_asked_and_step_by_step() -> None:
    row = tenths(role_is_lead=8, role_is_buyer=1, kind_is_deal=10, type_is_ipo=5)
    assert attribute_features("party", row) == [
        "t:type=ipo>1", "t:type=ipo>4", "t:role=lead>1", "t:role=lead>4", "t:role=lead>7"
    ]  # fmt: skip
    assert "t:kind=deal>7" in attribute_features("money", row)
    assert all(attribute_features(sort, []) == [] for sort in ASKED)


def test_the_mean_passes_over_what_was_not_read() -> None:
    assert mean([[2, 4], [], [4, 0]]) == [3, 2]
    assert mean([[], []]) == [] == mean([])


def test_likeness_says_how_probably_two_speak_of_one_sort_of_deal() -> None:
    sold = tenths(type_is_acquisition=10, status_is_closed=6, status_is_planned=4)
    listed = tenths(type_is_ipo=10, status_is_closed=10)
    assert likeness(sold, sold) == ["alike:type>0.3", "alike:type>0.6", "alike:type>0.9",
                                    "alike:status>0.3"]  # fmt: skip
    assert likeness(sold, listed) == ["alike:status>0.3"]
    assert likeness(sold, []) == []
