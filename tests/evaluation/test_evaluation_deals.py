"""When two names, groups, sums and dates are the same fact."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from handmade import TEXT, euros, event, party

from evaluation.deals import (
    DateFact,
    MoneyFact,
    from_event,
    head_noun,
    same_date,
    same_money,
    same_name,
    same_party,
)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ("X.AI", "xAI", 1.0),
        ("Caisse des Dépôts", "caisse des depots", 1.0),
        ("La Banque Postale", "Banque Postale", 1.0),
        ("Banco Fenwick", "Banco Fenwick Gestion", 0.9),
        ("Sequa", "Sequana", 0.0),
        ("Gestion Fenwick", "Banco Fenwick Gestion", 0.0),
        ("Piloni", "Novalune", 0.0),
        ("…", "…", 0.0),
    ],
)
def test_names(one: str, other: str, expected: float) -> None:
    assert same_name(one, other) == expected
    assert same_name(other, one) == expected


@pytest.mark.parametrize(
    ("description", "noun"),
    [
        ("des fonds souverains du Golfe", "fond"),
        ("ses actionnaires historiques", "actionnaire"),
        ("une vingtaine de business angels", "busine"),
        ("plusieurs 3", ""),
    ],
)
def test_head_nouns(description: str, noun: str) -> None:
    assert head_noun(description) == noun


def test_any_name_of_the_chain_is_accepted() -> None:
    assert same_party(party("Sam Altier", "Altier"), party("Altier")) == 1.0


def test_a_group_matches_only_a_group() -> None:
    gold = party("des fonds souverains", named=False)
    assert same_party(gold, party("un fonds du Golfe", named=False)) > 0
    assert same_party(gold, party("plusieurs banques", named=False)) == 0
    assert same_party(gold, party("Fonds souverains", named=True)) == 0
    here, there = replace(gold, spans=((3, 9),)), replace(party("banques", named=False))
    assert same_party(here, replace(there, spans=((8, 12),))) == 1.0
    assert same_party(here, replace(there, spans=((9, 12),))) == 0.0


def test_an_optional_group_takes_any_group() -> None:
    gold = party("des proches", named=False, optional=True)
    assert same_party(gold, party("plusieurs banques", named=False)) > 0


def test_sums_need_value_and_currency() -> None:
    assert same_money(euros(12), euros(12, None)) == 1.0
    assert same_money(euros(12), euros(13)) == 0.0
    assert same_money(euros(12), MoneyFact((Decimal(12), None), "USD")) == 0.0
    assert same_money(None, euros(12)) == 0.0


def test_a_range_needs_both_ends() -> None:
    gold = MoneyFact((Decimal(10), Decimal(15)), "EUR")
    assert same_money(gold, replace(gold)) == 1.0
    assert same_money(gold, replace(gold, bounds=(Decimal(10), Decimal(20)))) == 0.0
    assert same_money(gold, euros(10)) == 0.0


def test_the_texts_own_conversion_is_the_same_sum() -> None:
    gold = replace(euros(12), also=((Decimal(14), "USD"),))
    assert same_money(gold, MoneyFact((Decimal(14), None), "USD")) == 1.0
    assert same_money(gold, MoneyFact((Decimal(14), None), "EUR")) == 0.0


def test_dates() -> None:
    assert same_date(DateFact("2023-09"), DateFact("2023-09")) == 1.0
    assert same_date(DateFact("2023-09"), DateFact("2023")) == 0.0
    assert same_date(DateFact(None, ((3, 9),)), DateFact(None, ((3, 9),))) == 1.0
    assert same_date(DateFact(None, ((3, 9),)), DateFact(None, ((9, 12),))) == 0.0
    assert same_date(DateFact("2023"), None) == 0.0


def test_an_event_becomes_a_deal() -> None:
    made = from_event(event(TEXT, "Novalune", ("12 millions d'euros", 12), ("Fonds Garonne",)))
    assert made.company.names == ("Novalune",)
    assert made.amount == MoneyFact((Decimal(12), None), "EUR", spans=((14, 33),))
    assert [investor.party.names for investor in made.investors] == [("Fonds Garonne",)]
    assert made.confidence == 0.9
    assert not made.optional
