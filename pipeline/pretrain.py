"""Pretrains the encoder on French news without annotations: ``python -m pipeline.pretrain``.

spaCy's own ``pretrain`` with the characters objective: from each word's context the encoder
learns to guess the word's first and last letters. The weights it leaves are what
``python -m pipeline.train`` starts from.
"""

from __future__ import annotations

import gzip
import json
import tempfile
from pathlib import Path
from typing import Annotated

import typer

app = typer.Typer(add_completion=False)

_FILE = "tok2vec.bin"


@app.command()
def main(
    corpus: Annotated[Path, typer.Argument(help="News items, JSONL (.gz) with title and text.")],
    output: Annotated[Path, typer.Option("-o", help="Folder for the weights.")] = Path(
        "models/pretrained"
    ),
    epochs: Annotated[int, typer.Option(help="Passes over the corpus.")] = 1,
) -> None:
    """Pretrain the encoder of models/configs/ner.cfg on raw French news."""
    from spacy.language import DEFAULT_CONFIG_PRETRAIN_PATH
    from spacy.training.pretrain import pretrain
    from spacy.util import load_config, load_model_from_config

    from pipeline.train import CONFIG, register

    register()
    base = load_model_from_config(load_config(CONFIG), auto_fill=True).config
    with tempfile.TemporaryDirectory() as folder:
        texts = Path(folder, "texts.jsonl")
        _write_texts(corpus, texts)
        config = load_config(DEFAULT_CONFIG_PRETRAIN_PATH).merge(base)
        config["corpora"] = {
            "pretrain": {
                "@readers": "spacy.JsonlCorpus.v1",
                "path": str(texts),
                "min_length": 5,
                "max_length": 500,
                "limit": 0,
            }
        }
        config["training"] = {"seed": base["system"]["seed"], "gpu_allocator": None, "dropout": 0.1}
        config["pretraining"].update(
            {"component": "tok2vec", "layer": "", "max_epochs": epochs, "n_save_epoch": 1}
        )
        config["pretraining"]["objective"] = {
            "@architectures": "spacy.PretrainCharacters.v1",
            "maxout_pieces": 3,
            "hidden_size": 300,
            "n_characters": 4,
        }
        weights = Path(folder, "weights")
        weights.mkdir()
        pretrain(config, weights, use_gpu=-1, silent=False)
        output.mkdir(parents=True, exist_ok=True)
        (output / _FILE).write_bytes((weights / "model-last.bin").read_bytes())


def _write_texts(corpus: Path, target: Path) -> None:
    """Title and text of each item as one ``text``."""
    opened = gzip.open if corpus.suffix == ".gz" else open
    with opened(corpus, "rt", encoding="utf-8") as lines, target.open("w", encoding="utf-8") as out:
        for line in lines:
            item = json.loads(line)
            text = f"{item['title']}\n{item['text']}"
            out.write(json.dumps({"text": text}, ensure_ascii=False) + "\n")


if __name__ == "__main__":
    app()
