"""The layers of the encoder."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from thinc.api import Maxout, expand_window

from pipeline.dilated import (
    dilated_window,
    dilated_window_encoder,
    document_mean,
    means,
)

RNG = np.random.default_rng(0)


def rows(length: int, width: int = 4) -> Any:
    return RNG.normal(size=(length, width)).astype(np.float32)


def small(**settings: Any) -> Any:
    told = {"window_size": 1, "dilations": [1, 4], "maxout_pieces": 2, "mixed_after": 1}
    model = dilated_window_encoder(width=4, **{**told, **settings})
    model.initialize(X=[rows(5)], Y=[rows(5)])
    return model


def test_beside_one_another_the_neighbours_are_those_of_thinc() -> None:
    told = rows(7)
    expected = expand_window(window_size=2).predict(told)
    np.testing.assert_array_equal(dilated_window(2, 1).predict(told), expected)


def test_neighbours_stand_apart_and_are_zero_beyond_the_document() -> None:
    told = np.arange(1, 6, dtype=np.float32).reshape(5, 1)
    seen = dilated_window(1, 3).predict(told)
    np.testing.assert_array_equal(seen, [[0, 1, 4], [0, 2, 5], [0, 3, 0], [1, 4, 0], [2, 5, 0]])


def test_a_document_may_be_shorter_than_the_window() -> None:
    assert dilated_window(2, 9).predict(rows(1)).shape == (1, 20)


@pytest.mark.parametrize("dilation", [1, 3, 9])
def test_the_gradient_of_a_window_is_its_transpose(dilation: int) -> None:
    told, gradient = rows(8), rows(8, 20)
    seen, backprop = dilated_window(2, dilation)(told, is_train=True)
    assert np.vdot(seen, gradient) == pytest.approx(np.vdot(told, backprop(gradient)), rel=1e-4)


def test_means() -> None:
    found = means([np.array([[1, 2], [3, 6]], np.float32), np.zeros((0, 2), np.float32)], 2)
    np.testing.assert_array_equal(found, [[2, 4], [0, 0]])


def test_every_token_is_told_the_mean_of_its_document_and_of_no_other() -> None:
    model = small()
    one, other = rows(60), rows(9)
    changed = one.copy()
    changed[59] += 1  # far out of the reach of every window
    alone, beside = model.predict([one])[0], model.predict([one, other])[0]
    np.testing.assert_allclose(alone, beside, rtol=1e-5, atol=1e-6)
    assert not np.allclose(model.predict([changed])[0][0], alone[0])


def test_the_gradient_of_the_mean() -> None:
    read = Maxout(nO=4, nI=4, nP=2)
    mixing = document_mean(read)
    mixing.initialize()
    told = [rows(3), rows(5)]
    gradient = [rows(3), rows(5)]
    _, backprop = mixing(told, is_train=True)
    found = backprop(gradient)

    def loss(documents: list[Any]) -> float:
        said = mixing.predict(documents)
        return float(sum(np.vdot(a, b) for a, b in zip(said, gradient, strict=True)))

    step = 1e-2
    for document, token, column in ((0, 1, 2), (1, 4, 0)):
        up, down = ([part.copy() for part in told] for _ in range(2))
        up[document][token, column] += step
        down[document][token, column] -= step
        slope = (loss(up) - loss(down)) / (2 * step)
        assert found[document][token, column] == pytest.approx(slope, rel=0.02, abs=0.01)


@pytest.mark.parametrize("after", [0, 2, 3])
def test_the_mean_stands_between_two_layers(after: int) -> None:
    with pytest.raises(ValueError, match="mixed_after"):
        small(mixed_after=after)
