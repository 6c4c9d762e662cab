"""Where the wall time of a run goes."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator


class Clock:
    """Seconds by purpose; ``seconds["transfer"]`` and so on."""

    def __init__(self) -> None:
        self.seconds: dict[str, float] = {}

    @contextlib.contextmanager
    def charge(self, purpose: str) -> Iterator[None]:
        """Adds the time the block takes to this purpose, also if the block fails."""
        start = time.perf_counter()
        try:
            yield
        finally:
            self.seconds[purpose] = self.seconds.get(purpose, 0.0) + time.perf_counter() - start
