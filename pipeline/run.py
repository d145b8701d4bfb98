"""The command line: ``python -m pipeline.run INPUT`` reads articles and writes their deals."""

from __future__ import annotations

import io
import logging
import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from itertools import chain
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, TextIO

import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table
from rich.text import Text

from pipeline.errors import DealReaderError
from pipeline.reader import count_articles, read_articles
from pipeline.schema import Article, Event, InvestorRole, Money, Qualifier
from pipeline.writer import atomic_open, write_events, write_mentions

if TYPE_CHECKING:
    from pipeline.library import Reading

_TABLE_ROWS = 50
_SIGNS = {Qualifier.AT_LEAST: "≥ ", Qualifier.AT_MOST: "≤ ", Qualifier.APPROXIMATE: "~ "}

_EPILOG = """\
**Examples**

`python -m pipeline.run seeds/`

`python -m pipeline.run seeds/ -o deals.jsonl --mentions mentions.jsonl`

`python -m pipeline.run corpus.jsonl --jobs 2 | jq .company.name`

`cat article.txt | python -m pipeline.run -`

**Exit status**

0: every article was read

1: one or more were not, and standard error says which and why (the others were read);
or nothing could be written

2: the command itself is wrong
"""

app = typer.Typer(add_completion=False, pretty_exceptions_enable=False, rich_markup_mode="markdown")


@app.command(epilog=_EPILOG)
def main(
    source: Annotated[
        str,
        typer.Argument(
            metavar="INPUT",
            help="A .txt or .md file (one article), a .jsonl file (one article a line: "
            "`text`, and where known `id`, `published`, `title`, `outlet`, `url`), "
            "a folder of these, or - for standard input.",
            show_default=False,
        ),
    ],
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write the deals to FILE, whole or not at all, not to standard output.",
        ),
    ] = None,
    mentions: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Also write every mention to FILE: its label, its kind and its value.",
        ),
    ] = None,
    jobs: Annotated[
        int, typer.Option(min=1, metavar="N", help="Processes; the output is the same for any N.")
    ] = 1,
    model: Annotated[
        Path | None,
        typer.Option(
            exists=True,
            file_okay=False,
            metavar="PATH",
            help="The folder of another trained model than the one that is shipped.",
        ),
    ] = None,
) -> None:
    """Read French articles and write every deal that they tell.

    Standard output is JSONL and nothing else: one deal a line, in the order of the articles,
    each fact with its place in the text. On a terminal, standard error shows a progress bar and
    a table of the deals; elsewhere only warnings and errors.
    """
    _refuse_one_file_twice(source, output, mentions)
    try:
        failures = _run(source, output, mentions, jobs, model)
    except DealReaderError as error:
        _say("error", error)
        failures = 1
    raise typer.Exit(1 if failures else 0)


@dataclass
class _Tally:
    """What the run has seen; only the first events are kept, for the table."""

    articles: int = 0
    failures: int = 0
    deals: int = 0
    shown: list[Event] = field(default_factory=list)

    def add(self, reading: Reading) -> None:
        self.articles += 1
        self.deals += len(reading.events)
        self.shown.extend(reading.events[: _TABLE_ROWS - len(self.shown)])


def _run(
    source: str, output: Path | None, mentions: Path | None, jobs: int, model: Path | None
) -> int:
    """Read and write everything; how many articles could not be read."""
    terminal = sys.stderr.isatty()
    tally = _Tally()
    with ExitStack() as stack:
        stack.enter_context(_warnings_said())
        events_out = stack.enter_context(atomic_open(output)) if output else _stdout()
        mentions_out = stack.enter_context(atomic_open(mentions)) if mentions else None
        # A bar would be torn by lines that go to the same screen.
        bar = _bar(hidden=not terminal or events_out.isatty())
        task = bar.add_task("reading", total=count_articles(source) if terminal else None)

        def articles() -> Iterator[Article]:
            for item in read_articles(source):
                if isinstance(item, Article):
                    yield item
                else:
                    tally.failures += 1
                    bar.advance(task)
                    _say("error", item)

        stack.enter_context(bar)
        for reading in _readings(articles(), model, jobs):
            write_events(reading.events, events_out)
            if mentions_out:
                write_mentions(reading.mentions, mentions_out)
            tally.add(reading)
            bar.advance(task)
        if not tally.articles and (output or mentions):
            raise DealReaderError("no article was read; no file is written")
    if terminal:
        _show(tally)
    return tally.failures


def _readings(articles: Iterator[Article], model: Path | None, jobs: int) -> Iterator[Reading]:
    first = next(articles, None)
    if first is None:
        return
    # spaCy takes a second to import: not for --help, nor to say that a file is missing.
    from pipeline.library import load, read_deals

    yield from read_deals(load(model), chain([first], articles), n_process=jobs)


def _refuse_one_file_twice(source: str, output: Path | None, mentions: Path | None) -> None:
    places = [os.path.realpath(place) for place in (source, output, mentions) if place]
    if len(set(places)) < len(places):
        raise typer.BadParameter("INPUT, --output and --mentions must be different files")


def _stdout() -> TextIO:
    """Standard output as JSONL needs it, whatever the locale says."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(encoding="utf-8", newline="\n")
    return sys.stdout


def _say(kind: str, message: object) -> None:
    """One line on standard error, even of a file name that holds a line end."""
    print(f"{kind}:", " ".join(str(message).splitlines()), file=sys.stderr)


class _Sayer(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        _say(record.levelname.lower(), record.getMessage())


@contextmanager
def _warnings_said() -> Iterator[None]:
    logger, sayer = logging.getLogger("pipeline"), _Sayer()
    logger.addHandler(sayer)
    try:
        yield
    finally:
        logger.removeHandler(sayer)


def _bar(*, hidden: bool) -> Progress:
    return Progress(
        console=Console(stderr=True),
        disable=hidden,
        transient=True,
        redirect_stdout=False,  # else rich would send the JSONL to standard error
    )


def _show(tally: _Tally) -> None:
    table = Table(title="Deals")
    for name in ("company", "type", "amount", "valuation", "led by", "status"):
        table.add_column(name)
    table.add_column("confidence", justify="right")
    table.add_column("article")
    for event in tally.shown:
        leads = (i.name for i in event.investors if i.role is InvestorRole.LEAD)
        cells = (
            event.company.name,
            event.type,
            _humanised(event.amount),
            ", ".join(map(_humanised, event.valuations)),
            ", ".join(leads),
            event.status,
            f"{event.confidence:.2f}",
            event.article.id,
        )
        table.add_row(*map(Text, cells))
    console = Console(stderr=True, highlight=False)
    if tally.shown:
        console.print(table)
    counts = f"articles read: {tally.articles} · not read: {tally.failures} · deals: {tally.deals}"
    unseen = tally.deals - len(tally.shown)
    console.print(counts + (f" (the last {unseen} not in the table)" if unseen else ""))


def _humanised(money: Money | None) -> str:
    """A sum for the eye: ``≥ $6.6B``, ``€10M – €15M``; ``¤`` where the currency is unknown."""
    # Only the table needs Babel.
    from babel.numbers import format_compact_currency

    if money is None:
        return ""
    ends = (money.value, money.min, money.max)
    currency = money.currency or "XXX"
    return _SIGNS.get(money.qualifier, "") + " – ".join(
        format_compact_currency(end, currency, locale="en", fraction_digits=1)
        for end in ends
        if end is not None
    )


if __name__ == "__main__":
    app()
