"""The benchmark: its texts, its ratios, a small run, and the stored report."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import islice
from pathlib import Path

import pytest
from handmade import write_project
from typer.testing import CliRunner

from evaluation import benchmark, cli
from evaluation.benchmark import (
    FASTER,
    FULL,
    LEFT,
    LENGTH,
    MEMORY,
    NUMBER,
    PARALLEL,
    QUICK,
    START_UP,
    SYSTEMS,
    Benchmark,
    Point,
    Run,
    markdown,
    passages,
    pieces,
    ratios,
    read,
    shares,
    steps,
    write,
)
from evaluation.sets import ROOT
from pipeline.errors import DealReaderError


def runs(*speeds: float) -> tuple[Run, ...]:
    """One second each."""
    return tuple(Run(words=int(speed), seconds=1) for speed in speeds)


def figures(numbers: Sequence[Point] | None = None) -> Benchmark:
    points = (
        Point(size=100, runs=runs(10_000, 12_500), peak_memory=400),
        Point(size=1_000, runs=runs(10_000), peak_memory=500),
        Point(size=20_000, runs=runs(8_000), peak_memory=600),
    )
    return Benchmark(
        date="2026-01-01T00:00:00+00:00",
        machine={"processor": "made up"},
        versions={"python": "3.11"},
        digests={"code": "0" * 64},
        quick=False,
        speeds=dict(
            zip(
                SYSTEMS,
                (
                    runs(50_000, 60_000, 70_000),
                    runs(5_000, 4_000, 5_000),
                    runs(10_000, 12_000, 14_000),
                    runs(10_000, 10_000, 10_000),
                    runs(18_000, 17_000, 16_000),
                ),
                strict=True,
            )
        ),
        start_up=(2.0, 4.0, 3.0),
        lengths=points,
        numbers=points if numbers is None else tuple(numbers),
        ratios={},
    )


def test_ratios_are_of_one_repetition_and_the_median_counts() -> None:
    found = ratios(figures())
    faster = found[FASTER]
    assert (faster.value, faster.lowest, faster.highest) == (2.8, 2.0, 3.0)
    assert found[PARALLEL].value == 1.7
    assert found[LEFT].value == 5.0
    assert (found[START_UP].value, found[START_UP].highest) == (3.0, 4.0)


def test_growth_is_dearest_over_cheapest() -> None:
    found = ratios(figures())
    # 80 µs in the faster repetition, 100 and 125
    assert found[LENGTH].value == found[NUMBER].value == pytest.approx(125 / 80)
    assert found[MEMORY].value == 1.2


def test_what_is_wanted_is_met_or_not() -> None:
    found = {name: ratio.is_met for name, ratio in ratios(figures()).items()}
    assert found == {
        FASTER: True,
        PARALLEL: True,
        LEFT: None,
        START_UP: True,
        LENGTH: False,
        NUMBER: False,
        MEMORY: False,
    }


def test_texts_are_cut_at_words_and_begun_anew() -> None:
    texts = ["un deux\ntrois", " quatre cinq "]
    found = list(islice(pieces(texts, 2), 4))
    assert found == ["un deux\n", "trois\nquatre ", "cinq\nun ", "deux\ntrois\n"]


def test_every_share_has_texts_of_its_own() -> None:
    texts = [f"texte {number}" for number in range(6)]
    assert shares(texts, 3, 3) == [texts[0:2], texts[2:4], texts[4:6]]
    assert shares(texts, 3, 4)[3] == texts[:2]


def test_without_passages_there_is_nothing_to_measure(tmp_path: Path) -> None:
    root = write_project(tmp_path)
    assert len(passages(root)) == 1
    for path in (root / "annotations" / "train").rglob("*.md"):
        path.unlink()
    with pytest.raises(DealReaderError, match="holds no passage"):
        passages(root)


def test_a_small_run_measures_everything(tmp_path: Path) -> None:
    done: list[str] = []
    made = benchmark.run(ROOT, QUICK, tell=done.append)
    assert len(done) == steps(QUICK)
    assert made.quick
    assert set(made.speeds) == set(SYSTEMS)
    assert [point.size for point in made.lengths] == list(QUICK.lengths)
    assert [point.size for point in made.numbers] == list(QUICK.numbers)
    assert all(point.peak_memory and point.peak_memory > 10**8 for point in made.numbers)
    assert made.ratios == ratios(made)
    write(made, tmp_path / "small.json")
    assert read(tmp_path / "small.json") == made
    page = (tmp_path / "small.md").read_text(encoding="utf-8")
    assert page == markdown(made, "small")
    for name in ("small_length.svg", "small_number.svg"):
        assert f"]({name})" in page
        assert (tmp_path / name).exists()


def test_a_process_that_fails_is_told_with_its_reason(tmp_path: Path) -> None:
    with pytest.raises(DealReaderError, match=r"counting failed: .* no attribute 'child'"):
        benchmark.in_child("json", tmp_path, {}, "counting")


def test_the_command(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(benchmark, "run", lambda root, plan, tell: figures_with_ratios())
    root = write_project(tmp_path)
    stored = root / benchmark.STORED
    quick = CliRunner().invoke(cli.app, ["--root", str(root), "benchmark", "--quick"])
    assert (quick.exit_code, stored.exists()) == (0, False)
    assert "Words a second" in quick.stdout
    whole = CliRunner().invoke(cli.app, ["--root", str(root), "benchmark"])
    assert (whole.exit_code, stored.exists()) == (0, True)
    elsewhere = tmp_path / "x" / "b.json"
    CliRunner().invoke(cli.app, ["--root", str(root), "benchmark", "-o", str(elsewhere)])
    assert elsewhere.exists()


def figures_with_ratios() -> Benchmark:
    made = figures()
    return made.model_copy(update={"ratios": ratios(made)})


def test_the_stored_report_has_all_parts() -> None:
    path = ROOT / benchmark.STORED
    stored = read(path)
    if stored is None:
        pytest.skip("none is stored yet: python -m evaluation benchmark takes some minutes")
    assert not stored.quick
    assert set(stored.speeds) == set(SYSTEMS)
    assert {len(found) for found in stored.speeds.values()} == {FULL.repetitions}
    assert [point.size for point in stored.lengths] == list(FULL.lengths)
    assert [point.size for point in stored.numbers] == list(FULL.numbers)
    assert stored.ratios == ratios(stored)
    assert {"processor", "cores", "memory", "system"} <= stored.machine.keys()
    assert path.with_suffix(".md").read_text(encoding="utf-8") == markdown(stored)
    for name in ("length", "number"):
        assert path.with_name(f"benchmark_{name}.svg").exists()
