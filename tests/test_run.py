"""The command line with a stand-in for the workers, so that only the road is tested here."""

from __future__ import annotations

import errno
import json
import os
import pty
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryFile
from unicodedata import normalize

import pytest
from standin import PROSE, ROOT, Reader, command, ids, run

import pipeline.run
import pipeline.writer
from pipeline.errors import ModelError


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: Reader) -> Path:
    """A working directory with two articles of which each tells a deal."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    for name in ("a", "c"):
        (tmp_path / "in" / f"{name}.txt").write_text(PROSE, "utf-8")
    return tmp_path / "in"


# The road


def test_folder_to_standard_output(folder: Path) -> None:
    result = run("in")
    assert ids(result) == ["a-1", "c-1"]
    assert (result.exit_code, result.stderr) == (0, "")


def test_standard_input(reader: Reader) -> None:
    assert ids(run("-", stdin=PROSE.encode())) == ["stdin-1"]
    rows = [{"id": "x", "text": PROSE}, {"id": "y", "text": "Rien."}, {"id": "z", "text": PROSE}]
    assert ids(run("-", stdin="\n".join(map(json.dumps, rows)).encode())) == ["x-1", "z-1"]


def test_no_deal_is_no_error(reader: Reader) -> None:
    result = run("-", stdin=b"Rien.")
    assert (result.exit_code, result.stdout, result.stderr) == (0, "", "")


def test_options_reach_the_workers(folder: Path, reader: Reader) -> None:
    (folder.parent / "model").mkdir()
    assert run("in", "--jobs", "2", "--model", "model").exit_code == 0
    assert set(reader.models) == {"model"}
    assert reader.processes == [2]
    assert run("in").exit_code == 0
    assert reader.models[-1] is None
    assert reader.processes == [2, 1]


def test_a_model_may_be_named_by_its_package(
    folder: Path, reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    installed = {"fr_deals_own": folder.parent / "site" / "fr_deals_own-1.0"}
    monkeypatch.setattr(pipeline.run, "packaged", installed.__getitem__)
    assert run("in", "--model", "fr_deals_own").exit_code == 0
    assert set(reader.models) == {str(installed["fr_deals_own"])}


@pytest.mark.parametrize(("least", "expected"), [("0.8", ["a-1", "c-1"]), ("0.81", [])])
def test_deals_of_less_confidence_are_left_out(
    folder: Path, least: str, expected: list[str]
) -> None:
    result = run("in", "--min-confidence", least, "--mentions", "mentions.jsonl")
    assert (result.exit_code, ids(result)) == (0, expected)
    assert len(Path("mentions.jsonl").read_text("utf-8").splitlines()) == 2


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
    folder: Path, reader: Reader, source: str, message: str
) -> None:
    Path("empty").mkdir()
    Path("a.pdf").write_bytes(b"%PDF")
    result = run(source)
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == f"error: {message}\n"
    assert reader.models == []


def test_cp1252_warning_is_shown_and_is_no_failure(folder: Path) -> None:
    (folder / "b.txt").write_bytes(PROSE.encode("cp1252"))
    result = run("in")
    assert result.stderr == "warning: in/b.txt: not UTF-8; read as cp1252 (Windows-1252)\n"
    assert (result.exit_code, ids(result)) == (0, ["a-1", "b-1", "c-1"])


def test_error_stays_on_one_line(folder: Path) -> None:
    (folder / "two\nlines.txt").write_bytes(b"")
    assert run("in").stderr.startswith("error: in/two lines.txt: file is empty")


def test_a_name_cannot_command_the_terminal(folder: Path) -> None:
    (folder / "red\x1b[31m\u202etxt.txt").write_bytes(b"")
    assert "error: in/red\\x1b[31m\\u202etxt.txt: file is empty" in run("in").stderr


# Whole or not at all


FILES = ("-o", "deals.jsonl", "--mentions", "mentions.jsonl")
WAY_ON = "what was read is kept; the same command with --resume goes on"


@pytest.mark.parametrize("at", ["a", "c"])
def test_failure_midway_leaves_the_old_files(folder: Path, reader: Reader, at: str) -> None:
    for name in ("deals.jsonl", "mentions.jsonl"):
        Path(name).write_text("old", "utf-8")
    reader.failures[at] = ModelError("the model is damaged")
    result = run("in", *FILES)
    way_on = f"; {WAY_ON}" if at == "c" else ""
    assert (result.exit_code, result.stderr) == (1, f"error: the model is damaged{way_on}\n")
    assert Path("deals.jsonl").read_text("utf-8") == "old"
    assert Path("mentions.jsonl").read_text("utf-8") == "old"
    kept = {name for name in os.listdir() if name.startswith(("deals.jsonl.", "mentions.jsonl."))}
    progress = {"deals.jsonl.partial", "deals.jsonl.progress", "mentions.jsonl.partial"}
    assert kept == (progress if at == "c" else set())


# Going on


@pytest.fixture
def interrupted(folder: Path, reader: Reader) -> Path:
    """A run by Ctrl-C at the third of four articles of which one is bad."""
    (folder / "b.txt").write_bytes(b"")
    (folder / "d.txt").write_text(PROSE, "utf-8")
    reader.failures["c"] = KeyboardInterrupt()
    result = run("in", *FILES)
    assert result.exit_code == 130
    assert result.stderr.splitlines()[1:] == [f"error: interrupted; {WAY_ON}"]
    reader.failures.clear()
    reader.models.clear()
    return folder


def written(name: str) -> list[str]:
    """The ids of the deals in a file, or of the articles of its mentions."""
    rows = map(json.loads, Path(name).read_text("utf-8").splitlines())
    return [row["id"] if "id" in row else row["article"] for row in rows]


def test_resume_reads_the_rest(interrupted: Path, reader: Reader) -> None:
    result = run("in", *FILES, "--resume")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", "")  # b was not read
    assert written("deals.jsonl") == ["a-1", "c-1", "d-1"]
    assert written("mentions.jsonl") == ["a", "c", "d"]
    assert len(reader.models) == 2
    assert sorted(os.listdir()) == ["deals.jsonl", "in", "mentions.jsonl"]


def test_resume_gives_the_bytes_of_a_run_that_was_not_interrupted(interrupted: Path) -> None:
    run("in", "-o", "whole.jsonl", "--mentions", "whole-mentions.jsonl")
    run("in", *FILES, "--resume")
    for name in ("deals.jsonl", "mentions.jsonl"):
        whole = name.replace("deals", "whole").replace("mentions", "whole-mentions")
        assert Path(name).read_bytes() == Path(whole).read_bytes()


def test_resume_twice(interrupted: Path, reader: Reader) -> None:
    reader.failures["d"] = KeyboardInterrupt()
    assert run("in", *FILES, "--resume").exit_code == 130
    reader.failures.clear()
    assert run("in", *FILES, "--resume").exit_code == 1
    assert written("deals.jsonl") == ["a-1", "c-1", "d-1"]


def test_what_was_written_after_the_last_note_is_cut(interrupted: Path) -> None:
    """As after kill -9, which lets a line be written that was not noted, or half of it."""
    for name in ("deals.jsonl", "mentions.jsonl"):
        with Path(f"{name}.partial").open("a", encoding="utf-8") as stream:
            stream.write('{"id": "c-1", "art')
    run("in", *FILES, "--resume")
    assert written("deals.jsonl") == ["a-1", "c-1", "d-1"]
    assert written("mentions.jsonl") == ["a", "c", "d"]


def test_resume_begins_at_the_beginning_where_nothing_was_begun(folder: Path) -> None:
    result = run("in", *FILES, "--resume")
    assert (result.exit_code, result.stderr) == (0, "")
    assert written("deals.jsonl") == ["a-1", "c-1"]


@pytest.mark.parametrize("lost", ["deals.jsonl.partial", "mentions.jsonl.partial"])
def test_resume_begins_anew_where_a_file_is_lost(interrupted: Path, lost: str) -> None:
    """As after a death between the renamings at the very end."""
    Path(lost).unlink()
    result = run("in", *FILES, "--resume")
    assert result.stderr.startswith("warning: deals.jsonl: begun anew")
    assert written("deals.jsonl") == ["a-1", "c-1", "d-1"]
    assert written("mentions.jsonl") == ["a", "c", "d"]


def test_without_resume_all_begins_anew_and_this_is_said(interrupted: Path) -> None:
    result = run("in", *FILES)
    assert result.stderr.splitlines() == [
        "warning: deals.jsonl: begun anew; what an interrupted run left is not used",
        "error: in/b.txt: file is empty (no words in it); write the article into it or leave it "
        "out",
    ]
    assert written("deals.jsonl") == ["a-1", "c-1", "d-1"]


@pytest.mark.parametrize(
    ("arguments", "changed"),
    [
        (("in/a.txt", *FILES), "INPUT"),
        (("in", "-o", "deals.jsonl"), "--mentions"),
        (("in", *FILES, "--min-confidence", "0.5"), "--min-confidence"),
        (("in", *FILES, "--model", "model"), "model or code"),
    ],
)
def test_another_command_cannot_resume(
    interrupted: Path, arguments: tuple[str, ...], changed: str
) -> None:
    Path("model").mkdir()
    result = run(*arguments, "--resume")
    assert result.exit_code == 1
    assert result.stderr == (
        f"error: {Path.cwd()}/deals.jsonl.progress: the interrupted run had another {changed}; "
        "repeat its command, or begin anew without --resume\n"
    )
    assert run("in", *FILES, "--resume").exit_code == 1
    assert written("deals.jsonl") == ["a-1", "c-1", "d-1"], "nothing was spoilt"


def test_articles_that_came_and_went_since(interrupted: Path) -> None:
    (interrupted / "a.txt").unlink()
    (interrupted / "0.txt").write_text(PROSE, "utf-8")
    (interrupted / "e.txt").write_text(PROSE, "utf-8")
    run("in", *FILES, "--resume")
    assert written("deals.jsonl") == ["a-1", "c-1", "d-1", "e-1"]


def test_resume_from_a_folder_that_is_gone(interrupted: Path) -> None:
    interrupted.rename("elsewhere")
    result = run("in", *FILES, "--resume")
    assert result.stderr.startswith("error: in: no longer there; begin anew without --resume")
    Path("elsewhere").rename("in")
    run("in", *FILES, "--resume")
    assert written("deals.jsonl") == ["a-1", "c-1", "d-1"]


@pytest.mark.parametrize("stdin", [False, True])
def test_resume_in_the_middle_of_a_jsonl_file(folder: Path, reader: Reader, stdin: bool) -> None:
    rows = [{"id": name, "text": PROSE} for name in "xyz"]
    data = "\n\n".join(map(json.dumps, rows)).encode()
    Path("x.jsonl").write_bytes(data)
    source = "-" if stdin else "x.jsonl"
    reader.failures["y"] = KeyboardInterrupt()
    assert run(source, *FILES, stdin=data).exit_code == 130
    reader.failures.clear()
    Path("x.jsonl").write_bytes(data.replace(b'"x"', b'"w"'))
    result = run(source, *FILES, "--resume", stdin=data.replace(b'"x"', b'"w"'))
    assert "its first 1 lines are not those that were read before" in result.stderr
    Path("x.jsonl").write_bytes(data + b"\n" + data.replace(b'"x"', b'"w"'))
    result = run(source, *FILES, "--resume", stdin=Path("x.jsonl").read_bytes())
    assert result.exit_code == 0
    assert written("deals.jsonl") == ["x-1", "y-1", "z-1", "w-1", "y-1", "z-1"]


def test_two_runs_into_one_file(folder: Path) -> None:
    with pipeline.writer.journal_open([Path("deals.jsonl")], {}, resume=False):
        result = run("in", "-o", "deals.jsonl")
        assert result.exit_code == 1
        assert result.stderr.startswith("error: deals.jsonl: another run is writing it")
    assert Path("deals.jsonl").read_text("utf-8") == ""


def test_output_that_is_no_file_is_written_in_place(folder: Path) -> None:
    result = run("in", "-o", "/dev/null", "--mentions", "mentions.jsonl", "--resume")
    assert (result.exit_code, result.stderr) == (0, "")
    assert written("mentions.jsonl") == ["a", "c"]
    assert run("in", "-o", "deals.jsonl", "--mentions", "/dev/null").exit_code == 0
    assert written("deals.jsonl") == ["a-1", "c-1"]
    assert not Path("/dev/null.partial").exists()


def test_input_without_an_article_leaves_the_old_file(folder: Path) -> None:
    Path("deals.jsonl").write_text("old", "utf-8")
    result = run("typo", "-o", "deals.jsonl")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        "error: typo: no such file or folder",
        "error: no article was read; no file is written",
    ]
    assert Path("deals.jsonl").read_text("utf-8") == "old"


def test_place_that_cannot_be_written_is_told_before_the_work(folder: Path, reader: Reader) -> None:
    result = run("in", "-o", "missing/deals.jsonl")
    assert result.exit_code == 1
    message = "missing/deals.jsonl: cannot be written: No such file or directory"
    assert result.stderr == f"error: {message}\n"
    assert reader.models == []


# Usage


@pytest.mark.parametrize(
    "arguments",
    [
        (),
        ("in", "more"),
        ("in", "--unknown"),
        ("in", "--jobs", "0"),
        ("in", "--model", "missing"),
        ("in", "--min-confidence", "1.5"),
        ("in", "--resume"),
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
        "130: interrupted by Ctrl-C",
        "FILE.partial",
        "no deal is lost or doubled",
        "a worker has 60 seconds, and one more for each 1,000 characters",
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


def test_what_an_article_says_cannot_command_the_terminal(folder: Path) -> None:
    (folder / "title\x1b]0;x.txt").write_text(PROSE, "utf-8")
    _, screen = on_terminal(str(folder))
    assert "title\\x1b]0;x" in screen
    assert "\x1b]0;x" not in screen


def test_terminal_shows_rate_and_time_left(folder: Path) -> None:
    rows = (json.dumps({"text": PROSE}) + "\n") * 3_000
    (folder / "many.jsonl").write_text(rows, "utf-8")
    screen = re.sub(r"\x1b\[[0-9;]*m", "", on_terminal("in")[1])
    assert re.search(r"[\d,.]+ articles/s", screen)
    assert re.search(r"\d:\d\d:\d\d left", screen)
    assert re.search(r"[\d,]+ read", screen)


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
