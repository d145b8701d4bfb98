"""Loading the pipeline and running it over articles."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any
from unicodedata import combining

import spacy
import srsly
from spacy import util
from spacy.language import Language
from spacy.tokens import Doc

import pipeline.codes
import pipeline.components.attributes
import pipeline.components.events
import pipeline.components.mentions
import pipeline.components.recognition
import pipeline.components.sentences
import pipeline.components.tokenisation
import pipeline.vectors  # noqa: F401  (like the five above it registers what a model names)
from pipeline.errors import DealReaderError, InputError, ModelError
from pipeline.model_folder import MODEL as MODEL
from pipeline.model_folder import check, packaged, require_transformers
from pipeline.normalise.unicode import Composed, compose
from pipeline.reader import split_head
from pipeline.schema import Article, Event, TypedMention
from pipeline.workers import Workers, articles_of, batches, merged, not_read

MAX_LENGTH = 10**9
"""Characters of a text; the reader's limit is lower, and speaks of files."""

_KEPT_WORDS = 50_000
_READER = "fr_deals_events"
_CRLF = re.compile("\r\n")
_MOST_MARKS = 30
# Marks are no word characters and stand beyond U+02FF.
_MARKS = re.compile(rf"[^\w\s\x00-\u02ff]{{{_MOST_MARKS + 1},}}")
_PLAIN = str.maketrans(
    {"\u00a0": " ", "\u202f": " ", "\u2009": " ", "\u02bc": "'", "\u2019": "'"}
    # spaCy refuses lone surrogates.
    | {chr(code): "\ufffd" for code in range(0xD800, 0xE000)}
)


@dataclass(frozen=True, slots=True)
class Reading:
    """What one article tells: its deals and every typed mention."""

    article: Article
    events: tuple[Event, ...]
    mentions: tuple[TypedMention, ...]


def load(model: str | Path | None = None, *, exclude: Iterable[str] = ()) -> Language:
    """The trained pipeline: a folder, an installed package, or the one of the repository.

    Raises:
        ModelError: when there is no model at that place, it is damaged, or it was made with
            another minor version of spaCy, or it is a transformer and the extra is missing.
    """
    name = MODEL if model is None else model
    left_out = list(exclude)
    try:
        folder = _folder(name)
        check(folder)
        _refuse_other_spacy(folder)
        _refuse_missing_extra(folder)
        nlp = spacy.load(name, exclude=left_out)
    except DealReaderError:
        raise
    except Exception as error:  # a damaged file can make anything of spaCy fail
        raise _unreadable(name, f"{type(error).__name__}: {error}") from error
    if _READER not in (*nlp.component_names, *left_out):
        raise _unreadable(name, f"it has no {_READER}")
    nlp.max_length = MAX_LENGTH
    return nlp


def _folder(model: str | Path) -> Path:
    """The folder that holds the files of a model."""
    if not Path(model).exists() and util.is_package(str(model)):
        return packaged(str(model))
    return Path(model)


def _refuse_other_spacy(folder: Path) -> None:
    wanted = srsly.read_json(folder / "meta.json")["spacy_version"]
    made_with = util.get_model_lower_version(wanted)
    if made_with and not util.is_minor_version_match(made_with, spacy.__version__):
        raise ModelError(
            f"the model at {folder} was made for spaCy {wanted}, and this is {spacy.__version__}: "
            f'run pip install "spacy{wanted}", or train it anew with python -m pipeline.train'
        )


def _refuse_missing_extra(folder: Path) -> None:
    if "transformer" in srsly.read_json(folder / "meta.json").get("pipeline", ()):
        require_transformers()


def _unreadable(model: str | Path, reason: str) -> ModelError:
    return ModelError(
        f"no model that can be read at {model}: install it again, or train one with "
        f"python -m pipeline.train ({' '.join(reason.split())})"
    )


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
    composed = compose(_MARKS.sub(_fewer_marks, text))
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


def _fewer_marks(run: re.Match[str]) -> str:
    """At most 30 marks on a letter, as in UAX #15: to sort more of them takes quadratic time."""
    kept, rest = run[0][:_MOST_MARKS], run[0][_MOST_MARKS:]
    return kept + "".join("\ufffd" if combining(character) else character for character in rest)


def read_deals(
    nlp: Language,
    articles: Iterable[Article | InputError],
    *,
    n_process: int = 1,
    batch_size: int = 64,
) -> Iterator[Reading]:
    """Reads articles in order; offsets count in ``article.text`` as it was given.

    ``articles`` may come straight from :func:`pipeline.read_articles`. Memory does not grow with
    their number; more than one process are fed in batches of their own size, and rebuild ``nlp``
    from its config and bytes, so that components of your own must be known by entry points.

    Raises:
        InputError: where an article cannot be read, when its turn comes; see :func:`read_each`.
        ModelError: where the model cannot be used.
    """
    for reading in read_each(nlp, articles, n_process=n_process, batch_size=batch_size):
        if isinstance(reading, InputError):
            raise reading
        yield reading


def read_each(
    nlp: Language,
    articles: Iterable[Article | InputError],
    *,
    n_process: int = 1,
    batch_size: int = 64,
) -> Iterator[Reading | InputError]:
    """As :func:`read_deals`, but what cannot be read comes as its error, and the rest goes on."""
    items = ((item, item) for item in articles)
    if n_process == 1:
        for batch in batches(items, batch_size):
            answers = _read_batch(nlp, articles_of(batch))
            yield from (answer for _, answer in merged(batch, answers))
        return
    setup = {"config": nlp.config.to_str(), "mentions": True}
    with Workers(n_process, setup, nlp.to_bytes()) as workers:
        for item, answer in workers.read(items):
            if isinstance(answer, InputError):
                yield answer
            else:
                assert isinstance(item, Article)
                events = map(Event.model_validate_json, answer.events)
                mentions = map(TypedMention.model_validate_json, answer.mentions)
                yield Reading(item, tuple(events), tuple(mentions))


def _read_batch(nlp: Language, articles: list[Article]) -> list[Reading | InputError]:
    try:
        with _forgetting(nlp):
            read = [readable(article.text) for article in articles]
            docs = nlp.pipe(_documents(nlp, articles, read), batch_size=len(articles) or 1)
            return [_reading(*each) for each in zip(docs, articles, read, strict=True)]
    except DealReaderError:
        raise
    except Exception as error:  # whatever it is, it must not cost the other articles
        if len(articles) > 1:
            return [reading for article in articles for reading in _read_batch(nlp, [article])]
        (article,) = articles
        failure = not_read(article, f"{type(error).__name__}: {error}")
        failure.__cause__ = error
        return [failure]


def _forgetting(nlp: Language) -> AbstractContextManager[object]:
    """A block after which the words met in it are forgotten, so that memory does not grow.

    The first words are kept: spaCy's tokenizer looks up a word that it knows and takes one that
    it must forget apart anew, at a seventh of the speed.
    """
    if len(nlp.vocab) < _KEPT_WORDS or nlp.vocab.in_memory_zone:  # type: ignore[attr-defined]
        return nullcontext()
    return nlp.memory_zone()


def _documents(nlp: Language, articles: list[Article], read: list[Composed]) -> Iterator[Doc]:
    for article, composed in zip(articles, read, strict=True):
        doc = nlp.make_doc(composed.text)
        doc._.published = article.published
        yield doc


def extract(text: str, nlp: Language, *, published: str | None = None) -> tuple[Event, ...]:
    """The deals that one text tells; ``published`` is its date (ISO 8601), which it may hold."""
    digest = sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
    day = split_head(text)[0] if published is None else published
    article = Article(id=digest[:16], published=day, sha256=digest, text=text)
    (reading,) = read_deals(nlp, [article])
    return reading.events


def _reading(doc: Doc, article: Article, read: Composed) -> Reading:
    """What the records of the last pipe say, checked once, when all is in its place."""
    records = doc._.deal_records or {"events": (), "mentions": ()}
    article_ref = article.ref()
    moved = _moved(records, read, article.text)
    events = (
        {**record, "article": article_ref, "id": f"{article.id}-{record['id']}"}
        for record in moved["events"]
    )
    mentions = ({**record, "article": article.id} for record in moved["mentions"])
    return Reading(
        article,
        tuple(map(Event.model_validate, events)),
        tuple(map(TypedMention.model_validate, mentions)),
    )


def _moved(records: Any, read: Composed, text: str) -> Any:
    """The same records with mentions as they stand in ``text``, of which ``read`` was read."""
    if read.text == text:
        return records

    def move(value: Any) -> Any:
        if isinstance(value, dict):
            moved = {key: move(part) for key, part in value.items()}
            if "text" in moved and "start" in moved:
                start, end = read.original(value["start"], value["end"])
                moved.update(start=start, end=end, text=text[start:end])
            return moved
        if isinstance(value, list):
            return [move(part) for part in value]
        return value

    return move(records)
