"""A file, a folder, JSONL or standard input -> articles, one at a time.

Conventions that the contract leaves to the reader:

- The text of a file is its bytes decoded, after the byte-order mark and otherwise untouched:
  line ends, no-break spaces and decomposed accents stay, and offsets count them.
- ``article.sha256`` is of the bytes on disk (or of standard input), mark and all; of a JSONL
  article it is of ``text`` in UTF-8.
- ``article.path`` is the path as it was given, with ``/``; of a JSONL article the path of its
  file; of standard input ``-``. Bytes in a file name that are not UTF-8 show as U+FFFD.
- ``article.id`` is the file's stem, or the given ``id``; a JSONL line without one gets the stem
  and the line number (``articles:12``), standard input ``stdin``. Ids are never changed to make
  them unique: two articles that share one are told apart by ``path`` and ``sha256``.
- Keys of a JSONL line that the contract does not know are ignored; a blank value counts as none.
- An article has at most :data:`MAX_CHARACTERS`; a longer one is an error, never cut. No more than
  one article is held at a time, whatever the size of a file or line.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterator
from datetime import date, datetime
from functools import partial
from hashlib import sha256
from itertools import chain, islice
from pathlib import Path
from typing import Annotated, BinaryIO, NamedTuple

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from pipeline.errors import InputError, ResumeError
from pipeline.schema import Article

SUFFIXES = (".txt", ".md", ".jsonl")

MAX_CHARACTERS = 2_000_000
"""The longest article, some 300,000 words; what is longer is a dump of many.

The limit is one of memory: measured with 650,000 characters, the NER takes 3 KB for each, so the
longest article needs 6 GB. Where there is less, the article is named as not read.
"""

_log = logging.getLogger(__name__)

_UTF16_MARKS = (BOM_UTF16_LE, BOM_UTF16_BE)
_BEFORE_JSON = b"\xef\xbb\xbf\xfe\xff\0 \t\r\n"
_FRENCH = frozenset("ÀÂÆÇÈÉÊËÎÏÔŒÙÛÜŸàâæçèéêëîïôœùûüÿ«»‘’“”–—…€£°²·•\u00a0")
_FRENCH_SHARE = 0.75

_HEAD = re.compile(r"\s*date\s+([0-9]{4}(?:-[0-9]{1,2}){0,2})(?!\S)\s*", re.IGNORECASE)
_PARTIAL_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")
_HTML = re.compile(r"\s*<(?:!doctype\s+html|html)\b", re.IGNORECASE)

_MAX_BYTES = 4 * MAX_CHARACTERS  # four a character, in UTF-8 and in UTF-16
_MAX_LINE = 12 * MAX_CHARACTERS  # "\ud83d\ude00" is one character in JSON


class Place(NamedTuple):
    """Where an item stands in the input, so that a later run can go on after it.

    ``line`` is 1-based; 0 means that the file is done. ``digest`` is the SHA-256 (hex) of all
    lines of the file up to this one, by which a changed file is noticed.
    """

    path: str
    line: int = 0
    digest: str = ""


def read_articles(
    source: str | Path, *, stdin: BinaryIO | None = None
) -> Iterator[Article | InputError]:
    """The articles of ``source``, in sorted order; what cannot be read comes as an error.

    ``source`` is a ``.txt`` or ``.md`` file (one article), a ``.jsonl`` file (one a line), a
    folder (its files with these suffixes and those of its subfolders, links followed, each
    folder once, sorted by path) or ``-`` (``stdin``, by default standard input: JSONL where the
    first character that is not blank is ``{``, else one article). Nothing is read before it is
    asked for. A file that is not UTF-8 but French text in cp1252, and a date head that is no
    date, are told as warnings of the logger ``pipeline.reader``.

    Yields:
        Each article, or in its place the :class:`InputError` (not raised, so that the others
        go on) that names the file, and in JSONL the line.
    """
    return (item for _, item in read_places(source, stdin=stdin))


def read_places(
    source: str | Path, *, stdin: BinaryIO | None = None, after: Place | None = None
) -> Iterator[tuple[Place, Article | InputError]]:
    """What :func:`read_articles` yields, each with its place; with ``after`` only what follows it.

    The order of a folder is that of its paths: files that came or went before ``after`` since
    then change nothing, just as in a run that was never interrupted.

    Raises:
        ResumeError: where the lines up to ``after`` are not those that were read then.
    """
    if after is not None:
        _refuse_lost(str(source), after)
    if str(source) == "-":
        if after is None or after.line:
            yield from _caught("-", _read_stdin(stdin or sys.stdin.buffer, after))
        return
    for path, error in _files(Path(source)):
        begun = after is not None and path == Path(after.path)
        if after is not None and (path < Path(after.path) or (begun and not after.line)):
            continue
        if error is not None:
            yield Place(str(path)), error
        else:
            yield from _caught(str(path), _read_file(path, after if begun else None))


def count_articles(source: str | Path) -> int | None:
    """How many items :func:`read_articles` will yield; ``None`` for ``-``. Nothing is decoded."""
    if str(source) == "-":
        return None
    return sum(_count(path) for path, _ in _files(Path(source)))


def split_head(text: str) -> tuple[str | None, int]:
    """The date that the text begins with, and the offset at which its prose begins.

    A head reads `` date 2026-01-20 `` (or a year, or a year and a month), alone on the first
    line or before the first sentence. ``(None, 0)`` without a head; where it holds no date of
    the calendar (``date 2026-13``), ``None`` and the offset after it.
    """
    head = _HEAD.match(text)
    if head is None:
        return None, 0
    try:
        return _published(head[1]), head.end()
    except ValueError:
        return None, head.end()


def _published(value: str) -> str:
    """``value`` as a partial date (YYYY, YYYY-MM, YYYY-MM-DD); a timestamp is cut to its day."""
    try:
        if _TIMESTAMP.match(value):
            return datetime.fromisoformat(value).date().isoformat()
        if partial := _PARTIAL_DATE.fullmatch(value):
            date(*(int(part or 1) for part in partial.groups()))
            return value
    except ValueError:
        pass
    raise ValueError(f"{value!r} is no date; write YYYY, YYYY-MM or YYYY-MM-DD")


def _given(value: str | None) -> str | None:
    return value if value and not value.isspace() else None


def _given_date(value: str | None) -> str | None:
    return _published(value.strip()) if value and not value.isspace() else None


class _Row(BaseModel):
    """A line of JSONL; a value of another type is refused, not converted."""

    model_config = ConfigDict(strict=True)

    text: str
    id: Annotated[str | None, AfterValidator(_given)] = None
    published: Annotated[str | None, AfterValidator(_given_date)] = None
    title: Annotated[str | None, AfterValidator(_given)] = None
    outlet: Annotated[str | None, AfterValidator(_given)] = None
    url: Annotated[str | None, AfterValidator(_given)] = None


def _refuse_lost(source: str, after: Place) -> None:
    """What was read is gone: the rest of it can no longer be known."""
    for path in (source, after.path if after.line else source):
        if path != "-" and not os.path.exists(path):
            raise ResumeError(f"{_shown(path)}: no longer there; begin anew without --resume")


def _files(source: Path) -> Iterator[tuple[Path, InputError | None]]:
    """The files in order, or in the place of a file why there is none to read."""
    if not os.path.exists(source):
        yield source, InputError("no such file or folder", path=_shown(source))
    elif source.is_dir():
        empty = True
        for found in _walk(source):
            empty = False
            yield found
        if empty:
            yield source, InputError(f"no {_suffixes()} file in this folder", path=_shown(source))
    elif source.suffix.lower() not in SUFFIXES:
        message = f"unknown kind of file; expected {_suffixes()}"
        yield source, InputError(message, path=_shown(source))
    else:
        yield source, None


def _walk(source: Path) -> Iterator[tuple[Path, InputError | None]]:
    pending = [iter(((source, True),))]
    seen: set[tuple[int, int]] = set()
    while pending:
        path, is_folder = next(pending[-1], (None, False))
        if path is None:
            pending.pop()
        elif not is_folder:
            yield path, None
        else:
            try:
                status = path.stat()
                # A link may lead back up: each folder is read once, under its first name.
                if (status.st_dev, status.st_ino) not in seen:
                    seen.add((status.st_dev, status.st_ino))
                    pending.append(_entries(path))
            except OSError as error:
                yield path, _unreadable(path, error)


def _entries(folder: Path) -> Iterator[tuple[Path, bool]]:
    """The articles and folders in a folder, sorted, and whether each is a folder."""
    with os.scandir(folder) as entries:
        # Names, not paths, are held: a folder may have millions.
        names = sorted(
            (entry.name, is_folder)
            for entry in entries
            if (is_folder := _is_folder(entry)) or Path(entry.name).suffix.lower() in SUFFIXES
        )
    return ((folder / name, is_folder) for name, is_folder in names)


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads to itself
        return False


def _open(path: Path) -> BinaryIO:
    # To open a named pipe would wait for its writer, for ever in a folder.
    if path.exists() and not path.is_file():
        raise InputError("this is no regular file; pass its content to `-`", path=_shown(path))
    return path.open("rb")


def _count(path: Path) -> int:
    if path.suffix.lower() != ".jsonl":
        return 1
    try:
        with _open(path) as stream:
            return sum(not piece.isspace() for piece in _pieces(stream)) or 1
    except (OSError, InputError):
        return 1


_Items = Iterator[tuple[Place, Article | InputError]]


def _caught(path: str, items: _Items) -> _Items:
    """The items; an error that ends the file comes as its last."""
    try:
        yield from items
    except InputError as error:
        yield Place(path), error
    except OSError as error:
        yield Place(path), _unreadable(path, error)


def _read_file(path: Path, after: Place | None) -> _Items:
    with _open(path) as stream:
        if path.suffix.lower() == ".jsonl":
            yield from _read_lines(_pieces(stream), path, after)
        else:
            yield Place(str(path)), _read_text(stream.read(_MAX_BYTES + 1), path)


def _read_stdin(stream: BinaryIO, after: Place | None) -> _Items:
    pieces = _pieces(stream)
    first: list[bytes] = []
    for piece in pieces:
        first.append(piece)
        if piece.strip():
            break
    if first and first[-1].lstrip(_BEFORE_JSON).startswith(b"{"):
        yield from _read_lines(chain(first, pieces), Path("-"), after)
    else:
        yield Place("-"), _read_text(b"".join(first) + stream.read(_MAX_BYTES + 1), Path("-"))


def _pieces(stream: BinaryIO) -> Iterator[bytes]:
    """The lines; one that is longer than :data:`_MAX_LINE` comes in pieces."""
    return iter(partial(stream.readline, _MAX_LINE), b"")


def _lines(pieces: Iterator[bytes], path: Path) -> Iterator[tuple[Place, bytes | None]]:
    """The lines with their places; ``None`` for one that is too long to be held."""
    seen = sha256()
    for number, piece in enumerate(pieces, start=1):
        seen.update(piece)
        whole = len(piece) < _MAX_LINE or piece.endswith(b"\n")
        if not whole:
            for rest in pieces:
                seen.update(rest)
                if rest.endswith(b"\n"):
                    break
        yield Place(str(path), number, seen.hexdigest()), piece if whole else None


def _read_text(data: bytes, file: Path) -> Article:
    path, name = _shown(file), _name(file)
    if len(data) > _MAX_BYTES:
        raise _too_long("file", path)
    text, encoding = _decode(data, path)
    if encoding == "cp1252":
        _warn_of_cp1252(path)
    digest = sha256(data).hexdigest()
    return _article(_Row(text=text), name, path=path, digest=digest, what="file")


def _read_lines(pieces: Iterator[bytes], file: Path, after: Place | None) -> _Items:
    path, name = _shown(file), _name(file)
    lines = _lines(pieces, file)
    if after is not None and after not in (place for place, _ in islice(lines, after.line)):
        raise ResumeError(
            f"{path}: its first {after.line} lines are not those that were read before the "
            "interruption; begin anew without --resume"
        )
    empty, warned = after is None, False
    for place, line in lines:
        number = place.line
        if number == 1 and line is not None and line.startswith(_UTF16_MARKS):
            raise InputError("file is UTF-16; JSONL is UTF-8 (RFC 8259), convert it", path=path)
        try:
            if line is None:
                raise _too_long("line", path, number)
            decoded, encoding = _decode(line, path, number)
            if not decoded.strip():
                continue
            empty = False
            if encoding == "cp1252" and not warned:
                warned = True
                _warn_of_cp1252(path)
            row = _Row.model_validate_json(decoded.rstrip("\r\n"))
            digest = sha256(row.text.encode()).hexdigest()
            id_ = f"{name}:{number}"
            yield place, _article(row, id_, path=path, digest=digest, what="`text`", line=number)
        except ValidationError as error:
            yield place, InputError(_reason(error), path=path, line=number)
        except InputError as error:
            empty = False
            yield place, error
    if empty:
        raise InputError("file is empty; write articles into it or leave it out", path=path)


def _article(
    row: _Row, name: str, *, path: str, digest: str, what: str, line: int | None = None
) -> Article:
    """The article of ``row``, by the id ``name`` unless one is given."""
    if len(row.text) > MAX_CHARACTERS:
        raise _too_long(what, path, line)
    published, prose = split_head(row.text)
    place = path if line is None else f"{path}:{line}"
    if prose and published is None:
        _log.warning(
            "%s: date head %r is no date; write YYYY-MM-DD", place, row.text[:prose].strip()
        )
    if "\0" in row.text:
        message = f"{what} is binary (NUL characters in it); give plain text"
        raise InputError(message, path=path, line=line)
    if not any(map(str.isalpha, row.text[prose:])):
        message = f"{what} is empty (no words in it); write the article into it or leave it out"
        raise InputError(message, path=path, line=line)
    if _HTML.match(row.text, prose):
        _log.warning("%s: %s is HTML; its tags are read as text, give the text alone", place, what)
    return Article(
        id=row.id or name,
        path=path,
        published=row.published or published,
        title=row.title,
        outlet=row.outlet,
        url=row.url,
        sha256=digest,
        text=row.text,
    )


def _decode(data: bytes, path: str, line: int | None = None) -> tuple[str, str]:
    """The text, and the encoding in which it was read."""
    encodings = ("utf-16",) if data.startswith(_UTF16_MARKS) else ("utf-8-sig", "cp1252")
    for encoding in encodings:
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        if encoding != "cp1252" or _is_french(text):
            return text, encoding
    kind = "binary" if b"\0" in data else "neither UTF-8 nor French text in cp1252"
    what = "file" if line is None else "line"
    raise InputError(f"{what} is {kind}; give plain text in UTF-8", path=path, line=line)


def _is_french(text: str) -> bool:
    """Whether bytes read as cp1252 were that, by the accents and signs that they gave.

    charset_normalizer took 39 of 200 damaged UTF-8 extracts of the seeds, and French in cp437 and
    Mac Roman, for cp1252; the share of French characters tells them apart.
    """
    beyond_ascii = [character for character in text if character > "\x7f"]
    french = sum(character in _FRENCH for character in beyond_ascii)
    return "\0" not in text and french >= _FRENCH_SHARE * len(beyond_ascii)


def _warn_of_cp1252(path: str) -> None:
    _log.warning("%s: not UTF-8; read as cp1252 (Windows-1252)", path)


def _reason(error: ValidationError) -> str:
    first = error.errors(include_url=False)[0]
    # The JSON parser counts lines in what it was given, which is one line of the file.
    message = first["msg"].removeprefix("Value error, ").replace(" at line 1 column", " at column")
    return f"`{first['loc'][0]}`: {message}" if first["loc"] else message


def _unreadable(path: str | Path, error: OSError) -> InputError:
    return InputError(f"cannot be read: {error.strerror or error}", path=_shown(path))


def _too_long(what: str, path: str, line: int | None = None) -> InputError:
    message = f"{what} is longer than {MAX_CHARACTERS} characters; split it into its articles"
    return InputError(message, path=path, line=line)


def _suffixes() -> str:
    return ", ".join(SUFFIXES[:-1]) + f" or {SUFFIXES[-1]}"


def _name(path: Path) -> str:
    return "stdin" if path == Path("-") else _shown(path.stem)


def _shown(path: str | Path) -> str:
    """The path with ``/``, as text that can be written in UTF-8."""
    return os.fsencode(Path(path).as_posix()).decode("utf-8", "replace")
