"""Every kind of input that the contract names, and every way in which one can be bad."""

from __future__ import annotations

import io
import json
import logging
import os
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path
from typing import BinaryIO

import pytest

import pipeline.reader
from pipeline.errors import InputError, ResumeError
from pipeline.reader import Place, count_articles, read_articles, read_places, split_head
from pipeline.schema import Article

PROSE = "La société a levé 5 millions d’euros."


def read(source: str | Path, stdin: bytes | None = None) -> list[Article | InputError]:
    stream: BinaryIO | None = None if stdin is None else io.BytesIO(stdin)
    return list(read_articles(source, stdin=stream))


def article(source: str | Path, stdin: bytes | None = None) -> Article:
    (item,) = read(source, stdin)
    assert isinstance(item, Article), item
    return item


def error(source: str | Path, stdin: bytes | None = None) -> InputError:
    (item,) = read(source, stdin)
    assert isinstance(item, InputError), item
    return item


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "article.txt"


@pytest.fixture
def lines(tmp_path: Path) -> Path:
    return tmp_path / "articles.jsonl"


# Files


@pytest.mark.parametrize("suffix", [".txt", ".md", ".TXT"])
@pytest.mark.parametrize("stem", ["une.levée", " "])
def test_file_is_one_article(tmp_path: Path, stem: str, suffix: str) -> None:
    path = tmp_path / f"{stem}{suffix}"
    path.write_bytes(PROSE.encode())
    assert article(path) == Article(
        id=stem,
        path=path.as_posix(),
        text=PROSE,
        sha256=sha256(PROSE.encode()).hexdigest(),
    )


def test_path_is_as_given(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("seeds").mkdir()
    Path("seeds/a.txt").write_text(PROSE, "utf-8")
    assert article("seeds/").path == "seeds/a.txt"
    assert article("seeds/a.txt").path == "seeds/a.txt"


def test_seeds_are_read_as_they_are_on_disk() -> None:
    paths = sorted(Path("seeds").glob("*.txt"))
    items = read("seeds")
    assert [item.text for item in items if isinstance(item, Article)] == [
        path.read_bytes().decode("utf-8") for path in paths
    ]
    assert [item.published for item in items if isinstance(item, Article)] == [
        "2026-01-20",
        None,
        None,
        None,
        "2023-10",
    ]


# Encodings


def test_byte_order_mark_is_no_part_of_the_text(file: Path) -> None:
    data = b"\xef\xbb\xbf" + PROSE.encode()
    file.write_bytes(data)
    assert article(file).text.index("société") == 3
    assert article(file).sha256 == sha256(data).hexdigest()


def test_byte_order_mark_before_a_date_head(file: Path) -> None:
    file.write_bytes(b"\xef\xbb\xbf date 2026-01-20 " + PROSE.encode())
    assert article(file).published == "2026-01-20"


@pytest.mark.parametrize(
    "text",
    [
        PROSE,
        "Le groupe lève 25 M€.",
        "« Noël » : l’œuvre coûte 3 k€…",
        "Søren Møller, associé d’Éclaté, « très honoré » d’être entré à l’échelle européenne",
    ],
)
def test_cp1252_is_read_with_a_warning(
    file: Path, caplog: pytest.LogCaptureFixture, text: str
) -> None:
    file.write_bytes(text.encode("cp1252"))
    assert article(file).text == text
    assert article(file).sha256 == sha256(text.encode("cp1252")).hexdigest()
    record = caplog.records[0]
    assert (record.name, record.levelno) == ("pipeline.reader", logging.WARNING)
    assert file.as_posix() in record.getMessage()
    assert "cp1252" in record.getMessage()


def test_utf8_gives_no_warning(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_bytes(PROSE.encode())
    assert article(file).text == PROSE
    assert caplog.records == []


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(PROSE.encode()[:-30] + b"\xc3", id="UTF-8 cut in a character"),
        pytest.param("Société très privée".encode("cp437"), id="DOS"),
        pytest.param("Société très privée".encode("mac_roman"), id="old Macintosh"),
        pytest.param("Компания привлекла средства".encode("cp1251"), id="Cyrillic"),
        pytest.param("spółka pozyskała środki".encode("cp1250"), id="Polish"),
        pytest.param(b"a \x81 byte that cp1252 lacks", id="undefined in cp1252"),
    ],
)
def test_other_bytes_are_no_french_text(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    assert str(error(file)).startswith(f"{file}: file is neither UTF-8 nor French text in cp1252")


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be"])
def test_utf16_with_its_mark(file: Path, encoding: str) -> None:
    mark = "" if encoding == "utf-16" else "\ufeff"
    file.write_bytes((mark + PROSE).encode(encoding))
    assert article(file).text == PROSE


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR", id="undecodable"),
        pytest.param(b"texte\x00texte", id="NUL in UTF-8"),
        pytest.param(PROSE.encode("utf-32"), id="UTF-32"),
        pytest.param(b"\xff\xfe\x00", id="half a character of UTF-16"),
    ],
)
def test_binary_file(file: Path, data: bytes) -> None:
    file.write_bytes(data)
    assert "file is binary" in str(error(file))
    assert error(file).path == file.as_posix()


# The text stays as it is on disk


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("Une levée.\r\nDeux\rtrois\n", id="line ends"),
        pytest.param("1\u00a0500\u202f000 € d’ici à l'été", id="spaces and apostrophes"),
        pytest.param("la socie\u0301te\u0301 le\u0300ve", id="decomposed accents"),
        pytest.param("à\u2028b\u0085c\x0cd", id="odd line ends"),
        pytest.param("lève \ufeff 5 M€ 👩🏽‍💻", id="a mark inside, and beyond the BMP"),
    ],
)
def test_text_is_kept(file: Path, lines: Path, text: str) -> None:
    file.write_bytes(text.encode())
    lines.write_text(json.dumps({"text": text}), "utf-8")
    assert article(file).text == text
    assert article(lines).text == text


def test_offsets_count_the_carriage_returns(file: Path) -> None:
    file.write_bytes(b"Titre\r\n\r\nElle l\xc3\xa8ve 5 M\xe2\x82\xac.\r\n")
    assert article(file).text[9:24] == "Elle lève 5 M€."


def test_long_article_is_whole(file: Path) -> None:
    text = PROSE * 40_000
    assert len(text) > 1_000_000
    file.write_bytes(text.encode())
    assert article(file).text == text


@pytest.fixture
def short(monkeypatch: pytest.MonkeyPatch) -> int:
    """Articles may have 100 characters, so that the limit can be tried with little text."""
    monkeypatch.setattr(pipeline.reader, "MAX_CHARACTERS", 100)
    monkeypatch.setattr(pipeline.reader, "_MAX_BYTES", 400)
    monkeypatch.setattr(pipeline.reader, "_MAX_LINE", 1_200)
    return 100


@pytest.mark.parametrize("character", ["a", "é", "€", "😀a"])
def test_longest_article(tmp_path: Path, short: int, character: str) -> None:
    longest = (character * short)[: short - 1] + "a"
    for encoding in ("utf-8", "utf-16"):
        (tmp_path / "x.txt").write_text(longest, encoding)
        assert article(tmp_path / "x.txt").text == longest
    assert article("-", longest.encode()).text == longest
    line = json.dumps({"text": longest}).encode()
    assert article("-", line).text == longest


@pytest.mark.parametrize("character", ["a", "é", "€", "😀a"])
@pytest.mark.parametrize("times", [1, 1_000])
def test_longer_article_is_refused_whole(
    tmp_path: Path, short: int, character: str, times: int
) -> None:
    """Just longer, and so long that not even its line is held."""
    text = character * short * times + "a"
    (tmp_path / "x.txt").write_text(text, "utf-8")
    message = f"is longer than {short} characters; split it into its articles"
    assert str(error(tmp_path / "x.txt")) == f"{tmp_path}/x.txt: file {message}"
    assert str(error("-", text.encode())) == f"-: file {message}"
    rows = [{"text": "a"}, {"text": text}, {"text": "b"}]
    (tmp_path / "x.jsonl").write_text("\n".join(map(json.dumps, rows)), "utf-8")
    first, bad, last = read(tmp_path / "x.jsonl")
    assert isinstance(first, Article)
    assert isinstance(bad, InputError)
    assert (bad.line, bad.message.partition(" ")[2]) == (2, message)
    assert isinstance(last, Article)
    assert (last.id, last.text) == ("x:3", "b")


def test_last_line_that_is_too_long(lines: Path, short: int) -> None:
    lines.write_text(json.dumps({"text": PROSE}) + '\n{"text": "' + "a" * 10_000, "utf-8")
    _, bad = read(lines)
    assert isinstance(bad, InputError)
    assert str(bad).startswith(f"{lines}:2: line is longer than {short} characters")


@pytest.mark.parametrize(
    ("text", "warned"),
    [
        ("<!DOCTYPE html>\n<html><body><p>Elle lève 5 M€.</p></body></html>", True),
        ("  <HTML lang=fr><p>Elle lève 5 M€.</p>", True),
        (" date 2026-01-20 <html><p>Elle lève 5 M€.</p>", True),
        ("<p>Elle lève 5 M€.</p>", False),
        ("Elle lève 5 M€ <html>", False),
        ("<htmlx> Elle lève 5 M€", False),
    ],
)
def test_html_is_read_with_a_warning(
    file: Path, caplog: pytest.LogCaptureFixture, text: str, warned: bool
) -> None:
    file.write_text(text, "utf-8")
    assert article(file).text == text
    told = [f"{file}: file is HTML; its tags are read as text, give the text alone"]
    assert caplog.messages == told * warned


# The date head


@pytest.mark.parametrize(
    ("text", "published", "prose"),
    [
        (" date 2026-01-20 Les levées", "2026-01-20", "Les levées"),
        (" date 2023-10 ChatGPT", "2023-10", "ChatGPT"),
        ("date 2024\nUn titre", "2024", "Un titre"),
        ("\r\n date 2026-01-20 \r\n\r\nUn titre", "2026-01-20", "Un titre"),
        (" Date 2026-01-20\u00a0Un titre", "2026-01-20", "Un titre"),
        (" date 2026-01-20", "2026-01-20", ""),
        (" date 2026-13-45 Un titre", None, "Un titre"),
        (" date 2026-2-30 Un titre", None, "Un titre"),
        ("La date 2026-01-20 approche", None, "La date 2026-01-20 approche"),
        ("date 20260120 Un titre", None, "date 20260120 Un titre"),
        ("date 2026-01-20-01 Un titre", None, "date 2026-01-20-01 Un titre"),
        (" Un titre", None, " Un titre"),
        ("", None, ""),
    ],
)
def test_split_head(text: str, published: str | None, prose: str) -> None:
    found, start = split_head(text)
    assert (found, text[start:]) == (published, prose)


def test_date_head_stays_in_the_text(file: Path) -> None:
    file.write_text(f" date 2026-01-20 {PROSE}", "utf-8")
    assert article(file).text == f" date 2026-01-20 {PROSE}"
    assert article(file).published == "2026-01-20"


def test_date_head_that_is_no_date_is_told(file: Path, caplog: pytest.LogCaptureFixture) -> None:
    file.write_text(f" date 2026-02-30 {PROSE}", "utf-8")
    assert article(file).published is None
    assert caplog.messages[0].startswith(f"{file}: date head 'date 2026-02-30' is no date")


# Empty


@pytest.mark.parametrize(
    "text", ["", " \r\n\t\u00a0", "\ufeff", " date 2026-01-20 \n", "…\x01\x02"]
)
def test_empty_file(file: Path, text: str) -> None:
    file.write_bytes(text.encode())
    assert str(error(file)).startswith(f"{file}: file is empty")


# Paths


def test_missing_path(tmp_path: Path) -> None:
    assert str(error(tmp_path / "rien.txt")) == f"{tmp_path}/rien.txt: no such file or folder"
    assert "no such file" in str(error("x" * 5_000))


def test_empty_folder(tmp_path: Path) -> None:
    (tmp_path / "photo.png").write_bytes(b"\x89PNG")
    assert str(error(tmp_path)) == f"{tmp_path}: no .txt, .md or .jsonl file in this folder"


def test_unknown_suffix_is_an_error_only_where_named(tmp_path: Path) -> None:
    pdf = tmp_path / "article.pdf"
    pdf.write_bytes(b"%PDF")
    (tmp_path / "article.txt").write_text(PROSE, "utf-8")
    assert error(pdf).path == pdf.as_posix()
    assert "expected .txt, .md or .jsonl" in str(error(pdf))
    assert article(tmp_path).path == f"{tmp_path}/article.txt"


def test_folder_is_read_in_sorted_order_and_deep(tmp_path: Path) -> None:
    names = ["b.txt", "a.md", "a/z.txt", "a/b/c.txt", "a-b/x.txt", "c.jsonl", "é.txt"]
    for name in names:
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps({"text": PROSE}) if name.endswith("l") else PROSE
        path.write_text(text, "utf-8")
    paths = [Path(str(item.path)) for item in read(tmp_path)]
    assert paths == sorted(tmp_path / name for name in names)


def test_loop_of_links_ends(tmp_path: Path) -> None:
    inner = tmp_path / "a" / "b"
    inner.mkdir(parents=True)
    (inner / "x.txt").write_text(PROSE, "utf-8")
    (inner / "up").symlink_to(tmp_path, target_is_directory=True)
    (tmp_path / "self").symlink_to("self")
    assert article(tmp_path).path == f"{inner}/x.txt"


def test_file_that_links_to_itself(tmp_path: Path) -> None:
    (tmp_path / "x.txt").symlink_to("x.txt")
    (tmp_path / "y.txt").symlink_to("z.txt")
    (tmp_path / "z.txt").symlink_to("y.txt")
    messages = [str(item) for item in read(tmp_path)]
    reason = "cannot be read: Too many levels of symbolic links"
    assert messages == [f"{tmp_path}/{name}.txt: {reason}" for name in "xyz"]


def test_linked_folder_is_read(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "x.txt").write_text(PROSE, "utf-8")
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "2024").symlink_to(tmp_path / "data")
    assert article(tmp_path / "corpus").path == f"{tmp_path}/corpus/2024/x.txt"


def test_dangling_link_is_unreadable(tmp_path: Path) -> None:
    (tmp_path / "x.txt").symlink_to("gone")
    assert "cannot be read: No such file or directory" in str(error(tmp_path))


def test_named_pipe_does_not_hang(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "x.txt")
    assert "no regular file" in str(error(tmp_path))
    assert count_articles(tmp_path) == 1


def test_unreadable_file_and_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # By patching, since the tests may run as root, whom no mode keeps out.
    for name in ("a.txt", "b/c.txt", "d.txt"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(PROSE, "utf-8")
    open_file, list_folder = Path.open, os.scandir

    def refuse_file(path: Path, mode: str = "r") -> object:
        if path.name == "a.txt":
            raise PermissionError(13, "Permission denied")
        return open_file(path, mode)

    def refuse_folder(path: Path) -> object:
        if path.name == "b":
            raise PermissionError(13, "Permission denied")
        return list_folder(path)

    monkeypatch.setattr(Path, "open", refuse_file)
    monkeypatch.setattr(os, "scandir", refuse_folder)
    first, second, third = read(tmp_path)
    assert str(first) == f"{tmp_path}/a.txt: cannot be read: Permission denied"
    assert str(second) == f"{tmp_path}/b: cannot be read: Permission denied"
    assert isinstance(third, Article)


def test_file_that_vanishes_meanwhile(tmp_path: Path) -> None:
    for name in ("a.txt", "b.txt", "c.txt"):
        (tmp_path / name).write_text(PROSE, "utf-8")
    items = read_articles(tmp_path)
    assert isinstance(next(items), Article)
    (tmp_path / "b.txt").unlink()
    second, third = items
    assert isinstance(second, InputError)
    assert second.path == f"{tmp_path}/b.txt"
    assert isinstance(third, Article)


def test_folder_that_vanishes_meanwhile(tmp_path: Path) -> None:
    for name in ("a/x.txt", "b/x.txt", "c.tmp", "d.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(PROSE, "utf-8")
    items = read_articles(tmp_path)
    assert isinstance(next(items), Article)
    (tmp_path / "b" / "x.txt").unlink()
    (tmp_path / "b").rmdir()
    (tmp_path / "c.tmp").unlink()  # no article, and nobody's loss
    second, third = items
    assert str(second) == f"{tmp_path}/b: cannot be read: No such file or directory"
    assert isinstance(third, Article)


def test_file_name_that_is_no_utf8(tmp_path: Path) -> None:
    os.rename(
        _written(tmp_path / "x.txt", PROSE), os.path.join(os.fsencode(tmp_path), b"lev\xe9e.txt")
    )
    assert article(tmp_path).id == "lev\ufffde"
    assert article(tmp_path).path == f"{tmp_path}/lev\ufffde.txt"


def _written(path: Path, text: str) -> bytes:
    path.write_text(text, "utf-8")
    return os.fsencode(path)


def test_bad_files_do_not_stop_the_others(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_bytes(b"")
    (tmp_path / "b.txt").write_text(PROSE, "utf-8")
    (tmp_path / "c.txt").write_bytes(b"\x00\x01")
    (tmp_path / "d.jsonl").write_text('{"text": 1}\n' + json.dumps({"text": PROSE}), "utf-8")
    kinds = [(type(item), Path(str(item.path)).name) for item in read(tmp_path)]
    assert kinds == [
        (InputError, "a.txt"),
        (Article, "b.txt"),
        (InputError, "c.txt"),
        (InputError, "d.jsonl"),
        (Article, "d.jsonl"),
    ]


def test_streaming(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("a.txt", "b.txt"):
        (tmp_path / name).write_text(PROSE, "utf-8")
    opened: list[str] = []
    open_file = Path.open

    def recorded(path: Path, mode: str = "r") -> object:
        opened.append(path.name)
        return open_file(path, mode)

    monkeypatch.setattr(Path, "open", recorded)
    items = read_articles(tmp_path)
    assert opened == []
    next(items)
    assert opened == ["a.txt"]


# JSONL


def test_jsonl_line_with_everything(lines: Path) -> None:
    row = {
        "id": "lemonde-12",
        "text": PROSE,
        "published": "2026-01-20",
        "title": "Une levée",
        "outlet": "Le Journal",
        "url": "https://example.org/12",
    }
    lines.write_text(json.dumps({**row, "label": 3}, ensure_ascii=False) + "\n", "utf-8")
    assert article(lines) == Article(
        **row, path=lines.as_posix(), sha256=sha256(PROSE.encode()).hexdigest()
    )


def test_jsonl_line_with_text_alone(lines: Path) -> None:
    rows = [{"text": PROSE}, {"text": PROSE, "id": None, "title": " ", "published": ""}]
    lines.write_text("\r\n\r\n".join(map(json.dumps, rows)), "utf-8")
    first, second = read(lines)
    assert isinstance(first, Article)
    assert isinstance(second, Article)
    assert (first.id, second.id) == ("articles:1", "articles:3")
    assert (second.title, second.published) == (None, None)


def test_ids_given_twice_are_left(lines: Path) -> None:
    lines.write_text((json.dumps({"id": "x", "text": PROSE}) + "\n") * 2, "utf-8")
    assert [item.id for item in read(lines) if isinstance(item, Article)] == ["x", "x"]


@pytest.mark.parametrize(
    ("published", "expected"),
    [
        ("2026", "2026"),
        ("2026-01", "2026-01"),
        ("2026-01-20", "2026-01-20"),
        ("2026-01-20T23:59:59Z", "2026-01-20"),
        ("2026-01-20T08:30:00.123+02:00", "2026-01-20"),
        ("2026-01-20 08:30", "2026-01-20"),
        (" 2026-01-20 ", "2026-01-20"),
    ],
)
def test_published(lines: Path, published: str, expected: str) -> None:
    lines.write_text(json.dumps({"text": PROSE, "published": published}), "utf-8")
    assert article(lines).published == expected


def test_published_goes_before_the_date_head(lines: Path) -> None:
    rows = [
        {"text": f" date 2023-10 {PROSE}", "published": "2023-10-30"},
        {"text": f" date 2023-10 {PROSE}"},
    ]
    lines.write_text("\n".join(map(json.dumps, rows)), "utf-8")
    dates = [item.published for item in read(lines) if isinstance(item, Article)]
    assert dates == ["2023-10-30", "2023-10"]


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ('{"text": "coupé', "Invalid JSON: EOF while parsing a string at column"),
        ("pas du JSON", "Invalid JSON"),
        ('["texte"]', "Input should be an object"),
        ("null", "Input should be an object"),
        ("{}", "`text`: Field required"),
        ('{"text": null}', "`text`: Input should be a valid string"),
        ('{"text": 5}', "`text`: Input should be a valid string"),
        ('{"text": "  "}', "`text` is empty"),
        (r'{"text": "a\u0000b"}', "`text` is binary"),
        (r'{"text": "a\ud800b"}', "Invalid JSON"),
        (r'{"text": "lève", "title": "\udc00"}', "Invalid JSON"),
        ('{"text": "lève", "id": 5}', "`id`: Input should be a valid string"),
        ('{"text": "lève", "title": NaN}', "`title`: Input should be a valid string"),
        ('{"text": "lève", "url": ["x"]}', "`url`: Input should be a valid string"),
        ('{"text": "lève", "published": 2026}', "`published`: Input should be a valid string"),
        ('{"text": "lève", "published": "2026-13"}', "`published`: '2026-13' is no date"),
        ('{"text": "lève", "published": "2026-02-30"}', "`published`: '2026-02-30' is no date"),
        ('{"text": "lève", "published": "20 janvier"}', "`published`: '20 janvier' is no date"),
        ('{"text": "lève", "published": "2026-01-20T25:00"}', "is no date"),
        ("[" * 100_000, "Invalid JSON: recursion limit exceeded"),
    ],
)
def test_bad_jsonl_line_names_itself(lines: Path, line: str, message: str) -> None:
    good = json.dumps({"text": PROSE})
    lines.write_text(f"{good}\n\n{line}\n{good}\n", "utf-8")
    first, bad, last = read(lines)
    assert isinstance(first, Article)
    assert isinstance(last, Article)
    assert isinstance(bad, InputError)
    assert (bad.path, bad.line) == (lines.as_posix(), 3)
    assert str(bad).startswith(f"{lines}:3: ")
    assert message in str(bad)
    assert "\n" not in str(bad)


@pytest.mark.parametrize("data", [b"", b"\n \r\n", b"\xef\xbb\xbf\n"])
def test_empty_jsonl(lines: Path, data: bytes) -> None:
    lines.write_bytes(data)
    assert str(error(lines)).startswith(f"{lines}: file is empty")


def test_jsonl_with_byte_order_mark(lines: Path) -> None:
    lines.write_bytes(b"\xef\xbb\xbf" + json.dumps({"text": PROSE}).encode())
    assert article(lines).text == PROSE


def test_jsonl_in_cp1252_warns_once(lines: Path, caplog: pytest.LogCaptureFixture) -> None:
    row = json.dumps({"text": PROSE}, ensure_ascii=False) + "\n"
    lines.write_bytes((row * 3).encode("cp1252"))
    assert [item.text for item in read(lines) if isinstance(item, Article)] == [PROSE] * 3
    assert len(caplog.messages) == 1
    assert caplog.messages[0].startswith(f"{lines}: not UTF-8; read as cp1252")


def test_undecodable_jsonl_line(lines: Path) -> None:
    good = json.dumps({"text": PROSE}).encode()
    lines.write_bytes(good + b'\n{"text": "\xff\xfe\x81"}\n' + good)
    _, bad, last = read(lines)
    assert str(bad).startswith(f"{lines}:2: line is neither UTF-8")
    assert isinstance(last, Article)


def test_jsonl_in_utf16_is_one_error(lines: Path) -> None:
    lines.write_bytes((json.dumps({"text": PROSE}) + "\n").encode("utf-16") * 3)
    assert "JSONL is UTF-8" in str(error(lines))


# Standard input


def test_stdin_text() -> None:
    data = f" date 2026-01-20 {PROSE}\r\n".encode()
    assert article("-", data) == Article(
        id="stdin",
        path="-",
        published="2026-01-20",
        text=data.decode(),
        sha256=sha256(data).hexdigest(),
    )


@pytest.mark.parametrize("before", [b"", b"\xef\xbb\xbf", b"\n \r\n"])
def test_stdin_jsonl(before: bytes) -> None:
    data = before + json.dumps({"text": PROSE}).encode() + b"\n" + b'{"id": "x"}\n'
    first, second = read("-", data)
    assert isinstance(first, Article)
    assert (first.text, first.path) == (PROSE, "-")
    assert first.id == f"stdin:{1 + before.count(10)}"
    assert isinstance(second, InputError)
    assert str(second) == f"-:{2 + before.count(10)}: `text`: Field required"


def test_stdin_leading_blank_lines_count_in_offsets() -> None:
    assert article("-", f"\n\n{PROSE}".encode()).text == f"\n\n{PROSE}"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "-: file is empty"),
        (b" \n", "-: file is empty"),
        (b"\x00\x01", "-: file is binary"),
        ('{"text": "é"}'.encode("utf-16"), "-: file is UTF-16; JSONL is UTF-8"),
    ],
)
def test_bad_stdin(data: bytes, message: str) -> None:
    assert str(error("-", data)).startswith(message)


# The count for the progress bar


def test_count_articles(tmp_path: Path) -> None:
    good = json.dumps({"text": PROSE})
    (tmp_path / "a.txt").write_text(PROSE, "utf-8")
    (tmp_path / "b.txt").write_bytes(b"")
    (tmp_path / "c.jsonl").write_text(f"{good}\n\n{{}}\n{good}", "utf-8")
    (tmp_path / "d.jsonl").write_bytes(b"")
    (tmp_path / "e.pdf").write_bytes(b"%PDF")
    assert count_articles(tmp_path) == 6 == len(read(tmp_path))
    assert count_articles(tmp_path / "rien") == 1
    assert count_articles("-") is None


# Places, and going on after one


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    """Files and lines, good and bad, in folders that sort in no simple way."""
    good = json.dumps({"text": PROSE}) + "\n"
    files: dict[str, bytes] = {
        "a.txt": PROSE.encode(),
        "a/one.jsonl": f"{good}\n{{\n{good}".encode(),
        "a/two.txt": b"",
        "a-b/x.md": PROSE.encode(),
        "b.jsonl": b"",
        "c.jsonl": b"\xff\xfe" + b"{\x00}\x00",
        "d\nd.txt": PROSE.encode(),
        "e.jsonl": good.strip().encode(),
    }
    folder = tmp_path / "in"
    for name, data in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(data)
    with open(os.fsencode(folder) + b"/f\xe9.txt", "wb") as stream:
        stream.write(PROSE.encode())
    (folder / "z").symlink_to("a")
    return folder


def told(items: Iterator[tuple[Place, Article | InputError]]) -> list[tuple[Place, str]]:
    return [
        (place, f"{item.path} {item.id}" if isinstance(item, Article) else str(item))
        for place, item in items
    ]


def test_going_on_after_any_place_gives_the_rest(corpus: Path) -> None:
    whole = told(read_places(corpus))
    assert len(whole) == 11
    for number, (place, _) in enumerate(whole):
        # The place comes back from the JSON of a journal.
        after = Place(*json.loads(json.dumps(place)))
        assert told(read_places(corpus, after=after)) == whole[number + 1 :]


def test_going_on_in_one_file_and_in_standard_input(lines: Path) -> None:
    row = json.dumps({"text": PROSE})
    data = f"\n{row}\n{{\n\n{row}".encode()
    lines.write_bytes(data)
    for number, (place, _) in enumerate(whole := told(read_places(lines))):
        assert told(read_places(lines, after=place)) == whole[number + 1 :]
    for number, (place, _) in enumerate(whole := told(read_places("-", stdin=io.BytesIO(data)))):
        rest = read_places("-", stdin=io.BytesIO(data), after=place)
        assert told(rest) == whole[number + 1 :]
    (text,) = told(read_places("-", stdin=io.BytesIO(PROSE.encode())))
    assert told(read_places("-", stdin=io.BytesIO(PROSE.encode()), after=text[0])) == []


@pytest.mark.parametrize(
    "change",
    [
        pytest.param(lambda data: b"\n" + data, id="line put before"),
        pytest.param(lambda data: data.replace(b"1", b"9"), id="line changed"),
        pytest.param(lambda data: data.partition(b"\n")[2], id="line taken away"),
        pytest.param(lambda data: b"", id="emptied"),
    ],
)
def test_lines_that_changed_since(lines: Path, change: Callable[[bytes], bytes]) -> None:
    data = "".join(json.dumps({"text": f"{PROSE} {n}"}) + "\n" for n in range(4)).encode()
    lines.write_bytes(data)
    place = list(read_places(lines))[2][0]
    lines.write_bytes(data + b"{}\n")
    assert len(list(read_places(lines, after=place))) == 2, "what comes after may change"
    lines.write_bytes(change(data))
    with pytest.raises(ResumeError, match=r"its first 3 lines are not those that were read"):
        list(read_places(lines, after=place))


def test_file_that_is_gone_since(tmp_path: Path, lines: Path) -> None:
    lines.write_text((json.dumps({"text": PROSE}) + "\n") * 3, "utf-8")
    places = [place for place, _ in read_places(tmp_path)]
    lines.unlink()
    for source in (tmp_path, lines):
        with pytest.raises(ResumeError, match=r"no longer there; begin anew without --resume"):
            list(read_places(source, after=places[1]))
