"""Trained models side by side: what they score, how fast they read, how much room they take.

Each model is measured in a process of its own, so that its peak memory is its own, on the texts
of :mod:`evaluation.benchmark`; the same process then reads the sets, which are scored here. A
difference is what a model has more than the first one.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from statistics import median

import pipeline
from evaluation import benchmark, bootstrap, crossval, digests, files, learning_curve, render
from evaluation.benchmark import FULL, Measurement, Plan, Run, Tell
from evaluation.counts import DASH
from evaluation.files import Record
from evaluation.plots import Axis, Line, svg
from evaluation.report import HEADLINES, SetReport, score_each, set_report, summarise
from evaluation.score import Role
from evaluation.sets import ROOT, SETS
from evaluation.tables import Table, number
from pipeline.digests import below, digest
from pipeline.errors import DealReaderError

STORED = Path("evaluation/reports/variants.json")
READ = ("heldout", "dev", "seeds")
"""The sets that are read; ``train`` takes longer than what it tells is worth."""

_ROWS = {
    "roles": "role F1",
    **{f"role.{role}": role.value for role in Role},
    "deals": "deal F1",
    "exact": "whole deals exact, F1",
    "strict": "mentions, strict F1",
    "type": "type",
    "status_group": "status group",
    "certainty": "certainty",
    "investor.role": "investor role",
}
_LEGEND = (
    "Scores as in `latest.md`: F1 with right/invented/missed, share right with right/of, "
    f"{DASH} for 0/0; brackets hold the 95% bootstrap interval over articles. A difference is what "
    "a model has more than the first one; its interval is paired: both models are scored on the "
    "same drawn articles, draw by draw."
)
_SCORE = "F1 of spans on the stopping fold"


class Epoch(Record):
    """A line of the ``progress.jsonl`` of :mod:`pipeline.transformer_training`."""

    epoch: int
    loss: float
    score: float | None
    tokens: int
    seconds: float


Curve = tuple[Epoch, ...]
Bounds = dict[str, tuple[float, float] | None]
"""Intervals by model."""


class Cost(Record):
    """What one model takes to read; memory and size in bytes."""

    size: int
    speeds: tuple[Run, ...]
    peak_memory: int


class Variants(Measurement):
    """The stored report; in ``models`` and in the systems of each set the first model is first.

    ``differences``: by set and model, the interval of its role F1 less that of the first one
    (:func:`evaluation.bootstrap.difference`).
    """

    models: dict[str, Cost]
    sets: tuple[SetReport, ...]
    differences: dict[str, Bounds]
    curves: dict[str, Curve]


class _Answer(Record):
    """What the process of one model prints; readings by set."""

    cost: Cost
    readings: dict[str, tuple[crossval.Stored, ...]]


def curves(models: Mapping[str, Path], given: Mapping[str, Path]) -> dict[str, Curve]:
    """Learning curves by model, from the ``given`` files and from ``FOLDER.progress.jsonl``.

    Raises:
        DealReaderError: a file cannot be read, or a line is none of a training's.
    """
    beside = {name: path.with_name(f"{path.name}.progress.jsonl") for name, path in models.items()}
    there = {name: path for name, path in beside.items() if path.exists()}
    return {name: _curve(path) for name, path in {**there, **given}.items()}


def _curve(path: Path) -> Curve:
    try:
        return tuple(map(Epoch.model_validate_json, path.read_text("utf-8").splitlines()))
    except OSError as error:
        raise DealReaderError(f"{path}: {error.strerror}") from error
    except ValueError as error:
        keys = ", ".join(Epoch.model_fields)
        raise DealReaderError(
            f"{path}: no progress.jsonl of a training, whose lines hold {keys}"
        ) from error


def run(
    models: Mapping[str, Path],
    learnt: Mapping[str, Curve],
    root: Path = ROOT,
    plan: Plan = FULL,
    *,
    tell: Tell = lambda step: None,
) -> Variants:
    """Measures each model in its turn; ``tell`` is told its name when it is done.

    All models are loaded before the first is measured, so that one which cannot be costs no time.

    Raises:
        DealReaderError: a model cannot be loaded (see :func:`pipeline.load`), gold cannot be
            read, or a process failed.
    """
    for folder in models.values():
        pipeline.load(folder)
    gold = [one for name in READ if (one := SETS[name](root)).cases]
    made_from = learning_curve.current_digests(root)
    for name, folder in models.items():
        made_from[f"model {name}"] = digest(below(folder), folder)
    machine = benchmark.machine()
    answers: dict[str, _Answer] = {}
    for name, folder in models.items():
        order = {"model": str(folder), "plan": plan}
        said = benchmark.in_child(__name__, root, order, f"measuring {name}")
        answers[name] = _Answer.model_validate_json(said)
        tell(name)
    sets, differences = [], {}
    for one in gold:
        scores = {
            name: score_each(one, [said.as_prediction() for said in answer.readings[one.name]])
            for name, answer in answers.items()
        }
        sets.append(set_report(one, {name: summarise(s) for name, s in scores.items()}, root))
        first, *others = scores
        differences[one.name] = {
            name: bootstrap.difference(scores[first], scores[name], "roles") for name in others
        }
    return Variants(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=machine,
        versions=digests.versions(),
        digests=made_from,
        models={name: answer.cost for name, answer in answers.items()},
        sets=tuple(sets),
        differences=differences,
        curves=dict(learnt),
    )


def child() -> None:
    """Measures the model that standard input names, then reads the sets with it; prints both."""
    order = json.load(sys.stdin)
    folder, root, plan = Path(order["model"]), Path(order["root"]), Plan(*order["plan"])
    nlp = pipeline.load(folder)
    read = benchmark.reader(nlp)
    warm_up, rest = benchmark.turns(benchmark.passages(root), plan)
    read(warm_up)
    cost = Cost(
        size=sum(file.stat().st_size for file in below(folder)),
        speeds=tuple(benchmark.timed(read, share) for share in rest),
        peak_memory=benchmark.peak_memory(),
    )
    articles = {name: [case.article for case in SETS[name](root).cases] for name in READ}
    readings = {name: tuple(crossval.read_by(nlp, each)) for name, each in articles.items()}
    print(_Answer(cost=cost, readings=readings).model_dump_json())


# ---- the report -------------------------------------------------------------------------------

_Cells = Mapping[str, tuple[float | None, str]]
"""By model: the value that differences are of, and how it is shown."""


def tables(made: Variants) -> list[Table]:
    """What each set scores, what each model costs, and how it was learnt."""
    return [
        *(_set_table(one, made.differences[one.name]) for one in made.sets),
        _cost_table(made.models),
        *(_curve_table(name, curve) for name, curve in made.curves.items()),
    ]


def _set_table(one: SetReport, bounds: Bounds) -> Table:
    rows = []
    for key, title in _ROWS.items():
        shown = render.with_interval if key in HEADLINES else render.any_cell
        cells = {name: (each.metric(key), shown(each, key)) for name, each in one.systems.items()}
        rows.append(_row(title, cells, bounds if key == "roles" else None))
    errors: _Cells = {
        name: (each.calibration.ece, number(each.calibration.ece))
        for name, each in one.systems.items()
    }
    rows.append(_row("expected calibration error", errors))
    alarms: _Cells = {
        name: (each.false_deals if one.without_deal else None, render.false_alarms(each))
        for name, each in one.systems.items()
    }
    rows.append(_row("false alarms in articles without a deal", alarms, digits=0))
    return Table(one.name, _header(one.systems), rows, note=render.about(one))


def _cost_table(models: Mapping[str, Cost]) -> Table:
    speeds = {name: [run.speed for run in cost.speeds] for name, cost in models.items()}
    read: _Cells = {
        name: (median(each), f"{median(each):,.0f} ({min(each):,.0f} to {max(each):,.0f})")
        for name, each in speeds.items()
    }
    memory = {name: cost.peak_memory / 1e6 for name, cost in models.items()}
    size = {name: cost.size / 1e6 for name, cost in models.items()}
    rows = [
        _row("words a second", read, digits=0),
        _row("peak memory, MB", {n: (mb, f"{mb:,.0f}") for n, mb in memory.items()}, digits=0),
        _row("size of the folder, MB", {n: (mb, f"{mb:.1f}") for n, mb in size.items()}, digits=1),
    ]
    note = (
        "One process, one thread, one model after the other; median of the repetitions and their "
        "spread. What a model reads from an installed package (vectors) is not in its folder."
    )
    return Table("Speed, memory, size", _header(models), rows, note=note)


def _header(models: Mapping[str, object]) -> list[str]:
    first, *others = models
    return ["", first, *(part for name in others for part in (name, f"{name} − {first}"))]


def _row(title: str, cells: _Cells, bounds: Bounds | None = None, digits: int = 3) -> list[str]:
    (_, (base, shown)), *others = cells.items()
    row = [title, shown]
    for name, (value, shown) in others:
        more = DASH if value is None or base is None else f"{value - base:+z,.{digits}f}"
        if bounds and (between := bounds[name]):
            more += f" [{between[0]:+z.3f}, {between[1]:+z.3f}]"
        row += [shown, more]
    return row


def _curve_table(name: str, curve: Curve) -> Table:
    rows = [
        (str(e.epoch), f"{e.loss:,.1f}", number(e.score), f"{e.tokens:,}", f"{e.seconds:,.1f}")
        for e in curve
    ]
    header = ("epoch", "loss", "score", "tokens", "seconds")
    return Table(f"Learning curve of {name}", header, rows, note=f"Score: {_SCORE}.")


def _lines(curves: Mapping[str, Curve]) -> list[Line]:
    scored = {
        name: [(e.epoch, e.score) for e in curve if e.score is not None]
        for name, curve in curves.items()
    }
    return [Line(name, points) for name, points in scored.items() if points]


def markdown(made: Variants, stem: str = STORED.stem) -> str:
    """The page that goes beside the plot."""
    image = [f"![learning curves]({stem}.svg)", ""] if _lines(made.curves) else []
    shown = [table.markdown() for table in tables(made)]
    page = ["# Trained models side by side", "", _LEGEND, "", *shown, *image, *made.made_on()]
    return "\n".join(page)


def write(made: Variants, path: Path) -> None:
    """Writes the report at ``path`` and, beside it, its page and the plot of learning curves.

    Raises:
        DealReaderError: there are curves, and matplotlib is not installed.
    """
    contents = {
        path: made.model_dump_json(indent=1) + "\n",
        path.with_suffix(".md"): markdown(made, path.stem),
    }
    if lines := _lines(made.curves):
        drawn = svg("Learning curves", Axis("epoch"), Axis(_SCORE, (0.0, 1.02)), lines)
        contents[path.with_suffix(".svg")] = drawn
    files.write(contents)
