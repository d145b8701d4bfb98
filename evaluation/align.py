"""One-to-one matching: of deals, and of the facts inside matched deals.

Both are assignment problems (maximum total similarity), solved exactly by
:func:`scipy.optimize.linear_sum_assignment`, so that the order of the lists never decides.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TypeVar

import numpy as np
from scipy.optimize import linear_sum_assignment

from evaluation.deals import Deal, same_date, same_money, same_party

T = TypeVar("T")

COMPANY, AMOUNT, INVESTORS, VALUATIONS, DATE, TYPE = 0.40, 0.25, 0.15, 0.08, 0.07, 0.05
"""What agreement on each fact adds to the similarity of two deals; together 1."""

CONTRADICTION = 0.15
"""Taken off where both deals give an amount, or both a date, and they differ."""

MINIMUM = 0.20
"""The least similarity of a match. The same company or the same amount is enough, the type alone
never; but the same company with another amount at another date is another operation."""


@dataclass(frozen=True, slots=True)
class Alignment:
    """Indices into the gold and the found list: pairs, gold ones missed, found ones too many."""

    pairs: tuple[tuple[int, int], ...]
    missed: tuple[int, ...]
    extra: tuple[int, ...]


def align(
    gold: Sequence[T], found: Sequence[T], same: Callable[[T, T], float], minimum: float = 0.01
) -> Alignment:
    """The one-to-one pairing with the highest total of ``same``; pairs below ``minimum`` fall."""
    matrix = np.array([[same(g, f) for f in found] for g in gold]).reshape(len(gold), len(found))
    matrix[matrix < minimum] = 0.0
    rows, columns = linear_sum_assignment(matrix, maximize=True)
    pairs = tuple(
        (int(row), int(column))
        for row, column in zip(rows, columns, strict=True)
        if matrix[row, column] > 0
    )
    return Alignment(
        pairs=pairs,
        missed=tuple(sorted(set(range(len(gold))) - {g for g, _ in pairs})),
        extra=tuple(sorted(set(range(len(found))) - {f for _, f in pairs})),
    )


def align_deals(gold: Sequence[Deal], found: Sequence[Deal]) -> Alignment:
    """Matches the deals of one article by :func:`similarity`."""
    return align(gold, found, similarity, MINIMUM)


def similarity(gold: Deal, found: Deal) -> float:
    """How much two deals agree, from -0.3 (contradiction) to 1 (all facts the same)."""
    amounts = same_money(gold.amount, found.amount)
    dates = same_date(gold.date, found.date)
    contradictions = (
        (gold.amount is not None and found.amount is not None and not amounts),
        (gold.date is not None and found.date is not None and not dates),
    )
    return (
        COMPANY * same_party(gold.company, found.company)
        + AMOUNT * amounts
        + INVESTORS * _dice(
            [i.party for i in gold.investors], [i.party for i in found.investors], same_party
        )
        + VALUATIONS * _dice(
            [v.money for v in gold.valuations], [v.money for v in found.valuations], same_money
        )
        + DATE * dates
        + TYPE * (gold.type is found.type)
        - CONTRADICTION * sum(contradictions)
    )  # fmt: skip


def _dice(gold: Sequence[T], found: Sequence[T], same: Callable[[T, T], float]) -> float:
    """Shared facts over all facts of both lists, 0 to 1; 0 for two empty lists."""
    if not gold or not found:
        return 0.0
    return 2 * len(align(gold, found, same).pairs) / (len(gold) + len(found))
