"""The small variant needs nothing of torch, and the large one says what it needs."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from spacy.language import Language

import pipeline
from pipeline import model_folder, package
from pipeline.errors import ModelError
from pipeline.model_folder import Variant
from pipeline.train import train_transformer

DEAL = "Ovalie Robotics lève 12 M€ auprès de Fonds Garonne."

# Notes which package asks for what the extra brings. Where it is installed spaCy takes it itself:
# thinc imports torch, and every pipeline the components of all packages that offer some.
SCRIPT = """
import sys
from importlib.abc import MetaPathFinder

EXTRA = {"torch", "transformers", "spacy_transformers", "tokenizers", "safetensors"}
asked = set()

class Watching(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name in EXTRA:
            frame = sys._getframe(1)
            while "importlib" in frame.f_globals["__name__"]:
                frame = frame.f_back
            asked.add(frame.f_globals["__name__"].split(".")[0])
        return None

sys.meta_path.insert(0, Watching())
import pipeline
import pipeline.run, pipeline.train, pipeline.package
nlp = pipeline.load()
pipeline.extract(sys.argv[1], nlp)
print(*sorted(asked - EXTRA))
"""


def test_nothing_of_ours_asks_for_the_extra() -> None:
    done = subprocess.run(
        [sys.executable, "-P", "-c", SCRIPT, DEAL], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert set(done.stdout.split()) <= {"catalogue", "thinc"}


@pytest.fixture
def without_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(model_folder, "find_spec", lambda _: None)


@pytest.fixture
def transformer_folder(tiny: Language, tmp_path: Path) -> Path:
    """A model whose pipeline names a transformer."""
    tiny.to_disk(tmp_path)
    meta = json.loads((tmp_path / "meta.json").read_text("utf-8"))
    meta["pipeline"].insert(0, "transformer")
    (tmp_path / "meta.json").write_text(json.dumps(meta), "utf-8")
    return tmp_path


COMMAND = r'needs torch, which is not installed; run: pip install "fr-deals\[transformers\]"'


@pytest.mark.usefixtures("without_extra")
def test_loading_a_transformer_without_the_extra_says_the_command(transformer_folder: Path) -> None:
    with pytest.raises(ModelError, match=COMMAND):
        pipeline.load(transformer_folder)


@pytest.mark.usefixtures("without_extra")
def test_training_one_without_the_extra_says_the_command(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=COMMAND):
        train_transformer([], tmp_path / "model", encoder="any")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("without_extra")
def test_packing_one_without_the_extra_says_the_command(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=COMMAND):
        package.build_wheel(tmp_path, report=None, variant=Variant.TRANSFORMER)


@pytest.mark.usefixtures("without_extra")
def test_the_small_variant_loads_without_the_extra(tiny_model: Path) -> None:
    assert "transformer" not in pipeline.load(tiny_model).pipe_names
