"""Floors: scores that must not be fallen below, pinned in ``evaluation/floors.json``.

Each set's floors carry the digest of its gold: a changed gold could lower the bar unseen, so it
fails the check until the floors are set anew.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, RootModel

from evaluation import files
from evaluation.report import WHOLE, Report, SetReport
from evaluation.tables import number
from evaluation.unseen import LARGEST_COST

FLOORS = Path("evaluation/floors.json")
MARGIN = 0.01
"""Left between what is measured and a raised floor, for other machines' last digits."""

PINNED = (
    "roles",
    "deals",
    "exact",
    "strict",
    "partial",
    "quiet",
    "amount.value",
    "amount.currency",
    "amount.qualifier",
)
"""What a raised floor covers: keys of :mod:`evaluation.score`. A floor that is written by hand may
also name the precision or recall of what is counted: ``deals:precision``."""


class SetFloors(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)

    gold: str
    floors: dict[str, float]


class Floors(RootModel[dict[str, SetFloors]]):
    """Floors by set and metric; a metric is the whole system's."""


def failures(report: Report, floors: Floors) -> list[str]:
    """What is below its floor, cannot be measured any more, or is scored on a changed gold.

    The names test has one floor for all times: ``LARGEST_COST``.
    """
    if not floors.root:
        return ["no floor is pinned: run `python -m evaluation floors --raise`"]
    sets = {one.name: one for one in report.sets}
    out = []
    for name, pinned in floors.root.items():
        if name not in sets:
            out.append(f"{name}: has floors but was not scored")
            continue
        if sets[name].gold != pinned.gold:
            out.append(f"{name}: its gold has changed since its floors were set")
        for metric, floor in pinned.floors.items():
            measured = _measured(sets[name], metric)
            if measured is None or measured < floor:
                out.append(f"{name}: {metric} is {number(measured)}, its floor {number(floor)}")
    if report.names is not None and report.names.cost > LARGEST_COST:
        cost = f"{100 * report.names.cost:.1f} points"
        out.append(f"{report.names.name}: unseen names cost {cost}, at most {100 * LARGEST_COST:g}")
    return out


def lifted(
    report: Report, floors: Floors, *, margin: float = MARGIN, allow_lower: bool = False
) -> tuple[Floors, list[str]]:
    """Floors at what is measured minus ``margin``, and a line for each change.

    A floor that would fall stays where it is unless ``allow_lower``; the gold's digest is taken
    over in either case, since this is the explicit step that does so.
    """
    out: dict[str, SetFloors] = dict(floors.root)
    lines = []
    for one in report.sets:
        old = floors.root[one.name].floors if one.name in floors.root else {}
        new = dict(old)
        for metric in dict.fromkeys((*PINNED, *old)):
            measured = _measured(one, metric)
            if measured is None:
                continue
            floor = _below(measured, margin)
            if metric not in old or floor > old[metric] or (allow_lower and floor < old[metric]):
                new[metric] = floor
                lines.append(f"{one.name}: {metric} {_old(old, metric)} → {number(floor)}")
        out[one.name] = SetFloors(gold=one.gold, floors=new)
    return Floors(out), lines


def _below(measured: float, margin: float) -> float:
    return max(0.0, math.floor((measured - margin) * 1000 + 1e-9) / 1000)


def _old(floors: Mapping[str, float], metric: str) -> str:
    return number(floors.get(metric))


def _measured(one: SetReport, metric: str) -> float | None:
    system = one.systems.get(WHOLE)
    return None if system is None else system.metric(metric)


def read(path: Path) -> Floors:
    """The pinned floors; none where the file does not exist yet."""
    return Floors.model_validate_json(path.read_bytes()) if path.exists() else Floors({})


def write(floors: Floors, path: Path) -> None:
    files.write({path: floors.model_dump_json(indent=1) + "\n"})


def rows(report: Report, floors: Floors) -> Iterable[tuple[str, str, str, str]]:
    """Set, metric, floor and measured value of every floor."""
    sets = {one.name: one for one in report.sets}
    for name, pinned in floors.root.items():
        for metric, floor in pinned.floors.items():
            measured = _measured(sets[name], metric) if name in sets else None
            yield name, metric, number(floor), number(measured)
