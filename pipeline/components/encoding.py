"""The encoder, quicker: each word embedded once, long texts encoded in stretches.

What the embedding says of a token depends on its word alone, so it is worked out once for each
word of a batch, in training too: there all tokens of a word share what is dropped out. At
inference the layers above, which look some tokens to either side and no farther, run over
stretches that fit into the processor's cache, with so many tokens more at both ends that nothing
is missed. The models are kept as they were, and what they say is the same but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from spacy.attrs import ORTH
from spacy.language import Language
from spacy.pipeline import Tok2Vec
from spacy.tokens import Doc
from thinc.api import Model

from pipeline.dilated import ENCODER, WINDOW, Floats, Node, means, neighbours
from pipeline.threads import one_thread

_STRETCH = 512
"""Tokens that are encoded at a time."""

_EPSILON = 1e-8
"""What thinc's layer norm adds to the variance."""


class _Maxout(NamedTuple):
    """A maxout with layer norm."""

    weights: Floats
    """Inputs by outputs; the pieces of one output stand together."""
    bias: Floats
    pieces: int
    gain: Floats
    shift: Floats


class _Layer(NamedTuple):
    """A maxout over a window, around which a residual connection goes."""

    reach: int
    """How far it sees to each side, in tokens."""
    dilation: int
    maxout: _Maxout


def quicken(nlp: Language) -> None:
    """Lets a ``spacy.Tok2Vec.v2`` predict by this module: its embedding, and its encoder if that
    is one of :mod:`pipeline.dilated`.

    Other models stay as they are.
    """
    for _, pipe in nlp.pipeline:
        if not isinstance(pipe, Tok2Vec) or set(pipe.model.ref_names) != {"embed", "encode"}:
            continue
        embed, encode = pipe.model.get_ref("embed"), pipe.model.get_ref("encode")
        pipe.model.replace_node(embed, _running(embed, _embed))
        if encode.name == ENCODER:
            pipe.model.replace_node(encode, _running(encode, _encode))


_Backprop = Callable[[Any], Any]


def _running(node: Node, run: Callable[[Node, Any, bool], tuple[Any, _Backprop]]) -> Node:
    """A node with the same layers and parameters as ``node``, run by ``run``."""

    def forward(model: Node, inputs: Any, is_train: bool) -> tuple[Any, _Backprop]:
        with one_thread():
            return run(node, inputs, is_train)

    return Model(
        node.name,
        forward,
        init=node.init,
        layers=node.layers,
        dims={name: node.maybe_get_dim(name) for name in node.dim_names},
        attrs=node.attrs,
        ops=node.ops,
    )


def _embed(
    node: Node, docs: Sequence[Doc], is_train: bool
) -> tuple[list[Floats], Callable[[list[Floats]], Any]]:
    """The vectors of the tokens of each document."""
    words = [doc.to_array(ORTH) for doc in docs]
    each, places = np.unique(np.concatenate([np.zeros(0, np.uint64), *words]), return_inverse=True)
    if not len(each):
        return node(docs, is_train)
    (vectors,), of_words = node([Doc(docs[0].vocab, words=each.tolist())], is_train)
    ops: Any = node.ops

    def backprop(gradients: list[Floats]) -> Any:
        summed = np.zeros_like(vectors)
        # With numbers of any other size thinc takes twenty times as long.
        ops.scatter_add(summed, places.astype(np.int32), np.concatenate(gradients))
        return of_words([summed])

    return np.split(vectors[places], np.cumsum([len(doc) for doc in docs])[:-1]), backprop


def _encode(
    node: Node, documents: list[Floats], is_train: bool
) -> tuple[list[Floats], Callable[[list[Floats]], Any]]:
    """The encoded vectors of each document, which see nothing of the others."""
    if is_train:
        return node(documents, is_train)
    return _encoded(node, documents), lambda gradients: gradients


def _encoded(node: Node, documents: list[Floats]) -> list[Floats]:
    below, mean, above = node.layers
    told = _through(_layers(below), documents)
    (maxout,) = _maxouts(mean)
    said = _apply(maxout, means(told, node.get_dim("nO")))
    mixed = [vectors + more for vectors, more in zip(told, said, strict=True)]
    return _through(_layers(above), mixed)


def _layers(node: Node) -> list[_Layer]:
    """The layers of a stack from below."""
    windows = [inner.attrs for inner in node.walk(order="dfs_pre") if inner.name == WINDOW]
    return [
        _Layer(seen["window_size"] * seen["dilation"], seen["dilation"], maxout)
        for seen, maxout in zip(windows, _maxouts(node), strict=True)
    ]


def _maxouts(node: Node) -> list[_Maxout]:
    """The maxouts of a model from below: views of the parameters, which training may change."""
    inner: list[Any] = list(node.walk(order="dfs_pre"))
    maxouts = [one for one in inner if one.name == "maxout"]
    norms = [one for one in inner if one.name == "layernorm"]
    found = []
    for maxout, norm in zip(maxouts, norms, strict=True):
        weights, bias = maxout.get_param("W"), maxout.get_param("b")
        found.append(
            _Maxout(
                weights.reshape(-1, weights.shape[2]).T,
                bias.ravel(),
                weights.shape[1],
                norm.get_param("G"),
                norm.get_param("b"),
            )
        )
    return found


def _through(layers: Sequence[_Layer], documents: Sequence[Floats]) -> list[Floats]:
    """The vectors of each document after some layers."""
    margin = sum(layer.reach for layer in layers)
    width = len(layers[0].maxout.gain)
    ends = np.cumsum([len(vectors) + margin for vectors in documents])
    rows = np.zeros((ends[-1] + margin if len(ends) else 0, width), np.float32)
    for vectors, end in zip(documents, ends, strict=True):
        rows[end - len(vectors) : end] = vectors
    encoded = np.empty_like(rows)
    for low in range(0, len(rows), _STRETCH):
        first, high = max(0, low - margin), min(low + _STRETCH, len(rows))
        stretch = rows[first : high + margin]
        for layer in layers:
            seen = neighbours(stretch, layer.reach, layer.dilation)
            stretch = stretch + _apply(layer.maxout, seen)
        encoded[low:high] = stretch[low - first : high - first]
    return [encoded[end - len(vectors) : end] for vectors, end in zip(documents, ends, strict=True)]


def _apply(maxout: _Maxout, rows: Floats) -> Floats:
    scores = rows @ maxout.weights
    scores += maxout.bias
    # Piece by piece: numpy takes many times as long for the maximum over a short last axis.
    out: Floats = scores[:, :: maxout.pieces].copy()
    for piece in range(1, maxout.pieces):
        np.maximum(out, scores[:, piece :: maxout.pieces], out=out)
    out -= out.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", out, out) / out.shape[1] + _EPSILON
    out *= (1 / np.sqrt(variance))[:, np.newaxis]
    out *= maxout.gain
    out += maxout.shift
    return out
