"""The other end of :mod:`pipeline.workers`: reads articles and answers with their lines.

The first message says which model: ``model``, the path of a folder (``null``: the shipped one),
or ``config`` and ``size``, the config of a ``Language`` and the number of its bytes, which follow;
and by ``mentions`` whether they are wanted. Each later message is a list of articles, each answer
a list of ``{events, mentions}`` or ``{error}``; ``{error}`` alone ends the run.
"""

from __future__ import annotations

import gc
import json
import os
import sys
from contextlib import suppress
from queue import SimpleQueue
from threading import Thread
from typing import Any, BinaryIO

from spacy.language import Language
from spacy.util import load_config_from_str, load_model_from_config

from pipeline.errors import DealReaderError, InputError, ModelError
from pipeline.library import MAX_LENGTH, Reading, load, read_each
from pipeline.schema import Article
from pipeline.writer import event_json, mention_json


def main() -> None:
    requests, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a library that prints must not spoil the answers
    setup = json.loads(requests.readline())
    data = requests.read(setup["size"])
    messages: SimpleQueue[bytes] = SimpleQueue()
    Thread(target=_listen, args=(requests, messages), daemon=True).start()
    try:
        nlp = _rebuilt(setup["config"], data) if data else load(setup["model"])
        gc.freeze()  # what is loaded stays: to look for garbage in it takes a twentieth of the time
        _send(answers, {})
        while True:
            articles = [Article.model_validate(row) for row in json.loads(messages.get())]
            readings = read_each(nlp, articles)
            _send(answers, [_answer(reading, setup["mentions"]) for reading in readings])
    except DealReaderError as error:
        _send(answers, {"error": str(error)})


def _listen(requests: BinaryIO, messages: SimpleQueue[bytes]) -> None:
    for line in requests:
        messages.put(line)
    os._exit(0)  # the parent is gone: nobody waits for what is being read


def _rebuilt(config: str, data: bytes) -> Language:
    try:
        nlp = load_model_from_config(load_config_from_str(config))
        nlp.from_bytes(data)
    except Exception as error:  # what a pipeline of the user's own needs may be missing here
        reason = " ".join(str(error).split())
        raise ModelError(
            f"the pipeline cannot be made anew in another process; use one process, or register "
            f"its components as entry points ({type(error).__name__}: {reason})"
        ) from error
    nlp.max_length = MAX_LENGTH
    return nlp


def _answer(reading: Reading | InputError, mentions: bool) -> dict[str, Any]:
    if isinstance(reading, InputError):
        return {"error": reading.message}
    return {
        "events": [event_json(event) for event in reading.events],
        "mentions": [mention_json(mention) for mention in reading.mentions] if mentions else [],
    }


def _send(answers: BinaryIO, message: object) -> None:
    with suppress(BrokenPipeError):
        answers.write(json.dumps(message).encode() + b"\n")
        answers.flush()
