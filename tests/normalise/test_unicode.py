"""Composition keeps the way back: what is found in the composed text is cut from the article."""

from __future__ import annotations

import time
from itertools import pairwise
from unicodedata import is_normalized, normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.normalise.unicode import compose

ACUTE, CEDILLA, DOT_BELOW = "\u0301", "\u0327", "\u0323"


def cut(text: str, wanted: str) -> str:
    """The stretch of ``text`` in which the composed form of ``wanted`` is found."""
    composed = compose(text)
    start = composed.text.index(wanted)
    first, last = composed.original(start, start + len(wanted))
    return text[first:last]


@pytest.mark.parametrize(
    ("text", "wanted", "expected"),
    [
        ("la socie\u0301te\u0301 le\u0300ve 5 M€", "lève", "le\u0300ve"),
        ("la socie\u0301te\u0301 le\u0300ve 5 M€", "5 M€", "5 M€"),
        ("franc\u0327ais", "ç", "c\u0327"),
        ("Noe\u0308l chez Citroe\u0308n", "Citroën", "Citroe\u0308n"),
        # Two marks in an order that composition turns round: one unit.
        (f"x{'e' + ACUTE + DOT_BELOW}y", "ẹ\u0301", "e" + ACUTE + DOT_BELOW),
        # Hangul: three letters are one syllable.
        ("\u1112\u1161\u11ab 삼성", "한", "\u1112\u1161\u11ab"),
        ("\u1112\u1161\u11ab 삼성", "삼성", "삼성"),
        # A singleton: U+212B ANGSTROM SIGN composes to U+00C5.
        ("10 \u212b net", "Å", "\u212b"),
        # Emoji with a joiner and a skin tone have no canonical composition.
        ("e\u0301 👩🏽‍💻 lève", "👩🏽‍💻", "👩🏽‍💻"),
        # A composition exclusion gets longer in NFC: U+0958 is written U+0915 U+093C.
        ("e\u0301\u0958 fin", "\u0915\u093c", "\u0958"),
        ("e\u0301\u0958 fin", "fin", "fin"),
    ],
)
def test_cut_from_original(text: str, wanted: str, expected: str) -> None:
    assert cut(text, wanted) == expected


@pytest.mark.parametrize("text", ["", "déjà levé", ACUTE + "seul", "삼성 👩🏽‍💻"])
def test_composed_text_is_identity(text: str) -> None:
    composed = compose(text)
    assert composed.text == text
    spans = [(i, j) for i in range(len(text) + 1) for j in range(i, len(text) + 1)]
    assert [composed.original(*span) for span in spans] == spans


def test_lone_marks_at_both_ends() -> None:
    text = ACUTE + "le\u0300ve" + CEDILLA
    composed = compose(text)
    assert composed.text == ACUTE + "l\u00e8v\u0229"
    assert composed.original(0, 1) == (0, 1)
    assert composed.original(0, len(composed.text)) == (0, len(text))


def test_cut_unit_is_widened_to_the_whole() -> None:
    text = "a" + "e" + ACUTE + DOT_BELOW + "b"
    composed = compose(text)
    assert composed.text == "aẹ" + ACUTE + "b"
    assert composed.original(1, 2) == (1, 4)
    assert composed.original(2, 3) == (1, 4)


def test_empty_slice_stays_empty() -> None:
    composed = compose("le\u0300ve")
    assert [composed.original(i, i) for i in range(5)] == [(0, 0), (1, 1), (3, 3), (4, 4), (5, 5)]


@pytest.mark.parametrize("span", [(-1, 1), (2, 1), (0, 3), (3, 3)])
def test_slice_outside_the_text_is_refused(span: tuple[int, int]) -> None:
    with pytest.raises(ValueError, match="no slice"):
        compose("e\u0301t").original(*span)


TEXTS = st.text(
    st.sampled_from(
        "aeçé -€\u00a0\u202f" + ACUTE + CEDILLA + DOT_BELOW + "\u0958\u1112\u1161\u11ab한"
    )
    | st.characters()
)


@given(TEXTS, st.data())
def test_composed_slice_is_composed_from_the_original_slice(text: str, data: st.DataObject) -> None:
    composed = compose(text)
    assert composed.text == normalize("NFC", text)
    start = data.draw(st.integers(0, len(composed.text)))
    end = data.draw(st.integers(start, len(composed.text)))
    first, last = composed.original(start, end)
    assert 0 <= first <= last <= len(text)
    whole = normalize("NFC", text[first:last])
    assert composed.text[start:end] in whole
    if start in composed.boundaries and end in composed.boundaries:
        assert composed.text[start:end] == whole


@given(TEXTS)
def test_pieces_make_up_the_whole(text: str) -> None:
    composed = compose(text)
    pairs = list(zip(composed.boundaries, composed.origins, strict=True))
    assert pairs[0] == (0, 0)
    assert pairs[-1] == (len(composed.text), len(text))
    pieces = [(composed.text[a:c], text[b:d]) for (a, b), (c, d) in pairwise(pairs)]
    assert all(mine == normalize("NFC", theirs) for mine, theirs in pieces)


def test_linear_in_the_text() -> None:
    text = normalize("NFD", "La société lève 5 M€ auprès de ses associés. ") * 2_000
    assert not is_normalized("NFC", text)
    started = time.perf_counter()
    composed = compose(text)
    for start in range(0, len(composed.text) - 10, 10):
        composed.original(start, start + 10)
    assert time.perf_counter() - started < 5
