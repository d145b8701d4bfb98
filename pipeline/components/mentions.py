"""From the NER's raw spans and the finders' sums and dates to one set of mentions.

One priority, one result: a sum that the money normaliser reads beats a date, a date beats a
name; the NER says what is a name. Descriptions ("la start-up") go to ``doc.spans["nominals"]``
and never to ``doc.ents``. What a span is worth travels in its ``id_`` as text, because ids
survive ``to_bytes`` and Python objects do not: the number of its party for a name,
:func:`pipeline.codes.money_code` for a sum, the EDTF value for a date. What else the NER might
have called a name stays in its ``kb_id_``.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Literal

from spacy.attrs import ORTH
from spacy.language import Language
from spacy.matcher import PhraseMatcher
from spacy.tokens import Doc, Span
from spacy.util import filter_spans

from pipeline.codes import (
    GROUP,
    NOM_COMPANY,
    NOM_INVESTOR,
    NOMINALS,
    money_code,
    read_odds,
    text_of,
    with_kind,
)
from pipeline.lexicon import Row, Text, load
from pipeline.normalise.dates import find_dates
from pipeline.normalise.money import MoneySpan, find_money
from pipeline.normalise.names import Name, unite
from pipeline.reader import split_head
from pipeline.schema import MONEY_LABELS, NAME_LABELS, Label

_KEPT = frozenset({*NAME_LABELS, GROUP, Label.ROUND, Label.INSTRUMENT, Label.DATE})
"""What is taken from the NER as it stands; sums it finds count only where they can be read."""

_LAST_NAMED = ("ce dernier", "cette dernière", "ces derniers", "ces dernières")


class NominalRow(Row):
    """A description without a complement and what kind of party it stands for."""

    part: Literal["company", "investor", "last"]
    forms: tuple[Text, ...]


class MentionResolver:
    """Resolves the raw spans of a document and unites the names that mean one party."""

    def __init__(self, nlp: Language) -> None:
        self._nominals = PhraseMatcher(nlp.vocab, attr="LOWER")
        for number, row in enumerate(load("nominals", NominalRow, "nominal")):
            label = NOM_INVESTOR if row.part == "investor" else NOM_COMPANY
            spellings = {form.replace("'", mark) for form in row.forms for mark in "'’"}
            patterns = [nlp.make_doc(text) for text in sorted(spellings)]
            self._nominals.add(f"{label}.{number}", patterns)

    def __call__(self, doc: Doc) -> Doc:
        """Sets ``doc.ents``, ``doc.spans["nominals"]`` and, by a date head, ``_.published``."""
        text = text_of(doc)
        published, prose = split_head(text)
        if doc._.published is None:
            doc._.published = published
        values = list(_values(doc, text, prose))
        taken = {i for span in values for i in range(span.start, span.end)}
        names, nominals = [], []
        for span in doc.ents:
            if span.start_char < prose or not taken.isdisjoint(range(span.start, span.end)):
                continue
            if span.label_ in (NOM_COMPANY, NOM_INVESTOR):
                nominals.append(span)
            elif span.label_ in _KEPT:
                names.append(span)
        taken.update(i for span in doc.ents for i in range(span.start, span.end))
        names += _repeated(doc, names, taken)
        names.sort(key=lambda span: span.start)
        parties = _parties(names)
        doc.ents = sorted([*values, *parties], key=lambda span: span.start)
        named = [span for span in parties if span.id_]
        found = _resolved(doc, nominals, named)
        found += [span for span in _resolved(doc, self._found(doc, taken), named) if span.id_]
        doc.spans[NOMINALS] = sorted(found, key=lambda span: span.start)
        return doc

    def _found(self, doc: Doc, taken: set[int]) -> list[Span]:
        """The lexicon's descriptions that overlap nothing else."""
        return [
            Span(doc, start, end, label=doc.vocab.strings[key].split(".")[0])
            for key, start, end in sorted(self._nominals(doc), key=lambda match: match[1:])
            if taken.isdisjoint(range(start, end))
        ]


@Language.factory(
    "fr_deals_mentions",
    assigns=["doc.ents", "doc.spans"],
    requires=["doc.ents", "token.sent_start"],
)
def create(nlp: Language, name: str) -> MentionResolver:
    return MentionResolver(nlp)


def _values(doc: Doc, text: str, prose: int) -> Iterator[Span]:
    """The sums and dates of the prose as spans; where they overlap, the sum stays."""
    spans = []
    told = [(e.start_char, e.end_char) for e in doc.ents if e.label_ in MONEY_LABELS]
    sums = find_money(text, told)
    for number, money in enumerate(sums):
        if money.start >= prose:
            code = money_code(money, _nth_kept(sums, money.conversion_of, prose), number)
            span = _span(doc, money.start, money.end, Label.AMOUNT, code)
            odds = span[0].ent_kb_id_
            code = with_kind(code, _guess(span))
            spans.append(Span(doc, span.start, span.end, Label.AMOUNT, kb_id=odds, span_id=code))
    taken = {i for span in spans for i in range(span.start, span.end)}
    for date in find_dates(text, doc._.published):
        span = _span(doc, date.start, date.end, Label.DATE, date.value or "")
        if date.start >= prose and taken.isdisjoint(range(span.start, span.end)):
            spans.append(span)
    yield from filter_spans(spans)


def _guess(span: Span) -> str:
    """VALUATION where the NER takes the sum for one."""
    return Label.VALUATION if Label.VALUATION in (span[0].ent_type_, span[-1].ent_type_) else ""


def _nth_kept(sums: Sequence[MoneySpan], index: int | None, prose: int) -> int | None:
    return index if index is not None and sums[index].start >= prose else None


def _span(doc: Doc, start: int, end: int, label: str, id_: str) -> Span:
    """The tokens over ``[start, end)``; the tokenizer keeps sums and dates apart from the rest."""
    span = doc.char_span(start, end, label=label, span_id=id_, alignment_mode="expand")
    assert span is not None  # "expand" finds tokens for every stretch of the text
    return span


def _repeated(doc: Doc, names: Sequence[Span], taken: set[int]) -> list[Span]:
    """Names that stand again where the NER found nothing, with the label of their first place.

    A part of a longer name is left alone ("Ovalie" in "Ovalie Robotics"), and of two names that
    begin alike the longer is tried first. What is found is added to ``taken``.
    """
    orths = doc.to_array([ORTH]).tolist()
    known: dict[int, dict[tuple[int, ...], Span]] = defaultdict(dict)
    for span in names:
        if span.label_ in NAME_LABELS and any(c.isupper() for c in span.text):
            known[orths[span.start]].setdefault(tuple(orths[span.start : span.end]), span)
    out = []
    for at in [at for at, orth in enumerate(orths) if orth in known and at not in taken]:
        for words, span in sorted(known[orths[at]].items(), key=lambda name: -len(name[0])):
            end = at + len(words)
            free = taken.isdisjoint(range(at, end)) and not _goes_on(doc, at, end)
            if tuple(orths[at:end]) == words and free:
                out.append(Span(doc, at, end, span.label_, kb_id=span.kb_id_))
                taken.update(range(at, end))
    return out


def _goes_on(doc: Doc, start: int, end: int) -> bool:
    """Whether a capitalised word stands beside, before it not as the first of a sentence."""
    before, after = doc[start - 1 : start], doc[end : end + 1]
    return any(word.text[0].isupper() for word in after) or any(
        word.text[0].isupper() and not word.is_sent_start for word in before
    )


def _parties(spans: Sequence[Span]) -> list[Span]:
    """The spans with the number of their party as ``id_`` (none for rounds and instruments)."""
    named = [span for span in spans if span.label_ in NAME_LABELS]
    numbers = iter(unite([Name(span.text, span.label_) for span in named]))
    groups = iter(range(len(named), len(named) + len(spans)))
    out = []
    for span in spans:
        id_ = ""
        if span.label_ in NAME_LABELS:
            id_ = str(next(numbers))
        elif span.label_ == GROUP:
            id_ = str(next(groups))
        odds = span.kb_id_
        out.append(Span(span.doc, span.start, span.end, span.label_, kb_id=odds, span_id=id_))
    return out


def _taken_for(part: Label, names: Sequence[Span]) -> Sequence[Span]:
    """The names that the NER takes for a part; where there are none, those that may be one."""
    sure = [name for name in names if name.label_ == part]
    return sure or [name for name in names if part in read_odds(name.kb_id_)]


def _resolved(doc: Doc, nominals: Sequence[Span], names: Sequence[Span]) -> list[Span]:
    """Descriptions with the party that they stand for.

    A description stands for the nearest party before it that the NER takes for the same part
    (company, investor), or may be one where it takes none for that; "ce dernier" for the nearest
    name at all; a company that is described before it is named is the first one named after.
    """
    by_part = {part: _taken_for(part, names) for part in (Label.COMPANY, Label.INVESTOR)}
    out = []
    for span in nominals:
        part = Label.COMPANY if span.label_ == NOM_COMPANY else Label.INVESTOR
        candidates = names if span.text.lower() in _LAST_NAMED else by_part[part]
        at = bisect_right(candidates, span.start, key=lambda name: name.end)
        chosen = candidates[at - 1] if at else next(iter(candidates), None)
        id_ = chosen.id_ if chosen is not None else ""
        out.append(Span(doc, span.start, span.end, label=span.label_, span_id=id_))
    return out
