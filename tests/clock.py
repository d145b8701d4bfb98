"""What a call costs, for the tests of growth."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def cost(call: Callable[[T], object], argument: T) -> float:
    """Processor time of one call, in seconds.

    Without the collector, as timeit does: what it finds to do belongs to the other tests' objects.
    """
    gc.disable()
    begin = time.process_time()
    call(argument)
    seconds = time.process_time() - begin
    gc.enable()
    return seconds
