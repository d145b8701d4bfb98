"""The right answers to the questions of :mod:`pipeline.attributes`, read off a gold article."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import defaultdict

from pipeline.attributes import COLUMN_OF
from pipeline.markup import GoldArticle, GoldEvent, GoldMention
from pipeline.schema import NAME_LABELS, EventType, Label

_SENTENCE_END = re.compile(r"[.!?…][»”\"]?\s+(?=\W*[A-ZÀÂÄÇÉÈÊËÎÏÔÖÙÛÜŸŒ])|\n+")


def gold_attributes(article: GoldArticle) -> list[list[int]]:
    """For each mark the columns of the right answers to what is asked of it."""
    reader = _Reader(article)
    return [[COLUMN_OF[told] for told in reader.told(mark)] for mark in article.mentions]


class _Reader:
    """What hangs on the whole article."""

    def __init__(self, article: GoldArticle) -> None:
        self.events = article.events
        self.chains = article.by_id()
        self.members: dict[str, list[GoldEvent]] = defaultdict(list)
        """By id the events in which it plays a part."""
        for event in article.events:
            for id_ in event.members:
                self.members[id_].append(event)
        self.timings = {part.timing for event in article.events for part in event.components}
        self.ends = [match.end() for match in _SENTENCE_END.finditer(article.text)]
        self.deeds = {place for event in article.events for place in self._deeds(event)}

    def told(self, mark: GoldMention) -> list[str]:
        """The answers, as columns are named."""
        event = self._nearest(mark)
        out = [] if event is None else [
            f"type={event.type}", f"status={event.status}", f"certainty={event.certainty}"
        ]  # fmt: skip
        if mark.kind is not None:
            out.append(f"kind={mark.kind}")
        if mark.label is Label.DATE:
            out.append(f"when={self._when(mark, event)}")
        if mark.label in NAME_LABELS:
            is_here = (mark.id, mark.start) in self.deeds
            out += [f"part={self._part(mark)}", f"deed={'here' if is_here else 'none'}"]
        if mark.label in (Label.MEDIA, Label.PERSON, Label.ORG):
            is_source = event is not None and mark.id in event.sources
            out.append(f"source={'yes' if is_source else 'no'}")
        if mark.label is Label.INVESTOR and event is not None:
            own = (investor for investor in event.investors if investor.ref == mark.id)
            for investor in own:
                out += [f"role={investor.role}", f"commitment={investor.commitment}"]
        return out

    def _nearest(self, mark: GoldMention) -> GoldEvent | None:
        """Of the events in which a mark plays a part the one whose sum, or company, is nearest."""

        def gap(event: GoldEvent) -> int:
            anchor = event.amount or event.company
            if event.type is EventType.VALUATION and event.valuations:
                anchor = event.valuations[0].ref
            return min(abs(other.start - mark.start) for other in self.chains[anchor])

        return min(self.members.get(mark.id or "", ()), key=gap, default=None)

    def _when(self, mark: GoldMention, event: GoldEvent | None) -> str:
        if event is not None and mark.id in (event.date, event.expected_close):
            return "date" if mark.id == event.date else "expected_close"
        return "timing" if mark.id in self.timings and mark.id is not None else "none"

    def _part(self, mark: GoldMention) -> str:
        """What a party is in the whole article, as the model of that name asks."""
        chain = self.chains.get(mark.id, ()) if mark.id is not None else ()
        labels = {mark.label, *(other.label for other in chain)}
        return next((p for p in (Label.COMPANY, Label.INVESTOR) if p in labels), mark.label)

    def _deeds(self, event: GoldEvent) -> list[tuple[str, int]]:
        """Where the company of an event without a sum is named beside an investor or its date.

        Where it never is: its first mention.
        """
        if event.amount is not None or event.type is EventType.VALUATION:
            return []
        partners = [investor.ref for investor in event.investors]
        partners += [date for date in (event.date, event.expected_close) if date is not None]
        telling = {self._sentence(mark) for id_ in partners for mark in self.chains[id_]}
        own = self.chains[event.company]
        told = [mark for mark in own if self._sentence(mark) in telling] or own[:1]
        return [(event.company, mark.start) for mark in told]

    def _sentence(self, mark: GoldMention) -> int:
        return bisect_right(self.ends, mark.start)
