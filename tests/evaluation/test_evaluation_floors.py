"""Floors fail below, rise on request and fall only when told to."""

from __future__ import annotations

from pathlib import Path

from handmade import reads_novalune, write_project

from evaluation import floors, report
from evaluation.floors import Floors, SetFloors, failures, lifted
from evaluation.report import Report


def measured(root: Path) -> Report:
    """Roles of the seeds are 0.8; nothing measures their dates."""
    return report.evaluate({"whole": lambda: reads_novalune}, write_project(root))


def pinned(made: Report, **metrics: float) -> Floors:
    return Floors({"seeds": SetFloors(gold=made.sets[0].gold, floors=metrics)})


def test_at_or_above_the_floor_is_well(tmp_path: Path) -> None:
    made = measured(tmp_path)
    assert failures(made, pinned(made, roles=0.8, deals=0.9)) == []


def test_below_the_floor_fails(tmp_path: Path) -> None:
    made = measured(tmp_path)
    assert failures(made, pinned(made, roles=0.81)) == ["seeds: roles is 0.800, its floor 0.810"]


def test_precision_and_recall_can_have_floors(tmp_path: Path) -> None:
    made = measured(tmp_path)
    floors_of_parts = pinned(made, **{"roles:precision": 1.0, "roles:recall": 0.7})
    assert failures(made, floors_of_parts) == ["seeds: roles:recall is 0.667, its floor 0.700"]


def test_what_cannot_be_measured_fails(tmp_path: Path) -> None:
    made = measured(tmp_path)
    assert failures(made, pinned(made, component=0.0)) == ["seeds: component is —, its floor 0.000"]
    heldout = Floors({"heldout": SetFloors(gold="", floors={"roles": 0.1})})
    assert failures(made, heldout) == ["heldout: has floors but was not scored"]


def test_no_floors_fail(tmp_path: Path) -> None:
    (line,) = failures(measured(tmp_path), Floors({}))
    assert line.startswith("no floor is pinned")


def test_a_changed_gold_fails(tmp_path: Path) -> None:
    old = pinned(measured(tmp_path), roles=0.1)
    gold = tmp_path / "annotations/seeds/two.md"
    gold.write_text(gold.read_text(encoding="utf-8").replace("usine", "porte"), encoding="utf-8")
    made = report.evaluate({"whole": lambda: reads_novalune}, tmp_path)
    assert failures(made, old) == ["seeds: its gold has changed since its floors were set"]


def test_floors_rise_to_what_is_measured_less_the_margin(tmp_path: Path) -> None:
    made = measured(tmp_path)
    raised, lines = lifted(made, pinned(made, roles=0.5), margin=0.02)
    assert raised.root["seeds"].floors["roles"] == 0.78
    assert raised.root["seeds"].floors["quiet"] == 0.98
    assert raised.root["dev"].floors["exact"] == 0.98
    assert "seeds: roles 0.500 → 0.780" in lines
    assert failures(made, raised) == []


def test_floors_fall_only_when_allowed(tmp_path: Path) -> None:
    made = measured(tmp_path)
    high = pinned(made, roles=0.95)
    assert lifted(made, high)[0].root["seeds"].floors["roles"] == 0.95
    lowered, lines = lifted(made, high, allow_lower=True)
    assert lowered.root["seeds"].floors["roles"] == 0.79
    assert "seeds: roles 0.950 → 0.790" in lines


def test_floors_come_back_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "floors.json"
    assert floors.read(path) == Floors({})
    kept = Floors({"dev": SetFloors(gold="abc", floors={"roles": 0.6})})
    floors.write(kept, path)
    assert floors.read(path) == kept
