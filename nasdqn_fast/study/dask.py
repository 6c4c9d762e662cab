"""A Dask cluster as the executor of a study; needs the extra [distributed]."""

from __future__ import annotations

import contextlib
import math
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Executor
from typing import Any

from nasdqn_fast.errors import InputError
from nasdqn_fast.study.runner import window_of

ASK_EVERY = 2.0  # s between two questions to the scheduler how many workers there are


@contextlib.contextmanager
def dask_executor(address: str) -> Iterator[tuple[Executor, Callable[[], int]]]:
    """An executor on the workers of a scheduler, and how many trials to hand to it at a time.

    Raises:
        InputError: Dask is not installed, or no scheduler answers.
    """
    try:
        import distributed
    except ImportError as error:
        raise InputError(
            f"a scheduler needs Dask, which is not installed ({error}); install nasdqn-fast[distributed]"
        ) from None
    try:
        client = distributed.Client(address, timeout="10s", set_as_default=False)
    except (OSError, ValueError) as error:
        raise InputError(f"no Dask scheduler answers at {address!r}: {error}") from None
    with client:
        # Results of trials are not pure: one that was interrupted is sent again.
        executor: Any = client.get_executor(pure=False, retries=0)

        asked, size = -math.inf, 0

        def window() -> int:
            nonlocal asked, size
            if time.monotonic() - asked > ASK_EVERY:
                size, asked = window_of(sum(client.nthreads().values())), time.monotonic()
            return size

        yield executor, window
