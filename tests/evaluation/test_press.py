"""Unannotated press: what is drawn for a reader, and what the verdicts come to."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from spacy.language import Language
from typer.testing import CliRunner

import pipeline
from evaluation import press
from evaluation.cli import app
from pipeline.errors import DealReaderError
from pipeline.schema import Article

TEXT = (
    "Alpha Robotics lève 12 millions d'euros auprès de Garonne Capital. "
    "Son chiffre d'affaires atteint 3 millions d'euros."
)


ARTICLES = {"a": TEXT, "b": "Il pleut à Brest."}


@pytest.fixture(scope="module")
def found(nlp: Language) -> tuple[press.Counts, list[press.Row]]:
    articles = [Article(id=name, text=text, sha256="0" * 64) for name, text in ARTICLES.items()]
    return press.count(pipeline.read_deals(nlp, articles))


def test_events_and_sums_that_no_event_uses(found: tuple[press.Counts, list[press.Row]]) -> None:
    counts, rows = found
    assert (counts.articles, counts.telling, counts.events, counts.sums) == (2, 1, 1, 1)
    event, passed_over = rows
    assert (event.article, event.type) == ("a", "financing")
    assert "Alpha Robotics" in event.said and "12 millions d'euros" in event.said
    assert (passed_over.type, passed_over.said) == (press.SUM, "3 millions d'euros")
    start, end = map(int, passed_over.key.split("-"))
    assert TEXT[start:end] == passed_over.said


def test_a_sample_is_the_same_again_and_holds_events_and_sums() -> None:
    rows = [press.Row("a", str(i), kind, "", "") for kind in ("ipo", press.SUM) for i in range(9)]
    drawn = press.sample(rows, 4, seed=7)
    assert drawn == press.sample(rows, 4, seed=7) != press.sample(rows, 4, seed=8)
    assert [row.type for row in drawn] == ["ipo"] * 4 + [press.SUM] * 4
    assert press.sample(rows, 99, seed=7) == rows


def test_a_sheet_without_a_verdict_is_refused_by_its_row(tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.csv"
    rows = [press.Row("a", "1", "ipo", "Alpha", "…", "right"), press.Row("a", "2", "ipo", "B", "…")]
    press.write_sheet(rows, sheet)
    with pytest.raises(DealReaderError, match=r"row 2 \(B\) needs a verdict"):
        press.read_sheet(sheet)


def test_from_the_articles_to_the_report(tmp_path: Path) -> None:
    reports = tmp_path / press.REPORT.parent
    reports.mkdir(parents=True)
    articles, sheet = tmp_path / "a.jsonl", tmp_path / "sheet.csv"
    articles.write_text(json.dumps({"id": "a", "text": TEXT}) + "\n", encoding="utf-8")
    run = CliRunner().invoke
    root = ["--root", str(tmp_path)]
    drawn = run(app, [*root, "press", str(articles), "--sheet", str(sheet)])
    assert drawn.exit_code == 0, drawn.output
    verdicts = {"financing": press.PARTLY, press.SUM: press.RIGHT}
    lines = sheet.read_text(encoding="utf-8").splitlines()
    head, *rows = lines
    filled = [row + verdicts[row.split(",")[2]] for row in rows]
    sheet.write_text("\n".join([head, *filled]) + "\n", encoding="utf-8")
    counted = run(app, [*root, "verdicts", str(sheet)])
    assert counted.exit_code == 0, counted.output
    kept = (tmp_path / press.REPORT).read_text(encoding="utf-8")
    assert "Alpha" not in kept  # none of the press text is kept
    report = (tmp_path / press.REPORT).with_suffix(".md").read_text(encoding="utf-8")
    assert "| financing | 0 | 1 | 0 | 1.00" in report
    assert "| sum | 1 | 0 | 0 | 1.00" in report
