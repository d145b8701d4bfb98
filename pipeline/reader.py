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
"""

from __future__ import annotations

import logging
import os
import re
import sys
from codecs import BOM_UTF16_BE, BOM_UTF16_LE
from collections.abc import Iterable, Iterator
from datetime import date, datetime
from hashlib import sha256
from itertools import chain
from pathlib import Path
from typing import Annotated, BinaryIO

from pydantic import AfterValidator, BaseModel, ConfigDict, ValidationError

from pipeline.errors import InputError
from pipeline.schema import Article

SUFFIXES = (".txt", ".md", ".jsonl")

_log = logging.getLogger(__name__)

_UTF16_MARKS = (BOM_UTF16_LE, BOM_UTF16_BE)
_BEFORE_JSON = b"\xef\xbb\xbf\xfe\xff\0 \t\r\n"
_FRENCH = frozenset("ÀÂÆÇÈÉÊËÎÏÔŒÙÛÜŸàâæçèéêëîïôœùûüÿ«»‘’“”–—…€£°²·•\u00a0")
_FRENCH_SHARE = 0.75

_HEAD = re.compile(r"\s*date\s+([0-9]{4}(?:-[0-9]{1,2}){0,2})(?!\S)\s*", re.IGNORECASE)
_PARTIAL_DATE = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")
_TIMESTAMP = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[T ]")


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
    if str(source) == "-":
        yield from _caught("-", _read_stdin(stdin or sys.stdin.buffer))
        return
    for path in _files(Path(source)):
        if isinstance(path, InputError):
            yield path
        else:
            yield from _caught(_shown(path), _read_file(path))


def count_articles(source: str | Path) -> int | None:
    """How many items :func:`read_articles` will yield; ``None`` for ``-``. Nothing is decoded."""
    if str(source) == "-":
        return None
    return sum(1 if isinstance(path, InputError) else _count(path) for path in _files(Path(source)))


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


def _files(source: Path) -> Iterator[Path | InputError]:
    if not os.path.exists(source):
        yield InputError("no such file or folder", path=_shown(source))
    elif source.is_dir():
        empty = True
        for found in _walk(source):
            empty = False
            yield found
        if empty:
            yield InputError(f"no {_suffixes()} file in this folder", path=_shown(source))
    elif source.suffix.lower() not in SUFFIXES:
        yield InputError(f"unknown kind of file; expected {_suffixes()}", path=_shown(source))
    else:
        yield source


def _walk(folder: Path) -> Iterator[Path | InputError]:
    pending = [folder]
    seen: set[tuple[int, int]] = set()
    while pending:
        path = pending.pop()
        try:
            if path.is_dir():
                status = path.stat()
                # A link may lead back up: each folder is read once, under its first name.
                if (status.st_dev, status.st_ino) not in seen:
                    seen.add((status.st_dev, status.st_ino))
                    pending.extend(sorted(path.iterdir(), reverse=True))
            elif path.suffix.lower() in SUFFIXES:
                yield path
        except OSError as error:
            yield _unreadable(path, error)


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
            return sum(not line.isspace() for line in stream) or 1
    except (OSError, InputError):
        return 1


def _caught(path: str, items: Iterator[Article | InputError]) -> Iterator[Article | InputError]:
    try:
        yield from items
    except InputError as error:
        yield error
    except OSError as error:
        yield _unreadable(path, error)


def _read_file(path: Path) -> Iterator[Article | InputError]:
    with _open(path) as stream:
        if path.suffix.lower() == ".jsonl":
            yield from _read_lines(stream, _shown(path), _shown(path.stem))
        else:
            yield _read_text(stream.read(), _shown(path), _shown(path.stem))


def _read_stdin(stream: BinaryIO) -> Iterator[Article | InputError]:
    first: list[bytes] = []
    for line in stream:
        first.append(line)
        if line.strip():
            break
    if first and first[-1].lstrip(_BEFORE_JSON).startswith(b"{"):
        yield from _read_lines(chain(first, stream), "-", "stdin")
    else:
        yield _read_text(b"".join(first) + stream.read(), "-", "stdin")


def _read_text(data: bytes, path: str, name: str) -> Article:
    text, encoding = _decode(data, path)
    if encoding == "cp1252":
        _warn_of_cp1252(path)
    digest = sha256(data).hexdigest()
    return _article(_Row(text=text), name, path=path, digest=digest, what="file")


def _read_lines(lines: Iterable[bytes], path: str, name: str) -> Iterator[Article | InputError]:
    empty, warned = True, False
    for number, line in enumerate(lines, start=1):
        if number == 1 and line.startswith(_UTF16_MARKS):
            raise InputError("file is UTF-16; JSONL is UTF-8 (RFC 8259), convert it", path=path)
        try:
            decoded, encoding = _decode(line, path, number)
            if not decoded.strip():
                continue
            empty = False
            if encoding == "cp1252" and not warned:
                warned = True
                _warn_of_cp1252(path)
            row = _Row.model_validate_json(decoded.rstrip("\r\n"))
            digest = sha256(row.text.encode()).hexdigest()
            place = f"{name}:{number}"
            yield _article(row, place, path=path, digest=digest, what="`text`", line=number)
        except ValidationError as error:
            yield InputError(_reason(error), path=path, line=number)
        except InputError as error:
            empty = False
            yield error
    if empty:
        raise InputError("file is empty; write articles into it or leave it out", path=path)


def _article(
    row: _Row, name: str, *, path: str, digest: str, what: str, line: int | None = None
) -> Article:
    """The article of ``row``, by the id ``name`` unless one is given."""
    published, prose = split_head(row.text)
    if prose and published is None:
        place = path if line is None else f"{path}:{line}"
        _log.warning(
            "%s: date head %r is no date; write YYYY-MM-DD", place, row.text[:prose].strip()
        )
    if "\0" in row.text:
        message = f"{what} is binary (NUL characters in it); give plain text"
        raise InputError(message, path=path, line=line)
    if not any(map(str.isalpha, row.text[prose:])):
        message = f"{what} is empty (no words in it); write the article into it or leave it out"
        raise InputError(message, path=path, line=line)
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


def _suffixes() -> str:
    return ", ".join(SUFFIXES[:-1]) + f" or {SUFFIXES[-1]}"


def _shown(path: str | Path) -> str:
    """The path with ``/``, as text that can be written in UTF-8."""
    return os.fsencode(Path(path).as_posix()).decode("utf-8", "replace")
