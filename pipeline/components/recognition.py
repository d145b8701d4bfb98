"""The trained NER of spaCy with a decoder that reads the sentences of a batch side by side.

spaCy's own decoder asks for Python's lock at nearly every look at a token (3.8: a hundred times
a token with 13 labels), which takes four fifths of its time. An entity never crosses the start
of a sentence, and what was read before it has no say in what follows; so every sentence can be
read by itself, and a step here is a few array operations for all sentences at once. Model,
training, files and answers are spaCy's.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import IS_SPACE, SENT_START
from spacy.language import Language
from spacy.pipeline import EntityRecognizer
from spacy.pipeline.ner import DEFAULT_NER_MODEL
from spacy.tokens import Doc, Span
from thinc.api import Model

from pipeline.codes import odds_code

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Found = list[tuple[int, int, str, str]]
"""The entities of a document: start and end in tokens, label, and the odds of each label as
:func:`pipeline.codes.odds_code` writes them."""

_FEATURES = 3
"""The token that is read, the first of the open entity, and the last before the one read."""

# What may begin at a token: nothing at white space, no longer entity at a sentence's last token.
_SPACE, _LAST, _INNER = range(3)


class _Moves(NamedTuple):
    """The moves of the transition system (BILUO) as arrays, one entry a move.

    ``penalties`` holds 0 for a move that is allowed and minus infinity for one that is not. Its
    rows are ``_SPACE``, ``_LAST`` and ``_INNER`` outside an entity, then two for each label
    inside one: within the sentence, and at its last token.
    """

    names: list[str]
    label: Ints
    opens: Ints
    """The label that is open after the move, or -1."""
    begins: NDArray[np.bool_]
    begun: Floats
    """For each move and label 1 where the move begins an entity of that label, else 0."""
    ends: NDArray[np.bool_]
    penalties: Floats


def _moves(names: Sequence[str]) -> _Moves:
    kinds = [name[0] for name in names]
    labels = sorted({name[2:] for name in names if name[2:]})
    label = [labels.index(name[2:]) if name[2:] else -1 for name in names]
    penalties = np.full((3 + 2 * len(labels), len(names)), -np.inf, dtype=np.float32)
    for move, (kind, own) in enumerate(zip(kinds, label, strict=True)):
        inside = 3 + 2 * own
        rows = {
            "O": [_SPACE, _LAST, _INNER],
            "U": [_LAST, _INNER],
            "B": [_INNER],
            "I": [inside],
            "L": [inside, inside + 1],
        }[kind]
        if kind == "O" or own >= 0:  # "U-" is for tokens that were barred from any entity
            penalties[rows, move] = 0
    begins = np.array([kind in "BU" for kind in kinds])
    begun = np.equal.outer(label, range(len(labels))) & begins[:, np.newaxis]
    return _Moves(
        labels,
        np.array(label),
        np.array([own if kind in "BI" else -1 for kind, own in zip(kinds, label, strict=True)]),
        begins,
        begun.astype(np.float32),
        np.array([kind in "LU" for kind in kinds]),
        penalties,
    )


class _Sentences(NamedTuple):
    """The sentences of a batch, longest first; tokens count through the batch."""

    first: Ints
    length: Ints
    outside: Ints
    """For each token the row of the penalties outside an entity."""
    last: Ints
    """For each token 1 where it is the last of its sentence, else 0."""


def _sentences(docs: Sequence[Doc]) -> _Sentences:
    arrays = [doc.to_array([SENT_START, IS_SPACE]) for doc in docs if len(doc)]
    for array in arrays:
        array[0, 0] = 1
    starts, spaces = np.concatenate(arrays).T == 1
    first = np.flatnonzero(starts)
    length = np.diff(first, append=len(starts))
    last = np.roll(starts, -1)
    outside = np.where(spaces, _SPACE, np.where(last, _LAST, _INNER))
    order = np.argsort(-length, kind="stable")
    return _Sentences(first[order], length[order], outside, last.astype(np.int64))


class SideBySideRecognizer(EntityRecognizer):  # type: ignore[misc]  # Cython, without types
    """As ``ner``, for documents that hold no entities yet."""

    def predict(self, docs: Iterable[Doc]) -> list[Found]:
        """The entities of each document."""
        docs = list(docs)
        bounds = np.cumsum([0, *map(len, docs)])
        found: list[Found] = [[] for _ in docs]
        if bounds[-1]:
            moves = _moves([self.moves.get_class_name(i) for i in range(self.moves.n_moves)])
            starts, ends, labels, odds = self._decode(docs, moves)
            owners = np.searchsorted(bounds, starts, side="right") - 1
            offsets = bounds[owners]
            columns = np.stack((owners, starts - offsets, ends - offsets, labels), axis=1)
            codes = (odds_code(moves.names, tenths) for tenths in np.rint(10 * odds).tolist())
            for (owner, start, end, label), code in zip(columns.tolist(), codes, strict=True):
                found[owner].append((start, end, moves.names[label], code))
        return found

    def set_annotations(self, docs: Iterable[Doc], found: Iterable[Found]) -> None:
        """Sets ``doc.ents``; ``kb_id_`` holds the odds of each label."""
        for doc, spans in zip(docs, found, strict=True):
            doc.set_ents(
                [Span(doc, start, end, label, kb_id=odds) for start, end, label, odds in spans]
            )

    def _decode(self, docs: Sequence[Doc], moves: _Moves) -> tuple[Ints, Ints, Ints, Floats]:
        """Starts, ends and labels of all entities, in text order; tokens count as in the batch.

        Last, for each entity, how probable each label was at its first token, where the model
        chose it: the softmax over the moves that were allowed.
        """
        tok2vec, lower, upper = map(self.model.get_ref, ("tok2vec", "lower", "upper"))
        features: Floats = lower.predict(tok2vec.predict(docs))  # row 0 stands for no token
        bias = lower.get_param("b")
        sentences = _sentences(docs)
        shortening = -sentences.length
        opened = np.full(len(sentences.first), -1)
        odds = np.zeros((len(sentences.outside), len(moves.names)), dtype=np.float32)
        began = np.zeros(len(sentences.first), dtype=np.int64)
        entities = []
        for step in range(sentences.length[0]):
            going = np.searchsorted(shortening, -step)
            at, opened, began = sentences.first[:going] + step, opened[:going], began[:going]
            inside = opened >= 0
            summed = features[at + 1, 0]
            summed += features[np.where(inside, began + 1, 0), 1]
            summed += features[np.where(inside, at, 0), 2]
            summed += bias
            scores = upper.predict(summed.max(axis=-1))
            rows = np.where(inside, 3 + 2 * opened + sentences.last[at], sentences.outside[at])
            scores += moves.penalties[rows]
            chosen = np.argmax(scores, axis=1)
            beginning = moves.begins[chosen]
            odds[at[beginning]] = _odds(scores[beginning], moves)
            began = np.where(beginning, at, began)
            opened = moves.opens[chosen]
            ending = np.flatnonzero(moves.ends[chosen])
            entities.append((began[ending], at[ending] + 1, moves.label[chosen[ending]]))
        starts, ends, labels = map(np.concatenate, zip(*entities, strict=True))
        order = np.argsort(starts)
        return starts[order], ends[order], labels[order], odds[starts[order]]


def _odds(scores: Floats, moves: _Moves) -> Floats:
    """For each row of scores the probability that an entity of each label begins there."""
    exponentials = np.exp(scores - scores.max(axis=1, keepdims=True))
    exponentials /= exponentials.sum(axis=1, keepdims=True)
    odds: Floats = exponentials @ moves.begun
    return odds


@Language.factory(
    "fr_deals_ner",
    assigns=["doc.ents", "token.ent_iob", "token.ent_type"],
    requires=["token.sent_start"],
    default_config={
        "model": DEFAULT_NER_MODEL,
        "moves": None,
        "update_with_oracle_cut_size": 100,
        "incorrect_spans_key": None,
        "scorer": {"@scorers": "spacy.ner_scorer.v1"},
    },
    default_score_weights={"ents_f": 1.0, "ents_p": 0.0, "ents_r": 0.0, "ents_per_type": None},
)
def create(
    nlp: Language,
    name: str,
    model: Model[Any, Any],
    moves: Sequence[str] | None,
    update_with_oracle_cut_size: int,
    incorrect_spans_key: str | None,
    scorer: Callable[..., Any] | None,
) -> SideBySideRecognizer:
    """Settings as those of spaCy's ``ner``.

    Raises:
        ValueError: for a model with extra state tokens or without an upper layer.
    """
    lower = model.get_ref("lower")
    if lower.get_dim("nF") != _FEATURES or not model.attrs["has_upper"]:
        raise ValueError("fr_deals_ner needs a model with use_upper and no extra_state_tokens")
    return SideBySideRecognizer(
        nlp.vocab,
        model,
        name,
        moves,
        update_with_oracle_cut_size=update_with_oracle_cut_size,
        incorrect_spans_key=incorrect_spans_key,
        scorer=scorer,
    )
