"""The word vectors come from the installed package."""

from __future__ import annotations

import pytest
import spacy

from pipeline import vectors
from pipeline.errors import ModelError
from pipeline.vectors import package_vectors


def test_a_new_language_gets_the_vectors() -> None:
    nlp = spacy.blank("fr")
    assert nlp.vocab.vectors_length == 0
    assert package_vectors()(nlp) is nlp
    assert nlp.vocab.vectors.shape == (20000, 300)
    near, far = nlp("banque crédit girafe")[0:2], nlp("banque crédit girafe")[2]
    assert near[0].has_vector
    assert near[0].similarity(near[1]) > near[0].similarity(far)


def test_without_the_package_the_error_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vectors, "PACKAGE", "fr_core_news_none")
    with pytest.raises(ModelError, match=r"pip install fr_core_news_none==3\.8\.0"):
        package_vectors()(spacy.blank("fr"))


def test_spacy_finds_the_callback_by_name() -> None:
    assert spacy.registry.callbacks.get("fr_deals.PackageVectors.v1")() is not None
