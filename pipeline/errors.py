"""The one exception tree. Every message names the place and says the mend."""

from __future__ import annotations


class DealReaderError(Exception):
    """Base of everything this package raises on purpose."""


class InputError(DealReaderError):
    """An article that cannot be read: missing, empty, binary, malformed.

    ``path`` and ``line`` (1-based, ``None`` where the whole file is meant) name the place.
    """

    def __init__(self, message: str, *, path: str, line: int | None = None) -> None:
        self.path = path
        self.line = line
        self.message = message
        place = path if line is None else f"{path}:{line}"
        super().__init__(f"{place}: {message}")


class WorkerError(DealReaderError):
    """A worker process that cannot be started, or that ended while it read."""


class OutputError(DealReaderError):
    """The output cannot be written; whatever stood there before is untouched."""


class ResumeError(DealReaderError):
    """An interrupted run cannot be continued: another command, input or reader than then."""


class MarkupError(DealReaderError):
    """A gold file that breaks the annotation notation, with file and line."""

    def __init__(self, message: str, *, path: str, line: int) -> None:
        self.path = path
        self.line = line
        self.message = message
        super().__init__(f"{path}:{line}: {message}")

    def __reduce__(self) -> tuple[object, tuple[str, str, int]]:
        """NERs are trained in processes of their own, and errors travel as pickles."""
        return _markup_error, (self.message, self.path, self.line)


def _markup_error(message: str, path: str, line: int) -> MarkupError:
    return MarkupError(message, path=path, line=line)


class LexiconError(DealReaderError):
    """A lexicon row that is malformed, doubled or has no example."""


class ModelError(DealReaderError):
    """The trained model is missing, damaged or made for another version."""
