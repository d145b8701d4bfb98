"""A model's list of files, and what it finds."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from pipeline.errors import ModelError
from pipeline.model_folder import check, reader_digest, seal


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "ner").mkdir()
    (tmp_path / "meta.json").write_bytes(b"{}")
    (tmp_path / "ner" / "model").write_bytes(b"weights")
    seal(tmp_path)
    return tmp_path


def test_whole_folder_passes(folder: Path) -> None:
    check(folder)
    (folder / "README.md").write_bytes(b"what the list does not name is not its business")
    check(folder)
    seal(folder)
    check(folder)


def test_list_can_be_checked_by_sha256sum(folder: Path) -> None:
    done = subprocess.run(
        ["sha256sum", "--check", "--strict", "SHA256SUMS"], cwd=folder, capture_output=True
    )
    assert (done.returncode, done.stdout) == (0, b"meta.json: OK\nner/model: OK\n")


@pytest.mark.parametrize("content", [b"weight", b""])
def test_damaged_file_is_named(folder: Path, content: bytes) -> None:
    (folder / "ner" / "model").write_bytes(content)
    with pytest.raises(ModelError) as caught:
        check(folder)
    assert str(caught.value).startswith(f"{folder}/ner/model: this file of the model is damaged")
    assert "python -m pipeline.train" in str(caught.value)


def test_missing_file_is_named(folder: Path) -> None:
    (folder / "meta.json").unlink()
    with pytest.raises(ModelError, match=r"meta\.json: this file of the model is missing"):
        check(folder)


def test_folder_without_a_list_passes(tmp_path: Path) -> None:
    (tmp_path / "meta.json").write_bytes(b"{")
    check(tmp_path)
    check(tmp_path / "nowhere")


def test_reader_digest_is_of_the_model(folder: Path) -> None:
    before = reader_digest(folder)
    assert reader_digest(folder) == before
    (folder / "ner" / "model").write_bytes(b"other weights")
    assert reader_digest(folder) != before
    assert reader_digest(None) not in (before, reader_digest(folder))
