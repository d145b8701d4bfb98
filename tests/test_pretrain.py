"""The small encoder learns what a large one says."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.progress import Progress
from typer.testing import CliRunner

pytest.importorskip(
    "spacy_transformers",
    reason='pretraining needs the extra: pip install "fr-deals[transformers]"',
)

from random_encoder import save_encoder

from pipeline.errors import ModelError
from pipeline.pretrain import app, pretrain

WORDS = (
    *("Alpha", "lève", "3", "millions", "auprès", "de", "Bêta", ",", "qui", "avait", "déjà"),
    *("investi", "dans", "Gamma", "en", "mars", "."),
)
TEXTS = [" ".join((*WORDS[i % 7 :], *WORDS[: i % 5], *WORDS)) for i in range(60)]
QUIET = Progress(disable=True)


@pytest.fixture(scope="module")
def encoder(tmp_path_factory: pytest.TempPathFactory) -> str:
    return str(save_encoder(tmp_path_factory.mktemp("encoder"), TEXTS))


@pytest.fixture(autouse=True)
def two_layers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The configuration of the transformer variant keeps eight layers; the tiny encoder has two."""
    from pipeline import train

    config = train.TRANSFORMER_CONFIG.read_text("utf-8")
    assert "num_hidden_layers = 8" in config and "window = 384" in config
    config = config.replace("num_hidden_layers = 8", "num_hidden_layers = 2")
    config = config.replace("window = 384", "window = 96").replace("overlap = 96", "overlap = 24")
    (tmp_path / "transformer.cfg").write_text(config, "utf-8")
    monkeypatch.setattr(train, "TRANSFORMER_CONFIG", tmp_path / "transformer.cfg")


def test_it_learns_the_same_again_and_more_in_more_epochs(encoder: str) -> None:
    weights, unsaid = pretrain(TEXTS, encoder, epochs=1, progress=QUIET)
    assert pretrain(TEXTS, encoder, epochs=1, progress=QUIET) == (weights, unsaid)
    assert pretrain(TEXTS, encoder, epochs=12, progress=QUIET)[1] < 0.8 * unsaid


def test_the_weights_are_those_of_the_encoder_that_training_begins_with(encoder: str) -> None:
    from spacy.util import load_config, load_model_from_config

    from pipeline.train import CONFIG, register

    weights, _ = pretrain(TEXTS, encoder, epochs=1, progress=QUIET)
    register()
    nlp = load_model_from_config(load_config(CONFIG), auto_fill=True)
    tok2vec: Any = nlp.get_pipe("tok2vec")
    tok2vec.model.from_bytes(weights)
    assert tok2vec.predict([nlp.make_doc(TEXTS[0])])[0].shape[1] == 96


def test_too_little_text(encoder: str) -> None:
    with pytest.raises(ModelError, match="too little text"):
        pretrain(TEXTS[:10], encoder, epochs=1, progress=QUIET)


def command(press: Path, encoder: str, output: Path) -> Any:
    told = [str(press), "--encoder", encoder, "-o", str(output), "--epochs", "1"]
    return CliRunner().invoke(app, told)


def test_the_command(encoder: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from pipeline import train

    monkeypatch.setattr(train, "CORPORA", (tmp_path / "seeds", tmp_path / "none"))
    (tmp_path / "none").mkdir()
    press = tmp_path / "press.jsonl"
    lines = [json.dumps({"id": str(n), "text": text}) for n, text in enumerate(TEXTS)]
    press.write_text("\n".join(lines), "utf-8")
    output = tmp_path / "new" / "tok2vec.bin"
    result = command(press, encoder, output)
    assert result.exit_code == 0, result.output
    assert "is left unsaid" in result.output
    assert output.stat().st_size > 100_000


@pytest.mark.parametrize("spoil", [lambda p: p.write_text("{"), lambda p: p.write_text("")])
def test_press_that_cannot_be_read(
    spoil: Callable[[Path], object], encoder: str, tmp_path: Path
) -> None:
    spoil(press := tmp_path / "press.jsonl")
    result = command(press, encoder, tmp_path / "tok2vec.bin")
    assert result.exit_code == 1
    assert "press.jsonl" in result.output
    assert not (tmp_path / "tok2vec.bin").exists()


def test_an_encoder_that_is_not_there(tmp_path: Path) -> None:
    press = tmp_path / "press.jsonl"
    press.write_text(json.dumps({"id": "1", "text": TEXTS[0]}), "utf-8")
    result = command(press, str(tmp_path / "nowhere"), tmp_path / "tok2vec.bin")
    assert result.exit_code == 1
    assert "cannot be loaded" in result.output
