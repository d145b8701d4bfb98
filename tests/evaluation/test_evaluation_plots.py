"""Plots are SVG text that depends on the points and on nothing else."""

from __future__ import annotations

import xml.etree.ElementTree as ET

import pytest

from evaluation import plots
from evaluation.plots import Axis, Line, svg
from pipeline.errors import DealReaderError

LINES = [Line("heldout", [(10, 0.4), (100, 0.6)]), Line("as said", [(10, 0), (100, 1)], True)]


def drawn(lines: list[Line] = LINES, *, logarithmic: bool = True) -> str:
    return svg("Growth", Axis("words", logarithmic=logarithmic), Axis("F1", (0, 1)), lines)


def test_the_same_points_give_the_same_bytes() -> None:
    assert drawn() == drawn()
    assert drawn() != drawn(logarithmic=False)
    assert drawn() != drawn(LINES[:1])


def test_it_is_an_svg_document_whose_words_can_be_read() -> None:
    root = ET.fromstring(drawn())
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    words = {"".join(text.itertext()) for text in root.iter("{http://www.w3.org/2000/svg}text")}
    assert {"Growth", "words", "F1", "heldout", "as said"} <= words


def test_no_date_and_no_version_stand_in_it() -> None:
    page = drawn()
    assert "dc:date" not in page
    assert "Matplotlib v" not in page


def test_without_matplotlib_the_mend_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plots, "find_spec", lambda name: None)
    with pytest.raises(DealReaderError, match=r"pip install 'fr-deals\[report\]'"):
        drawn()
