"""Accuracy against training size: whether more training text would still pay.

Slow (nearly as long as a full training), so it is a command of its own: its report is stored with
the digests of what it was made from.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Sequence
from itertools import groupby, islice
from pathlib import Path

from evaluation import crossval, digests, files
from evaluation.counts import Counts, total
from evaluation.files import Record
from evaluation.plots import Axis, Line, svg
from evaluation.report import F1, score_each
from evaluation.sets import ANNOTATIONS, ROOT, SETS
from evaluation.tables import Table, number
from pipeline.digests import digest
from pipeline.markup import GoldArticle, parse_folder
from pipeline.schema import Article

STORED = Path("evaluation/reports/learning_curve.json")

SHARES = (0.10, 0.25, 0.50, 1.00)
TESTS = ("heldout", "dev")
METRICS = ("roles", "deals")
SCORERS = ("align", "deals", "gold", "score")
"""Modules of this package whose change would change the stored scores."""

SEED = 20260101


class Point(Record):
    """What a model trained on ``share`` of the passages (and on the seeds) scores, by set and
    by key of :mod:`evaluation.score`; ``words`` counts the passages, not the seeds."""

    share: float
    passages: int
    words: int
    writers: int
    scores: dict[str, dict[str, F1]]


class LearningCurve(Record):
    """The stored report; one point a share, smallest first."""

    digests: dict[str, str]
    versions: dict[str, str]
    points: tuple[Point, ...]


def drawn(train: Sequence[GoldArticle], share: float) -> list[GoldArticle]:
    """The first passages of the corpus, writer after writer, in a fixed random order of writers.

    Whole writers, but for the last one, whose passages fill the share up: a small corpus is one
    by few hands. A smaller share is part of every larger one.
    """
    ordered = sorted(train, key=lambda passage: (_hand(passage), passage.path))
    writers = [list(group) for _, group in groupby(ordered, key=_hand)]
    random.Random(SEED).shuffle(writers)
    passages = [passage for writer in writers for passage in writer]
    return passages[: round(share * len(passages))]


def _hand(article: GoldArticle) -> tuple[str, str]:
    return article.head.writer or "", article.path.rpartition("/")[0]


Reader = Callable[[Sequence[Article]], list[crossval.Stored]]


def shipped(articles: Sequence[Article]) -> list[crossval.Stored]:
    """What the shipped model says, which was trained on all passages."""
    from pipeline.library import load

    return crossval.read_by(load(), articles)


def run(
    root: Path = ROOT,
    *,
    learner: crossval.Learner = crossval.learn_and_read,
    reader: Reader = shipped,
    tell: Callable[[str], None] = print,
) -> LearningCurve:
    """Trains once for each of ``SHARES`` but the whole, which the shipped model learnt from.

    What each says of every set of ``TESTS`` that has articles is scored. Digests are taken first,
    so that a file changed meanwhile makes the report stale.
    """
    before = current_digests(root)
    seeds, train = (parse_folder(root / ANNOTATIONS / name) for name in ("seeds", "train"))
    tests = [one for name in TESTS if (one := SETS[name](root)).cases]
    articles = [case.article for one in tests for case in one.cases]
    points = []
    for share in SHARES:
        passages = drawn(train, share)
        whole = len(passages) == len(train)
        stored = iter(reader(articles) if whole else learner([*seeds, *passages], articles))
        scores = {}
        for one in tests:
            said = [each.as_prediction() for each in islice(stored, len(one.cases))]
            sums = total(score_each(one, said))
            scores[one.name] = {key: F1.of(sums.counts.get(key, Counts())) for key in METRICS}
        points.append(
            Point(
                share=share,
                passages=len(passages),
                words=sum(len(passage.text.split()) for passage in passages),
                writers=len(set(map(_hand, passages))),
                scores=scores,
            )
        )
        tell(f"{share:.0%}: {len(passages)} passages read and scored")
    return LearningCurve(digests=before, versions=digests.versions(), points=tuple(points))


def current_digests(root: Path = ROOT) -> dict[str, str]:
    """Of code and corpus, of the sets that are scored and of what scores them, as they are now."""
    return {
        "code": digests.code(root),
        "corpus": digests.corpus(root),
        "model": digests.model(root),
        "scorer": digest([root / "evaluation" / f"{name}.py" for name in SCORERS], root),
        **{f"gold of {name}": digests.gold(root, name) for name in TESTS},
    }


def staleness(curve: LearningCurve, root: Path = ROOT) -> list[str]:
    """Which of them have changed since the curve was made; empty if none."""
    now = current_digests(root)
    return [name for name in now if curve.digests.get(name) != now[name]]


def table(curve: LearningCurve) -> Table:
    """One row a point."""
    columns = [(name, key) for name in curve.points[0].scores for key in METRICS]
    return Table(
        title="Accuracy against training size",
        header=(
            "share",
            "writers",
            "passages",
            "words",
            *(f"{name}: {_said(key)}" for name, key in columns),
        ),
        rows=[
            (
                f"{point.share:.0%}",
                str(point.writers),
                str(point.passages),
                str(point.words),
                *(_cell(point.scores[name][key]) for name, key in columns),
            )
            for point in curve.points
        ],
        note="F1 with right/invented/missed. The seeds are trained on as well; the share is of "
        "the passages of annotations/train, by whole writers. The whole is the shipped model, "
        "which has also learnt from general press when to keep quiet.",
    )


def _said(key: str) -> str:
    return f"{key.removesuffix('s')} F1"


def _cell(counts: F1) -> str:
    return f"{number(counts.f1)} {counts.tp}/{counts.fp}/{counts.fn}"


def plot(curve: LearningCurve) -> str:
    """The same as an SVG document.

    Raises:
        DealReaderError: matplotlib is not installed.
    """
    return svg(
        "Accuracy against training size",
        Axis("words of training text", logarithmic=True),
        Axis("F1", (0.0, 1.02)),
        [
            Line(
                f"{name}: {_said(key)}",
                [(point.words, point.scores[name][key].f1 or 0.0) for point in curve.points],
            )
            for name in curve.points[0].scores
            for key in METRICS
        ],
    )


def markdown(curve: LearningCurve) -> str:
    """The page that goes beside the plot."""
    made = [f"- {name}: `{digest[:16]}`" for name, digest in curve.digests.items()]
    versions = ", ".join(f"{name} {version}" for name, version in curve.versions.items())
    return "\n".join(
        (
            "# What more training text would bring",
            "",
            table(curve).markdown(),
            "![learning curve](learning_curve.svg)",
            "",
            "## Made from",
            "",
            *made,
            f"- {versions}",
            "",
        )
    )


def write(curve: LearningCurve, path: Path) -> None:
    """Writes the report at ``path`` and, beside it, its page and its plot.

    Raises:
        DealReaderError: matplotlib is not installed.
    """
    files.write(
        {
            path.with_suffix(".json"): curve.model_dump_json(indent=1) + "\n",
            path.with_suffix(".md"): markdown(curve),
            path.with_suffix(".svg"): plot(curve),
        }
    )


def read(path: Path) -> LearningCurve | None:
    """The stored report, ``None`` where there is none."""
    if not path.exists():
        return None
    return LearningCurve.model_validate_json(path.read_bytes())
