"""The decoder that reads sentences side by side: spaCy's answers, and how sure of them it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from spacy.language import Language
from spacy.pipeline import EntityRecognizer
from spacy.tokens import Doc

from pipeline.codes import read_odds
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
