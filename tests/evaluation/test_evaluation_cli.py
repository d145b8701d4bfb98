"""The command lines, on a made-up project with a made-up system."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from contextlib import nullcontext
from functools import partial
from pathlib import Path

import pytest
from handmade import SOURCE, reads_novalune, write_project
from typer.testing import CliRunner, Result

from evaluation import cli, crossval, learning_curve, plots, systems, unseen
from evaluation.crossval import Stored
from evaluation.score import Prediction
from evaluation.sets import ROOT
from pipeline.markup import GoldArticle
from pipeline.schema import Article


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(cli, "SYSTEMS", {"whole": lambda: reads_novalune})
    monkeypatch.setattr(systems, "whole", lambda model=None: reads_novalune)
    return write_project(tmp_path)


def run(root: Path, *words: str) -> Result:
    return CliRunner().invoke(cli.app, ["--root", str(root), *words])


def test_without_a_command_the_report_is_written(root: Path) -> None:
    result = run(root)
    assert result.exit_code == 0
    assert "Headlines" in result.stdout
    stored = json.loads((root / "evaluation/reports/latest.json").read_text(encoding="utf-8"))
    assert [one["name"] for one in stored["sets"]] == ["seeds", "dev", "train"]
    page = (root / "evaluation/reports/latest.md").read_text(encoding="utf-8")
    assert page.startswith("# How well the deals are read\n")
    assert "![reliability](reliability.svg)" in page
    for name in ("reliability.svg", "precision_recall.svg"):
        assert (root / "evaluation/reports" / name).exists()


def test_without_matplotlib_the_report_has_no_plots(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    result = run(root)
    assert result.exit_code == 0
    assert "no plots: plots need matplotlib" in result.stderr
    page = (root / "evaluation/reports/latest.md").read_text(encoding="utf-8")
    assert ".svg" not in page
    assert run(root, "learning-curve").exit_code == 1


def test_the_learning_curve(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def learner(gold: Sequence[GoldArticle], articles: Sequence[Article]) -> list[Stored]:
        return [Stored(events=(), mentions=()) for _ in articles]

    monkeypatch.setattr(crossval, "learn_and_read", learner)
    monkeypatch.setattr(learning_curve, "shipped", partial(learner, ()))
    for name in learning_curve.SCORERS:
        (root / "evaluation" / f"{name}.py").write_text("A = 1\n", encoding="utf-8")
    done = run(root, "learning-curve")
    assert done.exit_code == 0
    assert "Accuracy against training size" in done.stdout
    assert "100%: 1 passages read and scored" in done.stderr
    assert (root / "evaluation/reports/learning_curve.svg").exists()


def test_names(root: Path) -> None:
    # The made-up system knows Novalune by heart.
    missing = run(root, "names", "--set", "seeds")
    assert missing.exit_code == 1
    assert "heads.toml is missing" in missing.stderr
    shutil.copytree(ROOT / unseen.FOLDER, root / unseen.FOLDER)
    result = run(root, "names", "--set", "seeds")
    assert result.exit_code == 1
    assert "Names that nobody has seen, on seeds" in result.stdout
    assert f"cost: 80.0 points of role F1, at most {100 * unseen.LARGEST_COST:g}" in result.stderr
    assert run(root, "names", "--set", "dev").exit_code == 2


def test_names_that_cost_nothing(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def silence(articles: Sequence[Article]) -> list[Prediction]:
        return [Prediction() for _ in articles]

    monkeypatch.setattr(systems, "whole", lambda model=None: silence)
    shutil.copytree(ROOT / unseen.FOLDER, root / unseen.FOLDER)
    assert run(root, "names", "--set", "seeds").exit_code == 0


def test_floors_rise_hold_break_and_fall(root: Path) -> None:
    unpinned = run(root, "check")
    assert unpinned.exit_code == 1
    assert "no floor is pinned" in unpinned.stderr
    raised = run(root, "floors", "--raise")
    assert raised.exit_code == 0
    path = root / "evaluation/floors.json"
    floors = json.loads(path.read_text(encoding="utf-8"))
    assert floors["seeds"]["floors"]["roles"] == 0.79
    assert run(root, "check").exit_code == 0

    floors["seeds"]["floors"]["roles"] = 0.9
    path.write_text(json.dumps(floors), encoding="utf-8")
    broken = run(root, "check")
    assert broken.exit_code == 1
    assert "seeds: roles is 0.800, its floor 0.900" in broken.stderr
    assert "no floor has changed" in run(root, "floors", "--raise").stderr
    assert run(root, "check").exit_code == 1
    assert run(root, "floors", "--raise", "--allow-lower").exit_code == 0
    assert run(root, "check").exit_code == 0
    assert run(root, "floors", "--allow-lower").exit_code == 2


def test_cross_validation_and_its_staleness(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def learner(gold: Sequence[GoldArticle], articles: Sequence[Article]) -> list[Stored]:
        return [Stored(events=(), mentions=()) for _ in articles]

    monkeypatch.setattr(crossval, "SharedRecogniser", lambda: nullcontext(learner))
    assert run(root, "stale").exit_code == 1
    assert run(root, "errors", "--left-out").exit_code == 1
    done = run(root, "cross-validate")
    assert done.exit_code == 0
    assert "seeds (left out): role F1 0.000" in done.stderr
    assert run(root, "stale").exit_code == 0
    left_out = run(root, "errors", "--left-out")
    assert "wrong fields: 3 · articles: 2" in left_out.stderr
    (root / "pipeline/code.py").write_text("A = 2\n", encoding="utf-8")
    stale = run(root, "stale")
    assert stale.exit_code == 1
    assert "changed since: code" in stale.stderr
    assert run(root, "cross-validate", "--train-folds", "1").exit_code == 2


def test_errors_of_a_set(root: Path) -> None:
    result = run(root, "errors", "--set", "seeds")
    assert result.exit_code == 0
    assert "wrong fields: 1 · articles: 2" in result.stderr
    assert "mention missed (1)" in result.stdout
    assert "Fonds Garonne" in result.stdout
    assert run(root, "errors", "--set", "moon").exit_code == 2


def test_errors_can_be_cut(root: Path) -> None:
    whole = run(root, "errors", "--set", "train")
    cut = run(root, "errors", "--set", "train", "--limit", "1")
    assert "The first 1 of 3." in cut.stdout
    assert "The first" not in whole.stdout
    assert len(cut.stdout.splitlines()) < len(whole.stdout.splitlines())
    assert run(root, "errors", "--limit", "0").exit_code == 2


def test_agreement(root: Path) -> None:
    for name in ("a", "b"):
        folder = root / "annotations/passes" / name
        folder.mkdir(parents=True)
        (folder / "one.md").write_text(SOURCE, encoding="utf-8")
    # The adjudicated seeds hold a second article.
    whole = run(root, "agreement")
    assert whole.exit_code == 1
    assert "two.md" in whole.stderr
    (root / "annotations/seeds/two.md").unlink()
    whole = run(root, "agreement")
    assert whole.exit_code == 0
    assert "adjudicated and b" in whole.stdout
    passes = root / "annotations/passes"
    two = run(root, "agreement", "--a", str(passes / "a"), "--b", str(passes / "b"))
    assert two.exit_code == 0
    assert "adjudicated" not in two.stdout


def test_coverage(root: Path) -> None:
    result = run(root, "coverage")
    assert result.exit_code == 0
    assert "Every value of every field" in result.stdout
    assert run(root, "coverage", "--set", "dev").exit_code == 2
    assert run(root, "coverage", "--set", "heldout").exit_code == 1


def test_broken_gold_is_one_line(root: Path) -> None:
    (root / "annotations/seeds/two.md").write_text("no head", encoding="utf-8")
    result = run(root)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: ")
    assert "two.md:1: a gold file begins" in result.stderr


@pytest.mark.parametrize(
    "command",
    [
        *("", "check", "floors", "cross-validate", "learning-curve", "stale"),
        *("agreement", "coverage", "errors", "names", "variants"),
    ],
)
def test_help_teaches(command: str) -> None:
    result = CliRunner().invoke(cli.app, [*command.split(), "--help"])
    assert result.exit_code == 0
    assert len(result.stdout.split()) > 20
