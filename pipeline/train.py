"""From annotations to a model: ``python -m pipeline.train``.

1. The NER (encoder and transitions, ``models/configs/ner.cfg``) is trained on every gold
   article, and once more for each of three folds, so that every article also has predictions of
   a NER that never saw it.
2. On those predictions the linear models learn: the part of each name, the kind of each sum,
   which mention belongs to which deal, the attributes, and last whether a drafted deal is real.

The same annotations, configuration and machine give the same bytes: the seed is fixed, every
fit is deterministic, and each job computes on one thread.
"""

from __future__ import annotations

import multiprocessing
import random
import shutil
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pipeline.markup import GoldArticle, parse_folder
from pipeline.model_folder import seal

if TYPE_CHECKING:
    from spacy.language import Language

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "models" / "configs" / "ner.cfg"
PRETRAINED = ROOT / "models" / "pretrained" / "tok2vec.bin"
CORPORA = (ROOT / "annotations" / "seeds", ROOT / "annotations" / "train")

NER_FOLDS = 3
LINEAR_FOLDS = 4

Raw = list[tuple[int, int, str]]
"""The NER's spans of one article: start and end in code points, label."""

app = typer.Typer(add_completion=False)


def register() -> None:
    """Makes the names that the configuration uses known to spaCy."""
    import pipeline.library  # noqa: F401


@dataclass(frozen=True, slots=True)
class Job:
    """One NER to train: on ``learn``, kept in ``output`` if given, then run over ``read``."""

    learn: tuple[GoldArticle, ...]
    read: tuple[GoldArticle, ...]
    output: Path | None
    seed: int


def train_ner(job: Job) -> dict[str, Raw]:
    """Trains one NER and returns its spans for the articles of ``job.read``, by path."""
    from spacy.training.batchers import minibatch_by_words
    from spacy.util import fix_random_seed, load_config, load_model_from_config, registry
    from threadpoolctl import threadpool_limits

    from pipeline.corpus import example, swapped

    register()
    with threadpool_limits(1):
        fix_random_seed(job.seed)
        config = load_config(CONFIG)
        nlp = load_model_from_config(config, auto_fill=True)
        settings = registry.resolve({"training": dict(config["training"])})["training"]
        optimizer = settings["optimizer"]
        examples = [example(nlp, article) for article in job.learn]
        nlp.initialize(lambda: examples, sgd=optimizer)
        if PRETRAINED.exists():
            encoder: Any = nlp.get_pipe("tok2vec")
            encoder.model.from_bytes(PRETRAINED.read_bytes())
        shuffler = random.Random(job.seed)
        sizes = settings["batch_words"]
        for _ in range(settings["max_epochs"]):
            fresh = [example(nlp, swapped(article, shuffler)) for article in job.learn]
            shuffler.shuffle(fresh)
            for batch in minibatch_by_words(fresh, size=sizes, tolerance=0.2):
                nlp.update(batch, sgd=optimizer, drop=settings["dropout"])
        with nlp.use_params(optimizer.averages):
            found = recognise(nlp, job.read)
            if job.output is not None:
                nlp.to_disk(job.output, exclude=["vectors"])
    return found


def recognise(nlp: Language, articles: Sequence[GoldArticle]) -> dict[str, Raw]:
    """What a NER finds in the articles, by path."""
    from pipeline.library import plain

    docs = nlp.pipe((plain(article.text) for article in articles), batch_size=32)
    return {
        article.path: [(e.start_char, e.end_char, e.label_) for e in doc.ents]
        for article, doc in zip(articles, docs, strict=True)
    }


def train(gold: Sequence[GoldArticle], output: Path, *, seed: int = 7, processes: int = 2) -> None:
    """Trains the whole pipeline on gold articles and writes it to the folder ``output``.

    A model that stands there stays whole until the new one is.

    Raises:
        MarkupError: where a mark cuts a token.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=output.parent) as folder:
        fresh = Path(folder) / output.name
        spans = train_recogniser(gold, fresh, seed=seed, processes=processes)
        finish(gold, spans, fresh)
        seal(fresh)
        if output.exists():
            shutil.rmtree(output)
        fresh.rename(output)


def train_recogniser(
    gold: Sequence[GoldArticle], output: Path, *, seed: int = 7, processes: int = 2
) -> dict[str, Raw]:
    """Trains the NER on ``gold`` into ``output``; returns what NERs that never saw them find.

    The NER of each fold reads the articles of that fold. The spans are keyed by path.
    """
    from pipeline.learning import fold_of

    folds = [tuple(a for a in gold if fold_of(a, NER_FOLDS) == k) for k in range(NER_FOLDS)]
    held_out = [
        Job(tuple(a for a in gold if fold_of(a, NER_FOLDS) != k), fold, None, seed)
        for k, fold in enumerate(folds)
    ]
    jobs = [Job(tuple(gold), (), output, seed), *held_out]
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(processes, mp_context=context) as pool:
        results = list(pool.map(train_ner, jobs))
    return {path: raw for found in results for path, raw in found.items()}


def finish(gold: Sequence[GoldArticle], spans: Mapping[str, Raw], output: Path) -> None:
    """Adds the rule components and the linear models to the NER in ``output`` and saves it all."""
    import spacy

    from pipeline.learning import learn
    from pipeline.library import plain

    register()
    nlp = spacy.load(output)
    nlp.add_pipe("fr_deals_sentences", first=True)
    nlp.add_pipe("fr_deals_mentions")
    reader: Any = nlp.add_pipe("fr_deals_events")
    documents = []
    with nlp.select_pipes(enable=["fr_deals_sentences", "fr_deals_mentions"]):
        for article in gold:
            doc = nlp.make_doc(plain(article.text))
            doc._.published = article.head.published
            marks = (
                doc.char_span(start, end, label=label) for start, end, label in spans[article.path]
            )
            doc.ents = [span for span in marks if span is not None]
            documents.append(nlp(doc))
    reader.models = learn(list(zip(gold, documents, strict=True)), reader.view, LINEAR_FOLDS)
    nlp.meta["name"] = "deals_md"
    nlp.to_disk(output, exclude=["vectors"])


def read_gold() -> list[GoldArticle]:
    """Every gold article that the shipped model is trained on."""
    return [article for folder in CORPORA for article in parse_folder(folder)]


@app.command()
def main(
    output: Annotated[Path, typer.Option("-o", "--output", help="Folder for the model.")] = ROOT
    / "models"
    / "fr_deals_md",
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 7,
    processes: Annotated[int, typer.Option(help="NERs trained at a time.")] = 2,
) -> None:
    """Train the pipeline on annotations/seeds and annotations/train (about 10 minutes)."""
    from rich.console import Console

    console = Console(stderr=True)
    gold = read_gold()
    with console.status(f"training on {len(gold)} articles, {NER_FOLDS} folds beside the whole"):
        train(gold, output, seed=seed, processes=processes)
    console.print(f"wrote {output}")


if __name__ == "__main__":
    app()
