"""Agreement of two passes and the list of errors."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from handmade import NO_DEAL, SOURCE, TEXT, case, deal, euros, gold_case, party, span

from evaluation import agreement
from evaluation.counts import Counts, Ratio
from evaluation.deals import ComponentFact, DateFact, Deal, InvestorFact
from evaluation.errors import Cause, Error, errors, sentence_at, tables
from evaluation.gold import Case, Span
from evaluation.score import Prediction
from pipeline.errors import DealReaderError
from pipeline.schema import Instrument, InvestorRole, Label, Status


def two_passes(folder: Path, a: str, b: str) -> tuple[Path, Path]:
    for name, source in (("a", a), ("b", b)):
        (folder / name).mkdir()
        (folder / name / "one.md").write_text(source, encoding="utf-8")
    return folder / "a", folder / "b"


def test_the_same_pass_twice_agrees(tmp_path: Path) -> None:
    scores = agreement.compare(*two_passes(tmp_path, SOURCE, SOURCE))
    assert scores.counts["roles"] == Counts(tp=3)
    assert scores.counts["strict"] == Counts(tp=3)
    assert scores.counts["exact"] == Counts(tp=1)
    assert scores.ratios["coreference"] == Ratio(1, 1)


def test_passes_that_differ(tmp_path: Path) -> None:
    # The second reads the backer as a mere organisation, and no investor.
    other = SOURCE.replace("(INVESTOR i1)", "(ORG i1)").replace(
        'investors = [{ref = "i1", role = "lead"}]\n', ""
    )
    scores = agreement.compare(*two_passes(tmp_path, SOURCE, other))
    assert scores.counts["role.investor"] == Counts(fn=1)
    assert scores.counts["strict.INVESTOR"] == Counts(fn=1)
    assert scores.counts["strict.ORG"] == Counts(fp=1)
    mentions, facts, _ = agreement.tables([("a and b", scores)])
    assert ("strict.COMPANY", "1.000 1/0/0") in mentions.rows
    assert ("strict.DATE", "—") in mentions.rows
    assert ("role.investor", "0.000 0/0/1") in facts.rows


def test_passes_of_different_articles_cannot_be_compared(tmp_path: Path) -> None:
    a, b = two_passes(tmp_path, SOURCE, SOURCE.replace("recrute", "embauche"))
    with pytest.raises(DealReaderError, match="text differs"):
        agreement.compare(a, b)
    (b / "two.md").write_text(NO_DEAL, encoding="utf-8")
    with pytest.raises(DealReaderError, match=r"two\.md"):
        agreement.compare(a, b)
    with pytest.raises(DealReaderError, match="none at all"):
        agreement.compare(tmp_path / "x", tmp_path / "y")


def listed(gold: Case, *found: Deal, spans: bool = False) -> list[tuple[Cause, str, str, str]]:
    marks = [
        span(TEXT, name, Label.ORG) for name in ("Novalune", "Fonds Garonne", "Piloni") if spans
    ]
    all_errors = errors([gold], [Prediction(found, tuple(marks))])
    return [(e.cause, e.field, e.gold, e.found) for e in all_errors]


def test_a_perfect_reading_has_no_errors() -> None:
    assert listed(case(deal()), deal()) == []


def test_a_fact_whose_mention_was_not_found() -> None:
    gold = case(deal(investors=("Piloni",)))
    assert listed(gold, deal()) == [(Cause.MENTION_MISSED, "investor", "Piloni", "—")]
    assert listed(gold, deal(), spans=True) == [(Cause.NOT_ATTACHED, "investor", "Piloni", "—")]


def test_a_deal_that_is_missed_though_its_mentions_are_found() -> None:
    assert listed(case(deal(amount=None)), spans=True) == [
        (Cause.DEAL_MISSED, "company of a missed deal", "Novalune", "—")
    ]


def test_a_fact_in_the_wrong_role() -> None:
    gold = case(deal("Novalune", 12, ("Piloni",)))
    found = replace(deal("Novalune", 12), sources=(party("Piloni"),))
    assert listed(gold, found) == [
        (Cause.ROLE_WRONG, "investor", "Piloni", "—"),
        (Cause.ROLE_WRONG, "source", "—", "Piloni"),
    ]


def test_a_fact_attached_to_the_wrong_deal() -> None:
    gold = case(deal("Novalune", 12, ("Piloni",)), deal("Tilleul", 30))
    found = (deal("Novalune", 12), deal("Tilleul", 30, ("Piloni",)))
    assert listed(gold, *found) == [
        (Cause.WRONG_DEAL, "investor", "Piloni", "—"),
        (Cause.WRONG_DEAL, "investor", "—", "Piloni"),
    ]


def test_a_fact_of_two_deals_is_not_astray_in_either() -> None:
    gold = case(deal("Novalune", 12, ("Piloni",)), deal("Tilleul", 30, ("Piloni",)))
    found = (deal("Novalune", 12), deal("Tilleul", 30, ("Piloni",)))
    assert listed(gold, *found, spans=True) == [(Cause.NOT_ATTACHED, "investor", "Piloni", "—")]


def test_a_missed_deal_that_shares_an_investor_is_not_merged() -> None:
    gold = case(deal("Novalune", 12, ("Piloni",)), deal("Tilleul", 30, ("Piloni",)))
    causes = {cause for cause, *_ in listed(gold, deal("Novalune", 12, ("Piloni",)))}
    assert causes == {Cause.MENTION_MISSED}


def test_an_invented_deal_of_the_same_buyer_is_not_split() -> None:
    gold = case(deal("Novalune", 12, ("Piloni",)))
    found = (deal("Novalune", 12, ("Piloni",)), deal("Tilleul", 40, ("Piloni",)))
    assert {cause for cause, *_ in listed(gold, *found)} == {Cause.INVENTED}


def test_merged_deals() -> None:
    gold = case(deal("Novalune", 12), deal("Novalune", 30, ("Piloni",)))
    causes = {cause for cause, *_ in listed(gold, deal("Novalune", 12, ("Piloni",)))}
    assert causes == {Cause.MERGED, Cause.WRONG_DEAL}


def test_a_split_deal() -> None:
    gold = case(deal("Novalune", 12, ("Piloni",)))
    found = (deal("Novalune", 12), deal("Novalune", None, ("Piloni",)))
    assert (Cause.SPLIT, "investor of an extra deal", "—", "Piloni") in listed(gold, *found)


def test_an_invented_and_a_missed_deal() -> None:
    causes = listed(case(deal("Novalune", 12)), deal("Tilleul", 30))
    assert causes == [
        (Cause.MENTION_MISSED, "company of a missed deal", "Novalune", "—"),
        (Cause.MENTION_MISSED, "amount of a missed deal", "12 EUR", "—"),
        (Cause.INVENTED, "company of an extra deal", "—", "Tilleul"),
        (Cause.INVENTED, "amount of an extra deal", "—", "30 EUR"),
    ]


def test_a_sum_read_wrongly_where_it_stands() -> None:
    gold = gold_case()
    (told,) = gold.deals
    assert told.amount is not None
    wrong = replace(euros(12), spans=told.amount.spans)
    found = errors([gold], [Prediction((replace(told, amount=wrong),))])
    assert [(e.cause, e.field, e.gold, e.found) for e in found] == [
        (Cause.VALUE, "amount", "12000000 EUR", "12 EUR")
    ]
    assert found[0].sentence.startswith("Novalune lève 12 millions d'euros auprès")


def test_attributes() -> None:
    lead = InvestorFact(party("Piloni"), InvestorRole.LEAD)
    gold = replace(deal(status=Status.PLANNED), investors=(lead,))
    assert listed(case(gold), deal(investors=("Piloni",))) == [
        (Cause.ATTRIBUTE, "investor.role of Piloni", "lead", "participant"),
        (Cause.ATTRIBUTE, "status", "planned", "closed"),
    ]


def test_attributes_that_may_be_empty() -> None:
    component = ComponentFact(euros(5), Instrument.DEBT, party("Garonne"), DateFact("2026"))
    gold = replace(
        deal(),
        investors=(InvestorFact(party("Piloni"), amount=euros(4)),),
        components=(component,),
    )
    found = replace(deal(investors=("Piloni",)), components=(ComponentFact(euros(5)),))
    assert listed(case(gold), gold) == []
    assert listed(case(gold), found) == [
        (Cause.ATTRIBUTE, "investor.amount of Piloni", "4 EUR", "—"),
        (Cause.ATTRIBUTE, "component.instrument of 5 EUR", "debt", "—"),
        (Cause.ATTRIBUTE, "component.investor of 5 EUR", "Garonne", "—"),
        (Cause.ATTRIBUTE, "component.timing of 5 EUR", "2026", "—"),
    ]


def test_every_error_has_a_sentence_where_gold_has_no_places() -> None:
    # As in the development set: names can be looked up, sums by what was read, the rest by the
    # company of the deal.
    gold = case(deal("Novalune", 12_000_000, date="2026"), deal("Piloni", 5, date="2025"))
    sum_read = Span(TEXT.index("12"), TEXT.index(" auprès"), Label.AMOUNT)
    found = errors([gold], [Prediction((), (sum_read,))])
    assert len(found) == 6
    assert {error.sentence for error in found} == {TEXT}


def test_optional_facts_are_no_errors() -> None:
    group = InvestorFact(party("des proches", named=False, optional=True))
    gold = case(replace(deal(), investors=(group,)), deal("Piloni", 40, optional=True))
    assert listed(gold, deal()) == []


def test_the_commonest_cause_comes_first() -> None:
    rows = [
        Error(Cause.VALUE, "amount", "a", "1", "2", ""),
        Error(Cause.ATTRIBUTE, "type", "a", "ipo", "financing", ""),
        Error(Cause.ATTRIBUTE, "focus", "a", "main", "background", ""),
    ]
    overview, *causes = tables(rows)
    assert overview.rows == [
        (Cause.ATTRIBUTE, "type 1, focus 1", "2", "67%"),
        (Cause.VALUE, "amount 1", "1", "33%"),
    ]
    assert [table.title for table in causes] == ["attribute (2)", "value (1)"]


def test_within_a_cause_the_commonest_field_comes_first_and_the_rest_can_be_cut() -> None:
    rows = [
        Error(Cause.INVENTED, field, article, "—", "x", "")
        for field, article in (
            ("amount", "a"),
            ("investor of an extra deal", "b"),
            ("investor", "c"),
        )
    ]
    _, whole = tables(rows)
    assert [row[0] for row in whole.rows] == ["b", "c", "a"]
    assert whole.note == ""
    _, cut = tables(rows, limit=2)
    assert [row[0] for row in cut.rows] == ["b", "c"]
    assert (cut.title, cut.note) == ("invented (3)", "The first 2 of 3.")
    assert tables([])[0].rows == []


def test_sentences() -> None:
    text = "Un. Novalune lève 1.5 M€ ! Trois\nQuatre"
    assert sentence_at(text, text.index("Novalune")) == "Novalune lève 1.5 M€ !"
    assert sentence_at(text, text.index("Trois")) == "Trois"
    assert sentence_at(text, len(text) - 1) == "Quatre"
    assert len(sentence_at("mot " * 200, 5)) == 241
