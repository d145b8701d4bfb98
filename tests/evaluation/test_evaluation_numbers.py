"""Ratios, calibration, the bootstrap, and how numbers print."""

from __future__ import annotations

import pytest

from evaluation import bootstrap
from evaluation.calibration import calibrate
from evaluation.counts import DASH, Counts, Ratio, Scores, ratio
from evaluation.tables import Table, number


def test_ratios_of_nothing_are_none() -> None:
    assert ratio(0, 0) is None
    assert Counts().f1 is None and Counts().precision is None and Counts().recall is None
    assert Ratio().value is None
    assert Scores().metric("roles") is None
    assert number(None) == DASH


def test_f1() -> None:
    counts = Counts(tp=6, fp=2, fn=4)
    assert counts.precision == 0.75
    assert counts.recall == 0.6
    assert counts.f1 == pytest.approx(2 / 3)
    assert Counts(fp=3).f1 == 0.0 and Counts(fp=3).recall is None


def test_perfect_calibration() -> None:
    told = calibrate([(1.0, True)] * 3 + [(0.0, False)] * 2)
    assert (told.events, told.ece, told.brier) == (5, 0.0, 0.0)
    assert [(b.low, b.high, b.count) for b in told.bins] == [(0.0, 0.1, 2), (0.9, 1.0, 3)]


def test_overconfidence() -> None:
    # 0.8 said, half right: the gap is 0.3; 0.3 said and wrong: the gap is 0.3.
    told = calibrate([(0.8, True), (0.8, False), (0.3, False), (0.3, False)])
    assert told.ece == pytest.approx(0.3)
    assert told.brier == pytest.approx((0.04 + 0.64 + 0.09 + 0.09) / 4)
    low, high = told.bins
    assert (low.confidence, low.accuracy) == (pytest.approx(0.3), 0.0)
    assert (high.confidence, high.accuracy) == (pytest.approx(0.8), 0.5)
    assert (high.low, high.high) == (0.8, 0.9)


@pytest.mark.parametrize("tenth", range(10))
def test_a_confidence_on_an_edge_is_in_the_bin_that_begins_there(tenth: int) -> None:
    (only,) = calibrate([(tenth / 10, True)]).bins
    assert (only.low, only.high) == (tenth / 10, round(tenth / 10 + 0.1, 1))


def test_no_events_no_calibration() -> None:
    told = calibrate([])
    assert (told.events, told.ece, told.brier, told.bins) == (0, None, None, ())


def scores(*triples: tuple[int, int, int]) -> list[Scores]:
    return [Scores(counts={"roles": Counts(*triple)}) for triple in triples]


def test_the_interval_holds_the_score_and_repeats() -> None:
    articles = scores((9, 1, 0), (2, 3, 4), (5, 0, 5), (0, 0, 3))
    bounds = bootstrap.interval(articles, "roles")
    assert bounds is not None
    assert bounds[0] < 2 * 16 / (2 * 16 + 4 + 12) < bounds[1]
    assert bootstrap.interval(articles, "roles") == bounds


def test_articles_all_alike_leave_no_doubt() -> None:
    assert bootstrap.interval(scores((3, 1, 1), (3, 1, 1)), "roles") == (0.75, 0.75)


def test_no_interval_of_nothing() -> None:
    assert bootstrap.interval([], "roles") is None
    assert bootstrap.interval(scores((0, 0, 0)), "roles") is None
    assert bootstrap.interval(scores((1, 0, 0)), "deals") is None


def test_a_difference_is_of_the_same_articles() -> None:
    hard, easy = (1, 5, 5), (9, 1, 1)
    first = scores(*[hard, easy] * 10)
    # One fact more in every article: each F1 alone moves far more than what lies between them.
    other = scores(*[(2, 4, 4), (10, 0, 0)] * 10)
    bounds = bootstrap.difference(first, other, "roles")
    alone = bootstrap.interval(first, "roles")
    assert bounds is not None and alone is not None
    assert 0.09 < bounds[0] < bounds[1] < 0.17
    assert bounds[1] - bounds[0] < (alone[1] - alone[0]) / 5
    back = bootstrap.difference(other, first, "roles")
    assert back == pytest.approx((-bounds[1], -bounds[0]))
    assert bootstrap.difference(first, first, "roles") == (0.0, 0.0)


def test_a_difference_to_nothing_scored_is_none() -> None:
    assert bootstrap.difference([], [], "roles") is None
    assert bootstrap.difference(scores((1, 0, 0)), scores((0, 0, 0)), "roles") is None


def test_a_table_in_markdown() -> None:
    table = Table("Sums", ("name", "f1"), [("a|b", "1.000")], note="A note.")
    assert table.markdown() == (
        "## Sums\n\nA note.\n\n| name | f1 |\n| --- | ---: |\n| a\\|b | 1.000 |\n"
    )
    assert table.rich().row_count == 1
