"""The learning curve: which passages each share holds, what is trained and what is scored."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import pytest
from handmade import NO_DEAL, SOURCE, event, write_project

from evaluation import learning_curve
from evaluation.crossval import Stored
from evaluation.learning_curve import LearningCurve, drawn, markdown, read, run, staleness, write
from pipeline.markup import GoldArticle, parse
from pipeline.schema import Article

NOTHING = Stored(events=(), mentions=())


class Learner:
    """Finds the deal of ``SOURCE`` once it was trained on enough passages."""

    def __init__(self, enough: int) -> None:
        self.enough = enough
        self.trained_on: list[list[str]] = []

    def __call__(self, gold: Sequence[GoldArticle], articles: Sequence[Article]) -> list[Stored]:
        self.trained_on.append([one.path for one in gold])
        found = [
            Stored(
                events=(event(one.text, "Novalune", ("12 millions d'euros", 12_000_000)),),
                mentions=(),
            )
            if "Novalune" in one.text
            else NOTHING
            for one in articles
        ]
        return found if len(gold) >= self.enough else [NOTHING for _ in articles]


SHIPPED = partial(Learner(0), ())
"""A shipped model that finds the deal."""


def corpus(**writers: int) -> list[GoldArticle]:
    """So many passages of each writer."""
    return [
        parse(NO_DEAL.replace("+++\n", f'+++\nwriter = "{writer}"\n', 1), path=f"{writer}/{i}.md")
        for writer, count in writers.items()
        for i in range(count)
    ]


def project(root: Path) -> Path:
    """The made-up project with ten training passages in all and a held-out set of two."""
    write_project(root)
    for i in range(9):
        path = root / "annotations/train/w2" / f"{i}.md"
        path.parent.mkdir(exist_ok=True)
        path.write_text(NO_DEAL, encoding="utf-8")
    folder = root / "annotations/heldout/h1"
    folder.mkdir(parents=True)
    (folder / "one.md").write_text(SOURCE, encoding="utf-8")
    (folder / "two.md").write_text(SOURCE.replace("Novalune", "Tilleul"), encoding="utf-8")
    for name in learning_curve.SCORERS:
        (root / "evaluation" / f"{name}.py").write_text("A = 1\n", encoding="utf-8")
    return root


def test_a_share_is_made_of_whole_writers_but_for_the_last() -> None:
    train = corpus(a=10, b=20, c=30, d=40)
    for share in (0.1, 0.25, 0.5):
        counts: dict[str, int] = {}
        for passage in drawn(train, share):
            counts[passage.path[0]] = counts.get(passage.path[0], 0) + 1
        assert sum(counts.values()) == share * 100
        whole = {"a": 10, "b": 20, "c": 30, "d": 40}
        assert sum(counts[writer] < whole[writer] for writer in counts) <= 1


def test_a_smaller_share_is_part_of_a_larger_one_in_whatever_order_files_come() -> None:
    train = corpus(a=10, b=20, c=30)
    small, large = drawn(train, 0.1), drawn(train, 0.5)
    assert large[: len(small)] == small
    assert drawn(train[::-1], 0.5) == large
    assert sorted(p.path for p in drawn(train, 1.0)) == sorted(p.path for p in train)


def test_each_share_is_trained_on_with_the_seeds_and_scored(tmp_path: Path) -> None:
    learner = Learner(enough=6)
    curve = run(project(tmp_path), learner=learner, reader=SHIPPED, tell=lambda line: None)
    assert [len(paths) for paths in learner.trained_on] == [2 + 1, 2 + 2, 2 + 5]
    seeds = {path.rpartition("/")[2] for path in learner.trained_on[0]} & {"one.md", "two.md"}
    assert seeds == {"one.md", "two.md"}
    assert [point.passages for point in curve.points] == [1, 2, 5, 10]
    assert curve.points[-1].writers == 2
    # Two deals of three facts, of which the learner knows one with two.
    told = [point.scores["heldout"]["roles"] for point in curve.points]
    assert [(one.tp, one.fn) for one in told] == [(0, 6), (0, 6), (2, 4), (2, 4)]
    assert curve.points[-1].scores["heldout"]["deals"].f1 == pytest.approx(2 / 3)
    assert curve.points[-1].scores["dev"]["deals"].f1 == 1.0
    assert curve.points[0].scores["dev"]["deals"].f1 == 0.0


def test_the_report_comes_back_with_its_page_and_plot(tmp_path: Path) -> None:
    curve = run(project(tmp_path), learner=Learner(6), reader=SHIPPED, tell=lambda line: None)
    stored = tmp_path / "reports/learning_curve.json"
    assert read(stored) is None
    write(curve, stored)
    assert read(stored) == curve
    page = stored.with_suffix(".md").read_text(encoding="utf-8")
    assert page == markdown(curve)
    assert "| 10% | 1 | 1 |" in page
    assert "| 100% | 2 | 10 |" in page
    assert "0.667 1/0/1" in page
    assert "heldout: role F1" in stored.with_suffix(".svg").read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("annotations/train/w2/new.md", ["corpus"]),
        ("annotations/seeds/one.md", ["corpus"]),
        ("annotations/heldout/h1/one.md", ["gold of heldout"]),
        ("annotations/dev/made.jsonl", ["gold of dev"]),
        ("pipeline/code.py", ["code"]),
        ("evaluation/score.py", ["scorer"]),
        ("evaluation/README", []),
        ("models/fr_deals_md/weights", ["model"]),
        ("models/README.md", []),
    ],
)
def test_what_makes_the_curve_stale(tmp_path: Path, changed: str, stale: list[str]) -> None:
    root = project(tmp_path)
    curve = LearningCurve(digests=learning_curve.current_digests(root), versions={}, points=())
    assert staleness(curve, root) == []
    (root / changed).parent.mkdir(parents=True, exist_ok=True)
    (root / changed).write_text("changed", encoding="utf-8")
    assert staleness(curve, root) == stale
