"""The trained NER of spaCy, which reads and learns from the sentences of a batch side by side.

spaCy's own decoder asks for Python's lock at nearly every look at a token (3.8: a hundred times
a token with 13 labels), which takes four fifths of its time. An entity never crosses the start
of a sentence, and what was read before it has no say in what follows; so every sentence can be
read by itself, and a step here is a few array operations for all sentences at once. Model, files
and answers are spaCy's; so is what it learns from: the moves of the dynamic oracle (Goldberg and
Nivre 2012) of ``spacy/pipeline/_parser_internals/ner.pyx``, on the states that the model itself
reaches. But moves that are not allowed take no part in its probabilities, in learning as in
reading.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ENT_IOB, IS_SPACE, SENT_START
from spacy.language import Language
from spacy.pipeline import EntityRecognizer
from spacy.pipeline.ner import DEFAULT_NER_MODEL
from spacy.tokens import Doc, Span
from spacy.training import Example
from thinc.api import Model, set_dropout_rate
from thinc.optimizers import Optimizer

from pipeline.codes import odds_code
from pipeline.threads import one_thread

Ints = NDArray[np.int64]
Floats = NDArray[np.float32]
Found = list[tuple[int, int, str, str]]
"""The entities of a document: start and end in tokens, label, and the odds of each label as
:func:`pipeline.codes.odds_code` writes them."""

_FEATURES = 3
"""The token that is read, the first of the open entity, and the last before the one read."""

# What may begin at a token: nothing at white space, no longer entity at a sentence's last token.
_SPACE, _LAST, _INNER = range(3)

_KINDS = "OBILU"
_OUT, _BEGIN, _IN, _LAST_OF_IT, _UNIT = range(len(_KINDS))
_UNKNOWN = 0
"""What spaCy notes at a token of which nobody said whether it is part of an entity."""

_DROPOUT = 0.1
"""Of the vectors of states in training: spaCy's, which is no setting there either."""


class _Moves(NamedTuple):
    """The moves of the transition system (BILUO) as arrays, one entry a move.

    ``penalties`` holds 0 for a move that is allowed and minus infinity for one that is not. Its
    rows are ``_SPACE``, ``_LAST`` and ``_INNER`` outside an entity, then two for each label
    inside one: within the sentence, and at its last token.
    """

    labels: tuple[str, ...]
    label: Ints
    kind: Ints
    """Its place in ``_KINDS``."""
    opens: Ints
    """The label that is open after the move, or -1."""
    begins: NDArray[np.bool_]
    begun: Floats
    """For each move and label 1 where the move begins an entity of that label, else 0."""
    ends: NDArray[np.bool_]
    penalties: Floats


@lru_cache(maxsize=8)
def _moves(names: tuple[str, ...]) -> _Moves:
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
        tuple(labels),
        np.array(label),
        np.array([_KINDS.index(kind) for kind in kinds]),
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
            moves = _moves(self._move_names())
            with one_thread():
                starts, ends, labels, odds = self._decode(docs, moves)
            owners = np.searchsorted(bounds, starts, side="right") - 1
            offsets = bounds[owners]
            columns = np.stack((owners, starts - offsets, ends - offsets, labels), axis=1)
            codes = (odds_code(moves.labels, tenths) for tenths in np.rint(10 * odds).tolist())
            for (owner, start, end, label), code in zip(columns.tolist(), codes, strict=True):
                found[owner].append((start, end, moves.labels[label], code))
        return found

    def _move_names(self) -> tuple[str, ...]:
        return tuple(map(self.moves.get_class_name, range(self.moves.n_moves)))

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
        states = _States(_sentences(docs), moves)
        odds = np.zeros((len(states.sentences.outside), len(moves.labels)), dtype=np.float32)
        entities = []
        for at in states:
            hidden, _ = upper.ops.maxout(_summed(features, bias, states.slots()))
            scores = upper.predict(hidden)
            scores += moves.penalties[states.rows()]
            chosen = np.argmax(scores, axis=1)
            beginning = moves.begins[chosen]
            odds[at[beginning]] = _odds(scores[beginning], moves)
            states.follow(chosen)
            ending = np.flatnonzero(moves.ends[chosen])
            entities.append((states.began[ending], at[ending] + 1, moves.label[chosen[ending]]))
        starts, ends, labels = map(np.concatenate, zip(*entities, strict=True))
        order = np.argsort(starts)
        return starts[order], ends[order], labels[order], odds[starts[order]]

    def update(
        self,
        examples: Iterable[Example],
        *,
        drop: float = 0.0,
        sgd: Optimizer | None = None,
        losses: dict[str, float] | None = None,
    ) -> dict[str, float]:
        """Learns from a batch; the predicted documents have the tokens of the references.

        As in spaCy the gradient is the sum over all states.

        Raises:
            ValueError: for a label that :meth:`initialize` did not see.
        """
        losses = {} if losses is None else losses
        losses.setdefault(self.name, 0.0)
        examples = [example for example in examples if len(example.predicted)]
        if not examples:
            return losses
        set_dropout_rate(self.model, drop)
        tok2vec, lower, upper = map(self.model.get_ref, ("tok2vec", "lower", "upper"))
        docs = [example.predicted for example in examples]
        vectors, into_vectors = tok2vec(docs, is_train=True)
        # One row more, so that the slots without a token teach nothing but the padding.
        features, into_features = lower(np.pad(vectors, ((0, 1), (0, 0))), is_train=True)
        read = self._read_to_learn(examples, features)
        _, into_hidden = upper(read.hidden, is_train=True)
        of_hidden = into_hidden(read.gradient) * read.mask
        of_pieces = lower.ops.backprop_maxout(of_hidden, read.pieces, lower.get_dim("nP"))
        of_slots = into_features((of_pieces, read.slots))
        of_vectors = np.zeros((len(vectors) + 1, vectors.shape[1]), np.float32)
        rows = (read.slots.ravel() % len(of_vectors)).astype(np.int32)  # -1 is the padding's row
        self.model.ops.scatter_add(of_vectors, rows, of_slots.reshape(len(rows), -1))
        into_vectors(of_vectors[:-1])
        if sgd is not None:
            self.finish_update(sgd)
        losses[self.name] += float((read.gradient**2).sum())
        return losses

    def _read_to_learn(self, examples: Sequence[Example], features: Floats) -> _Read:
        """Reads by the model as it is; what it did in all states, and what was wrong."""
        lower, upper = map(self.model.get_ref, ("lower", "upper"))
        bias = lower.get_param("b")
        names = self._move_names()
        moves = _moves(names)
        oracle = _Oracle(moves, _gold_moves([example.reference for example in examples], names))
        states = _States(_sentences([example.predicted for example in examples]), moves)
        steps = []
        for at in states:
            slots = states.slots()
            hidden, pieces = upper.ops.maxout(_summed(features, bias, slots))
            mask = upper.ops.get_dropout_mask(hidden.shape, _DROPOUT)
            hidden *= mask
            scores = upper.predict(hidden)
            scores += moves.penalties[states.rows()]
            right = oracle.right(states, at) & np.isfinite(scores)
            steps.append(_Read(slots, pieces, mask, hidden, _gradient(scores, right)))
            states.follow(np.argmax(scores, axis=1))
        return _Read(*map(np.concatenate, zip(*steps, strict=True)))


class _Read(NamedTuple):
    """What was done in some states: one row a state."""

    slots: Ints
    pieces: Ints
    """Which piece of each unit of the hidden layer was the largest."""
    mask: Floats
    hidden: Floats
    gradient: Floats
    """Of the scores."""


class _States:
    """The states of the sentences that are still being read, and a step for each of their tokens.

    Iteration gives the token that each of them reads next.
    """

    def __init__(self, sentences: _Sentences, moves: _Moves) -> None:
        self.sentences = sentences
        self._moves = moves
        self.opened = np.full(len(sentences.first), -1)
        """The label of the open entity, or -1."""
        self.began = np.zeros(len(sentences.first), dtype=np.int64)
        """Where it began, or the one before it."""

    def __iter__(self) -> Iterator[Ints]:
        first, length = self.sentences.first, self.sentences.length
        shortening = -length
        for step in range(length[0]):
            going = np.searchsorted(shortening, -step)
            self._at = first[:going] + step
            self.opened, self.began = self.opened[:going], self.began[:going]
            self._inside = self.opened >= 0
            yield self._at

    def slots(self) -> Ints:
        """The tokens of the features, -1 for none: shape (states, ``_FEATURES``)."""
        inside = self._inside
        before = np.where(inside, self._at - 1, -1)
        return np.stack((self._at, np.where(inside, self.began, -1), before), axis=1)

    def rows(self) -> Ints:
        """The row of the penalties of each state."""
        within = 3 + 2 * self.opened + self.sentences.last[self._at]
        return np.where(self._inside, within, self.sentences.outside[self._at])

    def follow(self, chosen: Ints) -> None:
        """Makes a move in each state."""
        self.began = np.where(self._moves.begins[chosen], self._at, self.began)
        self.opened = self._moves.opens[chosen]


def _summed(features: Floats, bias: Floats, slots: Ints) -> Floats:
    """The pieces of the hidden layer: shape (states, units, pieces)."""
    summed: Floats = features[slots[:, 0] + 1, 0]
    for place in range(1, _FEATURES):
        summed += features[slots[:, place] + 1, place]
    summed += bias
    return summed


def _gold_moves(docs: Sequence[Doc], names: Sequence[str]) -> Ints:
    """For each token of a batch the right move, -1 where it is unknown."""
    place = {name: at for at, name in enumerate(names)}
    found = []
    for doc in docs:
        moves = np.where(doc.to_array(ENT_IOB) == _UNKNOWN, -1, place["O"])
        for span in doc.ents:
            try:
                if len(span) == 1:
                    moves[span.start] = place[f"U-{span.label_}"]
                else:
                    moves[span.start : span.end] = place[f"I-{span.label_}"]
                    moves[span.start] = place[f"B-{span.label_}"]
                    moves[span.end - 1] = place[f"L-{span.label_}"]
            except KeyError as error:
                raise ValueError(f"the NER was not initialized with the move {error}") from None
        found.append(moves)
    return np.concatenate(found)


class _Oracle:
    """Which moves are right, in a state that need not be."""

    def __init__(self, moves: _Moves, gold: Ints) -> None:
        self._gold = gold
        self._kind = np.where(gold >= 0, moves.kind[gold], -1)
        self._label = np.where(gold >= 0, moves.label[gold], -1)
        self._starts = np.isin(self._kind, (_BEGIN, _UNIT))
        follows = np.append(self._kind[1:], _OUT)
        self._free = np.isin(follows, (_OUT, -1))
        """Whether no entity begins or goes on after a token."""
        outside = np.eye(len(moves.kind) + 1, len(moves.kind), dtype=bool)
        outside[:-1][np.isin(moves.kind, (_IN, _LAST_OF_IT))] = moves.kind == _OUT
        outside[-1] = True  # unknown: nothing is wrong
        self._outside = outside
        labels = np.arange(len(moves.labels))[:, np.newaxis]
        self._stays = (moves.kind == _IN) & (moves.label == labels)
        self._closes = (moves.kind == _LAST_OF_IT) & (moves.label == labels)

    def right(self, states: _States, at: Ints) -> NDArray[np.bool_]:
        """The moves after which no more is lost than is lost already: shape (states, moves)."""
        opened, kind, free = states.opened, self._kind[at], self._free[at]
        lost = ~self._starts[states.began] | (self._label[states.began] != opened)
        stay = np.isin(kind, (_BEGIN, _IN, -1)) | (free & ((kind != _LAST_OF_IT) | lost))
        close = (kind != _IN) | lost
        within = (stay[:, np.newaxis] & self._stays[opened]) | (
            close[:, np.newaxis] & self._closes[opened]
        )
        out: NDArray[np.bool_] = np.where(
            (opened >= 0)[:, np.newaxis], within, self._outside[self._gold[at]]
        )
        return out


def _gradient(scores: Floats, right: NDArray[np.bool_]) -> Floats:
    """Of the log-probability that one of the ``right`` moves is chosen, whichever that is.

    Moves that are not allowed score minus infinity. A state in which none is right teaches
    nothing.
    """
    chances = _chances(scores)
    wanted = chances * right
    total = np.maximum(wanted.sum(axis=1, keepdims=True), 1e-10)
    out: Floats = (chances - wanted / total) * right.any(axis=1, keepdims=True)
    return out


def _odds(scores: Floats, moves: _Moves) -> Floats:
    """For each row of scores the probability that an entity of each label begins there."""
    odds: Floats = _chances(scores) @ moves.begun
    return odds


def _chances(scores: Floats) -> Floats:
    """The softmax of each row."""
    out: Floats = np.exp(scores - scores.max(axis=1, keepdims=True))
    out /= out.sum(axis=1, keepdims=True)
    return out


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
