"""One thread for BLAS: the products of this pipeline are small, and more threads slow them.

Use more processes instead.
"""

from __future__ import annotations

from contextlib import AbstractContextManager
from functools import cache

from threadpoolctl import ThreadpoolController


@cache
def _controller() -> ThreadpoolController:
    return ThreadpoolController()  # looks at every library that is loaded: once


def one_thread() -> AbstractContextManager[object]:
    """A block in which BLAS takes one thread; it is as it was afterwards."""
    limits: AbstractContextManager[object] = _controller().limit(limits=1, user_api="blas")
    return limits
