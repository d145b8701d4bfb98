"""Percentile bootstrap by article: how much a headline would move with other articles.

Of one system, or of the difference between two.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from evaluation.counts import Counts, Scores

RESAMPLES = 1000
SEED = 20260101


def interval(articles: Sequence[Scores], key: str) -> tuple[float, float] | None:
    """The 95% interval of the F1 of ``key``; ``None`` where there is nothing to score.

    Articles are drawn with replacement, ``RESAMPLES`` times, from a fixed seed. Draws in which
    nothing can be scored (0/0) are left out.
    """
    return _bounds(_resampled(articles, key))


def difference(
    first: Sequence[Scores], other: Sequence[Scores], key: str
) -> tuple[float, float] | None:
    """The 95% interval of the F1 of ``other`` less that of ``first``, on the same articles.

    Paired: both are scored on the articles of each draw of :func:`interval`, and the difference
    is taken draw by draw, so that an article which is hard for both moves it little.
    """
    return _bounds(_resampled(other, key) - _resampled(first, key))


def _resampled(articles: Sequence[Scores], key: str) -> NDArray[np.float64]:
    """The F1 of each draw, NaN for 0/0; the draws depend on the number of articles alone."""
    if not articles:
        return np.full(RESAMPLES, np.nan)
    rows = [one.counts.get(key, Counts()) for one in articles]
    table = np.array([[row.tp, row.fp, row.fn] for row in rows])
    draws = np.random.default_rng(SEED).integers(len(rows), size=(RESAMPLES, len(rows)))
    tp, fp, fn = np.moveaxis(table[draws].sum(axis=1), 1, 0)
    whole = (2 * tp + fp + fn).astype(float)
    f1: NDArray[np.float64] = 2 * tp / np.where(whole > 0, whole, np.nan)
    return f1


def _bounds(values: NDArray[np.float64]) -> tuple[float, float] | None:
    known = values[~np.isnan(values)]
    if not known.size:
        return None
    low, high = np.percentile(known, [2.5, 97.5])
    return float(low), float(high)
