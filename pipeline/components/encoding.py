"""The encoder at inference: each word embedded once, long texts encoded in stretches.

What the embedding says of a token depends on its word alone, so it is worked out once for each
word of a batch. The layers above look a few tokens to either side and no farther, so they run
over stretches that fit into the processor's cache, with so many tokens more at both ends that
nothing is missed. Model, training and files are spaCy's, and so is the result but for rounding.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from spacy.attrs import ORTH
from spacy.language import Language
from spacy.pipeline import Tok2Vec
from spacy.tokens import Doc
from thinc.api import Model

Floats = NDArray[np.float32]
Node = Model[Any, Any]

_STRETCH = 512
"""Tokens that are encoded at a time."""

_EPSILON = 1e-8
"""What thinc's layer norm adds to the variance."""


class _Layer(NamedTuple):
    """A maxout over a window with layer norm, around which a residual connection goes."""

    window: int
    """Tokens that it sees on each side."""
    weights: Floats
    """Inputs by outputs; the pieces of one output stand together."""
    bias: Floats
    pieces: int
    gain: Floats
    shift: Floats


def quicken(nlp: Language) -> None:
    """Lets the embedding and the encoder of ``spacy.Tok2Vec.v2`` predict by this module.

    Other models stay as they are.
    """
    for _, pipe in nlp.pipeline:
        if not isinstance(pipe, Tok2Vec) or set(pipe.model.ref_names) != {"embed", "encode"}:
            continue
        embed, encode = pipe.model.get_ref("embed"), pipe.model.get_ref("encode")
        pipe.model.replace_node(embed, _predicting(embed, _embed))
        if _is_window_encoder(encode):
            pipe.model.replace_node(encode, _predicting(encode, _encode))


def _predicting(node: Node, predict: Callable[[Node, Any], Any]) -> Node:
    """A node with the same layers, parameters and training as ``node``."""

    def forward(model: Node, inputs: Any, is_train: bool) -> tuple[Any, Callable[[Any], Any]]:
        if is_train:
            return node(inputs, is_train)
        return predict(node, inputs), lambda gradients: gradients

    return Model(
        node.name,
        forward,
        init=node.init,
        layers=node.layers,
        dims={name: node.maybe_get_dim(name) for name in node.dim_names},
        attrs=node.attrs,
        ops=node.ops,
    )


def _embed(node: Node, docs: Sequence[Doc]) -> list[Floats]:
    """The vectors of the tokens of each document."""
    words = [doc.to_array(ORTH) for doc in docs]
    each, places = np.unique(np.concatenate([np.zeros(0, np.uint64), *words]), return_inverse=True)
    if not len(each):
        return [np.zeros((0, node.get_dim("nO")), np.float32) for _ in docs]
    (vectors,) = node.predict([Doc(docs[0].vocab, words=each.tolist())])
    return np.split(vectors[places], np.cumsum([len(doc) for doc in docs])[:-1])


def _is_window_encoder(node: Node) -> bool:
    """Whether the node is a ``spacy.MaxoutWindowEncoder.v2``."""
    kinds = {"residual", "expand_window", "maxout", "layernorm", "dropout", "with_array"}
    names = {part for inner in node.walk() for part in _kinds(inner.name)}
    return names <= kinds and {"expand_window", "maxout", "layernorm"} <= names


def _kinds(name: str) -> list[str]:
    return name.replace("(", ">>").replace(")", "").split(">>")


def _layers(node: Node) -> list[_Layer]:
    """The layers from below: views of the parameters, which training may have changed."""
    found: dict[str, list[Node]] = {"expand_window": [], "maxout": [], "layernorm": []}
    for inner in node.walk(order="dfs_pre"):
        if inner.name in found:
            found[inner.name].append(inner)
    layers = []
    for window, maxout, norm in zip(*found.values(), strict=True):
        weights, bias = maxout.get_param("W"), maxout.get_param("b")
        layers.append(
            _Layer(
                window.attrs["window_size"],
                weights.reshape(-1, weights.shape[2]).T,
                bias.ravel(),
                weights.shape[1],
                norm.get_param("G"),
                norm.get_param("b"),
            )
        )
    return layers


def _encode(node: Node, documents: Sequence[Floats]) -> list[Floats]:
    """The encoded vectors of each document, which see nothing of the others."""
    layers = _layers(node)
    margin = sum(layer.window for layer in layers)
    ends = np.cumsum([len(vectors) + margin for vectors in documents])
    rows = np.zeros((ends[-1] + margin if len(ends) else 0, node.get_dim("nO")), np.float32)
    for vectors, end in zip(documents, ends, strict=True):
        rows[end - len(vectors) : end] = vectors
    encoded = np.empty_like(rows)
    for low in range(0, len(rows), _STRETCH):
        first, high = max(0, low - margin), min(low + _STRETCH, len(rows))
        stretch = rows[first : high + margin]
        for layer in layers:
            stretch = stretch + _apply(layer, stretch)
        encoded[low:high] = stretch[low - first : high - first]
    return [encoded[end - len(vectors) : end] for vectors, end in zip(documents, ends, strict=True)]


def _apply(layer: _Layer, rows: Floats) -> Floats:
    """The layer without its residual connection; beyond the rows it sees zeros."""
    length, width = rows.shape
    padded = np.zeros((length + 2 * layer.window, width), np.float32)
    padded[layer.window : layer.window + length] = rows
    seen = np.concatenate([padded[at : at + length] for at in range(2 * layer.window + 1)], axis=1)
    scores = seen @ layer.weights
    scores += layer.bias
    # Piece by piece: numpy takes many times as long for the maximum over a short last axis.
    out = scores[:, :: layer.pieces].copy()
    for piece in range(1, layer.pieces):
        np.maximum(out, scores[:, piece :: layer.pieces], out=out)
    out -= out.mean(axis=1, keepdims=True)
    variance = np.einsum("ij,ij->i", out, out) / out.shape[1] + _EPSILON
    out *= (1 / np.sqrt(variance))[:, np.newaxis]
    out *= layer.gain
    out += layer.shift
    return out
