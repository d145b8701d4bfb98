"""The encoder of the transformer variant: windows, batches, files."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from random_encoder import POSITIONS, WIDTH, save_encoder
from spacy.language import Language
from spacy.tokens import Doc
from spacy.util import load_config, load_model_from_config
from tiny import TEMPLATES, passages

from pipeline.errors import ModelError
from pipeline.train import TRANSFORMER_CONFIG
from pipeline.transformer import windows

TEXTS = [article.text for template in TEMPLATES for article in passages(template)]
LONG = "\n".join(TEXTS * 3)
WINDOW, OVERLAP = 48, 12


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("encoder"), TEXTS)


def made(encoder: Path, **changes: Any) -> Language:
    """A pipeline with this encoder and no NER."""
    config = load_config(TRANSFORMER_CONFIG)
    model = config["components"]["transformer"]["model"]
    given = {"name": str(encoder), "window": WINDOW, "overlap": OVERLAP, "settings": {}}
    model.update({**given, **changes})
    config["nlp"]["pipeline"] = ["transformer"]
    del config["components"]["ner"]
    nlp = load_model_from_config(config, auto_fill=True)
    nlp.initialize()
    return nlp


@pytest.fixture(scope="module")
def nlp(encoder: Path) -> Language:
    return made(encoder, mixed_precision=False)


def tokenizer_of(nlp: Language) -> Any:
    return nlp.get_pipe("transformer").model.tokenizer


def cut(nlp: Language, text: str) -> list[tuple[int, int]]:
    (spans,) = windows(tokenizer_of(nlp), [nlp.make_doc(text)], WINDOW, OVERLAP)
    return [(span.start, span.end) for span in spans]


def vectors(doc: Doc) -> np.ndarray[Any, Any]:
    """One row a token: the mean of the vectors of its pieces."""
    data = doc._.trf_data
    rows = data.model_output.last_hidden_state.reshape(-1, WIDTH)
    pieces = (data.align[i].data.ravel() for i in range(len(doc)))
    return np.array([rows[own].mean(axis=0) for own in pieces if len(own)])


def test_windows_lose_no_token_of_a_long_article(nlp: Language) -> None:
    spans = cut(nlp, LONG)
    assert len(spans) > 10
    assert spans[0][0] == 0
    assert spans[-1][1] == len(nlp.make_doc(LONG))
    for (_, end), (start, _) in pairwise(spans):
        assert start < end, "windows share tokens"


def test_no_window_is_longer_than_the_encoder_takes(nlp: Language) -> None:
    doc = nlp.make_doc(LONG)
    for start, end in cut(nlp, LONG):
        pieces = tokenizer_of(nlp)(doc[start:end].text, add_special_tokens=False)["input_ids"]
        assert len(pieces) <= POSITIONS - 2
        assert end == len(doc) or len(pieces) > WINDOW / 2, "a window is as long as it may be"


def test_every_word_of_a_long_article_has_a_vector(nlp: Language) -> None:
    doc = nlp(LONG)
    lengths = [len(doc._.trf_data.align[i].data) for i in range(len(doc))]
    without = [token for token, length in zip(doc, lengths, strict=True) if not length]
    assert all(token.is_space for token in without)


def test_a_token_longer_than_a_window_has_one_of_its_own(nlp: Language) -> None:
    text = f"Alpha lève {'e' * 4 * WINDOW} millions"
    assert cut(nlp, text) == [(0, 2), (2, 3), (3, 4)]
    doc = nlp(text)
    assert all(len(doc._.trf_data.align[i].data) for i in range(4))


def test_a_word_of_20000_letters_is_read_whole(nlp: Language) -> None:
    doc = nlp(f"Alpha lève {'e' * 20_000} millions")
    assert all(len(doc._.trf_data.align[i].data) for i in range(len(doc)))


@pytest.mark.parametrize("text", ["", " ", "\n\n"])
def test_a_text_without_a_word_is_read(nlp: Language, text: str) -> None:
    assert nlp(text).text == text


def test_a_piece_belongs_to_one_token(nlp: Language) -> None:
    """A tokenizer like this one counts the space before a word to its first piece."""
    doc = nlp("Ovalie Robotics lève 12 millions")
    owners = [piece for i in range(len(doc)) for piece in doc._.trf_data.align[i].data.ravel()]
    assert len(owners) == len(set(owners))


def test_what_stands_beside_an_article_changes_nothing(nlp: Language) -> None:
    alone = [vectors(nlp(text)) for text in TEXTS[:4]]
    together = [vectors(doc) for doc in nlp.pipe([LONG, *TEXTS[:4]])][1:]
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one, other)


def test_mixed_precision_gives_nearly_the_same(encoder: Path, nlp: Language) -> None:
    exact, mixed = (vectors(model(TEXTS[0])) for model in (nlp, made(encoder)))
    assert not np.array_equal(exact, mixed)
    assert np.abs(exact - mixed).max() < 0.2


def test_an_encoder_is_saved_and_read_again(nlp: Language, tmp_path: Path) -> None:
    nlp.to_disk(tmp_path)
    other = made_blank(nlp).from_disk(tmp_path)
    again = made_blank(nlp).from_bytes(other.to_bytes())
    assert np.abs(vectors(other(TEXTS[0])) - vectors(nlp(TEXTS[0]))).max() < 0.02, "half precision"
    assert np.array_equal(vectors(again(TEXTS[0])), vectors(other(TEXTS[0])))
    assert b"data.pkl" not in (tmp_path / "transformer" / "model").read_bytes()


def made_blank(nlp: Language) -> Language:
    return load_model_from_config(nlp.config, auto_fill=True)


def test_fewer_layers_can_be_kept(encoder: Path) -> None:
    nlp = made(encoder, settings={"num_hidden_layers": 1})
    assert len(nlp.get_pipe("transformer").model.transformer.encoder.layer) == 1


def test_more_layers_than_there_are_are_refused(encoder: Path) -> None:
    with pytest.raises(ModelError, match="has no more than 2 layers"):
        made(encoder, settings={"num_hidden_layers": 3})


def test_a_window_that_the_encoder_cannot_take_is_refused(encoder: Path) -> None:
    with pytest.raises(ModelError, match="takes 126 pieces, and a window has 127"):
        made(encoder, window=127)


def test_an_encoder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="nowhere cannot be loaded"):
        made(tmp_path / "nowhere")
