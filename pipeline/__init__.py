"""Reads the deals out of French financial news.

>>> import pipeline
>>> nlp = pipeline.load()                                               # doctest: +SKIP
>>> [event.company.name for event in nlp("Alpha lève 3 M€.")._.events]  # doctest: +SKIP
['Alpha']
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pipeline.library import extract, load, read_deals
    from pipeline.reader import read_articles
    from pipeline.schema import Article, Event, Money
    from pipeline.writer import write_events

_HOMES = {
    "Article": "pipeline.schema",
    "Event": "pipeline.schema",
    "Money": "pipeline.schema",
    "extract": "pipeline.library",
    "load": "pipeline.library",
    "read_articles": "pipeline.reader",
    "read_deals": "pipeline.library",
    "write_events": "pipeline.writer",
}

__all__ = [
    "Article",
    "Event",
    "Money",
    "extract",
    "load",
    "read_articles",
    "read_deals",
    "write_events",
]


def __getattr__(name: str) -> Any:
    """Imports on first use, so that ``--help`` and the schema do not wait for spaCy."""
    if name in _HOMES:
        return getattr(import_module(_HOMES[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
