"""Cue words: a lexicon of evidence, matched in one pass over the tokens."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc

from pipeline.lexicon import Row, Text, load

_OPTIONAL = re.compile(r"\(([^()]*)\)")


class CueRow(Row):
    """Words that are evidence for a category. ``forms`` may have optional parts: "levé(e)(s)"."""

    id: Text
    category: Text
    forms: tuple[Text, ...]

    def claims(self) -> Iterable[str]:
        """No two rows have one id."""
        return [self.id]


@dataclass(frozen=True, slots=True)
class Cue:
    """A cue in a document; ``start`` and ``end`` are token indices."""

    start: int
    end: int
    category: str
    rule: str


def expand(form: str) -> Iterator[str]:
    """All spellings of a form with optional parts: "levé(e)" is "levé" and "levée"."""
    optional = _OPTIONAL.search(form)
    if optional is None:
        yield form
        return
    before, after = form[: optional.start()], form[optional.end() :]
    yield from expand(before + after)
    yield from expand(before + optional.group(1) + after)


def _pattern(nlp: Language, text: str) -> Doc:
    """The tokens of a spelling; "d'" is one token only where a word follows it."""
    if text[-1] in "'’":
        return nlp.make_doc(f"{text}un")[:-1].as_doc()
    return nlp.make_doc(text)


class CueMatcher:
    """Finds every cue of ``lexicons/cues.toml`` in a tokenised document."""

    def __init__(self, nlp: Language) -> None:
        self._matcher = PhraseMatcher(nlp.vocab, attr="LOWER")
        self._categories: dict[str, str] = {}
        for row in load("cues", CueRow, "cue"):
            self._categories[row.id] = row.category
            spellings = {text for form in row.forms for text in expand(form)}
            spellings |= {text.replace("'", "’") for text in spellings}
            self._matcher.add(row.id, [_pattern(nlp, text) for text in sorted(spellings)])

    def __call__(self, doc: Doc) -> list[Cue]:
        """The cues in text order; of one rule the longest, never two that overlap."""
        by_rule = defaultdict(list)
        for key, start, end in self._matcher(doc):
            by_rule[key].append((start, end))
        cues = []
        for key, places in by_rule.items():
            rule = doc.vocab.strings[key]
            category = self._categories[rule]
            cues += [Cue(start, end, category, rule) for start, end in _longest(places)]
        return sorted(cues, key=lambda cue: (cue.start, cue.end, cue.rule))


def _longest(places: Iterable[tuple[int, int]]) -> Iterator[tuple[int, int]]:
    """The places that no longer one, or equally long one before it, overlaps."""
    taken: set[int] = set()
    for start, end in sorted(places, key=lambda place: (place[0] - place[1], place[0])):
        if taken.isdisjoint(range(start, end)):
            taken.update(range(start, end))
            yield start, end
