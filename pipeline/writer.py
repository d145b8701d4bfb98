"""Events and mentions -> JSONL, into a stream or into a file that is written whole or not at all.

One JSON object a line, UTF-8, keys in the order of the contract (the order of the fields in
``schema``), lines ended by ``\\n`` on every system.

A long run writes through a :class:`Journal`: ``FILE.partial`` grows beside ``FILE`` and takes its
place at the end, and ``FILE.progress`` says how far its content can be trusted.
"""

from __future__ import annotations

import json
import os
import re
import secrets
import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from time import monotonic
from typing import Any, TextIO

from pydantic import BaseModel

from pipeline.errors import OutputError, ResumeError
from pipeline.schema import Event, TypedMention

if sys.platform != "win32":
    import fcntl

_KEEP_EVERY = 1.0
"""Seconds of work that an interruption may cost."""

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
    write_lines(map(event_json, events), target)


def write_mentions(mentions: Iterable[TypedMention], target: TextIO) -> None:
    """Write one line a mention and flush; raises as :func:`write_events`."""
    write_lines(map(mention_json, mentions), target)


def write_lines(lines: Iterable[str], target: TextIO) -> None:
    """Write lines that are JSON already and flush; raises as :func:`write_events`."""
    try:
        for line in lines:
            target.write(line + "\n")
        target.flush()
    except BrokenPipeError:
        raise
    except OSError as error:
        raise _output_error(getattr(target, "name", "the output"), error) from error


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


class Journal:
    """Files that take their places together at the end of a run, which may be interrupted.

    Each file grows as ``FILE.partial``. :meth:`mark` says that all that was written up to there
    belongs together, and about once a second ``FILE.progress`` beside the first file keeps that,
    moved into place in one step. Whatever ends the run, ``kill -9`` or a full disk: a later one
    cuts the files back to what was kept and goes on from there.

    ``streams`` are the files to write to; ``kept`` is what the interrupted run marked last,
    ``None`` where all begins anew.
    """

    def __init__(
        self, parts: Sequence[_Part], record: Path, run: Mapping[str, str], *, resume: bool
    ) -> None:
        self._parts, self._record, self._run = parts, record, dict(run)
        self._marked: dict[str, Any] | None = None
        self._saved = monotonic()
        self.streams = {part.path: part.stream for part in parts}
        self.kept: Any = self._taken_up() if resume else None
        if self.kept is None:
            record.unlink(missing_ok=True)
            for part in parts:
                part.cut(0)

    def mark(self, state: object) -> None:
        """All that was written belongs to ``state``, which is plain data.

        Raises:
            OutputError: where that cannot be kept (disk full).
        """
        sizes = [part.size() for part in self._parts]
        self._marked = {"run": self._run, "sizes": sizes, "state": state}
        if monotonic() - self._saved >= _KEEP_EVERY:
            self._keep()

    def discard(self) -> None:
        """Nothing is worth keeping; the block is to be left by an error."""
        self._marked = None
        self._record.unlink(missing_ok=True)

    def _keep(self) -> None:
        if self._marked is None:
            return
        written = self._record.with_name(f"{self._record.name}.tmp")
        try:
            for part in self._parts:
                os.fsync(part.stream.fileno())
            with written.open("w", encoding="utf-8") as stream:
                json.dump(self._marked, stream)
                stream.flush()
                os.fsync(stream.fileno())
            written.replace(self._record)
        except OSError as error:
            written.unlink(missing_ok=True)
            raise _output_error(self._record, error) from error
        self._marked, self._saved = None, monotonic()

    def _finish(self) -> None:
        self._keep()
        for part in reversed(self._parts):  # the first, for which users wait, comes last
            part.finish()
        self._record.unlink(missing_ok=True)

    def _taken_up(self) -> Any:
        """What was kept, with the files as they were then."""
        try:
            record = json.loads(self._record.read_text("utf-8"))
        except FileNotFoundError:
            return None
        if changed := [key for key, value in self._run.items() if record["run"].get(key) != value]:
            raise ResumeError(
                f"{self._record}: the interrupted run had another {' and another '.join(changed)}; "
                "repeat its command, or begin anew without --resume"
            )
        sized = list(zip(self._parts, record["sizes"], strict=True))
        if any(part.size() < size for part, size in sized):
            return None  # it was interrupted in its very last step
        for part, size in sized:
            part.cut(size)
        return record["state"]


class _Part:
    """One file of a journal."""

    def __init__(self, path: Path, stream: TextIO) -> None:
        self.path = path
        self.stream = stream

    def size(self) -> int:
        return os.fstat(self.stream.fileno()).st_size

    def cut(self, size: int) -> None:
        self.stream.seek(size)
        self.stream.truncate()

    def finish(self) -> None:
        try:
            _finish(self.stream, _beside(self.path, "partial"), Path(os.path.realpath(self.path)))
        except OSError as error:
            raise _output_error(self.path, error) from error


@contextmanager
def journal_open(
    files: Sequence[Path], run: Mapping[str, str], *, resume: bool
) -> Iterator[Journal]:
    """A :class:`Journal` whose files stand at their places once the block ends without an error.

    After an error what was kept stays beside them, and where nothing was kept nothing stays.
    ``run`` tells one run from another: it names what must be the same for a run to go on.

    Raises:
        OutputError: where a file cannot be written, or another run is writing it.
        ResumeError: with ``resume``, where the interrupted run was another one.
    """
    record = _beside(files[0], "progress")
    with ExitStack() as stack:
        parts = [stack.enter_context(_part_open(file, record)) for file in files]
        journal = Journal(parts, record, run, resume=resume)
        try:
            yield journal
            journal._finish()
        except BaseException as error:
            with suppress(OutputError):
                journal._keep()
            if record.exists():
                error.add_note("what was read is kept; the same command with --resume goes on")
            raise


def is_interrupted(path: Path) -> bool:
    """Whether a run that wrote ``path`` was interrupted and could go on."""
    return _beside(path, "progress").exists()


@contextmanager
def _part_open(path: Path, record: Path) -> Iterator[_Part]:
    partial = _beside(path, "partial")
    try:
        _checked(Path(os.path.realpath(path)), path)
        # Opened under the name that was asked for, so that a later error names that one.
        stream = open(  # noqa: SIM115 (closed below, after it is moved)
            str(path),
            "w",
            encoding="utf-8",
            newline="\n",
            opener=lambda _, flags: os.open(partial, flags & ~os.O_TRUNC, 0o666),
        )
    except OSError as error:
        raise _output_error(path, error) from error
    try:
        _lock(stream, partial, path)
        try:
            yield _Part(path, stream)
        except BaseException:
            if not record.exists():
                partial.unlink(missing_ok=True)
            raise
    finally:
        with suppress(OSError):  # after an error, closing flushes again and may fail again
            stream.close()


def _lock(stream: TextIO, partial: Path, path: Path) -> None:
    """Two runs that write one file would spoil it, as where an interrupted one still lives."""
    try:
        if sys.platform != "win32":
            fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
        ours = os.path.samestat(os.fstat(stream.fileno()), partial.stat())
    except (BlockingIOError, FileNotFoundError):
        ours = False
    if not ours:  # the other run may have just put it in its place
        raise OutputError(f"{path}: another run is writing it; wait for its end or stop it")


def _beside(path: Path, suffix: str) -> Path:
    target = Path(os.path.realpath(path))
    return target.with_name(f"{target.name}.{suffix}")


def _line(row: BaseModel) -> str:
    # Not pydantic's own JSON, which refuses a lone surrogate.
    text = json.dumps(row.model_dump(mode="json"), ensure_ascii=False, allow_nan=False)
    return _UNSAFE.sub(lambda found: f"\\u{ord(found.group()):04x}", text)


def _output_error(path: object, error: OSError) -> OutputError:
    return OutputError(f"{path}: cannot be written: {error.strerror or error}")
