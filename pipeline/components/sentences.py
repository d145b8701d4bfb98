"""Sentence boundaries by rule: no parse is needed to know where a French sentence ends."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
from spacy.attrs import SENT_START
from spacy.language import Language
from spacy.tokens import Doc

_ENDS = frozenset(".!?…")
_CLOSERS = frozenset("»”\")]’'")
_EITHER = frozenset("\"’'")
"""Quotes that open as well: after white space they begin what follows."""
_LONGEST = 256
"""Tokens of a sentence; what goes on and on (a table, a list without an end) is cut there, so
that what is asked of each mention about its whole sentence takes no longer in a longer one."""


@Language.component("fr_deals_sentences", assigns=["token.is_sent_start"])
def sentences(doc: Doc) -> Doc:
    """Starts a sentence after a line end and after ``. ! ? …`` unless an initial precedes.

    Closing quotes and brackets stay with the sentence that they close. "J. Dupont" is one
    sentence, "en série B. Le fonds" is two: an initial is followed by a name, not by a word
    that begins sentences, so only a letter right after a capitalised word counts as an end.
    No sentence is longer than 256 tokens.
    """
    # Set all at once: spaCy looks through the whole document whenever one token's start is set.
    starts = np.fromiter((1 if start else -1 for start in _cut(_starts(doc))), np.int64, len(doc))
    # spaCy's types ask for thinc's own class of arrays, its code for numpy's unsigned ones.
    return doc.from_array([SENT_START], starts.astype(np.uint64))  # type: ignore[arg-type]


def _starts(doc: Doc) -> Iterator[bool]:
    """For each token whether a sentence starts there."""
    ended = line_ended = False
    for token in doc:
        text = token.text
        if token.is_space:
            line_ended = line_ended or (token.i > 0 and ("\n" in text or "\r" in text))
            yield token.i == 0
            continue
        if ended and not line_ended and _closes(doc, token.i):
            yield False
            continue
        yield token.i == 0 or ended or line_ended
        line_ended = False
        ended = (text in _ENDS or text == "...") and not _initial(doc, token.i)


def _cut(starts: Iterable[bool]) -> Iterator[bool]:
    """The same, and a start wherever a sentence would grow longer than ``_LONGEST``."""
    length = 0
    for start in starts:
        length = 1 if start or length == _LONGEST else length + 1
        yield length == 1


def _closes(doc: Doc, at: int) -> bool:
    """Whether what follows an end belongs to it: "?!", a closing quote or bracket."""
    if doc[at].text in _EITHER:
        return not doc[at - 1].whitespace_ and not doc[at - 1].is_space
    return doc[at].text in _CLOSERS or doc[at].text in _ENDS


def _initial(doc: Doc, dot: int) -> bool:
    """Whether the full stop belongs to an initial: "J. Dupont", but not "série B. Le fonds"."""
    if doc[dot].text != "." or dot == 0 or dot + 1 >= len(doc):
        return False
    letter, after = doc[dot - 1], doc[dot + 1]
    before = doc[dot - 2].lower_ if dot >= 2 else ""
    return (
        len(letter.text) == 1
        and letter.is_upper
        and after.is_title
        and before not in {"série", "series", "tour", "classe", "plan"}
    )
