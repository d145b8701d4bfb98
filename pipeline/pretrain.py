"""Pretrains the encoder: ``python -m pipeline.pretrain PRESS.jsonl --encoder models/e5``.

For each word of a text the small encoder learns what a large pretrained one says of it there
(distillation of hidden states: Romero et al. 2015, "FitNets: Hints for Thin Deep Nets",
arXiv:1412.6550), which is more than annotated passages can teach it of French. The large one has
seen no annotation, and none is read here: only plain text, of the press and of the written
passages, never of the seeds, of ``heldout`` or of ``dev``. What comes out is where
``python -m pipeline.train`` starts from.
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from itertools import chain, islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import numpy as np
import typer
from rich.progress import Progress

from pipeline.dilated import Floats
from pipeline.errors import DealReaderError, ModelError
from pipeline.markup import parse_folder
from pipeline.model_folder import require_transformers
from pipeline.threads import one_thread

if TYPE_CHECKING:
    from spacy.tokens import Doc
    from thinc.api import Model

app = typer.Typer(add_completion=False)

PARTS = 64
"""Of the large encoder's vectors so many principal components are learnt, if it has as many."""

_FITTED = 500
"""Texts from which the components are found."""

_CHUNK = 200
_SHORTEST = 20
"""Tokens of the stretches in which texts are learnt."""

_BATCH = 10
_RATE = 0.002
_DROPOUT = 0.1

Stretch = tuple["Doc", Floats]
"""A stretch of text, and for each of its tokens a row of what is to be said of it."""


@app.command()
def main(
    press: Annotated[
        Path,
        typer.Argument(exists=True, dir_okay=False, help="General press, JSONL with id and text."),
    ],
    encoder: Annotated[
        str,
        typer.Option(
            metavar="NAME_OR_PATH",
            help="The large encoder: a folder (python -m pipeline.encoder makes one), or a name "
            "on the Hugging Face Hub.",
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="File for the weights [default: the one that training "
                     "starts from]."),
    ] = None,
    epochs: Annotated[int, typer.Option(min=1, help="Passes over the text.")] = 4,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 7,
) -> None:  # fmt: skip
    """Teach the small encoder what a large pretrained one says of each word of a text."""
    from rich.console import Console

    from pipeline.train import CORPORA, PRETRAINED, read_press

    console = Console(stderr=True)
    target = PRETRAINED if output is None else output
    try:
        require_transformers()
        texts = [article.text for article in read_press(press)]
        texts += [article.text for article in parse_folder(CORPORA[-1])]
        with Progress(console=console, disable=not console.is_terminal) as progress:
            weights, left = pretrain(texts, encoder, epochs=epochs, seed=seed, progress=progress)
    except DealReaderError as error:
        console.print(f"error: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(weights)
    console.print(f"wrote {target}; of what the large encoder says {left:.1%} is left unsaid")


def pretrain(
    texts: Sequence[str],
    encoder: str,
    *,
    epochs: int,
    seed: int = 7,
    progress: Progress,
) -> tuple[bytes, float]:
    """The weights of the pretrained encoder, and the share of variance that it leaves unexplained.

    That share is taken on a fiftieth of the text, from which nothing is learnt.

    Raises:
        ModelError: where the large encoder cannot be loaded, or the texts are too few.
    """
    from spacy.util import fix_random_seed, load_config, load_model_from_config
    from thinc.api import Linear, set_dropout_rate, with_array
    from thinc.api import chain as stack

    from pipeline.library import plain
    from pipeline.train import CONFIG, register

    register()
    fix_random_seed(seed)
    with one_thread():
        nlp = load_model_from_config(load_config(CONFIG), auto_fill=True)
        docs = [nlp.make_doc(plain(text)) for text in texts if text.strip()]
        random.Random(seed).shuffle(docs)
        said = _said(_teacher(encoder), docs, progress)
        stretches = [*chain.from_iterable(map(_stretches, docs, said))]
        aside, learnt = stretches[: len(stretches) // 50], stretches[len(stretches) // 50 :]
        if not aside:
            raise ModelError(f"too little text: 50 stretches of {_CHUNK} tokens are needed")
        tok2vec: Any = nlp.get_pipe("tok2vec")
        head: Model[Any, Any] = with_array(Linear(nO=aside[0][1].shape[1]))
        model: Model[Any, Any] = stack(tok2vec.model, head)
        model.initialize(X=[doc for doc, _ in aside], Y=[rows for _, rows in aside])
        set_dropout_rate(tok2vec.model, _DROPOUT)
        _learn(model, learnt, epochs, random.Random(seed), progress)
        return tok2vec.model.to_bytes(), _unexplained(model, aside)


def _teacher(encoder: str) -> Model[Any, Any]:
    """From documents to what the large encoder says: one array each, a row a token.

    Its lower layers alone, those that the transformer variant begins with.
    """
    from spacy.util import load_config, registry
    from spacy_transformers.layers import trfs2arrays
    from thinc.api import Model, reduce_mean

    from pipeline.train import TRANSFORMER_CONFIG

    settings = load_config(TRANSFORMER_CONFIG)["components"]["transformer"]["model"]
    transformer = registry.resolve({"model": {**settings, "name": encoder}})["model"]
    transformer.initialize()
    pooled = trfs2arrays(reduce_mean(), 1.0)

    def forward(model: Any, docs: Sequence[Doc], is_train: bool) -> tuple[Any, Any]:
        return pooled.predict(transformer.predict(docs).doc_data), None

    return Model("teacher", forward)


def _said(teacher: Model[Any, Any], docs: Sequence[Doc], progress: Progress) -> Iterator[Floats]:
    """For each document the components of what the large encoder says, each of variance 1."""
    from sklearn.decomposition import PCA

    asked = progress.track(docs, description="asking the large encoder")
    told = (rows for doc in asked for rows in teacher.predict([doc]))
    first = list(islice(told, _FITTED))
    parts = min(PARTS, first[0].shape[1])
    components = PCA(parts, whiten=True, random_state=0).fit(np.concatenate(first))
    for rows in chain(first, told):
        yield components.transform(rows).astype(np.float32)


def _stretches(doc: Doc, rows: Floats) -> Iterator[Stretch]:
    for start in range(0, len(doc), _CHUNK):
        span = doc[start : start + _CHUNK]
        if len(span) >= _SHORTEST:
            yield span.as_doc(), rows[start : start + _CHUNK]


def _learn(
    model: Model[Any, Any],
    stretches: list[Stretch],
    epochs: int,
    shuffler: random.Random,
    progress: Progress,
) -> None:
    """Moves the weights towards the least squares, at a rate that falls to nothing."""
    from thinc.api import Adam

    optimizer = Adam(_RATE, L2=0.01, L2_is_weight_decay=True, grad_clip=1.0)
    batches = list(range(0, len(stretches), _BATCH))
    steps = epochs * len(batches)
    for step in progress.track(range(steps), description="teaching the small encoder"):
        if step % len(batches) == 0:
            shuffler.shuffle(stretches)
        start = batches[step % len(batches)]
        batch = stretches[start : start + _BATCH]
        optimizer.learn_rate = _RATE * (1 - step / steps)
        docs, rows = zip(*batch, strict=True)
        guessed, backprop = model.begin_update(list(docs))
        backprop([(g - r) / (r.shape[1] * len(batch)) for g, r in zip(guessed, rows, strict=True)])
        model.finish_update(optimizer)


def _unexplained(model: Model[Any, Any], stretches: Sequence[Stretch]) -> float:
    """The squares of what is missed beside those of what was to be said."""
    docs, rows = zip(*stretches, strict=True)
    told = np.concatenate(rows)
    return float(np.square(np.concatenate(model.predict(list(docs))) - told).mean() / told.var())


if __name__ == "__main__":
    app()
