"""The shipped model against its floors, and the stored cross-validation against the code."""

from __future__ import annotations

import pytest

from evaluation import crossval, floors, report
from evaluation.sets import ROOT
from evaluation.systems import whole


def test_no_floor_is_broken() -> None:
    pinned = floors.read(ROOT / floors.FLOORS)
    assert floors.failures(report.evaluate({"whole": whole}, ROOT), pinned) == []


def test_the_stored_cross_validation_is_up_to_date() -> None:
    stored = crossval.read(ROOT / crossval.REPORT)
    if stored is None:
        pytest.skip("none is stored yet: python -m evaluation cross-validate takes over an hour")
    changed = crossval.staleness(stored, ROOT)
    assert changed == [], f"run python -m evaluation cross-validate: {changed} changed since"
