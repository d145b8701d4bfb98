"""Loading the pipeline and running it over articles."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TypeVar

import spacy
from spacy.language import Language
from spacy.tokens import Doc

import pipeline.codes
import pipeline.components.events
import pipeline.components.mentions
import pipeline.components.sentences
import pipeline.components.tokenisation
import pipeline.vectors  # noqa: F401  (like the four above it registers what a model names)
from pipeline.errors import ModelError
from pipeline.normalise.unicode import Composed, compose
from pipeline.reader import split_head
from pipeline.schema import Article, Event, TypedMention

MODEL = Path(__file__).resolve().parent.parent / "models" / "fr_deals_md"
"""The model that is used where none is named."""


_READER = "fr_deals_events"
_CRLF = re.compile("\r\n")
_PLAIN = str.maketrans({"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u02bc": "'", "\u2019": "'"})


@dataclass(frozen=True, slots=True)
class Reading:
    """What one article tells: its deals and every typed mention."""

    article: Article
    events: tuple[Event, ...]
    mentions: tuple[TypedMention, ...]


def load(model: str | Path | None = None, *, exclude: Iterable[str] = ()) -> Language:
    """The trained pipeline: a folder, an installed package, or the one of the repository.

    Raises:
        ModelError: when there is no model at that place, or it cannot be read.
    """
    name = MODEL if model is None else model
    left_out = list(exclude)
    try:
        nlp = spacy.load(name, exclude=left_out)
    except (OSError, ValueError, KeyError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"no model that can be read at {name}: "
            f"train one with python -m pipeline.train ({reason})"
        ) from error
    if _READER not in (*nlp.component_names, *left_out):
        raise ModelError(
            f"no model that can be read at {name}: "
            f"train one with python -m pipeline.train (it has no {_READER})"
        )
    nlp.max_length = 10**9  # a long article is read whole; nothing here is quadratic in memory
    return nlp


def plain(text: str) -> str:
    """The text with one sort of apostrophe and space, and of the same length.

    The models see each word in one spelling only, so that a curly apostrophe or a no-break
    space changes no deal; offsets stay what they are.
    """
    return text.translate(_PLAIN)


def readable(text: str) -> Composed:
    """What the models read of a text, with the way back to the offsets of the text.

    Accents are composed, apostrophes, spaces and line ends are of one sort, and a date head,
    which is no part of the prose, is blank.
    """
    composed = compose(text)
    prose = split_head(composed.text)[1]
    blanked = " " * prose + composed.text[prose:]
    ends = [match.end() for match in _CRLF.finditer(blanked)]
    read = plain(blanked).replace("\r\n", "\n").replace("\r", "\n")
    if not ends:
        return Composed(read, composed.boundaries, composed.origins)
    inside = {end - 1 for end in ends}
    shared = [
        (boundary - bisect_right(ends, boundary), origin)
        for boundary, origin in zip(composed.boundaries, composed.origins, strict=True)
        if boundary not in inside
    ]
    boundaries, origins = zip(*shared, strict=True)
    return Composed(read, boundaries, origins)


def read_deals(
    nlp: Language,
    articles: Iterable[Article],
    *,
    n_process: int = 1,
    batch_size: int = 64,
) -> Iterator[Reading]:
    """Reads articles in order; offsets count in ``article.text`` as it was given."""

    def documents() -> Iterator[tuple[Doc, Article]]:
        for article in articles:
            doc = nlp.make_doc(readable(article.text).text)
            doc._.published = article.published
            yield doc, article

    pairs = nlp.pipe(documents(), as_tuples=True, n_process=n_process, batch_size=batch_size)
    for doc, article in pairs:
        yield _reading(doc, article)


def extract(text: str, nlp: Language, *, published: str | None = None) -> tuple[Event, ...]:
    """The deals that one text tells; ``published`` is its date (ISO 8601), which it may hold."""
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    day = split_head(text)[0] if published is None else published
    article = Article(id=digest[:16], published=day, sha256=digest, text=text)
    (reading,) = read_deals(nlp, [article])
    return reading.events


_ModelT = TypeVar("_ModelT", Event, TypedMention)


def _reading(doc: Doc, article: Article) -> Reading:
    ref = article.ref()
    read = readable(article.text)
    events = tuple(
        _moved(event, read, article.text).model_copy(
            update={"article": ref, "id": f"{article.id}-{event.id}"}
        )
        for event in doc._.events
    )
    mentions = tuple(
        _moved(mention, read, article.text).model_copy(update={"article": article.id})
        for mention in doc._.mentions
    )
    return Reading(article, events, mentions)


def _moved(model: _ModelT, read: Composed, text: str) -> _ModelT:
    """The same facts with their mentions as they stand in ``text``, of which ``read`` was read."""
    if read.text == text:
        return model

    def move(value: object) -> object:
        if isinstance(value, dict):
            moved = {key: move(part) for key, part in value.items()}
            if {"start", "end", "text"} <= moved.keys():
                start, end = read.original(value["start"], value["end"])
                moved.update(start=start, end=end, text=text[start:end])
            return moved
        if isinstance(value, list | tuple):
            return [move(part) for part in value]
        return value

    return type(model).model_validate(move(model.model_dump()))
