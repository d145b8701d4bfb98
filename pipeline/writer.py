"""Events and mentions -> JSONL, into a stream or into a file that is written whole or not at all.

One JSON object a line, UTF-8, keys in the order of the contract (the order of the fields in
``schema``), lines ended by ``\\n`` on every system.
"""

from __future__ import annotations

import json
import os
import re
import secrets
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TextIO

from pydantic import BaseModel

from pipeline.errors import OutputError
from pipeline.schema import Event, TypedMention

# JSON allows U+0085, U+2028 and U+2029 in a string, but readers that split lines as Unicode does
# (str.splitlines, JavaScript before 2019) would break the line there. A lone surrogate cannot be
# encoded in UTF-8. In JSON all of them can only stand inside a string, where an escape is the same.
_UNSAFE = re.compile("[\u0085\u2028\u2029\ud800-\udfff]")


def event_json(event: Event) -> str:
    """The event as one line of JSON, without the line end."""
    return _line(event)


def mention_json(mention: TypedMention) -> str:
    """The mention as one line of JSON, without the line end."""
    return _line(mention)


def write_events(events: Iterable[Event], target: TextIO) -> None:
    """Write one line an event and flush.

    Raises:
        OutputError: where the target takes no more (disk full).
        BrokenPipeError: where its reader has gone; that is no error of the output.
    """
    _write_lines(events, target)


def write_mentions(mentions: Iterable[TypedMention], target: TextIO) -> None:
    """Write one line a mention and flush; raises as :func:`write_events`."""
    _write_lines(mentions, target)


@contextmanager
def atomic_open(path: str | Path) -> Iterator[TextIO]:
    """A text stream whose content stands at ``path`` once the block ends without an error.

    The text goes to a temporary file in the same folder, which takes the place of ``path`` in
    one step at the end; after any error it is removed and what stood at ``path`` is untouched.
    The mode of a file that is replaced is kept, a link is followed and stays a link, and what is
    no regular file (``/dev/null``, a named pipe) is written in place.

    Raises:
        OutputError: where the folder is missing, or the place cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        in_place = _checked(target, path)
        # A suffix that the reader does not take for an article, should the folder be read.
        written = target if in_place else target.with_name(f".{secrets.token_hex(8)}.tmp")
        # Opened under the name that was asked for, so that a later error names that one.
        stream = open(  # noqa: SIM115 (closed below, before it is moved)
            str(path),
            "w" if in_place else "x",
            encoding="utf-8",
            newline="\n",
            opener=lambda _, flags: os.open(written, flags, 0o666),
        )
    except OSError as error:
        raise _output_error(path, error) from error
    try:
        yield stream
        try:
            _finish(stream, written, target)
        except OSError as error:
            raise _output_error(path, error) from error
    finally:
        # After an error, closing flushes again and may fail again; after success both do nothing.
        with suppress(OSError):
            stream.close()
        if not in_place:
            with suppress(OSError):
                written.unlink()


def _checked(target: Path, path: str | Path) -> bool:
    """Whether the place must be written in place; the time to refuse it is before the work."""
    if target.is_dir():
        raise OutputError(f"{path}: is a folder; give the name of a file")
    if not target.exists():
        return False
    if not os.access(target, os.W_OK):
        raise OutputError(f"{path}: cannot be written: the file is read-only")
    return not target.is_file()


def _finish(stream: TextIO, written: Path, target: Path) -> None:
    stream.flush()
    if written == target:
        return
    os.fsync(stream.fileno())
    if target.exists():
        written.chmod(target.stat().st_mode)
    stream.close()
    written.replace(target)


def _write_lines(rows: Iterable[BaseModel], target: TextIO) -> None:
    try:
        for row in rows:
            target.write(_line(row) + "\n")
        target.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _output_error(getattr(target, "name", "the output"), error) from error


def _line(row: BaseModel) -> str:
    # Not pydantic's own JSON, which refuses a lone surrogate.
    text = json.dumps(row.model_dump(mode="json"), ensure_ascii=False, allow_nan=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _output_error(path: object, error: OSError) -> OutputError:
    return OutputError(f"{path}: cannot be written: {error.strerror or error}")
