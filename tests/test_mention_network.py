"""The network over the mentions: what it sees, learns and says."""

from __future__ import annotations

import numpy as np
import pytest
from spacy.language import Language
from spacy.util import fix_random_seed
from tiny import NO_DEAL, ROUND, ROUNDUP, passages, viewed

from pipeline import mention_network as module
from pipeline.dilated import Floats
from pipeline.learning import Aligned, network_answers
from pipeline.mention_network import (
    COMPANY,
    INVESTOR,
    LINKS,
    PARTS,
    REACH,
    SHARED,
    WIDTH,
    Answers,
    Seen,
    fit,
    link_chance,
    mention_network,
    note,
    read,
    see,
)
from pipeline.view import View


def vectors(view: View, seed: int = 0) -> Floats:
    rows = np.random.default_rng(seed).normal(size=(len(view.tokens), WIDTH))
    return rows.astype(np.float32)


def taught(nlp: Language, template: str) -> list[tuple[View, Seen, Answers]]:
    out = []
    for article in passages(template):
        view = viewed(nlp, article.text)
        seen = see(view, vectors(view))
        out.append((view, seen, network_answers(Aligned.of(article, view), seen)))
    return out


# ---- what it sees and what is right ------------------------------------------------------------


def test_every_mention_is_a_row_and_every_two_near_ones_are_a_pair(tiny: Language) -> None:
    view = viewed(tiny, passages(ROUNDUP)[0].text)
    seen = see(view, vectors(view))
    assert [item.text for item in view.items] == [
        "Ovalie Robotics", "8 millions d'euros", "Tramontane", "4 millions d'euros",
    ]  # fmt: skip
    assert len(seen.rows) == 4
    pairs = list(zip(seen.first.tolist(), seen.second.tolist(), strict=True))
    assert sorted(pairs) == [(a, b) for a in range(4) for b in range(4) if a != b]
    first = view.items[0]
    own = vectors(view)[first.start : first.end]
    assert np.array_equal(seen.rows[0, :WIDTH], own[0])
    assert np.allclose(seen.rows[0, WIDTH : 2 * WIDTH], own.mean(axis=0))


def test_only_parties_and_sums_are_the_second_of_a_pair(tiny: Language) -> None:
    view = viewed(tiny, passages(ROUND)[0].text)
    seen = see(view, vectors(view))
    others = {view.items[at].label for at in seen.second.tolist()}
    assert {"ROUND", "DATE"} <= {view.items[at].label for at in seen.first.tolist()}
    assert others.isdisjoint({"ROUND", "DATE", "INSTRUMENT"})


def test_pairs_grow_with_the_length_of_a_text_alone(tiny: Language) -> None:
    sentence = "Ovalie Robotics lève 8 millions d'euros. "
    view = viewed(tiny, sentence * 100)
    seen = see(view, vectors(view))
    assert len(view.items) == 200
    assert np.abs(seen.first - seen.second).max() == REACH
    assert len(seen.first) == 200 * 2 * REACH - REACH * (REACH + 1)


def test_the_right_answers_follow_the_deals_of_the_gold(tiny: Language) -> None:
    [(view, seen, right), *_] = taught(tiny, ROUND)
    at = {item.text: item.index for item in view.items}
    answers = {
        (int(a), int(b)): tuple(row.tolist())
        for a, b, row in zip(seen.first, seen.second, right.links, strict=True)
    }
    company, fund, total = (
        at["Ovalie Robotics"], at["Fonds Garonne"], at["12 millions d'euros"],
    )  # fmt: skip
    assert answers[company, total] == (1, 1, 0)
    assert answers[fund, total] == (1, 0, 1)
    assert answers[fund, company] == (1, 0, 1)
    assert PARTS[right.parts[company]] == "COMPANY"
    assert PARTS[right.parts[total]] == "sum:deal"
    assert right.parts[at["mai 2023"]] == -1
    [(_, _, quiet), *_] = taught(tiny, NO_DEAL)
    assert not quiet.links.any()


def test_deals_of_a_round_up_are_kept_apart(tiny: Language) -> None:
    [(_, seen, right), *_] = taught(tiny, ROUNDUP)
    shared = {
        (int(a), int(b))
        for a, b, row in zip(seen.first, seen.second, right.links, strict=True)
        if row[SHARED]
    }
    assert shared == {(0, 1), (1, 0), (2, 3), (3, 2)}


# ---- learning ----------------------------------------------------------------------------------


def test_the_gradients_are_those_of_the_scores() -> None:
    fix_random_seed(7)
    network = mention_network()
    network.initialize()
    rng = np.random.default_rng(7)
    width = network.layers[0].layers[0].layers[0].layers[1].get_dim("nI")
    between = network.layers[-1].layers[0].get_dim("nI") - WIDTH

    def article(count: int) -> Seen:
        first, second = np.nonzero(~np.eye(count, dtype=bool))
        rows = rng.normal(size=(count, width)).astype(np.float32)
        return Seen(rows, first, second, rng.normal(size=(len(first), between)).astype(np.float32))

    articles = [article(3), article(4)]
    scores, backprop = network.begin_update(articles)
    weights = [rng.normal(size=score.shape).astype(np.float32) for score in scores]
    _, of_rows = backprop((weights[0], weights[1]))
    step = rng.normal(size=articles[1].rows.shape).astype(np.float32)

    def loss(size: float) -> float:
        moved = articles[1]._replace(rows=articles[1].rows + np.float32(size) * step)
        found = network.predict([articles[0], moved])
        return sum(float((w * s).sum()) for w, s in zip(weights, found, strict=True))

    numeric = (loss(1e-3) - loss(-1e-3)) / 2e-3
    assert float((of_rows * step).sum()) == pytest.approx(numeric, rel=0.02)


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "EPOCHS", 60)


@pytest.mark.usefixtures("short")
def test_it_learns_who_belongs_to_which_deal(tiny: Language) -> None:
    lessons = [*taught(tiny, ROUND), *taught(tiny, ROUNDUP)]
    network = fit([(seen, right) for _, seen, right in lessons], seed=7)
    view, seen, _ = lessons[0]
    note(view, read(network, seen))
    at = {item.text: item for item in view.items}
    company, fund, total = (
        at["Ovalie Robotics"], at["Fonds Garonne"], at["12 millions d'euros"],
    )  # fmt: skip
    assert link_chance(view, [company], [total], COMPANY) > 80
    assert link_chance(view, [fund], [total], COMPANY) < 20
    assert link_chance(view, [fund], [total], INVESTOR) > 80
    assert "net:INVESTOR>50" in fund.parts
    assert "net:COMPANY>50" not in fund.parts
    view, seen, _ = lessons[-1]
    note(view, read(network, seen))
    own, rival = view.items[0], view.items[2]
    assert link_chance(view, [own], [view.items[1]], SHARED) > 80
    assert link_chance(view, [rival], [view.items[1]], SHARED) < 20


@pytest.mark.usefixtures("short")
def test_the_same_seed_gives_the_same_network(
    tiny: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "EPOCHS", 2)
    lessons = [(seen, right) for _, seen, right in taught(tiny, ROUND)]
    first, again, other = (fit(lessons, seed=seed).to_bytes() for seed in (7, 7, 8))
    assert first == again
    assert first != other


# ---- what it says ------------------------------------------------------------------------------


def test_a_reading_holds_per_cents_and_nothing_where_nothing_was_asked(tiny: Language) -> None:
    fix_random_seed(7)
    network = mention_network()
    network.initialize()
    view = viewed(tiny, passages(ROUND)[0].text)
    reading = read(network, see(view, vectors(view)))
    asked = reading.links[reading.links <= 100]
    assert set(np.unique(reading.links)) <= {*range(101), 255}
    assert len(asked) == len(LINKS) * len(see(view, vectors(view)).first)
    sums = [part.startswith("sum:") for part in PARTS]
    for own in (sums, np.invert(sums)):
        assert np.allclose(reading.parts[:, own].sum(axis=1), 100, atol=len(PARTS) / 2)


def test_an_article_without_mentions_says_nothing(tiny: Language) -> None:
    view = viewed(tiny, "Il pleut.")
    network = mention_network()
    network.initialize()
    reading = read(network, see(view, vectors(view)))
    assert reading.links.shape[0] == reading.parts.shape[0] == 0
    note(view, reading)
    assert view.links == b""


def test_of_several_pairs_the_most_probable_counts(tiny: Language) -> None:
    view = viewed(tiny, passages(ROUNDUP)[0].text)
    items = view.items
    assert link_chance(view, items[:1], items[1:], SHARED) == -1  # no network has read
    links = np.full((4, 2 * REACH + 1, len(LINKS)), 255, np.uint8)
    links[0, REACH + 1, SHARED], links[0, REACH + 3, SHARED] = 30, 70
    view.links = links.tobytes()
    assert link_chance(view, items[:1], items[1:2], SHARED) == 30
    assert link_chance(view, items[:1], items[1:], SHARED) == 70
    assert link_chance(view, items[:1], items[2:3], SHARED) == -1
    assert link_chance(view, items[:1], items[1:], COMPANY) == -1
    assert link_chance(view, [], items, SHARED) == -1
