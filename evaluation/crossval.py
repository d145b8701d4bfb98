"""Cross-validation: whole articles are left out, and those that tell one story stay together.

The rules stay; all that is trained is trained anew for each fold, on the seeds and the training
corpus without the fold and without its stories. Slow, so it is a command of its own: what the
models said is stored, with the digests of what it was made from, and scored with the rest.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from threading import Lock
from typing import TYPE_CHECKING, Protocol, Self

from pydantic import BaseModel, ConfigDict
from sklearn.model_selection import GroupKFold, LeaveOneGroupOut

from evaluation import digests, files
from evaluation.gold import case_from_markup
from evaluation.score import Prediction
from evaluation.sets import ANNOTATIONS, ROOT
from evaluation.systems import prediction
from pipeline.markup import GoldArticle, parse_folder
from pipeline.schema import Article, Event, TypedMention

if TYPE_CHECKING:
    from spacy.language import Language

    from pipeline.corpus import Raw

REPORT = Path("evaluation/reports/crossval.json")

AT_A_TIME = 2
"""Folds for which models learn side by side: some four gigabytes each."""


class Stored(BaseModel):
    """What one fold's model said of one article."""

    model_config = ConfigDict(extra="forbid")

    events: tuple[Event, ...]
    mentions: tuple[TypedMention, ...]

    def as_prediction(self) -> Prediction:
        """The same as the scorers see it."""
        return prediction(self.events, self.mentions)


class CrossValidation(BaseModel):
    """The stored report: readings by set and by the path of the gold file."""

    model_config = ConfigDict(extra="forbid")

    digests: dict[str, str]
    versions: dict[str, str]
    readings: dict[str, dict[str, Stored]]

    def predictions(self, name: str, paths: Sequence[str]) -> list[Prediction]:
        """The stored predictions of the articles at ``paths``, in their order.

        Raises:
            KeyError: an article was not there when the report was made.
        """
        return [self.readings[name][path].as_prediction() for path in paths]


@dataclass(frozen=True, slots=True)
class Fold:
    """Indices of the articles held out and of those to train on."""

    held_out: tuple[int, ...]
    train_on: tuple[int, ...]


class Learner(Protocol):
    """Trains a model on gold articles and reads others with it."""

    def __call__(
        self, gold: Sequence[GoldArticle], articles: Sequence[Article]
    ) -> list[Stored]: ...


def learn_and_read(gold: Sequence[GoldArticle], articles: Sequence[Article]) -> list[Stored]:
    """The real learner: ``pipeline.train`` into a temporary folder, then the whole pipeline."""
    from pipeline.library import load
    from pipeline.train import train

    with TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        train(gold, model)
        return read_by(load(model), articles)


def read_by(nlp: Language, articles: Sequence[Article]) -> list[Stored]:
    """What a pipeline says of each article, in their order."""
    from pipeline.library import read_deals

    return [
        Stored(events=reading.events, mentions=reading.mentions)
        for reading in read_deals(nlp, articles)
    ]


class SharedRecogniser:
    """A learner that trains the NER on written passages only, and the linear models on all.

    So no NER ever sees a press article, and where only press articles are left out one NER
    serves every fold. That is a little harder than leaving one out: the NER misses the others
    too. Use it as a context manager; the NERs live in a temporary folder.
    """

    def __init__(self) -> None:
        self._folder = TemporaryDirectory()
        self._made: dict[frozenset[str], tuple[Path, dict[str, Raw]]] = {}
        self._making = Lock()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._folder.cleanup()

    def __call__(self, gold: Sequence[GoldArticle], articles: Sequence[Article]) -> list[Stored]:
        from pipeline.train import worker_processes

        with self._making:
            ner, raws = self._recogniser([one for one in gold if one.head.writer is not None])
        with worker_processes(1) as pool:
            return pool.submit(_learn_over, ner, raws, gold, articles).result()

    def _recogniser(self, written: Sequence[GoldArticle]) -> tuple[Path, dict[str, Raw]]:
        from pipeline.train import train_recogniser, worker_processes

        key = frozenset(article.path for article in written)
        if key not in self._made:
            folder = Path(self._folder.name) / f"ner{len(self._made)}"
            with worker_processes() as pool:
                raws, whole = train_recogniser(pool, written, folder)
                whole.result()
            self._made[key] = folder, raws
        return self._made[key]


def _learn_over(
    ner: Path, raws: dict[str, Raw], gold: Sequence[GoldArticle], articles: Sequence[Article]
) -> list[Stored]:
    """Trains the linear models over a NER that saw no press and reads articles with both."""
    from pipeline.library import load
    from pipeline.train import finish, learn_relations, read_with

    press = [article for article in gold if article.head.writer is None]
    seen = read_with(ner, press)
    with TemporaryDirectory() as folder:
        model = Path(folder) / "model"
        shutil.copytree(ner, model)
        finish(model, learn_relations(gold, {**raws, **seen}))
        return read_by(load(model), articles)


def leave_one_out(groups: Sequence[str]) -> list[Fold]:
    """One fold for each story."""
    if len(set(groups)) < 2:
        raise ValueError("leaving one story out needs at least two")
    return _folds(LeaveOneGroupOut(), groups)


def k_folds(groups: Sequence[str], count: int) -> list[Fold]:
    """``count`` folds of about the same size, no story in two of them."""
    return _folds(GroupKFold(n_splits=count), groups)


def _folds(splitter: LeaveOneGroupOut | GroupKFold, groups: Sequence[str]) -> list[Fold]:
    splits = splitter.split(list(groups), groups=list(groups))
    return [Fold(tuple(map(int, test)), tuple(map(int, train))) for train, test in splits]


def cross_validate(
    articles: Sequence[GoldArticle],
    others: Sequence[GoldArticle],
    folds: Sequence[Fold],
    learner: Learner = learn_and_read,
    tell: Callable[[str], None] = lambda message: None,
) -> dict[str, Stored]:
    """Reads every article by a model that has seen neither it nor its story.

    ``others`` are trained on in every fold, but for the stories of that fold. The learner is
    asked for :data:`AT_A_TIME` folds at once, by threads. ``tell`` is given a line when a fold
    ends. The result is keyed by the articles' paths.
    """

    def read(fold: Fold) -> dict[str, Stored]:
        held_out = [articles[i] for i in fold.held_out]
        stories = {case_from_markup(gold).group for gold in held_out}
        gold = [articles[i] for i in fold.train_on]
        gold += [other for other in others if case_from_markup(other).group not in stories]
        stored = learner(gold, [case_from_markup(article).article for article in held_out])
        return dict(zip([one.path for one in held_out], stored, strict=True))

    readings: dict[str, Stored] = {}
    with ThreadPoolExecutor(AT_A_TIME) as threads:
        for number, stored in enumerate(threads.map(read, folds), 1):
            readings |= stored
            tell(f"fold {number} of {len(folds)} read")
    return readings


def run(
    root: Path = ROOT,
    *,
    train_folds: int = 0,
    learner: Learner = learn_and_read,
    tell: Callable[[str], None] = print,
) -> CrossValidation:
    """Cross-validates the seeds (leave one out) and, where asked, the training corpus.

    Digests are taken first, so that a file changed meanwhile makes the report stale.
    """
    before = current_digests(root)
    seeds, train = _gold(root, "seeds"), _gold(root, "train")
    plans = [("seeds", seeds, train, leave_one_out(_groups(seeds)))]
    if train_folds:
        plans.append(("train", train, seeds, k_folds(_groups(train), train_folds)))
    readings = {}
    for name, articles, others, folds in plans:
        tell(f"{name}: {len(folds)} folds")
        readings[name] = cross_validate(articles, others, folds, learner, tell)
    return CrossValidation(digests=before, versions=digests.versions(), readings=readings)


def _groups(articles: Sequence[GoldArticle]) -> list[str]:
    return [case_from_markup(article).group for article in articles]


def _gold(root: Path, name: str) -> list[GoldArticle]:
    """Gold with paths below ``root``, which stay the same on every machine."""
    folder = root / ANNOTATIONS / name
    return [
        GoldArticle(
            Path(gold.path).relative_to(root).as_posix(), gold.text, gold.head, gold.mentions
        )
        for gold in parse_folder(folder)
    ]


def current_digests(root: Path = ROOT) -> dict[str, str]:
    """Of code, corpus and model as they are now."""
    return {
        "code": digests.code(root),
        "corpus": digests.corpus(root),
        "model": digests.model(root),
    }


def staleness(report: CrossValidation, root: Path = ROOT) -> list[str]:
    """Which of code, corpus and model have changed since the report was made; empty if none."""
    now = current_digests(root)
    return [name for name in now if report.digests.get(name) != now[name]]


def write(report: CrossValidation, path: Path) -> None:
    """Writes the report, whole or not at all; its folder is made if need be."""
    record = json.dumps(report.model_dump(mode="json"), ensure_ascii=False, indent=1)
    files.write({path: f"{record}\n"})


def read(path: Path) -> CrossValidation | None:
    """The stored report, ``None`` where there is none."""
    if not path.exists():
        return None
    return CrossValidation.model_validate_json(path.read_bytes())
