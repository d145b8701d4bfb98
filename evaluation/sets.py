"""The sets that are scored, and what each of them can prove."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path

from evaluation.gold import Case, case_from_markup, cases_from_dev
from evaluation.score import Role
from pipeline.markup import parse_folder

ROOT = Path(__file__).resolve().parents[1]
ANNOTATIONS = Path("annotations")


class Nature(StrEnum):
    """What a score on a set is worth."""

    TRAINING = "training data"
    WRITTEN_ON = "written on: unseen by the model, read by those who wrote the rules"
    INDEPENDENT = "independent: neither trained on nor read by those who wrote the rules"


@dataclass(frozen=True, slots=True)
class GoldSet:
    """Cases of one origin; ``unscored`` roles are not in its gold at all."""

    name: str
    about: str
    nature: Nature
    cases: Sequence[Case]
    unscored: frozenset[Role] = frozenset()


DEV_UNSCORED = frozenset({Role.COMPONENT, Role.EXPECTED_CLOSE})
"""Roles that the compact form of the development set has no place for."""


def seeds(root: Path = ROOT) -> GoldSet:
    return _marked(root, "seeds", "the five seed articles", Nature.TRAINING)


def train(root: Path = ROOT) -> GoldSet:
    return _marked(root, "train", "the written training corpus", Nature.TRAINING)


def heldout(root: Path = ROOT) -> GoldSet:
    about = "passages by another hand, same guidelines"
    return _marked(root, "heldout", about, Nature.INDEPENDENT)


def dev(root: Path = ROOT) -> GoldSet:
    """The development set; empty where the folder holds none."""
    folder = root / ANNOTATIONS / "dev"
    cases = [
        case
        for gold in sorted(folder.glob("*.gold.json"))
        for case in cases_from_dev(gold, gold.with_name(gold.name.replace(".gold.json", ".jsonl")))
    ]
    about = "real deals told by a writer who saw none of the project"
    return GoldSet("dev", about, Nature.INDEPENDENT, cases, DEV_UNSCORED)


SETS = {"seeds": seeds, "heldout": heldout, "dev": dev, "train": train}


def _marked(root: Path, name: str, about: str, nature: Nature) -> GoldSet:
    cases = [case_from_markup(gold) for gold in parse_folder(root / ANNOTATIONS / name)]
    return GoldSet(name, about, nature, cases)
