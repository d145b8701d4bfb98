"""Folds keep stories together, what a fold's model sees excludes them, a stale report is told."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from concurrent.futures import Future
from contextlib import nullcontext
from pathlib import Path
from types import ModuleType

import pytest
from handmade import NO_DEAL, SOURCE, event, write_project
from inline import InThisProcess

from evaluation import crossval
from evaluation.crossval import Stored, cross_validate, k_folds, leave_one_out, staleness
from evaluation.gold import case_from_markup
from evaluation.report import left_out_sets
from pipeline import library
from pipeline.markup import GoldArticle, parse
from pipeline.schema import Article

NOTHING = Stored(events=(), mentions=())


class Learner:
    """Remembers what it was trained on and asked to read; finds the one deal of ``SOURCE``."""

    def __init__(self) -> None:
        self.calls: list[tuple[list[str], list[str]]] = []

    def __call__(self, gold: Sequence[GoldArticle], articles: Sequence[Article]) -> list[Stored]:
        self.calls.append(([one.path for one in gold], [str(one.path) for one in articles]))
        return [
            Stored(events=(event(one.text, "Novalune"),), mentions=())
            if "Novalune" in one.text
            else NOTHING
            for one in articles
        ]


def told(path: str, story: str) -> GoldArticle:
    return parse(SOURCE.replace("+++\n", f'+++\nstory = "{story}"\n', 1), path=path)


def test_articles_of_one_story_are_left_out_together() -> None:
    seeds = [told("s1", "x"), told("s2", "x"), told("s3", "y")]
    others = [told("t1", "x"), told("t2", "z")]
    learner = Learner()
    readings = cross_validate(seeds, others, leave_one_out(["x", "x", "y"]), learner)
    assert sorted(learner.calls) == [
        (["s1", "s2", "t1", "t2"], ["s3"]),
        (["s3", "t2"], ["s1", "s2"]),
    ]
    assert readings.keys() == {"s1", "s2", "s3"}


def test_folds_hold_every_article_once_and_no_story_twice() -> None:
    groups = ["a", "a", "b", "c", "d", "d", "e"]
    folds = k_folds(groups, 3)
    assert sorted(i for fold in folds for i in fold.held_out) == list(range(7))
    for fold in folds:
        held_out = {groups[i] for i in fold.held_out}
        assert held_out.isdisjoint(groups[i] for i in fold.train_on)
        assert len(fold.held_out) + len(fold.train_on) == 7


def test_one_story_cannot_be_left_out() -> None:
    with pytest.raises(ValueError, match="at least two"):
        leave_one_out(["x", "x"])


def test_the_report_is_stored_and_scored(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    learner = Learner()
    made = crossval.run(root, learner=learner, tell=lambda line: None)
    one, two = "annotations/seeds/one.md", "annotations/seeds/two.md"
    assert sorted(learner.calls) == [
        ([one, "annotations/train/w1/three.md"], [two]),
        ([two, "annotations/train/w1/three.md"], [one]),
    ]
    path = root / crossval.REPORT
    crossval.write(made, path)
    again = crossval.read(path)
    assert again == made
    (scored,) = left_out_sets(again, root)
    assert scored.name == "seeds (left out)"
    assert scored.nature.startswith("written on")
    # The company is found, the amount and the investor are not.
    counts = scored.systems["whole"].counts["roles"]
    assert (counts.tp, counts.fp, counts.fn) == (1, 0, 2)


def test_the_training_corpus_is_read_in_folds_where_asked(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    (root / "annotations/train/four.md").write_text(NO_DEAL, encoding="utf-8")
    made = crossval.run(root, train_folds=2, learner=Learner(), tell=lambda line: None)
    assert made.readings["train"].keys() == {
        "annotations/train/four.md",
        "annotations/train/w1/three.md",
    }


@pytest.mark.parametrize(
    ("changed", "stale"),
    [
        ("pipeline/code.py", ["code"]),
        ("pipeline/lexicons/words.toml", ["code"]),
        ("models/configs/ner.cfg", ["code"]),
        ("annotations/seeds/two.md", ["corpus"]),
        ("annotations/train/w1/new.md", ["corpus"]),
        ("models/fr_deals_md/weights", ["model"]),
        ("annotations/dev/made.jsonl", []),
        ("pipeline/__pycache__/code.pyc", []),
    ],
)
def test_what_makes_a_report_stale(tmp_path: Path, changed: str, stale: list[str]) -> None:
    root = write_project(tmp_path)
    made = crossval.run(root, learner=Learner(), tell=lambda line: None)
    assert staleness(made, root) == []
    (root / changed).parent.mkdir(exist_ok=True)
    (root / changed).write_text("changed", encoding="utf-8")
    assert staleness(made, root) == stale


def test_a_new_article_is_not_scored_from_an_old_report(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    made = crossval.run(root, learner=Learner(), tell=lambda line: None)
    (root / "annotations/seeds/zero.md").write_text(NO_DEAL, encoding="utf-8")
    assert left_out_sets(made, root) == []
    assert crossval.read(root / "nowhere.json") is None


def test_the_real_learner_trains_and_reads_with_what_it_trained(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def train(gold: Sequence[GoldArticle], output: Path) -> None:
        output.mkdir()
        (output / "learnt").write_text(",".join(one.path for one in gold), encoding="utf-8")

    def load(model: Path) -> str:
        return (model / "learnt").read_text(encoding="utf-8")

    def read_deals(nlp: str, articles: Sequence[Article]) -> Iterator[library.Reading]:
        assert nlp == "s1,s2"
        for article in articles:
            yield library.Reading(article, (event(article.text, "Novalune"),), ())

    module = ModuleType("pipeline.train")
    module.train = train  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pipeline.train", module)
    monkeypatch.setattr(library, "load", load)
    monkeypatch.setattr(library, "read_deals", read_deals)
    gold = [told("s1", "x"), told("s2", "x")]
    article = case_from_markup(told("s3", "y")).article
    (stored,) = crossval.learn_and_read(gold, [article])
    assert [one.company.name for one in stored.events] == ["Novalune"]


def test_one_recogniser_serves_all_folds_that_leave_press_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    trained: list[list[str]] = []
    learnt: list[dict[str, str]] = []

    def train_recogniser(
        pool: object, gold: Sequence[GoldArticle], output: Path
    ) -> tuple[dict[str, str], Future[None]]:
        trained.append([one.path for one in gold])
        output.mkdir()
        whole: Future[None] = Future()
        whole.set_result(None)
        return {one.path: "of a fold" for one in gold}, whole

    def read_with(model: Path, articles: Sequence[GoldArticle]) -> dict[str, str]:
        assert model.is_dir()
        return {one.path: "of the whole" for one in articles}

    def learn_relations(gold: Sequence[GoldArticle], raws: dict[str, str]) -> str:
        assert [one.path for one in gold] == ["s1", "t1"]
        learnt.append(raws)
        return "models"

    def finish(output: Path, models: str) -> None:
        assert (output.is_dir(), models) == (True, "models")

    module = ModuleType("pipeline.train")
    for stand_in in (train_recogniser, read_with, learn_relations, finish):
        setattr(module, stand_in.__name__, stand_in)
    module.worker_processes = lambda count=2: nullcontext(InThisProcess())  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pipeline.train", module)
    monkeypatch.setattr(library, "load", lambda model: None)
    monkeypatch.setattr(library, "read_deals", lambda nlp, articles: iter(()))
    written = parse(SOURCE.replace("+++\n", '+++\nwriter = "w"\n', 1), path="t1")
    with crossval.SharedRecogniser() as learner:
        for _ in range(2):
            assert learner([told("s1", "x"), written], []) == []
    assert trained == [["t1"]]
    assert learnt == [{"t1": "of a fold", "s1": "of the whole"}] * 2
