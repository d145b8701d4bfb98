"""The command line with a stand-in for the library, so that only the road is tested here."""

from __future__ import annotations

import errno
import json
import os
import pty
import subprocess
import sys
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from tempfile import TemporaryFile
from types import ModuleType
from unicodedata import normalize

import pytest
from typer.testing import CliRunner, Result

from pipeline.errors import ModelError
from pipeline.normalise.unicode import compose
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

ROOT = Path(__file__).parent.parent
PROSE = "La société lève 5 M€."


@dataclass(frozen=True)
class Reading:
    article: Article
    events: tuple[Event, ...]
    mentions: tuple[TypedMention, ...]


def read_article(article: Article) -> Reading:
    """One deal where the text says ``lève``, whatever its accents, with that word's place."""
    composed = compose(article.text)
    at = composed.text.find("lève")
    if at < 0:
        return Reading(article, (), ())
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
    return Reading(article, (event,), (typed,))


class Library(ModuleType):
    """Stands in for ``pipeline.library``."""

    def __init__(self) -> None:
        super().__init__("pipeline.library")
        self.models: list[Path | None] = []
        self.processes: list[int] = []
        self.fails_at: str | None = None

    def load(self, model: Path | None = None) -> object:
        self.models.append(model)
        return "nlp"

    def read_deals(
        self, nlp: object, articles: Iterable[Article], *, n_process: int = 1, batch_size: int = 64
    ) -> Iterator[Reading]:
        self.processes.append(n_process)
        for article in articles:
            if article.id == self.fails_at:
                raise ModelError("the model is damaged")
            yield read_article(article)


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> Library:
    library = Library()
    monkeypatch.setitem(sys.modules, "pipeline.library", library)
    return library


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, library: Library) -> Path:
    """A working directory with two articles of which each tells a deal."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("a", "c"):
        (tmp_path / "in" / f"{name}.txt").write_text(PROSE, "utf-8")
    return tmp_path / "in"


def run(*arguments: str, stdin: bytes | None = None) -> Result:
    return CliRunner().invoke(app, arguments, input=stdin)


def ids(result: Result) -> list[str]:
    return [json.loads(line)["id"] for line in result.stdout.splitlines()]


# The road


def test_folder_to_standard_output(folder: Path) -> None:
    result = run("in")
    assert ids(result) == ["a-1", "c-1"]
    assert (result.exit_code, result.stderr) == (0, "")


def test_standard_input(library: Library) -> None:
    assert ids(run("-", stdin=PROSE.encode())) == ["stdin-1"]
    rows = [{"id": "x", "text": PROSE}, {"id": "y", "text": "Rien."}, {"id": "z", "text": PROSE}]
    assert ids(run("-", stdin="\n".join(map(json.dumps, rows)).encode())) == ["x-1", "z-1"]


def test_no_deal_is_no_error(library: Library) -> None:
    result = run("-", stdin=b"Rien.")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_options_reach_the_library(folder: Path, library: Library) -> None:
    (folder.parent / "model").mkdir()
    assert run("in", "--jobs", "2", "--model", "model").exit_code == 0
    assert library.models == [Path("model")]
    assert library.processes == [2]


def test_mentions_go_to_their_file(folder: Path) -> None:
    result = run("in", "--mentions", "mentions.jsonl")
    assert ids(result) == ["a-1", "c-1"]
    rows = [json.loads(line) for line in Path("mentions.jsonl").read_text("utf-8").splitlines()]
    assert [(row["article"], row["label"], row["kind"]) for row in rows] == [
        ("a", "AMOUNT", "deal"),
        ("c", "AMOUNT", "deal"),
    ]


def test_output_file_holds_what_standard_output_would(folder: Path) -> None:
    shown = run("in").stdout
    result = run("in", "-o", "deals.jsonl")
    assert (result.exit_code, result.stdout) == (0, "")
    assert Path("deals.jsonl").read_text("utf-8") == shown


@pytest.mark.parametrize(
    ("data", "text"),
    [
        pytest.param(f"\ufeff{PROSE}".encode(), PROSE, id="byte-order mark"),
        pytest.param(f"Titre\r\n\r\n{PROSE}".encode(), f"Titre\r\n\r\n{PROSE}", id="CRLF"),
        pytest.param(normalize("NFD", PROSE).encode(), normalize("NFD", PROSE), id="decomposed"),
        pytest.param(
            f"1\u00a0000\u202fk€ {PROSE}".encode(), f"1\u00a0000\u202fk€ {PROSE}", id="nbsp"
        ),
        pytest.param(PROSE.encode("cp1252"), PROSE, id="cp1252"),
        pytest.param(f" date 2026-01 {PROSE}".encode(), f" date 2026-01 {PROSE}", id="date head"),
    ],
)
def test_offsets_are_those_of_the_text_on_disk(folder: Path, data: bytes, text: str) -> None:
    (folder / "b.txt").write_bytes(data)
    place = json.loads(run("in/b.txt").stdout)["company"]["mentions"][0]
    assert text[place["start"] : place["end"]] == place["text"]
    assert normalize("NFC", place["text"]) == "lève"


# What is bad is told, the rest is read


BAD_FILES = [
    pytest.param("b.txt", b"", "in/b.txt: file is empty", id="empty"),
    pytest.param("b.txt", b" \n", "in/b.txt: file is empty", id="blank"),
    pytest.param("b.txt", b"\x00\x01\x02", "in/b.txt: file is binary", id="binary"),
    pytest.param("b.txt", b"\x81\xff", "in/b.txt: file is neither UTF-8", id="undecodable"),
    pytest.param("b.jsonl", b"", "in/b.jsonl: file is empty", id="empty JSONL"),
    pytest.param("b.jsonl", b"\n{oops\n", "in/b.jsonl:2: Invalid JSON", id="malformed line"),
    pytest.param("b.jsonl", b'{"id": "x"}', "in/b.jsonl:1: `text`: Field required", id="no text"),
    pytest.param("b.jsonl", b'{"text": 5}', "in/b.jsonl:1: `text`: Input", id="text of a number"),
    pytest.param("b.jsonl", b'{"text": ""}', "in/b.jsonl:1: `text` is empty", id="empty text"),
    pytest.param(
        "b.jsonl", b'{"text": "a\\ud800"}', "in/b.jsonl:1: Invalid JSON", id="lone surrogate"
    ),
    pytest.param(
        "b.jsonl",
        b'{"text": "a", "published": "hier"}',
        "in/b.jsonl:1: `published`: 'hier' is no date",
        id="no date",
    ),
]


@pytest.mark.parametrize(("name", "data", "message"), BAD_FILES)
def test_bad_input_is_one_error_and_the_rest_is_read(
    folder: Path, name: str, data: bytes, message: str
) -> None:
    (folder / name).write_bytes(data)
    result = run("in")
    assert result.stderr.startswith(f"error: {message}")
    assert len(result.stderr.splitlines()) == 1
    assert ids(result) == ["a-1", "c-1"]
    assert result.exit_code == 1


def test_unreadable_file(folder: Path) -> None:
    (folder / "b.txt").symlink_to("gone")
    result = run("in")
    assert result.stderr == "error: in/b.txt: cannot be read: No such file or directory\n"
    assert ids(result) == ["a-1", "c-1"]
    assert result.exit_code == 1


def test_good_lines_around_a_bad_one_are_read(folder: Path) -> None:
    good = json.dumps({"text": PROSE})
    Path("x.jsonl").write_text(f"{good}\n{{\n{good}\n", "utf-8")
    result = run("x.jsonl", "-o", "deals.jsonl")
    assert result.stderr.startswith("error: x.jsonl:2: Invalid JSON")
    assert len(Path("deals.jsonl").read_text("utf-8").splitlines()) == 2
    assert result.exit_code == 1


def test_over_long_article_is_read_whole(folder: Path) -> None:
    (folder / "b.txt").write_text("Rien. " * 200_000 + PROSE, "utf-8")
    place = json.loads(run("in/b.txt").stdout)["company"]["mentions"][0]
    assert place["start"] == 6 * 200_000 + PROSE.index("lève")


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("rien.txt", "rien.txt: no such file or folder"),
        ("empty", "empty: no .txt, .md or .jsonl file in this folder"),
        ("a.pdf", "a.pdf: unknown kind of file; expected .txt, .md or .jsonl"),
    ],
)
def test_nothing_to_read_is_said_without_the_model(
    folder: Path, library: Library, source: str, message: str
) -> None:
    Path("empty").mkdir()
    Path("a.pdf").write_bytes(b"%PDF")
    result = run(source)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: {message}\n"
    assert library.models == []


def test_cp1252_warning_is_shown_and_is_no_failure(folder: Path) -> None:
    (folder / "b.txt").write_bytes(PROSE.encode("cp1252"))
    result = run("in")
    assert result.stderr == "warning: in/b.txt: not UTF-8; read as cp1252 (Windows-1252)\n"
    assert (result.exit_code, ids(result)) == (0, ["a-1", "b-1", "c-1"])


def test_error_stays_on_one_line(folder: Path) -> None:
    (folder / "two\nlines.txt").write_bytes(b"")
    assert run("in").stderr.startswith("error: in/two lines.txt: file is empty")


# Whole or not at all


def test_failure_midway_leaves_the_old_files(folder: Path, library: Library) -> None:
    for name in ("deals.jsonl", "mentions.jsonl"):
        Path(name).write_text("old", "utf-8")
    library.fails_at = "c"
    result = run("in", "-o", "deals.jsonl", "--mentions", "mentions.jsonl")
    assert (result.exit_code, result.stderr) == (1, "error: the model is damaged\n")
    assert Path("deals.jsonl").read_text("utf-8") == "old"
    assert Path("mentions.jsonl").read_text("utf-8") == "old"
    assert sorted(os.listdir()) == ["deals.jsonl", "in", "mentions.jsonl"]


def test_input_without_an_article_leaves_the_old_file(folder: Path) -> None:
    Path("deals.jsonl").write_text("old", "utf-8")
    result = run("typo", "-o", "deals.jsonl")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: typo: no such file or folder",
        "error: no article was read; no file is written",
    ]
    assert Path("deals.jsonl").read_text("utf-8") == "old"


def test_place_that_cannot_be_written_is_told_before_the_work(
    folder: Path, library: Library
) -> None:
    result = run("in", "-o", "missing/deals.jsonl")
    assert result.exit_code == 1
    message = "missing/deals.jsonl: cannot be written: No such file or directory"
    assert result.stderr == f"error: {message}\n"
    assert library.models == []


# Usage


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("in", "more"),
        ("in", "--unknown"),
        ("in", "--jobs", "0"),
        ("in", "--model", "missing"),
        ("in", "-o", "x.jsonl", "--mentions", "./x.jsonl"),
        ("in/a.txt", "-o", "in/a.txt"),
    ],
)
def test_wrong_command_is_status_2(folder: Path, arguments: tuple[str, ...]) -> None:
    result = run(*arguments)
    assert (result.exit_code, result.stdout) == (2, "")
    assert (folder / "a.txt").read_text("utf-8") == PROSE


def test_help_teaches() -> None:
    text = " ".join(run("--help").stdout.split())
    for words in (
        "Standard output is JSONL and nothing else",
        "python -m pipeline.run seeds/ -o deals.jsonl --mentions mentions.jsonl",
        "0: every article was read",
        "1: one or more were not",
        "2: the command itself is wrong",
    ):
        assert words in text


def test_help_does_not_load_spacy() -> None:
    code = (
        "import sys\n"
        "from pipeline.run import app\n"
        "try:\n    app(['--help'])\n"
        "except SystemExit:\n    print('spacy' in sys.modules, file=sys.stderr)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stderr == "False\n"
    assert "INPUT" in done.stdout


# In a process of its own: pipes and terminals

BOOT = """
import sys
sys.path[:0] = [{root!r}, {tests!r}]
import test_run
sys.modules["pipeline.library"] = test_run.Library()
test_run.app()
"""


def command(*arguments: str) -> list[str]:
    code = BOOT.format(root=str(ROOT), tests=str(Path(__file__).parent))
    return [sys.executable, "-c", code, *arguments]


def on_terminal(*arguments: str, stdout: bool = False) -> tuple[str, str]:
    """What the command writes to standard output and, as a terminal, to standard error."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "TERM": "xterm", "COLUMNS": "160", "LINES": "40"}
    with TemporaryFile() as file:
        target = theirs if stdout else file
        with subprocess.Popen(command(*arguments), stdout=target, stderr=theirs, env=environment):
            os.close(theirs)
            screen = b"".join(_until_closed(ours))
        os.close(ours)
        file.seek(0)
        return file.read().decode(), screen.decode()


def _until_closed(descriptor: int) -> Iterator[bytes]:
    try:
        while data := os.read(descriptor, 65_536):
            yield data
    except OSError as error:
        # Linux says so when the other end of a terminal is closed.
        if error.errno != errno.EIO:
            raise


def test_terminal_shows_bar_errors_and_table(folder: Path) -> None:
    (folder / "b.txt").write_bytes(b"")
    written, screen = on_terminal("in")
    assert [json.loads(line)["id"] for line in written.splitlines()] == ["a-1", "c-1"]
    assert "reading" in screen
    assert "100%" in screen
    assert "error: in/b.txt: file is empty" in screen
    row = next(line for line in screen.splitlines() if "[bold]Société" in line)
    cells = [cell.strip() for cell in row.split("│")[1:-1]]
    assert cells == ["[bold]Société", "financing", "≥ €5M", "", "Chef", "closed", "0.80", "a"]
    assert "articles read: 2 · not read: 1 · deals: 2" in screen


def test_terminal_for_both_shows_lines_untorn(folder: Path) -> None:
    _, screen = on_terminal("in", stdout=True)
    lines = [line for line in screen.splitlines() if line.startswith("{")]
    assert [json.loads(line)["id"] for line in lines] == ["a-1", "c-1"]
    assert "articles read: 2 · not read: 0 · deals: 2" in screen


def test_no_terminal_shows_nothing_even_if_colour_is_forced(folder: Path) -> None:
    done = subprocess.run(
        command("in"), capture_output=True, check=True, env={**os.environ, "FORCE_COLOR": "1"}
    )
    assert done.stderr == b""
    assert len(done.stdout.splitlines()) == 2


def test_output_is_utf8_whatever_the_locale(folder: Path) -> None:
    environment = {**os.environ, "PYTHONIOENCODING": "latin-1", "LC_ALL": "C"}
    done = subprocess.run(command("in"), capture_output=True, check=True, env=environment)
    assert "Société".encode() in done.stdout


def test_broken_pipe_ends_quietly(folder: Path) -> None:
    rows = (json.dumps({"text": PROSE}) + "\n") * 2_000
    (folder / "many.jsonl").write_text(rows, "utf-8")
    with subprocess.Popen(
        command("in/many.jsonl"), stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        assert process.stdout.readline().startswith(b"{")
        process.stdout.close()
        assert process.stderr.read() == b""
    assert process.returncode == 1


def test_full_disk_on_standard_output(folder: Path) -> None:
    with open("/dev/full", "wb") as full:
        done = subprocess.run(
            command("in"), stdout=full, stderr=subprocess.PIPE, text=True, check=False
        )
    assert done.returncode == 1
    assert done.stderr == "error: <stdout>: cannot be written: No space left on device\n"
