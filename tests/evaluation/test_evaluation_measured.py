"""The shipped model against its floors, and the stored reports against the code."""

from __future__ import annotations

import pytest

from evaluation import crossval, floors, learning_curve, report, unseen
from evaluation.report import Report
from evaluation.sets import ROOT
from evaluation.systems import whole


@pytest.fixture(scope="module")
def measured() -> Report:
    return report.evaluate({"whole": whole}, ROOT)


def test_no_floor_is_broken(measured: Report) -> None:
    pinned = floors.read(ROOT / floors.FLOORS)
    assert floors.failures(measured, pinned) == []


def test_names_are_not_known_by_heart(measured: Report) -> None:
    """Role F1 of the held-out set, before and after every name is replaced by an unseen one."""
    assert measured.names is not None
    assert measured.names.cost <= unseen.LARGEST_COST


def test_the_stored_cross_validation_is_up_to_date() -> None:
    """Its floor holds (above). Made of other code or text it is told, not failed."""
    stored = crossval.read(ROOT / crossval.REPORT)
    assert stored is not None, "run python -m evaluation cross-validate"
    assert {name for readings in stored.readings.values() for name in readings}
    if changed := crossval.staleness(stored, ROOT):
        pytest.skip(f"stale, run python -m evaluation cross-validate: {changed} changed since")


def test_the_stored_learning_curve_is_whole() -> None:
    """Its files agree. Made of other code or text it still tells something: it is not failed."""
    path = ROOT / learning_curve.STORED
    stored = learning_curve.read(path)
    if stored is None:
        pytest.skip("none is stored yet: python -m evaluation learning-curve takes hours")
    page = path.with_suffix(".md").read_text(encoding="utf-8")
    assert page == learning_curve.markdown(stored)
    assert path.with_suffix(".svg").exists()
    if changed := learning_curve.staleness(stored, ROOT):
        pytest.skip(f"stale, run python -m evaluation learning-curve: {changed} changed since")
