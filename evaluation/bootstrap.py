"""Percentile bootstrap by article: how much a headline would move with other articles."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from evaluation.counts import Counts, Scores

RESAMPLES = 1000
SEED = 20260101


def interval(articles: Sequence[Scores], key: str) -> tuple[float, float] | None:
    """The 95% interval of the F1 of ``key``; ``None`` where there is nothing to score.

    Articles are drawn with replacement, ``RESAMPLES`` times, from a fixed seed. Draws in which
    nothing can be scored (0/0) are left out.
    """
    rows = [one.counts.get(key, Counts()) for one in articles]
    table = np.array([[row.tp, row.fp, row.fn] for row in rows]).reshape(len(rows), 3)
    if not table.sum():
        return None
    draws = np.random.default_rng(SEED).integers(len(rows), size=(RESAMPLES, len(rows)))
    tp, fp, fn = np.moveaxis(table[draws].sum(axis=1), 1, 0)
    whole = 2 * tp + fp + fn
    f1 = 2 * tp[whole > 0] / whole[whole > 0]
    low, high = np.percentile(f1, [2.5, 97.5])
    return float(low), float(high)
