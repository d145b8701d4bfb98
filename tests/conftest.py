"""Fixtures that several test modules share."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
import spacy
from hypothesis import settings
from spacy.language import Language
from standin import Reader
from tiny import TEMPLATES, passages, trained

import pipeline
import pipeline.library  # registers the components and the tokenizer
import pipeline.run
from pipeline.markup import GoldArticle, parse_folder

ROOT = Path(__file__).resolve().parent.parent

# The same examples on every run and machine; to look for new ones: --hypothesis-profile=thorough.
settings.register_profile("steady", derandomize=True, deadline=None, max_examples=100)
settings.register_profile("thorough", derandomize=False, deadline=None, max_examples=5000)
settings.load_profile("steady")


@pytest.fixture(scope="session")
def root() -> Path:
    """The folder of the repository."""
    return ROOT


@pytest.fixture(scope="session")
def seeds() -> Sequence[GoldArticle]:
    """The five gold articles."""
    return parse_folder(ROOT / "annotations" / "seeds")


@pytest.fixture(scope="session")
def train() -> Sequence[GoldArticle]:
    """The written training passages."""
    return parse_folder(ROOT / "annotations" / "train")


@pytest.fixture(scope="session")
def nlp() -> Language:
    """The trained pipeline that ``pipeline.run`` uses."""
    return pipeline.load()


@pytest.fixture(scope="session")
def blank_french() -> Callable[[], Language]:
    """Makes a French pipeline with the tokenizer of this package and no component."""
    tokenizer = {"@tokenizers": "fr_deals.Tokenizer.v1"}
    return lambda: spacy.blank("fr", config={"nlp": {"tokenizer": tokenizer}})


@pytest.fixture(scope="session")
def blank(blank_french: Callable[[], Language]) -> Language:
    """One such pipeline, for tests that only read it."""
    return blank_french()


@pytest.fixture(scope="session")
def tiny() -> Language:
    """The small made-up pipeline of ``tiny.py`` with its models."""
    return trained([article for template in TEMPLATES for article in passages(template)])


@pytest.fixture(scope="session")
def tiny_model(tiny: Language, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of the same pipeline, for processes that load their own."""
    folder = tmp_path_factory.mktemp("tiny") / "model"
    tiny.to_disk(folder)
    return folder


@pytest.fixture
def reader(monkeypatch: pytest.MonkeyPatch) -> Reader:
    """The command line reads with this stand-in."""
    reader = Reader()
    monkeypatch.setattr(pipeline.run, "Workers", reader)
    return reader
