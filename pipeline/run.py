"""The command line: ``python -m pipeline.run INPUT`` reads articles and writes their deals.

spaCy is imported by the workers alone: not for ``--help``, nor to say that a file is missing.
"""

from __future__ import annotations

import io
import json
import logging
import os
import re
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Annotated, TextIO

import typer
from rich.console import Console
from rich.progress import (
    BarColumn,
    Progress,
    ProgressColumn,
    Task,
    TaskProgressColumn,
    TextColumn,
    TimeRemainingColumn,
)
from rich.table import Table
from rich.text import Text

from pipeline.errors import DealReaderError, InputError
from pipeline.model_folder import packaged, reader_digest
from pipeline.reader import Place, count_articles, read_places
from pipeline.schema import Event, InvestorRole, Money, Qualifier
from pipeline.workers import CHARACTERS_A_SECOND, TIME_LIMIT, Workers
from pipeline.writer import (
    Journal,
    atomic_open,
    is_interrupted,
    journal_open,
    write_lines,
)

_TABLE_ROWS = 50
_SIGNS = {Qualifier.AT_LEAST: "≥ ", Qualifier.AT_MOST: "≤ ", Qualifier.APPROXIMATE: "~ "}
_INTERRUPTED = 130  # 128 + SIGINT, as shells have it
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")

_EPILOG = f"""\
**Long runs**

With `-o FILE` the deals grow in `FILE.partial`, and about once a second `FILE.progress` notes
how far they go (likewise `FILE.partial` of `--mentions`). FILE itself appears at the very end,
whole; until then what stood there before is untouched. Whatever interrupts the run (Ctrl-C,
`kill -9`, a full disk), the same command with `--resume` cuts the partial file back to the last
note and goes on from there: no deal is lost or doubled. It begins at the beginning where there is
nothing to go on from, so it may always be given. Another INPUT, `--mentions`,
`--min-confidence`, model or code is refused, and so is a JSONL file whose lines have changed
since; without `--resume` what an interrupted run left is begun anew.

A worker process that dies (for want of memory, say) is told and replaced, and its articles are
tried again; the article that ends a second one is named as not read. So is one that takes too
long: a worker has {TIME_LIMIT} seconds, and one more for each {CHARACTERS_A_SECOND:,} characters.

**Examples**

`python -m pipeline.run seeds/`

`python -m pipeline.run seeds/ -o deals.jsonl --mentions mentions.jsonl`

`python -m pipeline.run corpus.jsonl --jobs 2 | jq .company.name`

`python -m pipeline.run archive/ -o deals.jsonl --jobs 2 --resume`

`cat article.txt | python -m pipeline.run -`

**Exit status**

0: every article was read

1: one or more were not, and standard error says which and why (the others were read);
or nothing could be written

2: the command itself is wrong

130: interrupted by Ctrl-C
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
        int,
        typer.Option(
            min=1, metavar="N", help="Worker processes; the output is the same for any N."
        ),
    ] = 1,
    model: Annotated[
        str | None,
        typer.Option(
            metavar="MODEL",
            help="Another trained model than the one that is shipped: its folder, or the name "
            "of its installed package.",
        ),
    ] = None,
    min_confidence: Annotated[
        float,
        typer.Option(
            min=0,
            max=1,
            metavar="X",
            help="Leave out the deals whose `confidence` is below X: how probable it is, from 0 "
            "to 1, that the text tells such a deal at all. Mentions are written all the same.",
        ),
    ] = 0,
    resume: Annotated[
        bool,
        typer.Option(
            "--resume", help="Go on where an interrupted run of the same command stopped."
        ),
    ] = False,
) -> None:
    """Read French articles and write every deal that they tell.

    Standard output is JSONL and nothing else: one deal a line, in the order of the articles,
    each fact with its place in the text. On a terminal, standard error shows the progress and
    a table of the deals; elsewhere only warnings and errors.
    """
    _refuse_one_file_twice(source, output, mentions)
    if resume and output is None:
        raise typer.BadParameter("--resume needs --output FILE")
    folder = _model_folder(model) if model is not None else None
    status = 1
    try:
        if not _run(source, output, mentions, jobs, folder, resume, min_confidence):
            status = 0
    except DealReaderError as error:
        _say("error", "; ".join((str(error), *_notes(error))))
    except KeyboardInterrupt as interrupt:
        _say("error", "; ".join(("interrupted", *_notes(interrupt))))
        status = _INTERRUPTED
    raise typer.Exit(status)


@dataclass
class _Tally:
    """What the run has seen; the counts travel in the journal."""

    articles: int = 0
    failures: int = 0
    deals: int = 0


@dataclass
class _Outputs:
    events: TextIO
    mentions: TextIO | None
    journal: Journal | None = None
    tally: _Tally = field(default_factory=_Tally)
    after: Place | None = None
    """What an interrupted run had read."""

    def mark(self, place: Place) -> None:
        if self.journal is not None:
            self.journal.mark({"after": place, "tally": asdict(self.tally)})


def _run(
    source: str,
    output: Path | None,
    mentions: Path | None,
    jobs: int,
    model: Path | None,
    resume: bool,
    min_confidence: float,
) -> int:
    """Read and write everything; how many articles could not be read."""
    terminal = sys.stderr.isatty()
    shown: list[str] = []
    with ExitStack() as stack:
        stack.enter_context(_warnings_said())
        run = {
            "INPUT": source if source == "-" else f"{Path(source)} ({os.path.realpath(source)})",
            "--mentions": os.path.realpath(mentions) if mentions else "",
            "--min-confidence": str(min_confidence),
            "model or code": reader_digest(model) if output else "",
        }
        out = _opened(output, mentions, run, resume, stack)
        tally = out.tally
        # A bar would be torn by lines that go to the same screen.
        bar = _bar(hidden=not terminal or out.events.isatty())
        total = count_articles(source) if terminal else None
        task = bar.add_task("reading", total=total, completed=tally.articles + tally.failures)
        setup = {"model": model and str(model), "mentions": mentions is not None}
        workers = stack.enter_context(Workers(jobs, setup))
        stack.enter_context(bar)
        for place, lines in workers.read(read_places(source, after=out.after)):
            if isinstance(lines, InputError):
                tally.failures += 1
                _say("error", lines)
            else:
                events = _sure(lines.events, min_confidence)
                write_lines(events, out.events)
                if out.mentions:
                    write_lines(lines.mentions, out.mentions)
                tally.articles += 1
                tally.deals += len(events)
                shown.extend(events[: _TABLE_ROWS - len(shown)])
            out.mark(place)
            bar.advance(task)
        if not tally.articles and (output or mentions):
            if out.journal:
                out.journal.discard()
            raise DealReaderError("no article was read; no file is written")
    if terminal:
        _show(tally, [Event.model_validate_json(line) for line in shown])
    return tally.failures


def _sure(events: Sequence[str], min_confidence: float) -> Sequence[str]:
    """The events of at least that confidence."""
    if not min_confidence:
        return events
    return [event for event in events if json.loads(event)["confidence"] >= min_confidence]


def _opened(
    output: Path | None,
    mentions: Path | None,
    run: dict[str, str],
    resume: bool,
    stack: ExitStack,
) -> _Outputs:
    """Where to write; files by a journal, but for pipes and devices."""
    files = [path for path in (output, mentions) if path and (path.is_file() or not path.exists())]
    if output is None or output not in files:
        return _Outputs(
            stack.enter_context(atomic_open(output)) if output else _stdout(),
            stack.enter_context(atomic_open(mentions)) if mentions else None,
        )
    interrupted = is_interrupted(output)
    journal = stack.enter_context(journal_open(files, run, resume=resume))
    streams = journal.streams
    out = _Outputs(streams[output], None, journal)
    if mentions:
        out.mentions = streams.get(mentions) or stack.enter_context(atomic_open(mentions))
    if journal.kept is not None:
        out.tally = _Tally(**journal.kept["tally"])
        out.after = Place(*journal.kept["after"])
    elif interrupted:
        _say("warning", f"{output}: begun anew; what an interrupted run left is not used")
    return out


def _notes(error: BaseException) -> Sequence[str]:
    return getattr(error, "__notes__", ())


def _model_folder(model: str) -> Path:
    """The folder of a model that is named as :func:`pipeline.load` takes it."""
    if Path(model).is_dir():
        return Path(model)
    try:
        return packaged(model)
    except (PackageNotFoundError, ModuleNotFoundError):
        raise typer.BadParameter(
            f"neither a folder nor an installed package: {_shown(model)}", param_hint="--model"
        ) from None


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
    print(f"{kind}:", _shown(" ".join(str(message).splitlines())), file=sys.stderr)


def _shown(text: str) -> str:
    """The text with control characters spelt out: a terminal would obey them."""
    return _CONTROL.sub(lambda found: ascii(found[0])[1:-1], text)


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


class _Rate(ProgressColumn):
    def render(self, task: Task) -> Text:
        return Text(f"{task.speed:,.1f} articles/s" if task.speed else "")


def _bar(*, hidden: bool) -> Progress:
    return Progress(
        TextColumn("{task.description}"),
        BarColumn(),
        TaskProgressColumn(),
        TextColumn("{task.completed:,.0f} read"),
        _Rate(),
        TimeRemainingColumn(),
        TextColumn("left"),
        console=Console(stderr=True),
        disable=hidden,
        transient=True,
        redirect_stdout=False,  # else rich would send the JSONL to standard error
    )


def _show(tally: _Tally, events: Sequence[Event]) -> None:
    table = Table(title="Deals")
    for name in ("company", "type", "amount", "valuation", "led by", "status"):
        table.add_column(name)
    table.add_column("confidence", justify="right")
    table.add_column("article")
    for event in events:
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
        table.add_row(*(Text(_shown(cell)) for cell in cells))
    console = Console(stderr=True, highlight=False)
    if events:
        console.print(table)
    counts = f"articles read: {tally.articles} · not read: {tally.failures} · deals: {tally.deals}"
    unseen = tally.deals - len(events)
    console.print(counts + (f" ({unseen} not in the table)" if unseen else ""))


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
