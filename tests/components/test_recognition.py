"""The NER that reads sentences side by side: spaCy's answers, its oracle, and its certainty."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.pipeline import EntityRecognizer
from spacy.tokens import Doc, Span
from spacy.training import Example
from spacy.util import fix_random_seed

from pipeline.codes import read_odds
from pipeline.components import recognition
from pipeline.library import plain
from pipeline.markup import parse_folder
from pipeline.schema import NAME_LABELS


@pytest.fixture(scope="module")
def texts(root: Path) -> list[str]:
    articles = parse_folder(root / "annotations" / "train")
    return ["", " ", "\n\n", "Alpha", *(plain(article.text) for article in articles[:60])]


def encoded(nlp: Language, texts: list[str]) -> list[Doc]:
    """Documents that the encoder has read and the NER has not."""
    with nlp.select_pipes(enable=["fr_deals_sentences", "tok2vec"]):
        return list(nlp.pipe(texts))


def entities(doc: Doc) -> list[tuple[int, int, str]]:
    return [(span.start, span.end, span.label_) for span in doc.ents]


def test_the_entities_are_those_of_spacys_decoder(nlp: Language, texts: list[str]) -> None:
    ner: Any = nlp.get_pipe("ner")
    ours, theirs = encoded(nlp, texts), encoded(nlp, texts)
    ner.set_annotations(ours, ner.predict(ours))
    EntityRecognizer.set_annotations(ner, theirs, EntityRecognizer.predict(ner, theirs))
    assert [entities(doc) for doc in ours] == [entities(doc) for doc in theirs]
    assert sum(len(doc.ents) for doc in ours) > 300


def test_a_document_is_read_alike_alone_and_among_others(nlp: Language, texts: list[str]) -> None:
    ner: Any = nlp.get_pipe("ner")
    docs = encoded(nlp, texts)
    assert [ner.predict([doc])[0] for doc in docs] == ner.predict(docs)


def test_every_name_says_how_probable_its_label_was(nlp: Language, texts: list[str]) -> None:
    ner: Any = nlp.get_pipe("ner")
    docs = encoded(nlp, texts)
    ner.set_annotations(docs, ner.predict(docs))
    names = [span for doc in docs for span in doc.ents if span.label_ in NAME_LABELS]
    odds = [read_odds(span.kb_id_) for span in names]
    assert all(sum(tenths.values()) <= 12 for tenths in odds)  # each of them is rounded
    sure = sum(
        max(tenths, key=lambda label: tenths[label]) == span.label_
        for tenths, span in zip(odds, names, strict=True)
        if tenths
    )
    assert sure > 0.97 * len(names)
    assert any(len(tenths) > 1 for tenths in odds)
    assert any(tenths == {span.label_: 10} for tenths, span in zip(odds, names, strict=True))


def test_what_leaves_the_pipeline_bears_no_odds(nlp: Language, texts: list[str]) -> None:
    assert all(span.kb_id_ == "" for doc in nlp.pipe(texts) for span in doc.ents)


# ---- learning ----------------------------------------------------------------------------------

TEXT = "Alpha Rive lève cinq millions auprès de Fonds Garonne et de Bêta ."


def gold(nlp: Language, *entities: tuple[int, int, str]) -> Example:
    reference = Doc(nlp.vocab, words=TEXT.split())
    predicted = reference.copy()
    reference.ents = [Span(reference, *entity) for entity in entities]
    return Example(predicted, reference)


def recognizer(*examples: tuple[tuple[int, int, str], ...]) -> tuple[Language, list[Example]]:
    nlp = spacy.blank("fr")
    fix_random_seed(7)
    nlp.add_pipe("fr_deals_ner", name="ner")
    taught = [gold(nlp, *entities) for entities in examples]
    nlp.initialize(lambda: taught)
    return nlp, taught


ROUND = ((0, 2, "COMPANY"), (3, 5, "AMOUNT"), (7, 9, "INVESTOR"), (11, 12, "INVESTOR"))
BARE = ((11, 12, "INVESTOR"),)


@pytest.mark.parametrize("entities", [ROUND, BARE, ()])
def test_the_right_moves_are_those_that_cost_spacy_nothing(
    entities: tuple[tuple[int, int, str], ...],
) -> None:
    nlp, (example, _) = recognizer(entities, ROUND)
    theirs: Any = nlp.get_pipe("ner")
    names = tuple(map(theirs.moves.get_class_name, range(theirs.moves.n_moves)))
    moves = recognition._moves(names)
    right = recognition._gold_moves([example.reference], names)
    oracle = recognition._Oracle(moves, right)
    drawn = random.Random(7)
    seen = 0
    for _ in range(200):
        (state,), (truth,), _ = theirs.moves.init_gold_batch([example])
        ours = recognition._States(recognition._sentences([example.predicted]), moves)
        for at in ours:
            allowed = np.isfinite(moves.penalties[ours.rows()])
            costs = [theirs.moves.get_cost(state, truth, i) for i in range(len(names))]
            assert (oracle.right(ours, at) & allowed)[0].tolist() == [cost <= 0 for cost in costs]
            move = drawn.choice([i for i, cost in enumerate(costs) if cost < 9000])
            theirs.moves.apply_transition(state, names[move])
            ours.follow(np.array([move]))
            seen += 1
        assert state.is_final()
    assert seen == 200 * len(TEXT.split())


def test_tokens_of_which_nothing_is_known_teach_nothing() -> None:
    nlp, (example,) = recognizer(ROUND)
    example.reference.set_ents([], default="missing")
    ner: Any = nlp.get_pipe("ner")
    assert ner.update([example]) == {"ner": pytest.approx(0, abs=1e-9)}


def test_it_learns_what_it_is_shown() -> None:
    nlp, examples = recognizer(ROUND, BARE)
    ner: Any = nlp.get_pipe("ner")
    optimizer = nlp.create_optimizer()
    told = [ner.update(examples[:1], sgd=optimizer, drop=0.1)["ner"] for _ in range(60)]
    assert told[-1] < told[0] / 20
    assert entities(nlp(examples[0].predicted.copy())) == list(ROUND)


def test_the_gradient_is_that_of_the_chance_that_a_right_move_is_made() -> None:
    rng = np.random.default_rng(7)
    scores = rng.normal(size=(4, 5)).astype(np.float32)
    right = np.array([[1, 0, 0, 0, 0], [1, 1, 0, 0, 1], [0, 0, 0, 0, 0], [1, 1, 1, 1, 1]], bool)

    def loss(scores: Any) -> Any:
        chances = np.exp(scores) / np.exp(scores).sum(axis=1, keepdims=True)
        return -np.log((chances * right).sum(axis=1)[[0, 1, 3]]).sum()

    found = recognition._gradient(scores, right)
    assert not found[2].any()
    for place in np.ndindex(4, 5):
        if place[0] != 2:
            up, down = scores.astype(np.float64), scores.astype(np.float64)
            up[place] += 1e-5
            down[place] -= 1e-5
            assert found[place] == pytest.approx((loss(up) - loss(down)) / 2e-5, abs=1e-4)


def test_an_unknown_label_is_named() -> None:
    nlp, _ = recognizer(BARE)
    with pytest.raises(ValueError, match="COMPANY"):
        nlp.update([gold(nlp, *ROUND)])
