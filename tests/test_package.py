"""The package as a whole: what it offers, and which way its imports go."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import pipeline

NORMALISE_SEES = ("pipeline.errors", "pipeline.lexicon", "pipeline.normalise", "pipeline.schema")


def modules(root: Path, package: str) -> dict[str, Path]:
    """The modules of a package by dotted name."""
    found = {}
    for path in sorted((root / package).rglob("*.py")):
        parts = path.relative_to(root).with_suffix("").parts
        found[".".join(parts[:-1] if parts[-1] == "__init__" else parts)] = path
    return found


def imported(path: Path) -> Iterator[str]:
    """The dotted names that a file imports anywhere, for types too."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            assert node.module is not None
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def ours(path: Path) -> set[str]:
    """What a file imports of this project."""
    return {name for name in imported(path) if name.split(".")[0] in ("pipeline", "evaluation")}


def test_the_schema_imports_nothing_of_ours(root: Path) -> None:
    assert ours(root / "pipeline" / "schema.py") == set()
    assert not {"spacy", "sklearn"} & set(imported(root / "pipeline" / "schema.py"))


def test_the_normalisers_see_schema_lexicon_and_errors_only(root: Path) -> None:
    for name, path in modules(root, "pipeline/normalise").items():
        seen = ours(path)
        assert {n for n in seen if not n.startswith(NORMALISE_SEES)} == set(), name
        assert not [n for n in imported(path) if n.split(".")[0] == "spacy"], name


def test_components_never_import_each_other(root: Path) -> None:
    found = modules(root, "pipeline/components")
    assert len(found) > 4
    for name, path in found.items():
        others = set(found) - {name}
        seen = ours(path)
        assert not [n for n in seen if n.startswith(tuple(others))], name
        above = ("pipeline.library", "pipeline.run", "pipeline.train", "pipeline.learning")
        assert not [n for n in seen if n.startswith(above)], name


def test_the_pipeline_never_imports_the_evaluation(root: Path) -> None:
    found = modules(root, "pipeline")
    assert len(found) > 20
    for name, path in found.items():
        assert not [n for n in ours(path) if n.split(".")[0] == "evaluation"], name


def test_no_module_imports_itself_in_a_circle(root: Path) -> None:
    found = modules(root, "pipeline")
    graph = {
        name: {
            known
            for target in ours(path)
            for known in (target, target.rpartition(".")[0])
            if known in found and known not in (name, "pipeline")
        }
        for name, path in found.items()
        if name != "pipeline"
    }
    while free := [name for name, seen in graph.items() if not seen & graph.keys()]:
        for name in free:
            del graph[name]
    assert not graph


def test_public_names_are_sorted() -> None:
    assert pipeline.__all__ == sorted(pipeline.__all__)
    assert len(set(pipeline.__all__)) == len(pipeline.__all__)


@pytest.mark.parametrize("name", pipeline.__all__)
def test_each_public_name_can_be_imported_and_says_what_it_is(name: str) -> None:
    assert getattr(pipeline, name).__doc__


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'loads'"):
        _ = pipeline.loads  # type: ignore[attr-defined]


def test_the_schema_alone_needs_no_spacy() -> None:
    script = (
        "import sys\n"
        "from pipeline import Article, Event, Money, read_articles, write_events\n"
        "print('spacy' in sys.modules, 'sklearn' in sys.modules)\n"
    )
    done = subprocess.run(
        [sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == ["False", "False"]
