"""The folder of a trained model: where the shipped one is, and whether it is whole.

``SHA256SUMS`` (the format of ``sha256sum``, which can check it too) lists the files of a sealed
folder. spaCy takes many a missing file for an empty one; the list is how that is noticed.
"""

from __future__ import annotations

from enum import StrEnum
from hashlib import sha256
from importlib import metadata, resources
from importlib.util import find_spec
from pathlib import Path

from pipeline import digests
from pipeline.errors import ModelError

_ROOT = Path(__file__).resolve().parent.parent

_SUMS = "SHA256SUMS"


class Variant(StrEnum):
    """What reads the words: a small encoder trained here, or a pretrained transformer."""

    SMALL = "small"
    TRANSFORMER = "transformer"

    @property
    def package(self) -> str:
        """The name of its model: of the package, and of the folder below ``models``."""
        return "fr_deals_trf" if self is Variant.TRANSFORMER else "fr_deals_md"


MODEL = _ROOT / "models" / Variant.SMALL.package
"""The model that is used where none is named."""


def seal(folder: Path) -> None:
    """Write the list of the files in ``folder``; the last step of making a model."""
    lines = (f"{digest}  {name}\n" for name, digest in _digests(folder).items())
    (folder / _SUMS).write_text("".join(lines), encoding="utf-8", newline="\n")


def check(folder: Path) -> None:
    """Hold a sealed folder against its list; a folder without a list passes.

    Raises:
        ModelError: names a file that is missing or is not as it was written.
    """
    try:
        lines = (folder / _SUMS).read_text("utf-8").splitlines()
    except FileNotFoundError:
        return
    found = _digests(folder)
    for line in lines:
        digest, _, name = line.partition("  ")
        if found.get(name) != digest:
            state = "damaged" if name in found else "missing"
            raise ModelError(
                f"{folder / name}: this file of the model is {state}; install the model again, "
                "or train it with python -m pipeline.train"
            )


def require_transformers() -> None:
    """Hold this installation against what the transformer variant needs.

    Raises:
        ModelError: says the command that installs what is missing.
    """
    for module in ("torch", "transformers", "spacy_transformers"):
        if find_spec(module) is None:
            raise ModelError(
                f"the transformer variant needs {module}, which is not installed; run: "
                'pip install "fr-deals[transformers]"'
            )


def packaged(name: str) -> Path:
    """Where the installed package of a spaCy model keeps the files of the model.

    Raises:
        importlib.metadata.PackageNotFoundError, ModuleNotFoundError: when it is not installed.
    """
    version = metadata.version(name)
    return Path(str(resources.files(name))) / f"{name}-{version}"


def reader_digest(model: Path | None) -> str:
    """One hash of the model (default: the shipped one) and of the code that runs it."""
    folder = MODEL if model is None else model
    both = digests.digest(digests.below(folder), folder) + digests.code(_ROOT)
    return sha256(both.encode()).hexdigest()


def _digests(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): sha256(path.read_bytes()).hexdigest()
        for path in sorted(digests.below(folder))
        if path.name != _SUMS
    }
