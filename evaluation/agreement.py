"""How far two annotation passes agree, by the scorers that judge the pipeline."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from evaluation.counts import DASH, Scores, total
from evaluation.gold import Case, case_from_markup
from evaluation.score import Prediction, Role, score_case
from evaluation.tables import Table, number
from pipeline.errors import DealReaderError
from pipeline.markup import parse_folder
from pipeline.schema import Label


def compare(one: Path, other: Path) -> Scores:
    """Scores the gold files below ``other`` as predictions for those below ``one``.

    Raises:
        DealReaderError: the folders hold different articles, or none.
        MarkupError: a gold file breaks the notation.
    """
    theirs, ours = _cases(one), _cases(other)
    if theirs.keys() != ours.keys() or not theirs:
        alone = ", ".join(sorted(theirs.keys() ^ ours.keys())) or "none at all"
        raise DealReaderError(f"{one} and {other} hold different articles: {alone}")
    for name, case in theirs.items():
        if case.article.text != ours[name].article.text:
            raise DealReaderError(f"{name}: its text differs between {one} and {other}")
    return total(
        score_case(case, Prediction(ours[name].deals, ours[name].spans or ()))
        for name, case in theirs.items()
    )


def _cases(folder: Path) -> dict[str, Case]:
    return {
        Path(gold.path).relative_to(folder).as_posix(): case_from_markup(gold)
        for gold in parse_folder(folder)
    }


def tables(pairs: Sequence[tuple[str, Scores]]) -> list[Table]:
    """Mentions and roles of each named comparison, side by side."""
    mentions = ["strict", *(f"strict.{label}" for label in Label)]
    mentions += [key.replace("strict", "partial") for key in mentions]
    facts = ["roles", *(f"role.{role}" for role in Role), "deals", "exact"]
    attributes = sorted({key for _, scores in pairs for key in scores.ratios})
    empty_or_not = ["round", "instrument", "investor.amount"]
    return [
        _table("Mentions (F1)", mentions, pairs),
        _table("Roles and deals (F1)", facts, pairs),
        _table("Values and attributes (share the same)", [*attributes, *empty_or_not], pairs),
    ]


def _table(title: str, keys: Sequence[str], pairs: Sequence[tuple[str, Scores]]) -> Table:
    return Table(
        title=title,
        header=("", *(name for name, _ in pairs)),
        rows=[(key, *(_cell(scores, key) for _, scores in pairs)) for key in keys],
        note="With both/only the second/only the first for F1, and same/of for shares.",
    )


def _cell(scores: Scores, key: str) -> str:
    value = number(scores.metric(key))
    if key in scores.counts:
        counts = scores.counts[key]
        return f"{value} {counts.tp}/{counts.fp}/{counts.fn}"
    if key in scores.ratios:
        return f"{value} {scores.ratios[key].right}/{scores.ratios[key].total}"
    return DASH
