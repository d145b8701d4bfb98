"""Deals are matched one to one, by what they share."""

from __future__ import annotations

from handmade import deal

from evaluation.align import MINIMUM, align, align_deals, similarity
from pipeline.schema import EventType


def test_the_best_total_wins_over_the_first_come() -> None:
    table = {("a", "x"): 0.9, ("a", "y"): 0.8, ("b", "x"): 0.9, ("b", "y"): 0.0}
    found = align(["a", "b"], ["x", "y"], lambda g, f: table[g, f])
    assert set(found.pairs) == {(0, 1), (1, 0)}
    assert found.missed == found.extra == ()


def test_empty_lists_have_no_pairs() -> None:
    assert align([], ["x"], lambda g, f: 1.0).extra == (0,)
    assert align(["a"], [], lambda g, f: 1.0).missed == (0,)


def test_the_same_deal_is_wholly_similar() -> None:
    one = deal(investors=("Piloni",), valuations=(90,), date="2026")
    assert abs(similarity(one, one) - 1) < 1e-9


def test_the_type_alone_is_no_match() -> None:
    gold, found = deal("Novalune", 12), deal("Piloni", 13)
    assert similarity(gold, found) < MINIMUM
    assert align_deals([gold], [found]).pairs == ()
    assert align_deals([deal("Novalune", None)], [deal("Piloni", None)]).pairs == ()


def test_the_company_is_enough_and_so_is_the_amount() -> None:
    assert align_deals([deal("Novalune", 12)], [deal("Novalune", None)]).pairs == ((0, 0),)
    assert align_deals([deal("Novalune", 12)], [deal("Novalune", 13)]).pairs == ((0, 0),)
    assert align_deals([deal("Novalune", 12)], [deal("Piloni", 12)]).pairs == ((0, 0),)


def test_all_investors_of_an_unknown_company_are_enough() -> None:
    gold = deal("Novalune", None, ("Piloni", "Garonne"))
    assert align_deals([gold], [deal("Tilleul", None, ("Garonne", "Piloni"))]).pairs == ((0, 0),)
    other = deal("Tilleul", None, ("Garonne", "Autre"), type=EventType.IPO)
    assert align_deals([gold], [other]).pairs == ()


def test_another_sum_at_another_date_is_another_operation() -> None:
    gold, found = deal(amount=12, date="2024"), deal(amount=30, date="2026")
    assert align_deals([gold], [found]).pairs == ()
    assert align_deals([gold], [deal(amount=30, date="2024")]).pairs == ((0, 0),)


def test_rounds_of_one_company_are_told_apart_by_their_sums() -> None:
    gold = [deal(amount=12), deal(amount=40)]
    found = [deal(amount=40), deal(amount=12), deal(amount=7)]
    alignment = align_deals(gold, found)
    assert set(alignment.pairs) == {(0, 1), (1, 0)}
    assert alignment.extra == (2,)
