"""Trained models side by side: two tiny ones, really measured, and what is said of figures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from handmade import write_project
from tiny import COMPANIES, FUNDS, NO_DEAL, ROUND, ROUNDUP, TAKEOVER
from typer.testing import CliRunner, Result

from evaluation import benchmark, cli, learning_curve, plots, variants
from evaluation.benchmark import QUICK, Run
from evaluation.sets import ROOT
from evaluation.variants import Cost, Epoch, Variants, markdown, tables
from pipeline import model_folder
from pipeline.errors import DealReaderError

EPOCHS = (
    Epoch(epoch=1, loss=33740.4, score=0.4214, tokens=122926, seconds=361.1),
    Epoch(epoch=2, loss=12981.7, score=0.5919, tokens=122784, seconds=972.7),
)


def write_curve(path: Path) -> Path:
    path.write_text("".join(f"{epoch.model_dump_json()}\n" for epoch in EPOCHS), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def root(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The made-up project with a held-out set whose names the tiny model knows."""
    root = write_project(tmp_path_factory.mktemp("project"))
    folder = root / "annotations/heldout/h1"
    folder.mkdir(parents=True)
    for number, template in enumerate((ROUND, ROUNDUP, TAKEOVER, NO_DEAL)):
        names = {"company": COMPANIES[0], "rival": COMPANIES[1], "fund": FUNDS[0]}
        text = template.format(**names, other=FUNDS[1], medium="La Lettre Bleue")
        (folder / f"{number}.md").write_text(text, encoding="utf-8")
    for name in learning_curve.SCORERS:
        (root / "evaluation" / f"{name}.py").write_text("A = 1\n", encoding="utf-8")
    return root


@pytest.fixture(scope="module")
def models(tiny_model: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The tiny model, and one that is larger and knows no fund."""
    blind = tmp_path_factory.mktemp("blind") / "model"
    shutil.copytree(tiny_model, blind)
    patterns = blind / "entity_ruler/patterns.jsonl"
    lines = patterns.read_text("utf-8").splitlines(keepends=True)
    patterns.write_text("".join(line for line in lines if "INVESTOR" not in line), "utf-8")
    (blind / "ballast").write_bytes(bytes(10**6))
    return {"tiny": tiny_model, "blind": blind}


@pytest.fixture(scope="module")
def made(root: Path, models: dict[str, Path]) -> Variants:
    return variants.run(models, {"blind": EPOCHS}, root, QUICK)


def row(made: Variants, table: str, name: str) -> list[str]:
    (found,) = (one for one in tables(made) if one.title == table)
    (cells,) = (cells for cells in found.rows if cells[0] == name)
    return list(cells[1:])


def test_every_model_reads_every_set_but_the_training_corpus(made: Variants) -> None:
    assert [one.name for one in made.sets] == ["heldout", "dev", "seeds"]
    assert all(list(one.systems) == ["tiny", "blind"] for one in made.sets)
    assert list(made.models) == ["tiny", "blind"]


def test_scores_are_those_of_the_model_and_no_other(made: Variants) -> None:
    tiny, blind = made.sets[0].systems.values()
    assert tiny.counts["roles"].tp > blind.counts["roles"].tp > 0
    assert tiny.counts["role.investor"].tp > 0
    assert blind.counts["role.investor"].tp == 0
    assert tiny.counts["role.amount"] == blind.counts["role.amount"]


def test_only_the_others_are_held_against_the_first(made: Variants) -> None:
    assert [list(bounds) for bounds in made.differences.values()] == [["blind"]] * 3
    tiny, blind = (made.sets[0].systems[name].metric("roles") for name in ("tiny", "blind"))
    bounds = made.differences["heldout"]["blind"]
    assert tiny is not None and blind is not None and bounds is not None
    assert bounds[0] < blind - tiny < bounds[1] == 0.0
    first, other, difference = row(made, "heldout", "role F1")
    assert "[" in first and "[" in other
    assert difference == f"{blind - tiny:+.3f} [{bounds[0]:+.3f}, +0.000]"
    assert row(made, "heldout", "investor") == ["1.000 3/0/0", "0.000 0/0/3", "-1.000"]
    assert row(made, "heldout", "investor role")[1:] == ["—", "—"]
    assert row(made, "heldout", "false alarms in articles without a deal")[2] == "+0"


def test_speed_memory_and_size_are_each_models_own(made: Variants, models: dict[str, Path]) -> None:
    tiny, blind = made.models.values()
    for cost in (tiny, blind):
        assert len(cost.speeds) == QUICK.repetitions
        assert all(run.words >= QUICK.words for run in cost.speeds)
        assert 10**8 < cost.peak_memory < 10**9
    files = [file for file in models["blind"].rglob("*") if file.is_file()]
    assert blind.size == sum(file.stat().st_size for file in files)
    assert blind.size > tiny.size + 900_000
    assert made.digests["model tiny"] != made.digests["model blind"]


def figures(made: Variants, *costs: Cost) -> Variants:
    return made.model_copy(update={"models": dict(zip("abc", costs, strict=False))})


def test_the_median_speed_counts(made: Variants) -> None:
    def cost(megabytes: int, *speeds: int) -> Cost:
        runs = tuple(Run(words=speed, seconds=1) for speed in speeds)
        return Cost(size=megabytes * 10**6, speeds=runs, peak_memory=megabytes * 10**8)

    three = figures(made, cost(3, 3000, 1000, 2000), cost(64, 900, 1000), cost(2, 5000))
    table = "Speed, memory, size"
    assert row(three, table, "words a second") == [
        *("2,000 (1,000 to 3,000)", "950 (900 to 1,000)", "-1,050"),
        *("5,000 (5,000 to 5,000)", "+3,000"),
    ]
    assert row(three, table, "peak memory, MB") == ["300", "6,400", "+6,100", "200", "-100"]
    assert row(three, table, "size of the folder, MB") == ["3.0", "64.0", "+61.0", "2.0", "-1.0"]
    alone = figures(made, cost(3, 1000))
    assert row(alone, table, "words a second") == ["1,000 (1,000 to 1,000)"]


def test_a_curve_is_given_or_stands_beside_the_model(tmp_path: Path) -> None:
    models = {"a": tmp_path / "a", "b": tmp_path / "b", "c": tmp_path / "c"}
    write_curve(tmp_path / "a.progress.jsonl")
    (tmp_path / "b.progress.jsonl").write_text("no curve", encoding="utf-8")
    given = write_curve(tmp_path / "elsewhere.jsonl")
    assert variants.curves(models, {"b": given}) == {"a": EPOCHS, "b": EPOCHS}
    with pytest.raises(DealReaderError, match=r"b\.progress\.jsonl: no progress"):
        variants.curves(models, {})
    with pytest.raises(DealReaderError, match="gone: No such file"):
        variants.curves(models, {"b": tmp_path / "gone"})


def test_only_a_curve_with_scores_is_drawn(made: Variants, tmp_path: Path) -> None:
    path = tmp_path / "v.json"
    unscored = tuple(epoch.model_copy(update={"score": None}) for epoch in EPOCHS)
    variants.write(made.model_copy(update={"curves": {"tiny": unscored}}), path)
    assert not path.with_suffix(".svg").exists()
    page = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "Learning curve of tiny" in page and ".svg" not in page
    variants.write(made, path)
    assert ">blind<" in path.with_suffix(".svg").read_text(encoding="utf-8")
    page = path.with_suffix(".md").read_text(encoding="utf-8")
    assert "![learning curves](v.svg)" in page
    assert "| 2 | 12,981.7 | 0.592 | 122,784 | 972.7 |" in page
    assert Variants.model_validate_json(path.read_bytes()) == made


def command(root: Path, *words: str) -> Result:
    return CliRunner().invoke(cli.app, ["--root", str(root), "variants", *words])


def test_the_command_measures_and_writes(
    root: Path, made: Variants, models: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = []

    def answer(folders: object, learnt: object, root: Path, tell: Callable[[str], None]) -> object:
        asked.append((folders, learnt, root))
        tell("tiny")
        return made

    monkeypatch.setattr(variants, "run", answer)
    curve = write_curve(root / "curve.jsonl")
    pairs = [f"{name}={folder}" for name, folder in models.items()]
    done = command(root, *pairs, "--curve", f"blind={curve}")
    assert done.exit_code == 0, done.stderr
    assert asked == [(models, {"blind": EPOCHS}, root)]
    assert "blind − tiny" in done.stdout
    assert "written to" in done.stderr
    stored = root / variants.STORED
    assert Variants.model_validate_json(stored.read_bytes()) == made
    assert stored.with_suffix(".md").read_text(encoding="utf-8") == markdown(made)


@pytest.fixture
def never_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    def measure(*words: object) -> str:
        raise AssertionError("measured")

    monkeypatch.setattr(benchmark, "in_child", measure)


@pytest.mark.usefixtures("never_measured")
def test_a_model_that_is_missing_ends_all_before_anything_is_measured(
    root: Path, tiny_model: Path
) -> None:
    done = command(root, f"tiny={tiny_model}", "gone=models/nowhere")
    assert done.exit_code == 1
    assert "error: no model that can be read at" in done.stderr
    assert "models/nowhere" in done.stderr


@pytest.mark.usefixtures("never_measured")
def test_a_transformer_without_the_extra_says_the_command(
    root: Path, tiny_model: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "trf"
    shutil.copytree(tiny_model, folder)
    meta = json.loads((folder / "meta.json").read_text("utf-8"))
    meta["pipeline"].insert(0, "transformer")
    (folder / "meta.json").write_text(json.dumps(meta), "utf-8")
    monkeypatch.setattr(model_folder, "find_spec", lambda _: None)
    done = command(root, f"tiny={tiny_model}", f"large={folder}")
    assert done.exit_code == 1
    assert 'run: pip install "fr-deals[transformers]"' in done.stderr


@pytest.mark.usefixtures("never_measured")
def test_a_plot_that_cannot_be_drawn_is_said_before_anything_is_measured(
    root: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plots, "find_spec", lambda _: None)
    curve = write_curve(root / "curve.jsonl")
    done = command(root, f"tiny={tiny_model}", "--curve", f"tiny={curve}")
    assert (done.exit_code, plots.MISSING in done.stderr) == (1, True)


@pytest.mark.usefixtures("never_measured")
@pytest.mark.parametrize(
    "words",
    [
        (),
        ("models/fr_deals_md",),
        ("=models/fr_deals_md",),
        ("a=",),
        ("a=x", "a=y"),
        ("a=x", "--curve", "b=y"),
    ],
)
def test_a_wrong_command_is_refused(root: Path, words: tuple[str, ...]) -> None:
    assert command(root, *words).exit_code == 2


def test_the_stored_report_and_its_page_agree() -> None:
    path = ROOT / variants.STORED
    if not path.exists():
        pytest.skip("none is stored yet: python -m evaluation variants needs two trained models")
    stored = Variants.model_validate_json(path.read_bytes())
    assert path.with_suffix(".md").read_text(encoding="utf-8") == markdown(stored)
