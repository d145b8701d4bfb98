"""A linear layer over the encoder of the NER that answers the questions of `pipeline.attributes`.

It learns beside the NER from the same text (multi-task learning, Caruana 1997): the gold answers
stand at the first token of each mention, and every other token is passed over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any

import numpy as np
import spacy
from numpy.typing import NDArray
from spacy.language import Language
from spacy.pipeline import TrainablePipe
from spacy.tokens import Doc
from spacy.training import Example
from thinc.api import Linear, Model, chain, with_array, zero_init

import pipeline.codes  # noqa: F401  gives documents what is set here
from pipeline.attributes import COLUMN_OF, COLUMNS, SLICES
from pipeline.threads import one_thread

Floats = NDArray[np.float32]
Tenths = NDArray[np.uint8]

DEFAULT_MODEL = {
    "@architectures": "fr_deals.Answers.v1",
    "tok2vec": {"@architectures": "spacy.Tok2VecListener.v1", "width": 96},
}


@spacy.registry.architectures("fr_deals.Answers.v1")
def answers(tok2vec: Model[list[Doc], list[Floats]]) -> Model[list[Doc], list[Floats]]:
    """One score an answer for each token: shape (tokens, ``len(COLUMNS)``) a document."""
    output = Linear(len(COLUMNS), tok2vec.get_dim("nO"), init_W=zero_init)
    model: Model[list[Doc], list[Floats]] = chain(tok2vec, with_array(output))
    model.set_ref("tok2vec", tok2vec)
    return model


def probabilities(scores: Floats) -> Floats:
    """Of each row the softmax over the answers of each question."""
    out = np.empty_like(scores)
    for own in SLICES.values():
        part = np.exp(scores[:, own] - scores[:, own].max(axis=1, keepdims=True))
        out[:, own] = part / part.sum(axis=1, keepdims=True)
    return out


class AttributeReader(TrainablePipe):  # type: ignore[misc]  # Cython, without types
    """Sets ``doc._.attributes``; learns from ``doc._.gold_attributes`` of the references."""

    def __init__(self, nlp: Language, model: Model[Any, Any], name: str) -> None:
        self.vocab = nlp.vocab
        self.model = model
        self.name = name
        self.cfg: dict[str, Any] = {}

    def predict(self, docs: Iterable[Doc]) -> list[Tenths]:
        """How probable each answer is, in tenths: shape (tokens, ``len(COLUMNS)``) a document."""
        docs = list(docs)
        if not any(map(len, docs)):
            return [np.zeros((0, len(COLUMNS)), np.uint8) for _ in docs]
        with one_thread():
            scores = self.model.predict(docs)
        return [np.rint(10 * probabilities(rows)).astype(np.uint8) for rows in scores]

    def set_annotations(self, docs: Iterable[Doc], found: Iterable[Tenths]) -> None:
        for doc, tenths in zip(docs, found, strict=True):
            doc._.attributes = tenths

    def get_loss(
        self, examples: Sequence[Example], scores: Sequence[Floats]
    ) -> tuple[float, list[Floats]]:
        """The squared error of the probabilities, and the gradient of the cross-entropy."""
        gradients = []
        for example, rows in zip(examples, scores, strict=True):
            gradient = np.zeros_like(rows)
            told: list[tuple[int, list[int]]] = example.reference._.gold_attributes or []
            if told:
                tokens = [token for token, _ in told]
                asked = np.zeros((len(told), len(COLUMNS)), np.float32)
                right = np.zeros_like(asked)
                for row, (_, columns) in enumerate(told):
                    right[row, columns] = 1
                    for column in columns:
                        asked[row, _QUESTION[column]] = 1
                gradient[tokens] = (probabilities(rows[tokens]) - right) * asked
            gradients.append(gradient)
        return sum(float((gradient**2).sum()) for gradient in gradients), gradients

    def initialize(
        self,
        get_examples: Callable[[], Iterable[Example]],
        *,
        nlp: Language | None = None,
    ) -> None:
        """Gives the layer its weights: noughts, so that every answer is as probable as another."""
        self.model.initialize(X=[next(iter(get_examples())).reference])


_QUESTION = {
    COLUMN_OF[column]: own
    for own in SLICES.values()
    for column in COLUMNS[own]
}  # fmt: skip


@Language.factory(
    "fr_deals_attributes",
    assigns=["doc._.attributes"],
    default_config={"model": DEFAULT_MODEL},
)
def create(nlp: Language, name: str, model: Model[Any, Any]) -> AttributeReader:
    return AttributeReader(nlp, model, name)
