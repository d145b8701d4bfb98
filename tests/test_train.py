"""From gold articles to a saved pipeline, on a handful of passages and two epochs."""

from __future__ import annotations

import json
import pickle
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import spacy
from inline import InThisProcess
from tiny import NO_DEAL, ROUND, TEMPLATES, passages
from typer.testing import CliRunner

import pipeline
from pipeline import corpus, train
from pipeline.corpus import Raw, ner_label
from pipeline.errors import InputError, MarkupError
from pipeline.markup import GoldArticle, parse
from pipeline.schema import Article
from pipeline.train import Job, app, read_gold, read_silent, train_ner

GOLD = [article for template in TEMPLATES for article in passages(template)]


@pytest.fixture
def two_epochs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    config = train.CONFIG.read_text(encoding="utf-8")
    short = tmp_path / "short.cfg"
    lines = ("max_epochs = 2" if line.startswith("max_epochs") else line for line in
             config.splitlines())  # fmt: skip
    short.write_text("\n".join(lines), encoding="utf-8")
    assert "max_epochs = 2" in short.read_text(encoding="utf-8")
    monkeypatch.setattr(train, "CONFIG", short)


def files(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


@pytest.mark.usefixtures("two_epochs")
def test_the_same_seed_gives_the_same_bytes(tmp_path: Path) -> None:
    rounds = tuple(passages(ROUND))
    found = [train_ner(Job(rounds, rounds[:2], tmp_path / name, 7)) for name in ("a", "b")]
    first, again = ([(raw.spans, raw.attributes) for raw in one.values()] for one in found)
    assert [spans for spans, _ in first] == [spans for spans, _ in again]
    for (_, ours), (_, theirs) in zip(first, again, strict=True):
        assert np.array_equal(ours, theirs)
    assert files(tmp_path / "a") == files(tmp_path / "b")
    train_ner(Job(rounds, (), tmp_path / "c", 8))
    assert files(tmp_path / "c")["ner/model"] != files(tmp_path / "a")["ner/model"]


@pytest.mark.usefixtures("two_epochs")
def test_a_trained_pipeline_is_saved_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "LINEAR_FOLDS", 2)
    gold = [replace(article, path=f"{n}/{article.path}") for n, article in enumerate(GOLD)]
    spans = {
        article.path: Raw([(m.start, m.end, ner_label(m), "") for m in article.mentions], None)
        for article in gold
    }
    train_ner(Job(tuple(gold), (), tmp_path / "model", 7))
    train.finish(tmp_path / "model", train.learn_relations(gold, spans))
    nlp = pipeline.load(tmp_path / "model")
    assert nlp.pipe_names == [
        "fr_deals_sentences",
        "tok2vec",
        "ner",
        "attributes",
        "fr_deals_mentions",
        "fr_deals_events",
    ]
    assert nlp.vocab.vectors.shape == (20000, 300)
    assert not (tmp_path / "model" / "vocab" / "vectors").exists()
    assert nlp.get_pipe("fr_deals_events").models
    assert nlp(passages(NO_DEAL)[0].text).text == passages(NO_DEAL)[0].text


@pytest.mark.usefixtures("two_epochs")
def test_every_article_is_read_by_a_ner_and_a_network_that_never_saw_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    jobs: list[Job] = []
    networks: list[Job] = []
    monkeypatch.setattr(train, "train_ner", noting(train.train_ner, jobs))
    monkeypatch.setattr(train, "train_network", noting(train.train_network, networks))
    gold = [replace(article, path=f"{n}/{article.path}") for n, article in enumerate(GOLD)]
    raws, whole = train.train_recogniser(InThisProcess(), gold, tmp_path / "model")
    whole.result()
    assert sorted(jobs, key=str) == sorted(networks, key=str)
    assert [len(job.learn) for job in jobs[:1]] == [len(gold)]
    for job in jobs[1:]:
        assert {a.path for a in job.learn}.isdisjoint(a.path for a in job.read)
    assert sorted(a.path for job in jobs for a in job.read) == sorted(raws)
    for raw in raws.values():
        assert raw.links is not None
        assert raw.links.links.shape[0] == raw.links.parts.shape[0]
    reader = train.with_rules(spacy.load(tmp_path / "model"))
    assert reader.network is not None
    train.finish(tmp_path / "model", train.learn_relations(gold, raws))
    assert pipeline.load(tmp_path / "model").get_pipe("fr_deals_events").network is not None


def noting(work: Callable[..., Any], jobs: list[Job]) -> Callable[..., Any]:
    def noted(job: Job, *more: object) -> Any:
        jobs.append(job)
        return work(job, *more)

    return noted


def test_press_is_heard_on_its_day() -> None:
    text = "Tharelune a levé 4 millions d'euros en mars 2024 auprès de Zéphirin Ventures."
    read = pipeline.load()
    models = read.get_pipe("fr_deals_events").models

    def heard(published: str | None) -> set[str]:
        article = Article(id="a", text=text, sha256="0" * 64, published=published)
        samples = train.listen(train.ROOT / "models" / "fr_deals_md", [article], models)
        assert {model for model, _, _ in samples} == {"tells"}
        return {feature for _, features, _ in samples for feature in features}

    assert heard("2024-03-20") - heard(None)
    assert heard("2026-03-20") != heard("2024-03-20")


@pytest.mark.usefixtures("two_epochs")
def test_a_real_article_is_read_several_times_an_epoch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: Counter[str] = Counter()

    def noted(article: GoldArticle, rng: random.Random) -> GoldArticle:
        read[article.path] += 1
        return article

    monkeypatch.setattr(corpus, "swapped", noted)
    passage = passages(ROUND)[0]
    heads = {"written.md": "w99", "press.md": None}
    gold = [
        replace(passage, path=path, head=passage.head.model_copy(update={"writer": writer}))
        for path, writer in heads.items()
    ]
    train_ner(Job(tuple(gold), (), tmp_path / "model", 7))
    assert read == {"written.md": 2, "press.md": 2 * train.PRESS_COPIES}
    assert train.PRESS_COPIES > 1


def test_a_mark_that_cuts_a_token_stops_the_training(tmp_path: Path) -> None:
    bad = parse("+++\n+++\nLe groupe [Alp](ORG o1)ha.", path="bad.md")
    with pytest.raises(MarkupError, match=r"bad\.md:3: .*cuts a token") as caught:
        train_ner(Job((bad,), (), tmp_path / "model", 7))
    travelled = pickle.loads(pickle.dumps(caught.value))  # as between the processes that train
    assert (str(travelled), travelled.line) == (str(caught.value), 3)


def test_the_model_learns_from_seeds_and_training_text(
    seeds: Sequence[GoldArticle], train: Sequence[GoldArticle]
) -> None:
    paths = {article.path for article in read_gold()}
    assert paths == {article.path for article in (*seeds, *train)}
    assert not [path for path in paths if "/heldout/" in path or "/dev/" in path]


def test_press_that_tells_a_deal_does_not_teach_silence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    telling, file = tmp_path / "press.txt", tmp_path / "press.jsonl"
    telling.write_text("b\n", encoding="utf-8")
    rows = ({"id": id_, "text": f"Texte {id_}."} for id_ in "abc")
    file.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")
    monkeypatch.setattr(train, "TELLING", telling)
    assert [article.text for article in read_silent(file)] == ["Texte a.", "Texte c."]
    with file.open("a", encoding="utf-8") as lines:
        lines.write("{\n")
    with pytest.raises(InputError, match=r"press\.jsonl.*4"):
        read_silent(file)


def test_help_needs_no_training() -> None:
    result = CliRunner().invoke(app, ["--help"])
    assert result.exit_code == 0
    assert "--seed" in result.output
