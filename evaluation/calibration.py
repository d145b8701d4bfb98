"""How far a confidence can be believed: reliability table, expected calibration error, Brier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

BINS = 10


@dataclass(frozen=True, slots=True)
class Bin:
    """Events with a confidence in ``[low, high)`` (the last bin holds 1 too)."""

    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


@dataclass(frozen=True, slots=True)
class Calibration:
    """``ece`` weighs each bin's gap between mean confidence and accuracy by its share of the
    events (Guo et al. 2017, ten bins of equal width); ``brier`` is the mean squared error. Both
    are ``None`` without events. Empty bins are left out."""

    events: int
    ece: float | None
    brier: float | None
    bins: tuple[Bin, ...]


def calibrate(confidences: Sequence[tuple[float, bool]]) -> Calibration:
    """Measures pairs of (confidence from 0 to 1, whether the event was right)."""
    if not confidences:
        return Calibration(0, None, None, ())
    said = np.array([confidence for confidence, _ in confidences], dtype=float)
    true = np.array([right for _, right in confidences], dtype=float)
    edges = np.arange(BINS + 1) / BINS  # linspace puts 0.3 a hair above 0.3
    index = np.digitize(said, edges[1:-1])
    bins = tuple(
        Bin(
            low=round(float(edges[i]), 1),
            high=round(float(edges[i + 1]), 1),
            count=int(inside.sum()),
            confidence=float(said[inside].mean()),
            accuracy=float(true[inside].mean()),
        )
        for i in range(BINS)
        if (inside := index == i).any()
    )
    gaps = sum(b.count * abs(b.confidence - b.accuracy) for b in bins)
    return Calibration(
        events=len(said),
        ece=gaps / len(said),
        brier=float(np.mean((said - true) ** 2)),
        bins=bins,
    )
