"""Worker processes that read articles: order kept, deaths survived, nothing left behind.

Each worker is a Python of its own that runs :mod:`pipeline.worker` and speaks JSON, one line a
message, over its standard input and output. So the parent needs no spaCy and nothing is pickled;
a worker sees at once when the parent is gone, even by ``kill -9``; and Ctrl-C reaches the parent
alone. Not ``concurrent.futures.ProcessPoolExecutor``, where one death breaks all that is under
way without a word of which article it was, and workers outlive a killed parent; nor
``Language.pipe``, which tokenises in the parent and hands whole documents back.
"""

from __future__ import annotations

import json
import logging
import signal
import subprocess
import sys
from collections import deque
from collections.abc import Iterable, Iterator, Mapping, Sequence
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import contextmanager, suppress
from threading import Timer
from types import TracebackType
from typing import Any, NamedTuple, TypeVar

from pipeline.errors import InputError, ModelError, WorkerError
from pipeline.schema import Article

_log = logging.getLogger(__name__)

TIME_LIMIT = 60
CHARACTERS_A_SECOND = 1_000
"""Seconds that a worker may take, and how many characters give it one more: about a hundred
times what it needs."""

_BATCH_ARTICLES = 16
_BATCH_CHARACTERS = 50_000
_BOOT = """\
import json, sys
sys.path[:] = json.loads(sys.argv[1])
from pipeline.worker import main
main()
"""

Item = Article | InputError
_Key = TypeVar("_Key")
_Answer = TypeVar("_Answer")


class Lines(NamedTuple):
    """What one article tells, as the lines of JSON that are written."""

    events: Sequence[str]
    mentions: Sequence[str]


def batches(
    items: Iterable[tuple[_Key, Item]], size: int = _BATCH_ARTICLES
) -> Iterator[list[tuple[_Key, Item]]]:
    """At most ``size`` items a batch, and fewer where the articles are long."""
    batch: list[tuple[_Key, Item]] = []
    characters = 0
    for key, item in items:
        batch.append((key, item))
        characters += len(item.text) if isinstance(item, Article) else 0
        if len(batch) >= size or characters >= _BATCH_CHARACTERS:
            yield batch
            batch, characters = [], 0
    if batch:
        yield batch


def articles_of(batch: Iterable[tuple[_Key, Item]]) -> list[Article]:
    return [item for _, item in batch if isinstance(item, Article)]


def merged(
    batch: Iterable[tuple[_Key, Item]], answers: Iterable[_Answer]
) -> Iterator[tuple[_Key, _Answer | InputError]]:
    """The answers under the keys of their articles, errors in their old places."""
    left = iter(answers)
    for key, item in batch:
        yield key, next(left) if isinstance(item, Article) else item


def not_read(article: Article, reason: str) -> InputError:
    """The error for an article that came in well but broke the reader."""
    return InputError(
        f"article {article.id} was not read: {reason}", path=article.path or article.id
    )


class Workers:
    """``count`` processes, started when they are first needed; leaving the block ends them.

    ``setup`` and ``data`` say which model they use, see :mod:`pipeline.worker`.
    """

    def __init__(self, count: int, setup: Mapping[str, Any], data: bytes = b"") -> None:
        self._setup = _message({**setup, "size": len(data)}) + data
        self._ahead = 2 * count
        self._threads = ThreadPoolExecutor(count)
        self._started: set[_Worker] = set()
        self._idle: deque[_Worker] = deque()
        self._closing = False

    def __enter__(self) -> Workers:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self._closing = True
        self._threads.shutdown(wait=False, cancel_futures=True)
        for worker in self._started.copy():
            worker.kill()  # it holds nothing that is worth an orderly end
        self._threads.shutdown()
        for worker in self._started:
            worker.close()

    def read(self, items: Iterable[tuple[_Key, Item]]) -> Iterator[tuple[_Key, Lines | InputError]]:
        """Each key with what its article tells, in the order of ``items``; errors are passed on.

        Raises:
            ModelError: where the model cannot be loaded or used.
            WorkerError: where no worker can be started.
        """
        pending: deque[tuple[list[tuple[_Key, Item]], Future[list[Lines | InputError]]]] = deque()
        for batch in batches(items):
            pending.append((batch, self._threads.submit(self._answers, articles_of(batch))))
            while pending and (len(pending) > self._ahead or pending[0][1].done()):
                yield from _result(*pending.popleft())
        while pending:
            yield from _result(*pending.popleft())

    def _answers(self, articles: list[Article]) -> list[Lines | InputError]:
        if not articles:
            return []
        try:
            return self._ask(articles)
        except _DiedError as death:
            _log.warning(
                "a worker %s while it read %d articles from %s (%s) on; each is tried again alone",
                *(death, len(articles), articles[0].path, articles[0].id),
            )
        return [self._last_try(article) for article in articles]

    def _last_try(self, article: Article) -> Lines | InputError:
        try:
            (answer,) = self._ask([article])
        except _DiedError as death:
            return not_read(article, f"twice a worker {death} over it; split it or leave it out")
        return answer

    def _ask(self, articles: list[Article]) -> list[Lines | InputError]:
        worker = self._worker()
        characters = sum(len(article.text) for article in articles)
        limit = TIME_LIMIT + characters / CHARACTERS_A_SECOND
        try:
            answers = worker.ask(_message([article.model_dump() for article in articles]), limit)
        except _DiedError:
            self._started.discard(worker)
            if self._closing:
                raise CancelledError from None
            raise
        self._idle.append(worker)
        return [
            InputError(answer["error"], path=article.path or article.id)
            if "error" in answer
            else Lines(answer["events"], answer["mentions"])
            for article, answer in zip(articles, answers, strict=True)
        ]

    def _worker(self) -> _Worker:
        with suppress(IndexError):
            return self._idle.pop()
        worker = _Worker()
        self._started.add(worker)
        if self._closing:
            worker.kill()
        try:
            worker.ask(self._setup)
        except _DiedError as death:
            message = f"a worker {death} before it could read; see to memory, or use fewer --jobs"
            raise WorkerError(message) from None
        return worker


class _DiedError(Exception):
    """How a worker ended while an answer was awaited."""


class _Worker:
    def __init__(self) -> None:
        self._process = subprocess.Popen(
            [sys.executable, "-c", _BOOT, json.dumps(sys.path)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,  # the Ctrl-C of a terminal goes to all of a session
        )
        self._overdue = ""

    def ask(self, message: bytes, limit: float | None = None) -> Any:
        """The answer to a message; only one thread at a time may ask.

        A worker that takes longer than ``limit`` seconds is killed.
        """
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        with self._timed(limit):
            with suppress(BrokenPipeError):  # then there is no answer either
                self._process.stdin.write(message)
                self._process.stdin.flush()
            line = self._process.stdout.readline()
        if not line.endswith(b"\n"):
            raise _DiedError(self.close())
        answer = json.loads(line)
        if isinstance(answer, dict) and "error" in answer:
            raise ModelError(answer["error"])
        return answer

    @contextmanager
    def _timed(self, limit: float | None) -> Iterator[None]:
        """A block in which the worker is killed after ``limit`` seconds."""
        if limit is None:
            yield
            return

        def stop() -> None:
            self._overdue = f"took longer than {limit:.0f} s and was stopped"
            self.kill()

        timer = Timer(limit, stop)
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def kill(self) -> None:
        self._process.kill()

    def close(self) -> str:
        """Waits for the end; how it ended."""
        code = self._process.wait()
        for stream in (self._process.stdin, self._process.stdout):
            with suppress(BrokenPipeError):
                if stream is not None:
                    stream.close()
        if self._overdue:
            return self._overdue
        if code >= 0:
            return f"ended with status {code}"
        name = signal.Signals(-code).name
        return f"was killed by {name}" + (", perhaps for want of memory," * (name == "SIGKILL"))


def _result(
    batch: list[tuple[_Key, Item]], future: Future[list[Lines | InputError]]
) -> Iterator[tuple[_Key, Lines | InputError]]:
    return merged(batch, future.result())


def _message(value: object) -> bytes:
    return json.dumps(value).encode() + b"\n"
