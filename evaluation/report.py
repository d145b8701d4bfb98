"""One evaluation: run, kept as JSON, shown as Markdown and on the terminal."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, replace
from pathlib import Path

from evaluation import bootstrap, crossval, digests, files, unseen
from evaluation.calibration import calibrate
from evaluation.counts import Counts, Scores, total
from evaluation.files import Record
from evaluation.score import Prediction, score_case
from evaluation.sets import ROOT, SETS, GoldSet, Nature
from evaluation.systems import SYSTEMS, System

REPORTS = Path("evaluation/reports")
LEFT_OUT = " (left out)"
"""Ends the name of a set that was read by cross-validation."""

HEADLINES = ("roles", "deals", "exact")

THRESHOLDS = tuple(tenth / 10 for tenth in range(10))
"""Values of ``--min-confidence`` at which the trade of precision for recall is measured."""

WHOLE = "whole"
RENAMED_SET = "heldout"
"""The set that is also read with unseen names."""


class F1(Record):
    """Precision, recall and F1 with their counts; ``None`` is 0/0."""

    precision: float | None
    recall: float | None
    f1: float | None
    tp: int
    fp: int
    fn: int

    @classmethod
    def of(cls, counts: Counts) -> F1:
        """The same counts with the ratios they make."""
        return cls(
            precision=counts.precision,
            recall=counts.recall,
            f1=counts.f1,
            tp=counts.tp,
            fp=counts.fp,
            fn=counts.fn,
        )


class Share(Record):
    value: float | None
    right: int
    total: int


class Bin(Record):
    low: float
    high: float
    count: int
    confidence: float
    accuracy: float


class Reliability(Record):
    events: int
    ece: float | None
    brier: float | None
    bins: tuple[Bin, ...]


class Trade(Record):
    """What is scored where only events with at least ``min_confidence`` are kept."""

    min_confidence: float
    events: int
    roles: F1
    deals: F1
    false_deals: int


class SystemReport(Record):
    """What one system scored on one set; the keys are those of :mod:`evaluation.score`.

    ``trade`` is empty for a system without confidences.
    """

    counts: dict[str, F1]
    shares: dict[str, Share]
    intervals: dict[str, tuple[float, float] | None]
    false_deals: int
    calibration: Reliability
    trade: tuple[Trade, ...] = ()

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


class SetReport(Record):
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


class NamesTest(Record):
    """F1 of a set as it is, and of ``draws`` copies of it in which every name is an unseen one."""

    name: str
    draws: int
    before: dict[str, F1]
    after: dict[str, F1]

    @property
    def cost(self) -> float:
        """How much role F1 the unseen names cost; negative for a gain."""
        return (self.before["roles"].f1 or 0.0) - (self.after["roles"].f1 or 0.0)


class Report(Record):
    """An evaluation. ``crossval``: whether the stored cross-validation is up to date; ``names``:
    ``None`` where the set of the names test holds no article."""

    versions: dict[str, str]
    digests: dict[str, str]
    crossval: str
    sets: tuple[SetReport, ...]
    names: NamesTest | None = None


def evaluate(
    systems: Mapping[str, Callable[[], System]] = SYSTEMS,
    root: Path = ROOT,
    tell: Callable[[str], None] = lambda message: None,
) -> Report:
    """Scores every system on every set that has articles, and the stored cross-validation.

    The whole system is also put to the names test.
    """
    gold = [loaded for load in SETS.values() if (loaded := load(root)).cases]
    scored: dict[str, dict[str, SystemReport]] = {one.name: {} for one in gold}
    names = None
    for name, make in systems.items():
        tell(f"reading with: {name}")
        system = make()
        for one in gold:
            predictions = system([case.article for case in one.cases])
            scored[one.name][name] = score_set(one, predictions)
        if name == WHOLE and RENAMED_SET in scored:
            names = names_test(system, RENAMED_SET, root)
    sets = [set_report(one, scored[one.name], root) for one in gold]
    stored = crossval.read(root / crossval.REPORT)
    sets += left_out_sets(stored, root)
    return Report(
        versions=digests.versions(),
        digests=crossval.current_digests(root),
        crossval=_freshness(stored, root),
        sets=tuple(sorted(sets, key=_place)),
        names=names,
    )


def names_test(system: System, name: str, root: Path = ROOT) -> NamesTest:
    """Reads a set with its own names and with unseen ones.

    Raises:
        DealReaderError: the lists of unseen names are missing or too short.
    """
    counts = []
    for cases in (SETS[name](root).cases, unseen.cases(root, name)):
        predictions = system([case.article for case in cases])
        counts.append(total(map(score_case, cases, predictions)).counts)
    before, after = ({key: F1.of(c) for key, c in sorted(one.items())} for one in counts)
    return NamesTest(name=name, draws=unseen.DRAWS, before=before, after=after)


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
        system = {WHOLE: score_set(one, predictions)}
        reports.append(set_report(one, system, root, LEFT_OUT))
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
    articles = score_each(gold, predictions)
    return summarise(articles).model_copy(update={"trade": trade(gold, predictions)})


def score_each(gold: GoldSet, predictions: Sequence[Prediction]) -> list[Scores]:
    """The same article by article."""
    return [
        score_case(case, prediction, gold.unscored)
        for case, prediction in zip(gold.cases, predictions, strict=True)
    ]


def trade(gold: GoldSet, predictions: Sequence[Prediction]) -> tuple[Trade, ...]:
    """Scores the events that each of ``THRESHOLDS`` keeps."""
    told = [deal.confidence for one in predictions for deal in one.deals]
    if not any(confidence is not None for confidence in told):
        return ()
    points = []
    for least in THRESHOLDS:
        kept = [_confident(one, least) for one in predictions]
        sums = total(score_each(gold, kept))
        points.append(
            Trade(
                min_confidence=least,
                events=sum(len(one.deals) for one in kept),
                roles=F1.of(sums.counts.get("roles", Counts())),
                deals=F1.of(sums.counts.get("deals", Counts())),
                false_deals=sums.false_deals,
            )
        )
    return tuple(points)


def _confident(prediction: Prediction, least: float) -> Prediction:
    """The prediction without its deals below ``least``, as ``--min-confidence`` writes it."""
    deals = tuple(deal for deal in prediction.deals if (deal.confidence or 0.0) >= least)
    return replace(prediction, deals=deals)


def summarise(articles: Sequence[Scores]) -> SystemReport:
    """Sums articles up, with a bootstrap interval for each headline."""
    sums = total(articles)
    return SystemReport(
        counts={key: F1.of(counts) for key, counts in sorted(sums.counts.items())},
        shares={
            key: Share(value=r.value, right=r.right, total=r.total)
            for key, r in sorted(sums.ratios.items())
        },
        intervals={key: bootstrap.interval(articles, key) for key in HEADLINES},
        false_deals=sums.false_deals,
        calibration=Reliability.model_validate(asdict(calibrate(sums.confidences))),
    )


def set_report(
    gold: GoldSet, systems: dict[str, SystemReport], root: Path, suffix: str = ""
) -> SetReport:
    """What systems scored on a set, with what the set holds; ``suffix`` ends its name."""
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


def write(report: Report, page: str, plots: Mapping[str, str], folder: Path) -> None:
    """Writes ``latest.json``, ``latest.md`` and the plots (SVG by file name) into ``folder``."""
    named = {"latest.json": report.model_dump_json(indent=1) + "\n", "latest.md": page, **plots}
    files.write({folder / name: content for name, content in named.items()})
