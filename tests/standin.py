"""A stand-in for the workers of the command line, and the command line with it."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from typer.testing import CliRunner, Result

from pipeline.errors import InputError
from pipeline.normalise.unicode import compose
from pipeline.reader import Place
from pipeline.run import app
from pipeline.schema import (
    AmountKind,
    Article,
    Certainty,
    Event,
    EventType,
    Focus,
    Investor,
    InvestorRole,
    Label,
    Mention,
    Money,
    Party,
    Qualifier,
    Status,
    TypedMention,
)
from pipeline.workers import Lines
from pipeline.writer import event_json, mention_json

ROOT = Path(__file__).parent.parent
PROSE = "La société lève 5 M€."


def read_article(article: Article) -> Lines:
    """One deal where the text says ``lève``, whatever its accents, with that word's place."""
    composed = compose(article.text)
    at = composed.text.find("lève")
    if at < 0:
        return Lines((), ())
    start, end = composed.original(at, at + 4)
    mention = Mention(start=start, end=end, text=article.text[start:end])
    amount = Money(
        value=Decimal(5_000_000), currency="EUR", qualifier=Qualifier.AT_LEAST, mention=mention
    )
    event = Event(
        id=f"{article.id}-1",
        article=article.ref(),
        type=EventType.FINANCING,
        focus=Focus.MAIN,
        status=Status.CLOSED,
        certainty=Certainty.ASSERTED,
        company=Party(name="[bold]Société", id="societe", mentions=(mention,)),
        amount=amount,
        investors=(
            Investor(name="Chef", id="chef", mentions=(mention,), role=InvestorRole.LEAD),
            Investor(name="Suite", id="suite", mentions=(mention,)),
        ),
        confidence=0.8,
    )
    typed = TypedMention(
        **mention.model_dump(), article=article.id, label=Label.AMOUNT, kind=AmountKind.DEAL
    )
    return Lines((event_json(event),), (mention_json(typed),))


class Reader:
    """Stands in for :class:`pipeline.workers.Workers`, its making and its use."""

    def __init__(self) -> None:
        self.models: list[str | None] = []
        self.processes: list[int] = []
        self.failures: dict[str, BaseException] = {}
        self.setup: Mapping[str, Any] = {}

    def __call__(self, count: int, setup: Mapping[str, Any]) -> Reader:
        self.processes.append(count)
        self.setup = setup
        return self

    def __enter__(self) -> Reader:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def read(
        self, items: Iterable[tuple[Place, Article | InputError]]
    ) -> Iterator[tuple[Place, Lines | InputError]]:
        for place, item in items:
            if isinstance(item, InputError):
                yield place, item
                continue
            self.models.append(self.setup["model"])
            if item.id in self.failures:
                raise self.failures[item.id]
            lines = read_article(item)
            yield place, lines if self.setup["mentions"] else Lines(lines.events, ())


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=stdin)


def ids(result: Result) -> list[str]:
    return [json.loads(line)["id"] for line in result.stdout.splitlines()]


# In a process of its own.
BOOT = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
import pipeline.run
import standin
pipeline.run.Workers = standin.Reader()
pipeline.run.app()
"""


def command(*arguments: str) -> list[str]:
    code = BOOT.format(root=str(ROOT), tests=str(Path(__file__).parent))
    return [sys.executable, "-c", code, *arguments]
