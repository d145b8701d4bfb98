"""The report of a small project, as numbers and as a page."""

from __future__ import annotations

from pathlib import Path

from handmade import case, deal, reads_novalune, write_project

from evaluation import render, report
from evaluation.gold import Case
from evaluation.report import Report
from evaluation.score import Prediction
from evaluation.sets import GoldSet, Nature


def made(tmp_path: Path) -> Report:
    systems = {
        "whole": lambda: reads_novalune,
        "silence": lambda: lambda articles: [Prediction() for _ in articles],
    }
    return report.evaluate(systems, write_project(tmp_path))


def test_every_set_with_articles_is_scored_by_every_system(tmp_path: Path) -> None:
    evaluated = made(tmp_path)
    assert [one.name for one in evaluated.sets] == ["seeds", "dev", "train"]
    assert all(list(one.systems) == ["whole", "silence"] for one in evaluated.sets)
    seeds, dev, _ = evaluated.sets
    assert (seeds.articles, seeds.without_deal, seeds.deals, seeds.mentions) == (2, 1, 1, 4)
    assert (dev.mentions, dev.unscored) == (None, ("component", "expected_close"))


def test_the_numbers(tmp_path: Path) -> None:
    seeds, dev, train = made(tmp_path).sets
    whole, silence = seeds.systems["whole"], seeds.systems["silence"]
    assert (whole.counts["roles"].tp, whole.counts["roles"].fn) == (2, 1)
    assert whole.metric("roles") == 0.8
    assert whole.intervals["deals"] == (1.0, 1.0)
    assert whole.metric("quiet") == 1.0
    assert whole.calibration.events == 1
    assert silence.metric("roles") == 0.0
    assert silence.calibration.ece is None
    assert dev.systems["whole"].metric("exact") == 1.0
    assert "strict" not in dev.systems["whole"].counts
    assert train.systems["whole"].metric("deals") == 0.0


def test_the_page_says_what_each_set_is_worth(tmp_path: Path) -> None:
    page = render.markdown(made(tmp_path))
    assert "| seeds | training data | whole | 2 | 1 | 0.800 [0.80–0.80] 2/0/1 |" in page
    assert "| dev | independent | silence | 1 | 1 | 0.000" in page
    assert "Not in its gold, so not scored: component, expected_close." in page
    assert "Cross-validation: none stored: run `python -m evaluation cross-validate`." in page
    assert "## Confidence on seeds" in page
    assert "0.9–1.0 | 1 | 0.900 | 1.000" in page


def test_a_page_of_systems_without_the_whole_has_its_headlines(tmp_path: Path) -> None:
    evaluated = report.evaluate({"other": lambda: reads_novalune}, write_project(tmp_path))
    assert "| seeds | training data | other |" in render.markdown(evaluated)


def test_the_report_comes_back_from_its_file(tmp_path: Path) -> None:
    evaluated = made(tmp_path / "project")
    report.write(evaluated, "# Page\n", {"a.svg": "<svg/>"}, tmp_path / "reports")
    stored = (tmp_path / "reports" / "latest.json").read_bytes()
    assert Report.model_validate_json(stored) == evaluated
    assert (tmp_path / "reports" / "latest.md").read_text(encoding="utf-8") == "# Page\n"
    assert (tmp_path / "reports" / "a.svg").read_text(encoding="utf-8") == "<svg/>"


def gold_of(*cases: Case) -> GoldSet:
    return GoldSet("made", "made up", Nature.INDEPENDENT, cases)


def test_a_higher_confidence_trades_recall_for_precision() -> None:
    gold = gold_of(case(deal("Novalune", 12), deal("Tilleul", 30)), case())
    found = [
        Prediction((deal("Novalune", 12, confidence=0.9), deal("Tilleul", 30, confidence=0.3))),
        Prediction((deal("Piloni", 7, confidence=0.2),)),
    ]
    points = {point.min_confidence: point for point in report.trade(gold, found)}
    assert list(points) == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9]
    everything, likely, sure = points[0.2], points[0.3], points[0.9]
    assert (everything.events, everything.false_deals) == (3, 1)
    assert (everything.deals.precision, everything.deals.recall) == (2 / 3, 1.0)
    assert (likely.events, likely.false_deals, likely.deals.f1) == (2, 0, 1.0)
    assert (sure.events, sure.deals.precision, sure.deals.recall) == (1, 1.0, 0.5)
    assert (sure.roles.tp, sure.roles.fn) == (2, 2)


def test_a_reader_without_confidences_has_nothing_to_trade() -> None:
    assert report.trade(gold_of(case(deal())), [Prediction((deal(),))]) == ()
    assert report.trade(gold_of(case()), [Prediction()]) == ()


def test_the_trade_is_on_the_page(tmp_path: Path) -> None:
    page = render.markdown(made(tmp_path), ["reliability.svg", "precision_recall.svg"])
    assert "## What --min-confidence trades on seeds" in page
    assert "| 0.9 | 1 | 1.000 | 0.667 | 0.800 | 1.000 | 1.000 | 1.000 | 0 |" in page
    assert "![precision recall](precision_recall.svg)" in page
    assert "](reliability.svg)" not in render.markdown(made(tmp_path))


def test_plots_show_the_sets_that_the_model_was_not_trained_on(tmp_path: Path) -> None:
    drawn = render.plots(made(tmp_path))
    assert drawn.keys() == {"reliability.svg", "precision_recall.svg"}
    assert ">dev<" in drawn["reliability.svg"]
    assert ">dev: roles<" in drawn["precision_recall.svg"]
    assert "seeds" not in drawn["reliability.svg"] + drawn["precision_recall.svg"]
