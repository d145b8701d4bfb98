"""Sums as they travel through a ``Doc``."""

from __future__ import annotations

from decimal import Decimal

import pytest
import spacy
from hypothesis import given
from hypothesis import strategies as st

from pipeline.codes import (
    MoneyCode,
    money_code,
    odds_code,
    read_money,
    read_odds,
    text_of,
    with_kind,
)
from pipeline.normalise.money import MoneySpan
from pipeline.schema import AmountKind, Qualifier

NUMBERS = st.decimals(min_value=0, max_value=10**15, places=2) | st.integers(0, 10**15).map(Decimal)


def span(
    value: Decimal | None,
    low: Decimal | None = None,
    high: Decimal | None = None,
    currency: str | None = "EUR",
    qualifier: Qualifier = Qualifier.EXACT,
    inferred: bool = False,
) -> MoneySpan:
    return MoneySpan(0, 1, value, low, high, currency, qualifier, inferred)


def test_a_code_is_text() -> None:
    money = span(Decimal("6600000000"), qualifier=Qualifier.AT_LEAST)
    assert money_code(money, None, 2, "deal") == "deal|6600000000|||EUR|at_least||2|"
    money = span(None, Decimal(10), Decimal("15.5"), None, Qualifier.RANGE, inferred=True)
    assert money_code(money, 1, 0) == "||10|15.5||range|1|0|1"


def test_no_exponent() -> None:
    assert money_code(span(Decimal("6.6E+9")), None, 0) == "|6600000000|||EUR|exact||0|"


@given(
    NUMBERS,
    st.sampled_from([None, "EUR", "USD"]),
    st.sampled_from([q for q in Qualifier if q is not Qualifier.RANGE]),
    st.booleans(),
    st.integers(0, 99),
    st.none() | st.integers(0, 99),
    st.sampled_from(["", *AmountKind]),
)
def test_a_sum_comes_back(
    value: Decimal,
    currency: str | None,
    qualifier: Qualifier,
    inferred: bool,
    number: int,
    converts: int | None,
    kind: str,
) -> None:
    money = span(value, None, None, currency, qualifier, inferred)
    assert read_money(money_code(money, converts, number, kind)) == MoneyCode(
        value, None, None, currency, qualifier, inferred, number, converts, kind
    )


@given(NUMBERS, NUMBERS)
def test_a_range_comes_back(low: Decimal, high: Decimal) -> None:
    code = money_code(span(None, low, high, qualifier=Qualifier.RANGE), None, 0)
    read = read_money(code)
    assert read.same_sum() == (None, low, high, "EUR")
    assert read.qualifier is Qualifier.RANGE


def test_the_kind_may_be_said_later() -> None:
    code = money_code(span(Decimal(3)), 4, 5)
    later = with_kind(code, "revenue")
    assert read_money(later).kind == "revenue"
    assert with_kind(later, "") == code


def test_same_sum_is_of_value_and_currency() -> None:
    three = read_money(money_code(span(Decimal(3)), None, 0))
    again = read_money(money_code(span(Decimal("3.0"), qualifier=Qualifier.AT_MOST), None, 7))
    dollars = read_money(money_code(span(Decimal(3), currency="USD"), None, 0))
    assert three.same_sum() == again.same_sum()
    assert three.same_sum() != dollars.same_sum()


@pytest.mark.parametrize("code", ["", "deal|3", "deal|3|||EUR|maybe||0|", "deal|x|||EUR|exact||0|"])
def test_a_code_that_is_none_is_refused(code: str) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        read_money(code)


def test_odds_are_text_and_leave_out_what_is_improbable() -> None:
    code = odds_code(["COMPANY", "INVESTOR", "ORG"], [6.0, 0.0, 3.0])
    assert code == "COMPANY=6 ORG=3"
    assert read_odds(code) == {"COMPANY": 6, "ORG": 3}
    assert read_odds("") == {}


@pytest.mark.parametrize("text", ["", "Alpha lève  3 M€,\n\nà Lyon. ", "l'éditeur\u00a0: 👩🏽‍💻 "])
def test_the_text_of_a_document_is_spacys(text: str) -> None:
    doc = spacy.blank("fr")(text)
    assert text_of(doc) == doc.text == text
