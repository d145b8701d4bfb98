"""The layers of the encoder: ever wider windows, and what the whole document says.

Who raises and who invests is often told ten words away, so each layer looks at neighbours that
stand farther apart than those of the layer below (dilated convolutions: Strubell, Verga,
Belanger and McCallum 2017, "Fast and Accurate Entity Recognition with Iterated Dilated
Convolutions"). The layers themselves are those of ``spacy.MaxoutWindowEncoder.v2``: maxout, layer
norm, residual connection. Between two of them every token is told the mean of its document.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from thinc.api import Maxout, Model, chain, residual, with_array

Floats = NDArray[np.float32]
Documents = list[Floats]
"""One array a document, a row a token."""

Node = Model[Any, Any]

ENCODER = "dilated_window_encoder"
WINDOW = "dilated_window"
MEAN = "document_mean"


def dilated_window_encoder(
    width: int, window_size: int, dilations: Sequence[int], maxout_pieces: int, mixed_after: int
) -> Node:
    """An encoder of ``width`` inputs and outputs a token, with one layer for each dilation.

    A layer of dilation ``d`` sees the tokens 0, ``d``, … ``window_size * d`` to either side. The
    mean of the document is added after the first ``mixed_after`` layers.

    Raises:
        ValueError: where no layer stands before or after that mean.
    """
    if not 0 < mixed_after < len(dilations):
        raise ValueError("mixed_after must leave a layer before the mean and one after it")

    def block(steps: Sequence[int]) -> Node:
        layers = [
            residual(chain(dilated_window(window_size, step), maxout(2 * window_size + 1)))
            for step in steps
        ]
        stacked = chain(*layers) if len(layers) > 1 else layers[0]
        return with_array(stacked, pad=window_size * sum(steps))

    def maxout(tokens: int) -> Node:
        return Maxout(nO=width, nI=width * tokens, nP=maxout_pieces, dropout=0.0, normalize=True)

    mean = document_mean(Maxout(nO=width, nI=width, nP=2, dropout=0.0, normalize=True))
    model: Node = chain(block(dilations[:mixed_after]), mean, block(dilations[mixed_after:]))
    model.name = ENCODER
    model.set_dim("nO", width)
    return model


def dilated_window(window_size: int, dilation: int) -> Node:
    """As thinc's ``expand_window``, but the neighbours stand ``dilation`` tokens apart."""
    return Model(WINDOW, _see, attrs={"window_size": window_size, "dilation": dilation})


def neighbours(rows: Floats, reach: int, dilation: int) -> Floats:
    """Beside each row those that stand 0, ``dilation``, … ``reach`` rows away, zeros at the ends.

    Rows of ``width`` numbers become rows of ``width * (2 * reach / dilation + 1)``.
    """
    length, width = rows.shape
    padded = np.zeros((length + 2 * reach, width), np.float32)
    padded[reach : reach + length] = rows
    starts = range(0, 2 * reach + 1, dilation)
    return np.concatenate([padded[at : at + length] for at in starts], axis=1)


def _see(model: Node, rows: Floats, is_train: bool) -> tuple[Floats, Callable[[Floats], Floats]]:
    dilation = model.attrs["dilation"]
    reach = model.attrs["window_size"] * dilation
    length, width = rows.shape

    def backprop(gradient: Floats) -> Floats:
        summed = np.zeros((length + 2 * reach, width), np.float32)
        for place, at in enumerate(range(0, 2 * reach + 1, dilation)):
            summed[at : at + length] += gradient[:, place * width : (place + 1) * width]
        return summed[reach : reach + length]

    return neighbours(rows, reach, dilation), backprop


def document_mean(read: Node) -> Node:
    """Adds to each token what ``read`` makes of the mean over the tokens of its document."""
    return Model(MEAN, _mix, init=_initialize, layers=[read])


def means(documents: Documents, width: int) -> Floats:
    """The mean over the tokens of each document; zeros where there are none."""
    rows = np.zeros((len(documents), width), np.float32)
    for row, tokens in zip(rows, documents, strict=True):
        if len(tokens):
            tokens.mean(axis=0, out=row)
    return rows


def _initialize(model: Node, X: Documents | None = None, Y: Documents | None = None) -> None:
    model.layers[0].initialize()


def _mix(
    model: Node, documents: Documents, is_train: bool
) -> tuple[Documents, Callable[[Documents], Documents]]:
    said, back = model.layers[0](means(documents, model.layers[0].get_dim("nI")), is_train)

    def backprop(gradients: Documents) -> Documents:
        summed = np.stack([gradient.sum(axis=0) for gradient in gradients])
        of_means = back(summed)
        return [
            gradient + of_mean / max(1, len(gradient))
            for gradient, of_mean in zip(gradients, of_means, strict=True)
        ]

    return [rows + more for rows, more in zip(documents, said, strict=True)], backprop
