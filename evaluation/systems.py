"""What is scored side by side: the whole pipeline and three poorer readings of the same text.

A system is a function from articles to one prediction each, in the same order. spaCy and the
pipeline are imported when a system is made, not when this module is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from evaluation import baselines, rules
from evaluation.deals import from_event
from evaluation.gold import Span
from evaluation.score import Prediction
from pipeline.schema import Article, Event, TypedMention

if TYPE_CHECKING:
    from spacy.language import Language

System = Callable[[Sequence[Article]], list[Prediction]]

TRAINED_PIPES = ("tok2vec", "ner")


def prediction(events: Iterable[Event], mentions: Iterable[TypedMention]) -> Prediction:
    """What a Reading of the pipeline says, as the scorers see it."""
    return Prediction(
        deals=tuple(from_event(event) for event in events),
        spans=tuple(Span(m.start, m.end, m.label, m.kind) for m in mentions),
    )


def whole(model: Path | None = None) -> System:
    """The pipeline with the shipped model, or with the model in a folder."""
    from pipeline.library import load

    return _pipeline(load(model))


def ner_only() -> System:
    """The trained NER alone; all it finds in an article makes one deal."""
    from pipeline.library import load

    nlp = load()

    def read(articles: Sequence[Article]) -> list[Prediction]:
        with nlp.select_pipes(enable=list(TRAINED_PIPES)):
            docs = list(nlp.pipe(article.text for article in articles))
        return [
            baselines.one_deal([(e.start_char, e.end_char, e.label_) for e in doc.ents], article)
            for doc, article in zip(docs, articles, strict=True)
        ]

    return read


SYSTEMS: dict[str, Callable[[], System]] = {
    "whole": whole,
    "rules only": rules.rules_only,
    "NER only": ner_only,
    "baseline": baselines.baseline,
}


def _pipeline(nlp: Language) -> System:
    from pipeline.library import read_deals

    def read(articles: Sequence[Article]) -> list[Prediction]:
        return [prediction(r.events, r.mentions) for r in read_deals(nlp, articles)]

    return read
