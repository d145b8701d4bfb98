"""Canonical composition (NFC) with the way back to the offsets of the original text.

Lexicons and patterns are written with composed accents; an article may hold ``e`` followed by
U+0301. The article itself is never changed, because offsets count in it: patterns look at the
composed text and :meth:`Composed.original` says where a match stands in the article.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from unicodedata import combining, is_normalized, normalize


@dataclass(frozen=True, slots=True)
class Composed:
    """``text`` in NFC, and the boundaries that it shares with the original text.

    ``boundaries[k]`` (an offset in ``text``) and ``origins[k]`` (an offset in the original)
    stand between the same two characters; both rise strictly, from 0 to the two lengths.
    """

    text: str
    boundaries: Sequence[int]
    origins: Sequence[int]

    def original(self, start: int, end: int) -> tuple[int, int]:
        """Offsets in the original text of ``text[start:end]``, in code points.

        A character and the marks on it are one unit: a slice that cuts a unit is widened to
        the whole of it, so that ``NFC(original slice)`` contains the composed slice and equals
        it wherever the slice cuts none.

        Raises:
            ValueError: where ``0 <= start <= end <= len(text)`` does not hold.
        """
        if not 0 <= start <= end <= len(self.text):
            raise ValueError(f"[{start}, {end}) is no slice of {len(self.text)} characters")
        first = bisect_right(self.boundaries, start) - 1
        last = first if start == end else bisect_left(self.boundaries, end)
        return self.origins[first], self.origins[last]


def compose(text: str) -> Composed:
    """``text`` in Unicode Normalization Form C, with the map back; linear in the text.

    Method, after UAX #15 (Unicode Normalization Forms): a text and its NFC have the same
    canonical decomposition, and canonical ordering moves no mark across a starter (a character
    of combining class 0). So wherever both texts have a character boundary at the same place of
    that decomposition, and a starter follows, the parts on either side are canonically
    equivalent; and since NFC is closed under substrings, each part of the composed text is the
    NFC of its original part. Hangul and multiple marks need no case of their own.
    """
    if is_normalized("NFC", text):
        identity = range(len(text) + 1)
        return Composed(text, identity, identity)
    composed = normalize("NFC", text)
    origin_of = dict(_starters(text))
    shared = [
        (offset, origin_of[place]) for place, offset in _starters(composed) if place in origin_of
    ]
    boundaries, origins = zip(*shared, strict=True)
    return Composed(composed, boundaries, origins)


def _starters(text: str) -> Iterator[tuple[int, int]]:
    """(place in the canonical decomposition, offset in ``text``) before each starter.

    The two ends of the text count too: nothing moves across them.
    """
    place = 0
    for offset, character in enumerate(text):
        decomposed = normalize("NFD", character)
        if offset == 0 or combining(decomposed[0]) == 0:
            yield place, offset
        place += len(decomposed)
    yield place, len(text)
