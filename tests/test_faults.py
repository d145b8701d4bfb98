"""What archives, feeds, disks and operators do to a run: nothing lost or doubled, all told."""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
import time
import tracemalloc
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from unicodedata import normalize

import pytest
from spacy.language import Language
from standin import PROSE, Reader, command, ids, run

import pipeline.run
from pipeline.errors import InputError
from pipeline.library import Reading, read_each
from pipeline.reader import MAX_CHARACTERS, Place, read_articles
from pipeline.schema import Article
from pipeline.workers import Lines


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, reader: Reader) -> Path:
    """A working directory with an empty folder for the input."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


# ---- the disk ---------------------------------------------------------------------------------


def limited(bytes_: int) -> Callable[[], None]:
    """Gives the process files of at most so many bytes: to it the disk is full then."""
    return lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (bytes_, bytes_))


def test_full_disk_and_going_on_with_more_room(folder: Path) -> None:
    (folder / "many.jsonl").write_text((json.dumps({"text": PROSE}) + "\n") * 50, "utf-8")
    subprocess.run(command("in", "-o", "whole", "--mentions", "whole-mentions"), check=True)
    Path("deals.jsonl").write_text("old", "utf-8")
    arguments = ("in", "-o", "deals.jsonl", "--mentions", "mentions.jsonl")
    done = subprocess.run(
        command(*arguments),
        preexec_fn=limited(Path("whole").stat().st_size // 2),
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == (
        "error: deals.jsonl: cannot be written: File too large; what was read is kept; "
        "the same command with --resume goes on\n"
    )
    assert Path("deals.jsonl").read_text("utf-8") == "old"
    assert not Path("mentions.jsonl").exists()
    done = subprocess.run(command(*arguments, "--resume"), capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
    assert Path("deals.jsonl").read_bytes() == Path("whole").read_bytes()
    assert Path("mentions.jsonl").read_bytes() == Path("whole-mentions").read_bytes()


def test_disk_that_stays_full(folder: Path) -> None:
    """Every try fails in the same way, and a later one with room succeeds."""
    (folder / "many.jsonl").write_text((json.dumps({"text": PROSE}) + "\n") * 50, "utf-8")
    arguments = ("in", "-o", "deals.jsonl", "--resume")
    for _ in range(3):
        done = subprocess.run(
            command(*arguments), preexec_fn=limited(20_000), capture_output=True, text=True
        )
        assert done.returncode == 1
        assert done.stderr.startswith("error: deals.jsonl: cannot be written: File too large")
    subprocess.run(command(*arguments), check=True)
    rows = [json.loads(line) for line in Path("deals.jsonl").read_text("utf-8").splitlines()]
    assert [row["id"] for row in rows] == [f"many:{number}-1" for number in range(1, 51)]


@pytest.mark.parametrize("place", ["/sys/deals.jsonl", "/proc/deals.jsonl", "in/x.txt/deals.jsonl"])
def test_unwritable_output_is_told_before_the_work(
    folder: Path, reader: Reader, place: str
) -> None:
    (folder / "x.txt").write_text(PROSE, "utf-8")
    for arguments in (("-o", place), ("-o", "deals.jsonl", "--mentions", place)):
        result = run("in", *arguments)
        assert result.exit_code == 1
        assert result.stderr.startswith(f"error: {place}: cannot be written: ")
        assert len(result.stderr.splitlines()) == 1
        assert reader.models == []
        assert os.listdir() == ["in"]


# ---- the input, meanwhile ---------------------------------------------------------------------


class Meanwhile(Reader):
    """Does something once the first article is read."""

    def __init__(self, act: Callable[[], object]) -> None:
        super().__init__()
        self.act = act

    def read(
        self, items: Iterable[tuple[Place, Article | InputError]]
    ) -> Iterator[tuple[Place, Lines | InputError]]:
        for number, answer in enumerate(super().read(items)):
            if number == 0:
                self.act()
            yield answer


def test_input_deleted_while_running(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.txt", "b.txt", "c/d.txt", "e.jsonl"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(PROSE, "utf-8")
    monkeypatch.setattr(pipeline.run, "Workers", Meanwhile(lambda: folder.rename("gone")))
    result = run("in", "-o", "deals.jsonl")
    assert result.exit_code == 1
    assert result.stderr.splitlines() == [
        f"error: in/{name}: cannot be read: No such file or directory"
        for name in ("b.txt", "c", "e.jsonl")
    ]
    (row,) = Path("deals.jsonl").read_text("utf-8").splitlines()
    assert json.loads(row)["id"] == "a-1"


def test_jsonl_deleted_while_running_is_read_to_its_end(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = folder / "x.jsonl"
    path.write_text((json.dumps({"text": PROSE}) + "\n") * 3_000, "utf-8")
    monkeypatch.setattr(pipeline.run, "Workers", Meanwhile(path.unlink))
    result = run("in")
    assert (result.exit_code, result.stderr) == (0, "")
    assert ids(result) == [f"x:{number}-1" for number in range(1, 3_001)]


# ---- names and links --------------------------------------------------------------------------


def test_odd_names_and_loops(folder: Path) -> None:
    for name in (b"a\nb.txt", b"c\xe9\xff.txt", b"d\r\x1b[31m.txt", b"e\xe2\x80\xa8.txt", b"-.txt"):
        with open(os.fsencode(folder) + b"/" + name, "wb") as stream:
            stream.write(PROSE.encode())
    with open(os.fsencode(folder) + b"/z\n\xe9.txt", "wb"):
        pass
    (folder / "loop").symlink_to(".")
    (folder / "up").symlink_to("..")
    (folder / "self.txt").symlink_to("self.txt")
    result = run("in", "-o", "deals.jsonl")
    lines = Path("deals.jsonl").read_bytes().decode("utf-8").splitlines()
    rows = [json.loads(line) for line in lines]
    assert [row["article"]["id"] for row in rows] == [
        "-",
        "a\nb",
        "c\ufffd\ufffd",
        "d\r\x1b[31m",
        "e\u2028",
    ]
    assert [row["article"]["path"] for row in rows] == [
        f"in/{row['article']['id']}.txt" for row in rows
    ]
    assert result.stderr.splitlines() == [
        "error: in/self.txt: cannot be read: Too many levels of symbolic links",
        "error: in/z \ufffd.txt: file is empty (no words in it); write the article into it or "
        "leave it out",
    ]
    assert result.exit_code == 1


# ---- many articles, of which some are broken ----------------------------------------------------

ORDINARY = "Il pleuvra demain sur Lyon.\n"
DEAL = "Mirabelle lève 8 millions d'euros auprès de Loire Capital.\n"
BROKEN_FILES: tuple[Callable[[Path], object], ...] = (
    lambda path: path.write_bytes(b""),
    lambda path: path.write_bytes(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR"),
    lambda path: path.write_bytes("levée très privée".encode("cp437")),
    lambda path: path.symlink_to("gone"),
    lambda path: os.mkfifo(path),
)
BROKEN_LINES = (
    b'{"text": "coup\xc3\xa9',
    b'{"title": "sans texte"}',
    b'{"text": "a\\u0000b"}',
    b'{"text": "\xff\xfe\x81"}',
    b'{"text": "Elle l\xc3\xa8ve 5 M", "published": "hier"}',
)


def test_ten_thousand_articles_of_which_every_hundredth_is_broken(
    root: Path, tiny_model: Path, folder: Path
) -> None:
    """5,000 files and 5,000 lines, broken in five ways each; every twentieth tells a deal."""
    broken, telling = [], []
    rows = []
    for number in range(5_000):
        path = folder / f"f{number:04}.txt"
        fault = number // 100 % 5 if number % 100 == 99 else None
        if fault is None:
            path.write_text(DEAL if number % 20 == 0 else ORDINARY, "utf-8")
            rows.append(json.dumps({"text": DEAL if number % 20 == 0 else ORDINARY}).encode())
            telling += [f"f{number:04}"] * (number % 20 == 0)
        else:
            BROKEN_FILES[fault](path)
            rows.append(BROKEN_LINES[fault])
            broken.append(f"in/{path.name}")
    (folder / "lines.jsonl").write_bytes(b"\n".join(rows))
    telling += [f"lines:{number + 1}" for number in range(0, 5_000, 20)]
    broken += [f"in/lines.jsonl:{number + 1}" for number in range(99, 5_000, 100)]

    done = subprocess.run(
        [sys.executable, "-m", "pipeline.run", "in", "--model", str(tiny_model), "--jobs", "2"],
        env={**os.environ, "PYTHONPATH": str(root)},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 1
    errors = done.stderr.splitlines()
    assert len(errors) == len(broken) == 100
    for error, place in zip(errors, broken, strict=True):
        assert error.startswith(f"error: {place}: ")
    assert [json.loads(line)["article"]["id"] for line in done.stdout.splitlines()] == telling


# ---- long and odd articles --------------------------------------------------------------------


def test_article_of_fifty_megabytes(folder: Path) -> None:
    """No article is that long: it is named, nothing of it is held, and the rest is read."""
    text = "Rien de neuf à Lyon. " * (50_000_000 // 21)
    (folder / "a.txt").write_text(text, "utf-8")
    rows = [{"id": "x", "text": PROSE}, {"id": "y", "text": text}, {"id": "z", "text": PROSE}]
    (folder / "b.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    begun = time.process_time()
    result = run("in")
    assert time.process_time() - begun < 5
    assert ids(result) == ["x-1", "z-1"]
    assert result.stderr.splitlines() == [
        f"error: in/a.txt: file is longer than {MAX_CHARACTERS} characters; split it into its "
        "articles",
        f"error: in/b.jsonl:2: line is longer than {MAX_CHARACTERS} characters; split it into its "
        "articles",
    ]
    assert result.exit_code == 1
    tracemalloc.start()
    try:
        assert len(list(read_articles("in"))) == 4
        assert tracemalloc.get_traced_memory()[1] < 100_000_000
    finally:
        tracemalloc.stop()


NO_WORDS = {
    "digits": "0123456789 ",
    "brackets": "()[]{}<>",
    "emoji": "😀👩🏽‍💻🇫🇷 ",
    "combining marks": "\u0301\u0323",
    "punctuation": "… — « » !? ",
    "control characters": "\x01\x02\x1b",
    "no-break spaces": "\u00a0\u202f",
}


@pytest.mark.parametrize("unit", NO_WORDS.values(), ids=NO_WORDS)
def test_article_without_a_word_is_told(tmp_path: Path, unit: str) -> None:
    (tmp_path / "x.txt").write_text(unit * (MAX_CHARACTERS // len(unit)), "utf-8")
    begun = time.process_time()
    (error,) = read_articles(tmp_path)
    assert isinstance(error, InputError)
    assert str(error).startswith(f"{tmp_path}/x.txt: file is empty (no words in it)")
    assert time.process_time() - begun < 2


ODD = {
    "Hebrew": "החברה גייסה 5 מיליון אירו ממשקיעים. ",
    "Arabic": "جمعت الشركة 5 ملايين يورو من المستثمرين. ",
    "Chinese": "该公司融资五百万欧元。",
    "German": "Das Unternehmen hat einen neuen Standort in Berlin eröffnet. ",
    "a page": "<!DOCTYPE html><html><body><p>Le temps sera beau &agrave; Lyon.</p></body></html>\n",
    "digits and a word": "euros " + "0123456789 " * 30,
    "brackets and a word": "Lyon ([{}])\n",
    "emoji and a word": "Lyon 😀👩🏽‍💻🇫🇷\n",
    "marks on a letter": "e\u0301\u0323",
    "direction marks": "\u202eLyon\u202c \u200f",
    "one long word": "anticonstitutionnellement",
    "control characters and a word": "Lyon\x01\x1b[31m\x7f ",
}


@pytest.mark.parametrize("text", ODD.values(), ids=ODD)
def test_odd_article_is_read_and_tells_nothing(tmp_path: Path, nlp: Language, text: str) -> None:
    whole = text * (3_000 // len(text))
    (tmp_path / "x.txt").write_bytes(whole.encode())
    (reading,) = read_each(nlp, read_articles(tmp_path))
    assert isinstance(reading, Reading), reading
    assert reading.article.text == whole
    assert reading.events == ()
    for mention in reading.mentions:
        assert whole[mention.start : mention.end] == mention.text


@pytest.mark.parametrize("spell", [str, lambda text: normalize("NFD", text)], ids=["NFC", "NFD"])
def test_deal_among_odd_things_is_found_where_it_stands(
    tmp_path: Path, nlp: Language, spell: Callable[[str], str]
) -> None:
    deal = "Ovalie Robotics lève 12 M€ auprès de Fonds Garonne."
    text = spell(f"😀 \u202eLyon\u202c [[[ 12345\r\n\r\n{deal}\r\n\r\n]]] شركة \ufeff été\n")
    (tmp_path / "x.txt").write_bytes(text.encode())
    (reading,) = read_each(nlp, read_articles(tmp_path))
    assert isinstance(reading, Reading), reading
    (event,) = reading.events
    assert event.company.name == "Ovalie Robotics"
    for mention in (*event.company.mentions, *event.evidence, *reading.mentions):
        assert text[mention.start : mention.end] == mention.text
