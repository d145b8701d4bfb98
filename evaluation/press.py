"""Unannotated press, read: what the pipeline finds where little is to be found.

A sample of the events and of the sums that no event uses is written out for a reader, who gives
each a verdict; the report counts verdicts. The press text stays in the reader's sheet: only ids
and verdicts are kept in the project.
"""

from __future__ import annotations

import csv
import random
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from scipy.stats import binomtest

from evaluation import files
from evaluation.files import Record
from evaluation.tables import Table
from pipeline.errors import DealReaderError
from pipeline.library import Reading
from pipeline.schema import MONEY_LABELS, Event, Mention

REPORT = Path("evaluation/reports/press.json")
SUM = "sum"
"""The type of a row that shows a sum which no event uses."""

RIGHT, PARTLY, WRONG = "right", "partly", "wrong"
VERDICTS = (RIGHT, PARTLY, WRONG)
"""Of an event: told and right; told, with a wrong field; no such deal is told. Of a sum that was
passed over: rightly; it belongs to a deal that was found; it belongs to a deal that was missed."""

COLUMNS = ("article", "key", "type", "said", "text", "verdict")


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the reader's sheet: an event, or a sum that was passed over."""

    article: str
    key: str
    type: str
    said: str
    text: str
    verdict: str = ""


class Counts(Record):
    """How many articles were read, how many of them got an event, and how many events there are."""

    articles: int
    telling: int
    events: int
    sums: int


class Verdict(Record):
    """What a reader said of a row, without its text."""

    article: str
    key: str
    type: str
    verdict: str


class Stored(Record):
    """What is kept: counts, ids and verdicts, none of the text."""

    source: str
    counts: Counts
    verdicts: tuple[Verdict, ...] = ()


def count(readings: Iterable[Reading]) -> tuple[Counts, list[Row]]:
    """The counts over all articles and one row for each event and each sum passed over."""
    articles = telling = 0
    rows: list[Row] = []
    for reading in readings:
        articles += 1
        telling += bool(reading.events)
        rows += [*_events(reading), *_sums(reading)]
    sums = sum(row.type == SUM for row in rows)
    return Counts(articles=articles, telling=telling, events=len(rows) - sums, sums=sums), rows


def _events(reading: Reading) -> Iterator[Row]:
    for event in reading.events:
        text = " […] ".join(span.text for span in event.evidence)
        yield Row(reading.article.id, event.id, event.type, _said(event), _line(text))


def _said(event: Event) -> str:
    """The event in one line."""
    sum_ = event.amount.mention.text if event.amount is not None else "no sum"
    investors = ", ".join(f"{i.name} ({i.role})" for i in event.investors) or "no investor"
    worth = ", ".join(v.mention.text for v in event.valuations)
    parts = [event.company.name, sum_, investors, event.status, event.certainty, worth]
    return _line(" · ".join(part for part in parts if part))


def _sums(reading: Reading) -> Iterator[Row]:
    used = {(span.start, span.end) for event in reading.events for span in _money_spans(event)}
    text = reading.article.text
    for mention in reading.mentions:
        if mention.label in MONEY_LABELS and (mention.start, mention.end) not in used:
            around = text[max(0, mention.start - 150) : mention.end + 100]
            key = f"{mention.start}-{mention.end}"
            yield Row(reading.article.id, key, SUM, mention.text, _line(around))


def _money_spans(event: Event) -> Iterator[Mention]:
    yield from (valuation.mention for valuation in event.valuations)
    money = [event.amount, event.total_raised]
    money += [component.amount for component in event.components]
    money += [investor.amount for investor in event.investors]
    yield from (each.mention for each in money if each is not None)


def _line(text: str) -> str:
    return " ".join(text.split())


def sample(rows: Sequence[Row], size: int, seed: int) -> list[Row]:
    """At most ``size`` events and as many sums, drawn at random, in the order of the articles."""
    out: list[Row] = []
    for is_sum in (False, True):
        own = [row for row in rows if (row.type == SUM) is is_sum]
        chosen = random.Random(seed).sample(range(len(own)), min(size, len(own)))
        out += [own[index] for index in sorted(chosen)]
    return out


def write_sheet(rows: Iterable[Row], path: Path) -> None:
    """A CSV table for any spreadsheet; the last column is for the verdicts."""
    with path.open("w", encoding="utf-8", newline="") as file:
        sheet = csv.writer(file)
        sheet.writerow(COLUMNS)
        sheet.writerows([getattr(row, column) for column in COLUMNS] for row in rows)


def read_sheet(path: Path) -> list[Row]:
    """The rows of a sheet that a reader has filled in.

    Raises:
        DealReaderError: a verdict is missing or unknown; names the line.
    """
    with path.open(encoding="utf-8", newline="") as file:
        sheet = csv.DictReader(file)
        if tuple(sheet.fieldnames or ()) != COLUMNS:
            raise DealReaderError(f"{path}: its columns must be {', '.join(COLUMNS)}")
        rows = [Row(**row) for row in sheet]
    for number, row in enumerate(rows, start=1):
        if row.verdict not in VERDICTS:
            raise DealReaderError(
                f"{path}: row {number} ({row.said}) needs a verdict: {', '.join(VERDICTS)}"
            )
    return rows


def verdicts(rows: Iterable[Row]) -> tuple[Verdict, ...]:
    """The verdicts of rows, without their texts."""
    return tuple(
        Verdict(article=row.article, key=row.key, type=row.type, verdict=row.verdict)
        for row in rows
    )


def read(path: Path) -> Stored | None:
    """What is stored, ``None`` where nothing is."""
    return Stored.model_validate_json(path.read_bytes()) if path.exists() else None


def write(stored: Stored, path: Path) -> None:
    """Stores it at ``path`` and, once there are verdicts, the page beside it."""
    page = {path.with_suffix(".md"): table(stored).markdown()} if stored.verdicts else {}
    files.write({path: stored.model_dump_json(indent=1) + "\n", **page})


def table(stored: Stored) -> Table:
    """Verdicts by type, with the share of told deals and its 95% interval (Wilson)."""
    types: dict[str, Counter[str]] = {}
    for row in stored.verdicts:
        types.setdefault(row.type, Counter())[row.verdict] += 1
        if row.type != SUM:
            types.setdefault("all events", Counter())[row.verdict] += 1
    rows = []
    for name, counts in sorted(types.items(), key=lambda pair: (pair[0] == SUM, pair[0])):
        good, total = counts[RIGHT] + counts[PARTLY], counts.total()
        interval = binomtest(good, total).proportion_ci(method="wilson")
        share = f"{good / total:.2f} [{interval.low:.2f}–{interval.high:.2f}]"
        rows.append([name, *(str(counts[verdict]) for verdict in VERDICTS), share])
    note = (
        f"{stored.source}: {stored.counts.articles} articles, "
        f"{stored.counts.events} events in {stored.counts.telling} of them. Of a sum: "
        "passed over rightly, of a deal that was found, of a deal that was missed."
    )
    header = ("type", *VERDICTS, "told [95%]")
    return Table("Unannotated press, read by hand", header, rows, note)
