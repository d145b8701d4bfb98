"""A small network over the mentions of an article: which two belong to one deal.

The linear models ask of each mention and each deal by itself. This network reads all mentions in
their order, each with what the encoder says of its words, and scores pairs: do the two share a
deal, is the first its company, does the first invest in it? Beside that it says what each party
and each sum is. Its answers are no facts; the linear models weigh them with all the rest.

A pair is scored by the product of two vectors and what stands between the mentions, much as a
biaffine parser scores head and dependent (Dozat and Manning 2017, "Deep Biaffine Attention for
Neural Dependency Parsing"). The layers below are those of :mod:`pipeline.dilated`, over mentions
instead of tokens.
"""

from __future__ import annotations

import random
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from itertools import pairwise
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from spacy.util import fix_random_seed
from thinc.api import (
    Adam,
    Dropout,
    Linear,
    Model,
    NumpyOps,
    Relu,
    chain,
    set_dropout_rate,
    warmup_linear,
    with_array,
)

from pipeline.attributes import COLUMNS
from pipeline.codes import GROUP, NOM_COMPANY, NOM_INVESTOR, NOTHING
from pipeline.dilated import Documents, Floats, Node, dilated_window_encoder
from pipeline.linear import stepped
from pipeline.schema import MONEY_LABELS, NAME_LABELS, AmountKind, Label
from pipeline.view import AGES, Item, View

Ints = NDArray[np.int32]
"""Of this size, because thinc adds up rows by others twenty times as slowly."""

WIDTH = 96
"""Of the encoder's vectors, and of those of the network."""

REACH = 32
"""How many mentions a pair may stand apart; the cost of an article grows with its length alone."""

_SEATS = 2 * REACH + 1

LINKS = ("shared", "company", "investor")
"""What is asked of a pair: whether both play a part in one deal, whether the first is the company
of a deal in which the second plays a part, whether it invests in one."""

SHARED, COMPANY, INVESTOR = range(len(LINKS))

PARTS = (
    *sorted(NAME_LABELS), NOTHING,
    *(f"sum:{kind}" for kind in (*AmountKind, Label.VALUATION, NOTHING)),
)  # fmt: skip
"""What a party or a sum may be."""

_LABELS = (
    *sorted(NAME_LABELS), GROUP, NOM_COMPANY, NOM_INVESTOR, *sorted(MONEY_LABELS),
    Label.DATE, Label.ROUND, Label.INSTRUMENT,
)  # fmt: skip
_SIGNS = ("\n", ";", ",", "(", ")", ":", "–", "—", "•", "«", "»", ".", "et")
_STANDING = 8
_GAP = 2 + len(_SIGNS)
_ROW = 3 * WIDTH + len(COLUMNS) + 2 * len(_LABELS) + len(AGES) + _STANDING + 2 * _GAP
_NEAR = 8
"""Up to so many mentions apart, each distance counts by itself."""
_BETWEEN = _GAP + 2 + 2 * _NEAR + 2
_HIDDEN = 64
_SCALE = 0.1
"""About one by the root of :data:`WIDTH`, so that products begin as large as their factors."""

_OPS = NumpyOps(use_blis=False)

Network = Model["Sequence[Seen]", tuple[Floats, Floats]]


class Seen(NamedTuple):
    """What the network sees of the mentions of an article."""

    rows: Floats
    """One row a mention."""
    first: Ints
    second: Ints
    """The mentions of each pair, by index."""
    between: Floats
    """One row a pair."""


class Answers(NamedTuple):
    """What is right of the mentions of an article."""

    parts: Ints
    """For each mention a place in :data:`PARTS`, or -1 where nothing is asked."""
    links: Floats
    """One row a pair, one column a question of :data:`LINKS`: 1 for yes, 0 for no."""


def see(view: View, vectors: Floats) -> Seen:
    """The mentions of ``view`` with the encoder's ``vectors``, one for each token."""
    items = view.items
    gaps = _gaps(view)
    after = np.concatenate([gaps[1:], np.zeros((1, _GAP), np.float32)])
    rows = np.zeros((len(items), _ROW), np.float32)
    mentioned: dict[int | None, int] = {}
    for item, row in zip(items, rows, strict=True):
        nth = mentioned[item.party] = mentioned.get(item.party, 0) + 1
        own = vectors[item.start : item.end]
        row[: 3 * WIDTH] = np.concatenate([own[0], own.mean(axis=0), own[-1]])
        row[3 * WIDTH : -2 * _GAP] = _of_item(view, item, nth)
    rows[:, -2 * _GAP : -_GAP] = gaps
    rows[:, -_GAP:] = after
    first, second = _pairs(items)
    return Seen(rows, first, second, _between(items, gaps, first, second))


def _of_item(view: View, item: Item, nth: int) -> list[float]:
    """What is known of a mention; ``nth`` counts the mentions of its party up to it."""
    out = [answer / 10 for answer in item.attributes] or [0.0] * len(COLUMNS)
    out += [item.odds.get(label, 0) / 10 for label in _LABELS]
    out += [item.label == label for label in _LABELS]
    out += [item.when == age for age in AGES]
    is_party, money = item.party is not None, item.money
    value = (money.value or money.maximum) if money is not None else None
    out += [
        is_party,
        min(nth, 4) / 4 if is_party else 0.0,
        min(len(view.parties[item.party]), 5) / 5 if item.party is not None else 0.0,
        item.nominal,
        value.adjusted() / 10 if value else 0.0,
        item.index in view.wholes,
        money is not None and money.converts is not None,
        min(item.sent, 10) / 10,
    ]
    return out


def _gaps(view: View) -> Floats:
    """For each mention what stands between it and the one before."""
    rows = np.zeros((len(view.items), _GAP), np.float32)
    end = sent = 0
    for item, row in zip(view.items, rows, strict=True):
        words = view.texts[end : item.start]
        text = " ".join(words)
        row[0] = min(len(words), 60) / 20
        row[1] = min(item.sent - sent, 3)
        row[2:] = [(sign in words) if sign == "et" else min(text.count(sign), 2) for sign in _SIGNS]
        end, sent = max(end, item.end), item.sent
    return rows


def _pairs(items: Sequence[Item]) -> tuple[Ints, Ints]:
    """All pairs of near mentions of which the second is a party or a sum."""
    asked = np.array([item.party is not None or item.money is not None for item in items], bool)
    padded = np.pad(asked, REACH)
    around = np.arange(_SEATS)[np.newaxis] + np.arange(len(items))[:, np.newaxis]
    there = padded[around]
    there[:, REACH] = False  # the mention itself
    first, seat = (places.astype(np.int32) for places in np.nonzero(there))
    return first, first + seat - REACH


def _between(items: Sequence[Item], gaps: Floats, first: Ints, second: Ints) -> Floats:
    summed = np.cumsum(gaps, axis=0)
    apart = second - first
    near = np.zeros((len(first), 2 * _NEAR + 2), np.float32)
    near[np.arange(len(first)), np.clip(apart, -_NEAR - 1, _NEAR) + _NEAR + 1] = 1
    party = np.array([-1 if item.party is None else item.party for item in items], np.int64)
    same = (party[first] == party[second]) & (party[first] >= 0)
    return np.concatenate(
        [
            np.log1p(np.abs(summed[second] - summed[first])),
            np.log1p(np.abs(apart))[:, np.newaxis],
            same[:, np.newaxis],
            near,
        ],
        axis=1,
        dtype=np.float32,
    )


# ---- the network ------------------------------------------------------------------------------


def mention_network() -> Network:
    """An untrained network: articles -> scores of :data:`PARTS` a mention, of :data:`LINKS` a pair.

    Scores are logits.
    """
    below: Node = chain(Dropout(), Relu(WIDTH, _ROW))
    encode: Node = chain(
        with_array(below),
        dilated_window_encoder(WIDTH, 2, (1, 1, 3, 9), maxout_pieces=3, mixed_after=3),
        with_array(Dropout()),
    )
    pair: Node = chain(Relu(_HIDDEN, WIDTH + _BETWEEN), Linear(len(LINKS), _HIDDEN))
    layers = [encode, Linear(len(PARTS), WIDTH), Linear(WIDTH, WIDTH), Linear(WIDTH, WIDTH), pair]
    model: Network = Model("mention_network", _forward, init=_initialize, layers=layers)
    for node in model.walk():
        node.ops = _OPS
    return model


def _initialize(model: Network, X: object = None, Y: object = None) -> None:
    for layer in model.layers:
        layer.initialize()


_Gradients = tuple[Floats, Floats]

_STRETCH = 2048
"""Pairs that are scored at a time, so that they fit into the processor's cache."""


def _forward(
    model: Network, articles: Sequence[Seen], is_train: bool
) -> tuple[tuple[Floats, Floats], Callable[[_Gradients], Documents]]:
    encode, part, left, right, pair = model.layers
    encoded, into_rows = encode([article.rows for article in articles], is_train)
    ends = np.cumsum([0, *map(len, encoded)])
    flat = np.concatenate(encoded)
    starts = ends[:-1].tolist()
    first = np.concatenate([a.first + at for a, at in zip(articles, starts, strict=True)])
    second = np.concatenate([a.second + at for a, at in zip(articles, starts, strict=True)])
    parts, from_parts = part(flat, is_train)
    (lefts, from_left), (rights, from_right) = left(flat, is_train), right(flat, is_train)
    between = np.concatenate([article.between for article in articles])
    links = np.zeros((len(first), len(LINKS)), np.float32)
    stretches = [slice(low, low + _STRETCH) for low in range(0, len(first), _STRETCH)]
    from_links = []
    for at in stretches:
        products = lefts[first[at]] * rights[second[at]]
        products *= _SCALE
        links[at], back = pair(np.concatenate([products, between[at]], axis=1), is_train)
        from_links.append(back)

    def backprop(gradients: _Gradients) -> Documents:
        of_parts, of_links = gradients
        of_left, of_right = np.zeros_like(lefts), np.zeros_like(rights)
        for at, back in zip(stretches, from_links, strict=True):
            of_products = _SCALE * back(of_links[at])[:, :WIDTH]
            _OPS.scatter_add(of_left, first[at], of_products * rights[second[at]])
            _OPS.scatter_add(of_right, second[at], of_products * lefts[first[at]])
        summed = from_parts(of_parts) + from_left(of_left) + from_right(of_right)
        return into_rows([summed[low:high] for low, high in pairwise(ends)])  # type: ignore[no-any-return]

    return (parts, links), backprop


EPOCHS = 7
_BATCH = 8
_RATE = 0.006
_DROPOUT = 0.2
_PARTS_WEIGHT = 0.1


def fit(articles: Sequence[tuple[Seen, Answers]], *, seed: int) -> Network:
    """A network that learnt from articles; those without a pair teach nothing."""
    fix_random_seed(seed)
    network = mention_network()
    network.initialize()
    set_dropout_rate(network, _DROPOUT)
    learn = [(seen, right) for seen, right in articles if len(seen.first)]
    steps = EPOCHS * -(-len(learn) // _BATCH)
    rates: Any = warmup_linear(_RATE, steps // 7, steps)
    optimizer = Adam(rates, L2=0.01, L2_is_weight_decay=True, grad_clip=1.0)
    shuffler = random.Random(seed)
    for _ in range(EPOCHS):
        shuffler.shuffle(learn)
        for low in range(0, len(learn), _BATCH):
            batch = learn[low : low + _BATCH]
            scores, backprop = network.begin_update([seen for seen, _ in batch])
            backprop(_gradients(scores, [right for _, right in batch]))
            network.finish_update(optimizer)
            optimizer.step_schedules()
    return network


def _gradients(scores: tuple[Floats, Floats], right: Sequence[Answers]) -> _Gradients:
    """Of the mean cross-entropy over the mentions, weighed, and of that over the pairs."""
    parts, links = scores
    wanted = np.concatenate([answers.parts for answers in right])
    asked = np.flatnonzero(wanted >= 0)
    of_parts = np.zeros_like(parts)
    of_parts[asked] = _OPS.softmax(parts[asked])
    of_parts[asked, wanted[asked]] -= 1
    of_parts *= _PARTS_WEIGHT / max(1, len(asked))
    of_links = _OPS.sigmoid(links) - np.concatenate([answers.links for answers in right])
    return of_parts, of_links / len(links)


# ---- what it reads ----------------------------------------------------------------------------


class Reading(NamedTuple):
    """What a network says of an article, in per cent."""

    parts: NDArray[np.uint8]
    """Shape (mentions, ``len(PARTS)``)."""
    links: NDArray[np.uint8]
    """Shape (mentions, ``2 * REACH + 1``, ``len(LINKS)``): of the first mention of a pair and,
    from ``REACH`` mentions before it to as many after it, the second; ``_UNASKED`` where nothing
    is asked."""


_UNASKED = 255


def read(network: Network, article: Seen) -> Reading:
    """What ``network`` says of an article."""
    count = len(article.rows)
    links = np.full((count, _SEATS, len(LINKS)), _UNASKED, np.uint8)
    if not count:
        return Reading(np.zeros((0, len(PARTS)), np.uint8), links)
    parts, pairs = network.predict([article])
    links[article.first, article.second - article.first + REACH] = np.rint(
        100 * _OPS.sigmoid(pairs)
    )
    sums = [part.startswith("sum:") for part in PARTS]
    for own in (np.flatnonzero(sums), np.flatnonzero(np.invert(sums))):
        parts[:, own] = _OPS.softmax(parts[:, own])
    return Reading(np.rint(100 * parts).astype(np.uint8), links)


def note(view: View, reading: Reading) -> None:
    """Lets the mentions of ``view`` know what a network says of them."""
    view.links = reading.links.tobytes()
    for item, parts in zip(view.items, reading.parts.tolist(), strict=True):
        item.parts = [
            feature
            for name, chance in zip(_PART_NAMES, parts, strict=True)
            if chance > _STEPS[0]
            for feature in stepped(name, chance, _STEPS)
        ]


_PART_NAMES = [f"net:{part}" for part in PARTS]
_STEPS = (3, 10, 25, 50, 75, 90, 97)


def link_chance(view: View, ones: Sequence[Item], others: Sequence[Item], question: int) -> int:
    """How probably any of ``ones`` is linked with any of ``others``, in per cent.

    Both stand in text order. ``question`` is a place in :data:`LINKS`; -1 where no such pair was
    asked.
    """
    best = -1
    if not (view.links and ones and others):
        return best
    for one in within_reach(ones, others):
        start = (one.index * (_SEATS - 1) + REACH) * len(LINKS) + question
        for other in within_reach(others, (one,)):
            if abs(other.index - one.index) <= REACH:
                chance = view.links[start + other.index * len(LINKS)]
                if best < chance != _UNASKED:
                    best = chance
    return best


_FEW = 8


def within_reach(items: Sequence[Item], of: Sequence[Item]) -> Sequence[Item]:
    """The items, in text order, that may be paired with one of those in ``of``.

    Of a few all are given.
    """
    if len(items) <= _FEW or not of:
        return items
    low = bisect_left(items, of[0].index - REACH, key=_index)
    return items[low : bisect_right(items, of[-1].index + REACH, key=_index)]


_index = attrgetter("index")
