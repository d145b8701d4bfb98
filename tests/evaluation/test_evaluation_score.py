"""Hand-made predictions with counts that can be checked by reading."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

import pytest
from handmade import TEXT, case, deal, euros, gold_case, party, span

from evaluation.counts import Counts, Ratio, Scores, total
from evaluation.deals import ComponentFact, DateFact, Deal, InvestorFact, MoneyFact, PartyFact
from evaluation.gold import Case, Span
from evaluation.score import Prediction, Role, score_case
from pipeline.schema import (
    AmountKind,
    Basis,
    Certainty,
    Commitment,
    EventType,
    Focus,
    Instrument,
    InvestorRole,
    Label,
    Qualifier,
    RoundName,
    Status,
)


def score(gold: Case, *found: Deal, unscored: frozenset[Role] = frozenset()) -> Scores:
    return score_case(gold, Prediction(found), unscored)


FULL = replace(
    deal(investors=("Piloni", "Garonne"), valuations=(90,), date="2026-01"),
    components=(ComponentFact(euros(5)),),
    total_raised=euros(20),
    expected_close=DateFact("2026-Q3"),
    sources=(party("Le Fil"),),
)


def test_a_perfect_reading() -> None:
    scores = score(case(FULL), FULL)
    assert scores.counts["roles"] == Counts(tp=10)
    assert {key: c.tp for key, c in scores.counts.items() if key.startswith("role.")} == {
        "role.company": 1,
        "role.amount": 1,
        "role.valuation": 1,
        "role.investor": 2,
        "role.total_raised": 1,
        "role.component": 1,
        "role.date": 1,
        "role.expected_close": 1,
        "role.source": 1,
    }
    assert scores.counts["deals"] == scores.counts["exact"] == Counts(tp=1)
    assert scores.ratios["amount.value"] == Ratio(1, 1)
    assert scores.ratios["sum.qualifier"] == Ratio(3, 3)


def test_an_empty_reading_misses_everything() -> None:
    scores = score(case(FULL))
    assert scores.counts["roles"] == Counts(fn=10)
    assert scores.counts["deals"] == scores.counts["exact"] == Counts(fn=1)
    assert scores.metric("roles") == 0.0
    assert "type" not in scores.ratios


def test_nothing_to_find_and_nothing_found_is_no_score() -> None:
    scores = score(case())
    assert scores.metric("roles") is None
    assert scores.metric("deals") is None
    assert scores.ratios["quiet"] == Ratio(1, 1)


def test_an_invented_deal_is_a_false_alarm() -> None:
    scores = score(case(), deal(investors=("Piloni",)), deal("Tilleul"))
    assert scores.counts["roles"] == Counts(fp=5)
    assert scores.counts["deals"] == Counts(fp=2)
    assert scores.ratios["quiet"] == Ratio(0, 1)
    assert scores.false_deals == 2


def test_swapped_roles_are_wrong_on_both_sides() -> None:
    gold = deal("Novalune", 12, ("Piloni",))
    scores = score(case(gold), deal("Piloni", 12, ("Novalune",)))
    assert scores.counts["roles"] == Counts(tp=1, fp=2, fn=2)
    assert scores.counts["role.company"] == Counts(fp=1, fn=1)
    assert scores.counts["deals"] == Counts(tp=1)
    assert scores.counts["exact"] == Counts(fp=1, fn=1)


def test_two_deals_merged_into_one() -> None:
    gold = (deal("Novalune", 12, ("Piloni",)), deal("Novalune", 30, ("Garonne",)))
    scores = score(case(*gold), deal("Novalune", 12, ("Piloni", "Garonne")))
    assert scores.counts["deals"] == Counts(tp=1, fn=1)
    assert scores.counts["role.company"] == Counts(tp=1, fn=1)
    assert scores.counts["role.amount"] == Counts(tp=1, fn=1)
    assert scores.counts["role.investor"] == Counts(tp=1, fp=1, fn=1)


def test_one_deal_split_into_two() -> None:
    found = (deal("Novalune", 12), deal("Novalune", None, ("Piloni",)))
    scores = score(case(deal("Novalune", 12, ("Piloni",))), *found)
    assert scores.counts["deals"] == Counts(tp=1, fp=1)
    assert scores.counts["role.company"] == Counts(tp=1, fp=1)
    assert scores.counts["role.investor"] == Counts(fp=1, fn=1)


def test_one_name_counts_once() -> None:
    found = deal("Novalune", 12, ("Banco Fenwick", "Banco Fenwick Gestion"))
    scores = score(case(deal("Novalune", 12, ("Banco Fenwick",))), found)
    assert scores.counts["role.investor"] == Counts(tp=1, fp=1)


def test_an_optional_deal_is_neither_rewarded_nor_punished() -> None:
    gold = case(deal("Novalune", 12), deal("Piloni", 30, optional=True))
    without = score(gold, deal("Novalune", 12))
    for found in (deal("Piloni", 30), deal("Piloni", 31, ("Garonne",), confidence=0.2)):
        assert score(gold, deal("Novalune", 12), found) == without
    assert without.counts["deals"] == Counts(tp=1)


def test_an_optional_group_is_neither_rewarded_nor_punished() -> None:
    group = InvestorFact(party("des proches", named=False, optional=True))
    gold = replace(deal(investors=("Piloni",)), investors=(InvestorFact(party("Piloni")), group))
    with_group = replace(gold, investors=(*gold.investors[:1], InvestorFact(_friends())))
    for found in (deal(investors=("Piloni",)), with_group):
        scores = score(case(gold), found)
        assert scores.counts["role.investor"] == Counts(tp=1)
        assert scores.counts["exact"] == Counts(tp=1)
    assert score(case(gold)).counts["role.investor"] == Counts(fn=1)


def _friends() -> PartyFact:
    return party("plusieurs banques", named=False)


def test_a_group_that_gold_does_not_know_is_invented() -> None:
    found = replace(deal(), investors=(InvestorFact(_friends()),))
    assert score(case(deal()), found).counts["role.investor"] == Counts(fp=1)


def test_unscored_roles_are_left_out_of_roles_and_of_exact() -> None:
    unscored = frozenset({Role.COMPONENT, Role.EXPECTED_CLOSE})
    bare = replace(FULL, components=(), expected_close=None)
    scores = score(case(bare), FULL, unscored=unscored)
    assert scores.counts["roles"] == Counts(tp=8)
    assert scores.counts["exact"] == Counts(tp=1)
    assert "role.component" not in scores.counts
    invented = score(case(), FULL, unscored=unscored)
    assert invented.counts["roles"] == Counts(fp=8)
    missed = score(case(FULL), unscored=unscored)
    assert missed.counts["roles"] == Counts(fn=8)


@pytest.mark.parametrize(
    ("found", "value", "currency", "qualifier"),
    [
        (euros(12), 1, 1, 1),
        (euros(12, Qualifier.AT_LEAST), 1, 1, 0),
        (euros(13), 0, 1, 1),
        (MoneyFact((Decimal(12), None), "USD"), 1, 0, 1),
        (MoneyFact((Decimal(14), None), "USD"), 1, 1, 1),
        (None, 0, 0, 0),
    ],
)
def test_values_of_a_matched_amount(
    found: MoneyFact | None, value: int, currency: int, qualifier: int
) -> None:
    gold = replace(deal(), amount=replace(euros(12), also=((Decimal(14), "USD"),)))
    scores = score(case(gold), replace(deal(), amount=found))
    assert scores.ratios["amount.value"] == Ratio(value, 1)
    assert scores.ratios["amount.currency"] == Ratio(currency, 1)
    assert scores.ratios["amount.qualifier"] == Ratio(qualifier, 1)


def test_attributes_of_a_matched_deal() -> None:
    gold = deal(status=Status.PLANNED, round=RoundName.SEED, instrument=Instrument.EQUITY)
    found = deal(
        type=EventType.IPO,
        focus=Focus.BACKGROUND,
        status=Status.ANNOUNCED,
        certainty=Certainty.REPORTED,
        round=RoundName.SERIES_A,
    )
    scores = score(case(gold), found)
    for key in ("type", "focus", "status", "certainty"):
        assert scores.ratios[key] == Ratio(0, 1)
    assert scores.ratios["status_group"] == Ratio(1, 1)
    assert scores.counts["round"] == Counts(fp=1, fn=1)
    assert scores.counts["instrument"] == Counts(fn=1)


@pytest.mark.parametrize(
    "change",
    [
        {"type": EventType.IPO},
        {"status": Status.CANCELLED},
        {"certainty": Certainty.DENIED},
        {"amount": None},
        {"sources": (party("Le Fil"),)},
    ],
)
def test_what_makes_a_deal_inexact(change: dict[str, object]) -> None:
    scores = score(case(deal()), replace(deal(), **change))  # type: ignore[arg-type]
    assert scores.counts["exact"] == Counts(fp=1, fn=1)


def test_the_focus_does_not_make_a_deal_inexact() -> None:
    assert score(case(deal()), deal(focus=Focus.BACKGROUND)).counts["exact"] == Counts(tp=1)


def test_what_hangs_on_an_investor_and_a_valuation() -> None:
    known = InvestorFact(party("Piloni"), InvestorRole.LEAD, Commitment.POTENTIAL, True, euros(4))
    gold = deal(valuations=(90,))
    gold = replace(gold, investors=(known, InvestorFact(party("Garonne"))))
    previous = replace(gold.valuations[0], basis=Basis.PREVIOUS)
    found = replace(
        deal(), valuations=(previous,), investors=deal(investors=("Piloni", "Garonne")).investors
    )
    scores = score(case(gold), found)
    assert scores.ratios["investor.role"] == Ratio(1, 2)
    assert scores.ratios["investor.commitment"] == Ratio(1, 2)
    assert scores.ratios["investor.returning"] == Ratio(0, 1)
    assert scores.counts["investor.amount"] == Counts(fn=1)
    assert scores.ratios["valuation.basis"] == Ratio(0, 1)


def test_what_hangs_on_a_component() -> None:
    gold = ComponentFact(euros(5), Instrument.DEBT, party("Piloni"), DateFact("2026"))
    found = replace(gold, instrument=None, timing=DateFact("2027"))
    scores = score(case(replace(deal(), components=(gold,))), replace(deal(), components=(found,)))
    assert scores.counts["component.instrument"] == Counts(fn=1)
    assert scores.counts["component.investor"] == Counts(tp=1)
    assert scores.counts["component.timing"] == Counts(fp=1, fn=1)


@pytest.mark.parametrize(
    ("found", "right"),
    [
        (deal("Novalune", 12, ("Garonne",)), True),
        (deal("Novalune", 13), False),
        (deal("Piloni", 12), False),
        (deal("Tilleul", 99), False),
    ],
)
def test_an_event_is_right_by_its_company_and_amount(found: Deal, right: bool) -> None:
    scores = score(case(deal("Novalune", 12)), replace(found, confidence=0.7))
    assert scores.confidences == [(0.7, right)]


def test_no_amount_on_either_side_is_right() -> None:
    found = deal(amount=None, confidence=0.7)
    assert score(case(deal(amount=None)), found).confidences == [(0.7, True)]


SPANS = (span(TEXT, "Novalune", Label.COMPANY), span(TEXT, "Fonds Garonne", Label.INVESTOR))


@pytest.mark.parametrize(
    ("found", "strict", "partial"),
    [
        (SPANS, Counts(tp=2), Counts(tp=2)),
        ((), Counts(fn=2), Counts(fn=2)),
        (
            (SPANS[0], span(TEXT, "Garonne", Label.INVESTOR)),
            Counts(tp=1, fp=1, fn=1),
            Counts(tp=2),
        ),
        (
            (SPANS[0], span(TEXT, "Fonds Garonne", Label.ORG)),
            Counts(tp=1, fp=1, fn=1),
            Counts(tp=1, fp=1, fn=1),
        ),
        (
            (span(TEXT, "Fonds", Label.INVESTOR), span(TEXT, "Garonne", Label.INVESTOR)),
            Counts(fp=2, fn=2),
            Counts(tp=1, fp=1, fn=1),
        ),
    ],
)
def test_mentions(found: tuple[Span, ...], strict: Counts, partial: Counts) -> None:
    scores = score_case(case(text=TEXT, spans=SPANS), Prediction(spans=found))
    assert scores.counts["strict"] == strict
    assert scores.counts["partial"] == partial


def test_mentions_by_label() -> None:
    found = (SPANS[0], span(TEXT, "Piloni", Label.ORG))
    scores = score_case(case(text=TEXT, spans=SPANS), Prediction(spans=found))
    assert scores.counts["strict.COMPANY"] == Counts(tp=1)
    assert scores.counts["strict.INVESTOR"] == Counts(fn=1)
    assert scores.counts["strict.ORG"] == Counts(fp=1)


def test_no_mention_scores_without_mention_gold() -> None:
    scores = score_case(case(text=TEXT), Prediction(spans=SPANS))
    assert "strict" not in scores.counts


def test_kinds_of_the_amounts_that_were_found() -> None:
    gold = case(text=TEXT, spans=(Span(14, 33, Label.AMOUNT, AmountKind.DEAL),))
    for kind, right in ((AmountKind.DEAL, 1), (AmountKind.REVENUE, 0), (None, 0)):
        scores = score_case(gold, Prediction(spans=(Span(14, 33, Label.AMOUNT, kind),)))
        assert scores.ratios["amount.kind"] == Ratio(right, 1)
    assert "amount.kind" not in score_case(gold, Prediction()).ratios


def test_a_found_description_is_no_mention_but_resolves_the_party() -> None:
    gold = gold_case()
    (description,) = gold.descriptions
    place = (description.start, description.end)
    spans = (*(gold.spans or ()), Span(*place, Label.COMPANY))
    company = replace(gold.deals[0].company, spans=(place,))
    found = replace(gold.deals[0], company=company)
    scores = score_case(gold, Prediction((found,), spans))
    assert scores.counts["strict"] == Counts(tp=3)
    assert scores.ratios["coreference"] == Ratio(1, 1)


def test_a_description_given_to_another_party_is_wrong() -> None:
    gold = gold_case()
    (description,) = gold.descriptions
    company = replace(party("Piloni"), spans=((description.start, description.end),))
    scores = score_case(gold, Prediction((replace(gold.deals[0], company=company),)))
    assert scores.ratios["coreference"] == Ratio(0, 1)


def test_articles_add_up() -> None:
    perfect = score(case(deal()), deal(confidence=0.5))
    alarm = score(case(), deal("Piloni"))
    sums = total([perfect, alarm])
    assert sums.counts["deals"] == Counts(tp=1, fp=1)
    assert sums.counts["roles"] == Counts(tp=2, fp=2)
    assert sums.ratios["quiet"] == Ratio(0, 1)
    assert sums.confidences == [(0.5, True)]
    assert sums.false_deals == 1
    assert sums.metric("deals") == pytest.approx(2 / 3)
