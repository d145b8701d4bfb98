"""The encoder at inference says what it says in training."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import spacy
from spacy.language import Language
from spacy.pipeline import Tok2Vec
from spacy.tokens import Doc
from spacy.util import fix_random_seed

from pipeline.blas import numpy_blas
from pipeline.components.encoding import quicken

TEXTS = ["", "Alpha lève 3 M€ auprès de Bêta.", " ", "Alpha Alpha", "a b c " * 400, ""]


DILATED = {
    "@architectures": "fr_deals.DilatedWindowEncoder.v1",
    "window_size": 2,
    "dilations": [1, 2, 5],
    "maxout_pieces": 3,
    "mixed_after": 2,
}
SPACYS = {
    "@architectures": "spacy.MaxoutWindowEncoder.v2",
    "window_size": 2,
    "depth": 3,
    "maxout_pieces": 3,
}


def made(encoder: dict[str, Any] = DILATED, **settings: Any) -> Language:
    """An encoder of random weights, the same each time."""
    nlp = spacy.blank("fr_deals")
    embed = {
        "@architectures": "spacy.MultiHashEmbed.v2",
        "width": 16,
        "attrs": ["NORM", "SHAPE"],
        "rows": [200, 100],
        "include_static_vectors": False,
    }
    model = {
        "@architectures": "spacy.Tok2Vec.v2",
        "embed": embed,
        "encode": {**encoder, "width": 16, **settings},
    }
    nlp.add_pipe("tok2vec", config={"model": model})
    fix_random_seed(7)
    nlp.initialize()
    return nlp


def encoder(nlp: Language) -> Tok2Vec:
    pipe = nlp.get_pipe("tok2vec")
    assert isinstance(pipe, Tok2Vec)
    return pipe


def assert_same(found: list[Any], expected: list[Any]) -> None:
    assert [vectors.shape for vectors in found] == [vectors.shape for vectors in expected]
    for ours, theirs in zip(found, expected, strict=True):
        np.testing.assert_allclose(ours, theirs, rtol=1e-5, atol=2e-5)


@pytest.mark.parametrize(
    "settings",
    [
        {},
        {"window_size": 1, "dilations": [1, 2, 4, 8]},
        {"maxout_pieces": 2},
        {"maxout_pieces": 1},
        {"dilations": [1, 1], "mixed_after": 1},
        {"dilations": [3, 1, 300], "mixed_after": 1},
    ],
    ids=str,
)
def test_the_vectors_are_those_of_the_model(settings: dict[str, Any]) -> None:
    nlp = made(**settings)
    docs = list(map(nlp.make_doc, TEXTS))
    expected = encoder(nlp).predict(docs)
    quicken(nlp)
    assert max(map(len, docs)) > 2 * 512
    assert_same(encoder(nlp).predict(docs), expected)
    for doc, vectors in zip(docs, expected, strict=True):
        assert_same(encoder(nlp).predict([doc]), [vectors])


def test_no_document_and_no_token() -> None:
    nlp = made()
    quicken(nlp)
    assert encoder(nlp).predict([]) == []
    (vectors,) = encoder(nlp).predict([nlp.make_doc("")])
    assert vectors.shape == (0, 16)


def test_the_callback_of_the_config_lets_it_predict() -> None:
    nlp = made()
    encode = encoder(nlp).model.get_ref("encode")
    numpy_blas()(nlp)
    assert encoder(nlp).model.get_ref("encode") is not encode


def test_an_encoder_of_another_kind_stays() -> None:
    nlp = made(SPACYS)
    docs = list(map(nlp.make_doc, TEXTS))
    encode = encoder(nlp).model.get_ref("encode")
    expected = encoder(nlp).predict(docs)
    quicken(nlp)
    assert encoder(nlp).model.get_ref("encode") is encode
    assert_same(encoder(nlp).predict(docs), expected)


def learn(nlp: Language, docs: list[Doc]) -> None:
    """One small step down the gradient of the vectors' length."""
    vectors, backpropagate = encoder(nlp).model(docs, is_train=True)
    backpropagate(vectors)
    encoder(nlp).model.finish_update(
        lambda key, weights, gradient: (weights - 0.000001 * gradient, gradient)
    )


def test_it_learns_as_before_and_predicts_by_what_it_learnt() -> None:
    docs: list[Doc] = []
    found = []
    for change in (lambda nlp: None, quicken):
        spacy.util.fix_random_seed(1)
        nlp = made()
        apply: Callable[[Language], object] = change
        apply(nlp)
        docs = list(map(nlp.make_doc, TEXTS))
        before = encoder(nlp).predict(docs)
        for node in encoder(nlp).model.walk():
            if "dropout_rate" in node.attrs:
                node.attrs["dropout_rate"] = 0.0
        learn(nlp, docs)
        found.append(encoder(nlp).predict(docs))
        assert not np.allclose(found[-1][1], before[1])
    assert_same(found[1], found[0])


def test_its_files_are_the_same() -> None:
    nlp = made()
    docs = list(map(nlp.make_doc, TEXTS))
    expected, data = encoder(nlp).predict(docs), encoder(nlp).to_bytes()
    quicken(nlp)
    assert encoder(nlp).to_bytes() == data
    other = made()
    quicken(other)
    encoder(other).from_bytes(data)
    assert_same(encoder(other).predict(docs), expected)
