"""One evaluation: run, kept as JSON, shown as Markdown and on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from pydantic import BaseModel, ConfigDict

from evaluation import bootstrap, crossval, digests
from evaluation.calibration import calibrate
from evaluation.counts import Scores, total
from evaluation.score import Prediction, score_case
from evaluation.sets import ROOT, SETS, GoldSet, Nature
from evaluation.systems import SYSTEMS, System
from pipeline.writer import atomic_open

REPORTS = Path("evaluation/reports")
LEFT_OUT = " (left out)"
"""Ends the name of a set that was read by cross-validation."""

HEADLINES = ("roles", "deals", "exact")


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class F1(_Model):
    """Precision, recall and F1 with their counts; ``None`` is 0/0."""

    precision: float | None
    recall: float | None
    f1: float | None
    tp: int
    fp: int
    fn: int


class Share(_Model):
    value: float | None
    right: int
    total: int


class Bin(_Model):
    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


class Reliability(_Model):
    events: int
    ece: float | None
    brier: float | None
    bins: tuple[Bin, ...]


class SystemReport(_Model):
    """What one system scored on one set; the keys are those of :mod:`evaluation.score`."""

    counts: dict[str, F1]
    shares: dict[str, Share]
    intervals: dict[str, tuple[float, float] | None]
    false_deals: int
    calibration: Reliability

    def metric(self, key: str) -> float | None:
        """F1 of what is counted (``roles``; or ``roles:precision``), share of what is judged.

        ``None`` for 0/0 and for what was not scored.
        """
        name, _, part = key.partition(":")
        if name in self.counts:
            counts = self.counts[name]
            parts = {"": counts.f1, "precision": counts.precision, "recall": counts.recall}
            return parts[part]
        return self.shares[name].value if name in self.shares else None


class SetReport(_Model):
    name: str
    about: str
    nature: str
    articles: int
    without_deal: int
    deals: int
    mentions: int | None
    unscored: tuple[str, ...]
    gold: str
    systems: dict[str, SystemReport]


class Report(_Model):
    """An evaluation. ``stale``: what changed since the stored cross-validation was made."""

    versions: dict[str, str]
    digests: dict[str, str]
    crossval: str
    sets: tuple[SetReport, ...]


def evaluate(
    systems: Mapping[str, Callable[[], System]] = SYSTEMS,
    root: Path = ROOT,
    tell: Callable[[str], None] = lambda message: None,
) -> Report:
    """Scores every system on every set that has articles, and the stored cross-validation."""
    gold = [loaded for load in SETS.values() if (loaded := load(root)).cases]
    scored: dict[str, dict[str, SystemReport]] = {one.name: {} for one in gold}
    for name, make in systems.items():
        tell(f"reading with: {name}")
        system = make()
        for one in gold:
            predictions = system([case.article for case in one.cases])
            scored[one.name][name] = score_set(one, predictions)
    sets = [_set_report(one, scored[one.name], root) for one in gold]
    stored = crossval.read(root / crossval.REPORT)
    sets += left_out_sets(stored, root)
    return Report(
        versions=digests.versions(),
        digests=crossval.current_digests(root),
        crossval=_freshness(stored, root),
        sets=tuple(sorted(sets, key=_place)),
    )


def _place(one: SetReport) -> tuple[int, str]:
    """In the order of ``SETS``, what was left out after the same set with the shipped model."""
    return list(SETS).index(one.name.removesuffix(LEFT_OUT)), one.name


def left_out_sets(stored: crossval.CrossValidation | None, root: Path = ROOT) -> list[SetReport]:
    """The sets that the stored cross-validation read, scored as they stand."""
    if stored is None:
        return []
    reports = []
    for name in stored.readings:
        one = replace(SETS[name](root), nature=Nature.WRITTEN_ON)
        try:
            predictions = left_out_predictions(stored, one, root)
        except KeyError:
            continue  # an article is new: the staleness of the report says so
        system = {"whole": score_set(one, predictions)}
        reports.append(_set_report(one, system, root, LEFT_OUT))
    return reports


def left_out_predictions(
    stored: crossval.CrossValidation, gold: GoldSet, root: Path
) -> list[Prediction]:
    """What the stored cross-validation said, one prediction a case.

    Raises:
        KeyError: an article of the set was not there when the report was made.
    """
    paths = [Path(case.article.path or "").relative_to(root).as_posix() for case in gold.cases]
    return stored.predictions(gold.name, paths)


def score_set(gold: GoldSet, predictions: Sequence[Prediction]) -> SystemReport:
    """Scores one prediction an article, in the order of the cases."""
    articles = [
        score_case(case, prediction, gold.unscored)
        for case, prediction in zip(gold.cases, predictions, strict=True)
    ]
    return summarise(articles)


def summarise(articles: Sequence[Scores]) -> SystemReport:
    """Sums articles up, with a bootstrap interval for each headline."""
    sums = total(articles)
    return SystemReport(
        counts={
            key: F1(precision=c.precision, recall=c.recall, f1=c.f1, tp=c.tp, fp=c.fp, fn=c.fn)
            for key, c in sorted(sums.counts.items())
        },
        shares={
            key: Share(value=r.value, right=r.right, total=r.total)
            for key, r in sorted(sums.ratios.items())
        },
        intervals={key: bootstrap.interval(articles, key) for key in HEADLINES},
        false_deals=sums.false_deals,
        calibration=Reliability.model_validate(asdict(calibrate(sums.confidences))),
    )


def _set_report(
    gold: GoldSet, systems: dict[str, SystemReport], root: Path, suffix: str = ""
) -> SetReport:
    spans = [len(case.spans) for case in gold.cases if case.spans is not None]
    return SetReport(
        name=gold.name + suffix,
        about=gold.about,
        nature=gold.nature,
        articles=len(gold.cases),
        without_deal=sum(not case.deals for case in gold.cases),
        deals=sum(not deal.optional for case in gold.cases for deal in case.deals),
        mentions=sum(spans) if spans else None,
        unscored=tuple(sorted(gold.unscored)),
        gold=digests.gold(root, gold.name),
        systems=systems,
    )


def _freshness(stored: crossval.CrossValidation | None, root: Path) -> str:
    if stored is None:
        return "none stored: run `python -m evaluation cross-validate`"
    changed = crossval.staleness(stored, root)
    return f"stale: {', '.join(changed)} changed since" if changed else "up to date"


def write(report: Report, markdown: str, folder: Path) -> None:
    """Writes ``latest.json`` and ``latest.md`` into ``folder``, which is made if need be."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in (("json", report.model_dump_json(indent=1) + "\n"), ("md", markdown)):
        with atomic_open(folder / f"latest.{name}") as stream:
            stream.write(content)
