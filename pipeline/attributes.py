"""What the encoder is asked of a mention, beside its label, and how the answers are evidence.

Each question has a few answers, of which one is right. One linear layer over the encoder answers
all of them (:mod:`pipeline.components.attributes`), and learns together with the NER: what kind of
investor stands here, what a sum counts, whether the deal spoken of is done. The answers are no
facts yet; the linear models weigh them with all the rest.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise

from pipeline.linear import stepped
from pipeline.schema import (
    NAME_LABELS,
    AmountKind,
    Certainty,
    Commitment,
    EventType,
    InvestorRole,
    Status,
)

DEED = "deed=here"
"""That a deal of the company is told in this sentence and without a sum."""

ATTRIBUTES: Mapping[str, tuple[str, ...]] = {
    "certainty": tuple(Certainty),
    "commitment": tuple(Commitment),
    "deed": ("here", "none"),
    "kind": tuple(AmountKind),
    "part": tuple(sorted(NAME_LABELS)),
    "role": tuple(InvestorRole),
    "source": ("no", "yes"),
    "status": tuple(Status),
    "type": tuple(EventType),
    "when": ("date", "expected_close", "none", "timing"),
}
"""The questions, with their answers."""

_OF_THE_DEAL = ("type", "status", "certainty")

ASKED: Mapping[str, tuple[str, ...]] = {
    "date": (*_OF_THE_DEAL, "when"),
    "deal": _OF_THE_DEAL,
    "money": (*_OF_THE_DEAL, "kind"),
    "party": (*_OF_THE_DEAL, "part", "deed", "role", "commitment", "source"),
}
"""Which questions are asked of which sort of mention, and of all that make a deal."""

COLUMNS = tuple(f"{name}={answer}" for name, answers in ATTRIBUTES.items() for answer in answers)
"""One column an answer, in the order in which the layer gives them."""

_ENDS = list(accumulate(map(len, ATTRIBUTES.values()), initial=0))
SLICES: Mapping[str, slice] = {
    name: slice(*bounds) for name, bounds in zip(ATTRIBUTES, pairwise(_ENDS), strict=True)
}
"""The columns of each question."""

COLUMN_OF: Mapping[str, int] = {column: at for at, column in enumerate(COLUMNS)}

_STEPS = (1, 4, 7)
"""Tenths."""

_ALIKE = (0.3, 0.6, 0.9)

_ANSWERS = {
    sort: [
        (at, f"t:{COLUMNS[at]}")
        for name in names
        for at in range(SLICES[name].start, SLICES[name].stop)
    ]
    for sort, names in ASKED.items()
}


def attribute_features(sort: str, tenths: Sequence[float]) -> list[str]:
    """The answers for a mention of that sort as features; none where nothing was read."""
    return [
        feature
        for at, answer in (_ANSWERS[sort] if tenths else ())
        if tenths[at] > _STEPS[0]
        for feature in stepped(answer, tenths[at], _STEPS)
    ]


def mean(rows: Sequence[Sequence[float]]) -> list[float]:
    """The answers of several mentions together; those of which nothing was read do not count."""
    read = [row for row in rows if row]
    return [sum(column) / len(read) for column in zip(*read, strict=True)]


def likeness(one: Sequence[float], two: Sequence[float]) -> list[str]:
    """How probably two mentions speak of deals of one type, status and certainty."""
    if not one or not two:
        return []
    out = []
    for name in _OF_THE_DEAL:
        own = SLICES[name]
        same = sum(a * b for a, b in zip(one[own], two[own], strict=True)) / 100
        out += [f"alike:{name}>{least}" for least in _ALIKE if same > least]
    return out
