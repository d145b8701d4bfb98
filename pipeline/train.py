"""From annotations to a model: ``python -m pipeline.train``.

1. The NER (encoder and transitions, ``models/configs/ner.cfg``) is trained on every gold
   article, and once more for each of two folds, in fewer epochs, so that every article also has
   predictions of a NER that never saw it.
2. Over each NER a network learns to read the mentions of an article together
   (:mod:`pipeline.mention_network`), as those predictions have them, and reads the articles that
   neither saw.
3. On all that the linear models learn: the part of each name, the kind of each sum,
   which mention belongs to which deal, the attributes, and last whether a drafted deal is real.
   They need no more than the folds, and learn while NER and network of the whole still do.

The same annotations, configuration and machine give the same bytes: the seed is fixed, every
fit is deterministic, and each job computes on one thread.
"""

from __future__ import annotations

import gc
import hashlib
import multiprocessing
import os
import random
import shutil
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Executor, Future, ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import chain, repeat
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, cast

import typer

from pipeline.errors import DealReaderError, InputError, ResumeError
from pipeline.markup import GoldArticle, parse_folder
from pipeline.model_folder import Variant, require_transformers, seal
from pipeline.reader import read_articles
from pipeline.schema import Article
from pipeline.threads import one_thread

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Doc
    from spacy.training import Example
    from thinc.optimizers import Optimizer

    from pipeline.components.events import DealReader
    from pipeline.corpus import Raw
    from pipeline.learning import Sample, Silence
    from pipeline.linear import LinearModels
    from pipeline.mention_network import Network, Seen
    from pipeline.transformer_training import Job as TransformerJob
    from pipeline.view import View

ROOT = Path(__file__).resolve().parent.parent
CONFIG = ROOT / "models" / "configs" / "ner.cfg"
TRANSFORMER_CONFIG = ROOT / "models" / "configs" / "transformer.cfg"
PRETRAINED = ROOT / "models" / "pretrained" / "tok2vec.bin"
TELLING = ROOT / "annotations" / "press.txt"
CORPORA = (ROOT / "annotations" / "seeds", ROOT / "annotations" / "train")

PRESS_COPIES = 4
"""How often the NER reads a real article in an epoch, each time with other names, and how often
the network over it does."""

NER_FOLDS = 2
TRANSFORMER_FOLDS = 2
LINEAR_FOLDS = 2

app = typer.Typer(add_completion=False)


def register() -> None:
    """Makes the names that the configuration uses known to spaCy."""
    import pipeline.library  # noqa: F401


@dataclass(frozen=True, slots=True)
class Job:
    """One NER, and the network over it: trained on ``learn``, kept in ``output``, to ``read``."""

    learn: tuple[GoldArticle, ...]
    read: tuple[GoldArticle, ...]
    output: Path
    seed: int


def copies(article: GoldArticle) -> int:
    """How often an article is read in an epoch; real press names no writer."""
    return 1 if article.head.writer else PRESS_COPIES


def train_ner(job: Job) -> dict[str, Raw]:
    """Trains one NER and returns its spans for the articles of ``job.read``, by path."""
    from spacy.training.batchers import minibatch_by_words
    from spacy.util import fix_random_seed, load_config, load_model_from_config, registry

    from pipeline.corpus import fresh_example

    register()
    with one_thread():
        fix_random_seed(job.seed)
        config = load_config(CONFIG)
        nlp = load_model_from_config(config, auto_fill=True)
        settings = registry.resolve({"training": dict(config["training"])})["training"]
        optimizer = settings["optimizer"]
        shuffler = random.Random(job.seed)
        sizes = settings["batch_words"]
        learn = [article for article in job.learn for _ in range(copies(article))]
        for epoch in range(settings["fold_epochs" if job.read else "max_epochs"]):
            fresh = [fresh_example(nlp, article, shuffler) for article in learn]
            if not epoch:
                _initialize(nlp, fresh, optimizer)
            shuffler.shuffle(fresh)
            for batch in minibatch_by_words(fresh, size=sizes, tolerance=0.2):
                nlp.update(batch, sgd=optimizer, drop=settings["dropout"])
        with nlp.use_params(optimizer.averages):
            found = recognise(nlp, [article.text for article in job.read])
            nlp.to_disk(job.output, exclude=["vectors"])
    return {article.path: raw for article, raw in zip(job.read, found, strict=True)}


def _initialize(nlp: Language, examples: Sequence[Example], optimizer: Optimizer) -> None:
    """Sets labels and shapes from examples and the encoder to its pretrained weights."""
    nlp.initialize(lambda: examples, sgd=optimizer)
    if PRETRAINED.exists():
        encoder: Any = nlp.get_pipe("tok2vec")
        encoder.model.from_bytes(PRETRAINED.read_bytes())


_RULES = ("fr_deals_sentences", "fr_deals_mentions", "fr_deals_events")


def recognise(nlp: Language, texts: Sequence[str]) -> list[Raw]:
    """What a NER, and what listens with it, finds in each text."""
    from pipeline.components.sentences import sentences
    from pipeline.corpus import Raw
    from pipeline.library import plain

    with nlp.select_pipes(disable=[name for name in _RULES if name in nlp.pipe_names]):
        docs = nlp.pipe((sentences(nlp.make_doc(plain(text))) for text in texts), batch_size=32)
        return [
            Raw(
                [(e.start_char, e.end_char, e.label_, e.kb_id_) for e in doc.ents],
                doc._.attributes,
            )
            for doc in docs
        ]


def read_with(model: Path, articles: Sequence[GoldArticle]) -> dict[str, Raw]:
    """What a NER, and the network over it, find in each article, by path."""
    import spacy

    register()
    with one_thread():
        nlp = spacy.load(model)
        reader = with_rules(nlp)
        network, reader.network = reader.network, None  # it is asked below, and not by the view
        assert network is not None
        found = recognise(nlp, [article.text for article in articles])
        raws = {article.path: raw for article, raw in zip(articles, found, strict=True)}
        return _linked(nlp, network, articles, raws)


def listen(model: Path, articles: Iterable[Article], models: LinearModels) -> list[Sample]:
    """What ``models`` take for deals in articles that tell none.

    The NER, and the network over it where there is one, are those in the folder ``model``.
    """
    import spacy

    from pipeline.learning import silent_samples

    register()
    with one_thread():
        nlp = spacy.load(model)
        reader = with_rules(nlp)
        with nlp.select_pipes(disable=["fr_deals_events"]):
            dated = (_dated(nlp, article.text, article.published) for article in articles)
            docs = nlp.pipe(dated, batch_size=32)
            return [sample for doc in docs for sample in silent_samples(reader.view(doc), models)]


def _dated(nlp: Language, text: str, published: str | None) -> Doc:
    """The document of a text that was published on a day, before any component."""
    from pipeline.library import plain

    doc = nlp.make_doc(plain(text))
    doc._.published = published
    return doc


def with_rules(nlp: Language) -> DealReader:
    """Adds the components that are not trained with the NER; returns the last, which reads."""
    if "fr_deals_events" not in nlp.pipe_names:
        nlp.add_pipe("fr_deals_sentences", first=True)
        nlp.add_pipe("fr_deals_mentions")
        nlp.add_pipe("fr_deals_events")
    return cast("DealReader", nlp.get_pipe("fr_deals_events"))


def resolved(nlp: Language, article: GoldArticle, raw: Raw) -> Doc:
    """The document of an article with what was found in it, up to ``fr_deals_events``."""
    doc = _dated(nlp, article.text, article.head.published)
    doc._.attributes, doc._.links = raw.attributes, raw.links
    marks = (
        doc.char_span(start, end, label=label, kb_id=odds) for start, end, label, odds in raw.spans
    )
    doc.ents = [span for span in marks if span is not None]
    with nlp.select_pipes(enable=["fr_deals_sentences", "fr_deals_mentions"]):
        return nlp(doc)


def _of_gold(
    nlp: Language, articles: Iterable[GoldArticle], raws: Mapping[str, Raw]
) -> Iterator[Doc]:
    for article in articles:
        yield resolved(nlp, article, raws[article.path])


def _seen(nlp: Language, docs: Iterable[Doc]) -> Iterator[tuple[View, Seen]]:
    """The mentions of each resolved document, and what a network sees of them."""
    from spacy.util import minibatch

    from pipeline.mention_network import see

    encoder: Any = nlp.get_pipe("tok2vec")
    reader = with_rules(nlp)
    for batch in minibatch(docs, 32):  # type: ignore[no-untyped-call]
        for doc, vectors in zip(batch, encoder.predict(batch), strict=True):
            view = reader.view(doc)
            yield view, see(view, vectors)


def train_network(job: Job, raws: Mapping[str, Raw]) -> dict[str, Raw]:
    """Trains the network over the NER in ``job.output`` and keeps it there.

    It learns from the mentions in ``raws``, by path. Returns those of ``job.read`` with what it
    reads of them.
    """
    import spacy

    from pipeline.learning import Aligned, network_answers
    from pipeline.mention_network import fit

    register()
    with one_thread():
        nlp = spacy.load(job.output)
        reader = with_rules(nlp)
        taught = []
        learn = _seen(nlp, _of_gold(nlp, job.learn, raws))
        for article, (view, mentions) in zip(job.learn, learn, strict=True):
            right = network_answers(Aligned.of(article, view), mentions)
            taught += [(mentions, right)] * copies(article)
        network = fit(taught, seed=job.seed)
        linked = _linked(nlp, network, job.read, raws)
        reader.network = network
        nlp.to_disk(job.output, exclude=["vectors"])
        return linked


def _linked(
    nlp: Language,
    network: Network,
    articles: Sequence[GoldArticle],
    raws: Mapping[str, Raw],
) -> dict[str, Raw]:
    """What a NER found in each article, by path, with what ``network`` reads of it."""
    from pipeline.mention_network import read

    seen = _seen(nlp, _of_gold(nlp, articles, raws))
    return {
        article.path: replace(raws[article.path], links=read(network, mentions))
        for article, (_, mentions) in zip(articles, seen, strict=True)
    }


def train(
    gold: Sequence[GoldArticle],
    output: Path,
    *,
    seed: int = 7,
    processes: int = 2,
    silent: Sequence[Article] = (),
) -> None:
    """Trains the whole pipeline on gold articles and writes it to the folder ``output``.

    From ``silent``, articles without a deal, the last model learns to keep quiet. A model that
    stands there stays whole until the new one is.

    Raises:
        MarkupError: where a mark cuts a token.
    """
    output.parent.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=output.parent) as folder:
        fresh = Path(folder) / output.name
        with worker_processes(processes) as pool:
            raws, whole = train_recogniser(pool, gold, fresh, seed=seed)
            models = learn_relations(
                gold,
                raws,
                lambda models: _listen_all(pool, processes, whole, fresh, silent, models),
            )
        finish(fresh, models)
        _put(fresh, output)


def _put(fresh: Path, output: Path) -> None:
    """Seals a model that is done and lets it take the place of the one at ``output``."""
    seal(fresh)
    if output.exists():
        shutil.rmtree(output)
    fresh.rename(output)


def worker_processes(count: int = 2) -> ProcessPoolExecutor:
    """Processes that begin anew: what is random in a job hangs on the job alone."""
    return ProcessPoolExecutor(count, mp_context=multiprocessing.get_context("spawn"))


def train_recogniser(
    pool: Executor, gold: Sequence[GoldArticle], output: Path, *, seed: int = 7
) -> tuple[dict[str, Raw], Future[None]]:
    """Trains the NER and the network over it on ``gold`` into ``output``.

    Returns what those that never saw an article find in it, by path: the NER and the network of
    each fold read the articles of that fold, while those of the whole still learn. Those are
    trained when the future that comes with it is done, and not before.
    """
    with TemporaryDirectory() as folder:
        outputs = [output, *(Path(folder) / f"fold{fold}" for fold in range(NER_FOLDS))]
        parts = zip(_parts(gold, NER_FOLDS), outputs, strict=True)
        whole, *folds = [Job(*part, place, seed) for part, place in parts]
        longest = pool.submit(train_ner, whole)
        raws = _joined(pool.map(train_ner, folds))
        linked = pool.map(train_network, folds, repeat(raws))
        waiting = ThreadPoolExecutor(1)
        last = waiting.submit(_train_last, pool, longest, whole, raws)
        waiting.shutdown(wait=False)
        return _joined(linked), last


def _joined(parts: Iterable[dict[str, Raw]]) -> dict[str, Raw]:
    return {path: raw for part in parts for path, raw in part.items()}


def _train_last(
    pool: Executor, ner: Future[dict[str, Raw]], job: Job, raws: Mapping[str, Raw]
) -> None:
    """Trains the network over a NER when that is done."""
    ner.result()
    pool.submit(train_network, job, raws).result()


def _listen_all(
    pool: Executor,
    processes: int,
    trained: Future[None],
    model: Path,
    articles: Sequence[Article],
    models: LinearModels,
) -> Iterator[Sample]:
    """As :func:`listen`, by all ``processes``, when what is in ``model`` is ``trained``."""
    from spacy.util import minibatch

    trained.result()
    share = -(-len(articles) // processes)  # one for each, for loading a model takes a while
    parts = minibatch(articles, share)  # type: ignore[no-untyped-call]
    yield from chain.from_iterable(pool.map(listen, repeat(model), parts, repeat(models)))


_Articles = tuple[GoldArticle, ...]


def _parts(gold: Sequence[GoldArticle], folds: int) -> list[tuple[_Articles, _Articles]]:
    """What each NER learns from, and what it then reads: first the whole, then fold by fold."""
    from pipeline.learning import fold_of

    fold = [fold_of(article, folds) for article in gold]
    held_out = [
        (
            tuple(a for a, own in zip(gold, fold, strict=True) if own != k),
            tuple(a for a, own in zip(gold, fold, strict=True) if own == k),
        )
        for k in range(folds)
    ]
    return [(tuple(gold), ()), *held_out]


def train_transformer(
    gold: Sequence[GoldArticle],
    output: Path,
    *,
    encoder: str,
    seed: int = 7,
    processes: int = 2,
    gpu_id: int = -1,
    resume: bool = False,
    silent: Sequence[Article] = (),
) -> None:
    """As :func:`train`, over a pretrained encoder: a folder or a name that transformers loads.

    What is done so far stands in a folder beside ``output``, from which ``resume`` goes on. The
    learning curve of the NER is left beside ``output``, as ``OUTPUT.progress.jsonl``.

    Raises:
        MarkupError: where a mark cuts a token.
        ResumeError: where such a folder stands and ``resume`` is not given, or where it belongs
            to another training.
        ModelError: where the packages that transformers need are not installed.
    """
    require_transformers()
    from pipeline.transformer_training import PROGRESS

    partial = output.with_name(f"{output.name}.partial")
    _begin(partial, _digest(gold, encoder, seed), resume)
    jobs = _transformer_jobs(gold, partial, encoder, seed, processes, gpu_id)
    with worker_processes(processes) as pool:
        raws = _joined(pool.map(_run_transformer_job, jobs))
    fresh = partial / "model"
    if fresh.exists():
        shutil.rmtree(fresh)
    shutil.copytree(jobs[0].folder / "model", fresh)
    models = learn_relations(gold, raws, lambda models: listen(fresh, silent, models))
    finish(fresh, models, variant=Variant.TRANSFORMER)
    _put(fresh, output)
    shutil.copy(jobs[0].folder / PROGRESS, output.with_name(f"{output.name}.{PROGRESS}"))
    shutil.rmtree(partial)


def _begin(partial: Path, setup: str, resume: bool) -> None:
    """Makes the folder of a training that can go on, or checks that this one can."""
    note = partial / "setup.txt"
    if partial.exists() and not resume:
        raise ResumeError(
            f"{partial}: an interrupted training stands here; go on with --resume, or remove it"
        )
    if note.exists() and note.read_text("utf-8") != setup:
        raise ResumeError(
            f"{partial}: this training was begun with another corpus, encoder, seed or "
            "configuration; remove it to begin anew"
        )
    partial.mkdir(parents=True, exist_ok=True)
    note.write_text(setup, encoding="utf-8")


def _digest(gold: Sequence[GoldArticle], encoder: str, seed: int) -> str:
    """What a training that goes on must have in common with the one that was interrupted."""
    setup = (TRANSFORMER_CONFIG.read_text("utf-8"), encoder, seed, tuple(gold))
    return hashlib.sha256(repr(setup).encode()).hexdigest()


def _transformer_jobs(
    gold: Sequence[GoldArticle],
    partial: Path,
    encoder: str,
    seed: int,
    processes: int,
    gpu_id: int,
) -> list[TransformerJob]:
    """The NER of the whole, and one for each fold that reads what it did not learn from."""
    from pipeline.transformer_training import Job as TransformerJob

    threads = max(1, (os.cpu_count() or 1) // processes)
    names = ["whole", *(f"fold{fold}" for fold in range(TRANSFORMER_FOLDS))]
    parts = zip(names, _parts(gold, TRANSFORMER_FOLDS), strict=True)
    return [
        TransformerJob(partial / name, *part, TRANSFORMER_CONFIG, encoder, seed, threads, gpu_id)
        for name, part in parts
    ]


def _run_transformer_job(job: TransformerJob) -> dict[str, Raw]:
    from pipeline.transformer_training import run

    register()
    return run(job, recognise)


def learn_relations(
    gold: Sequence[GoldArticle],
    raws: Mapping[str, Raw],
    silence: Silence = lambda models: (),
) -> LinearModels:
    """The linear models, from what NERs and networks found in articles that they never saw.

    ``silence``, asked last, is what those models take for deals where none is told.
    """
    import spacy

    from pipeline.learning import learn

    register()
    nlp = spacy.blank("fr_deals")
    view = with_rules(nlp).view
    with _nothing_collected():
        documents = list(zip(gold, _of_gold(nlp, gold, raws), strict=True))
        return learn(documents, view, LINEAR_FOLDS, silence)


@contextmanager
def _nothing_collected() -> Iterator[None]:
    """A block in which Python looks for no garbage: in millions of samples it finds none."""
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


def finish(output: Path, models: LinearModels, *, variant: Variant = Variant.SMALL) -> None:
    """Adds the rule components and the linear models to the NER in ``output``."""
    import spacy

    register()
    nlp = spacy.load(output)
    with_rules(nlp).models = models
    nlp.meta["name"] = variant.package.removeprefix("fr_")
    nlp.to_disk(output, exclude=["vectors"])


def read_press(path: Path) -> Iterator[Article]:
    """The articles of a file or folder of which none may be amiss.

    Raises:
        InputError: where an item cannot be read; names the file and the line.
    """
    for article in read_articles(path):
        if isinstance(article, InputError):
            raise article
        yield article


def read_silent(path: Path) -> list[Article]:
    """The articles of a file of general press that tell no deal.

    Those that do are named, by id, in ``annotations/press.txt``: found by reading what the
    pipeline took for a deal.

    Raises:
        InputError: where an item cannot be read; names the file and the line.
    """
    telling = set(TELLING.read_text(encoding="utf-8").split())
    return [article for article in read_press(path) if article.id not in telling]


def read_gold() -> list[GoldArticle]:
    """Every gold article that the shipped model is trained on."""
    return [article for folder in CORPORA for article in parse_folder(folder)]


@app.command()
def main(
    variant: Annotated[Variant, typer.Option(help="Which model to make.")] = Variant.SMALL,
    encoder: Annotated[
        str | None,
        typer.Option(
            metavar="NAME_OR_PATH",
            help="The pretrained encoder of the transformer variant: a folder, or a name on the "
            "Hugging Face Hub.",
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("-o", "--output", help="Folder for the model [default: by variant]."),
    ] = None,
    press: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            exists=True,
            dir_okay=False,
            help="General press (JSONL with id and text), from which the model learns to keep "
            "quiet; annotations/press.txt names the items that do tell a deal.",
        ),
    ] = None,
    seed: Annotated[int, typer.Option(help="Seed of everything random.")] = 7,
    processes: Annotated[int, typer.Option(help="Trainings that run at a time.")] = 2,
    gpu_id: Annotated[int, typer.Option(help="GPU of the transformer variant; -1 for none.")] = -1,
    resume: Annotated[
        bool, typer.Option("--resume", help="Go on with an interrupted training (transformer).")
    ] = False,
) -> None:
    """Train the pipeline on annotations/seeds and annotations/train (small: 15 minutes)."""
    from rich.console import Console

    if (variant is Variant.TRANSFORMER) != (encoder is not None):
        raise typer.BadParameter("--variant transformer and --encoder go together")
    console = Console(stderr=True)
    target = ROOT / "models" / variant.package if output is None else output
    try:
        gold = read_gold()
        silent = read_silent(press) if press is not None else []
        folds = NER_FOLDS if encoder is None else TRANSFORMER_FOLDS
        with console.status(f"training on {len(gold)} articles, {folds} folds beside the whole"):
            if encoder is None:
                train(gold, target, seed=seed, processes=processes, silent=silent)
            else:
                train_transformer(
                    gold,
                    target,
                    encoder=encoder,
                    seed=seed,
                    processes=processes,
                    gpu_id=gpu_id,
                    resume=resume,
                    silent=silent,
                )
    except DealReaderError as error:
        console.print(f"error: {error}", markup=False, soft_wrap=True)
        raise typer.Exit(1) from None
    console.print(f"wrote {target}")


if __name__ == "__main__":
    app()
