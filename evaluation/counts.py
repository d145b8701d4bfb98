"""Counts and the ratios made of them; 0/0 is ``None`` and prints as a dash, never as 0 or 1."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

DASH = "—"


def ratio(part: float, whole: float) -> float | None:
    """``part / whole``, ``None`` for 0/0."""
    return part / whole if whole else None


@dataclass(frozen=True, slots=True)
class Counts:
    """True positives, false positives, false negatives of one thing."""

    tp: int = 0
    fp: int = 0
    fn: int = 0

    def __add__(self, other: Counts) -> Counts:
        return Counts(self.tp + other.tp, self.fp + other.fp, self.fn + other.fn)

    @property
    def precision(self) -> float | None:
        return ratio(self.tp, self.tp + self.fp)

    @property
    def recall(self) -> float | None:
        return ratio(self.tp, self.tp + self.fn)

    @property
    def f1(self) -> float | None:
        """``None`` only where there was nothing to find and nothing was found."""
        return ratio(2 * self.tp, 2 * self.tp + self.fp + self.fn)


@dataclass(frozen=True, slots=True)
class Ratio:
    """So many right of so many."""

    right: int = 0
    total: int = 0

    def __add__(self, other: Ratio) -> Ratio:
        return Ratio(self.right + other.right, self.total + other.total)

    @property
    def value(self) -> float | None:
        return ratio(self.right, self.total)


@dataclass(slots=True)
class Scores:
    """Everything counted on one article, or on many together.

    ``counts`` and ``ratios`` are keyed by what they count (``evaluation.score`` names the keys).
    ``confidences`` holds, for each predicted deal that could be judged, its confidence and
    whether it was right. ``false_deals`` counts deals found in articles that tell none.
    """

    counts: dict[str, Counts] = field(default_factory=dict)
    ratios: dict[str, Ratio] = field(default_factory=dict)
    confidences: list[tuple[float, bool]] = field(default_factory=list)
    false_deals: int = 0

    def count(self, key: str, *, tp: int = 0, fp: int = 0, fn: int = 0) -> None:
        self.counts[key] = self.counts.get(key, Counts()) + Counts(tp, fp, fn)

    def judge(self, key: str, right: bool) -> None:
        self.ratios[key] = self.ratios.get(key, Ratio()) + Ratio(int(right), 1)

    def metric(self, key: str) -> float | None:
        """F1 of what is counted, share right of what is judged; ``None`` for 0/0 or unknown."""
        if key in self.counts:
            return self.counts[key].f1
        return self.ratios[key].value if key in self.ratios else None


def total(scores: Iterable[Scores]) -> Scores:
    """The sum over articles: every ratio is micro-averaged."""
    out = Scores()
    for one in scores:
        for key, counts in one.counts.items():
            out.counts[key] = out.counts.get(key, Counts()) + counts
        for key, share in one.ratios.items():
            out.ratios[key] = out.ratios.get(key, Ratio()) + share
        out.confidences.extend(one.confidences)
        out.false_deals += one.false_deals
    return out
