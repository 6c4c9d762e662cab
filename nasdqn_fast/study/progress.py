"""How far a study has come in one process."""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass, field
from typing import ClassVar

from nasdqn_fast.study.plan import Trial


@dataclass
class Progress:
    """Counts of the trials that this process is to see to.

    Args:
        trials: how many; those that had ended before, too.
        episodes: of each, or whatever else its progress is counted in.

    Attributes:
        before: trials that had ended before.
        ended: trials that have ended since.
        failed: trials that have failed, and why.
        busy: trials that other processes have.
        noted, note: how many have ended of which something is to be said, and of the first what.
        running: trials that have begun and not ended, those that wait for a core included.
        played: episodes that have ended since.
        what, several: one of the trials, and many of them, in a word.
        closed: no more trials are begun; those that run are being saved.
    """

    what: ClassVar[str] = "trial"
    several: ClassVar[str] = "trials"

    trials: int
    episodes: int
    before: int = 0
    ended: int = 0
    failed: dict[Trial, str] = field(default_factory=dict)
    busy: set[Trial] = field(default_factory=set)
    noted: int = 0
    note: str = ""
    running: int = 0
    played: float = 0
    closed: bool = False
    started: float = field(default_factory=time.perf_counter)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def count(self, episodes: float) -> None:
        """Notes episodes that have ended, from any thread."""
        with self._lock:
            self.played += episodes

    @property
    def headline(self) -> str:
        """How many trials have ended."""
        return f"{self.what} {self.before + self.ended:,} of {self.trials:,}"

    @property
    def share(self) -> float:
        """Of all episodes, those that have been played."""
        return min(1.0, (self.before * self.episodes + self._done) / max(1, self.trials * self.episodes))

    @property
    def seconds_left(self) -> float | None:
        """Time until the end at the pace so far; None as long as that is not known."""
        done, elapsed = self._done, time.perf_counter() - self.started
        if not done:
            return None
        left = (self.trials - self.before) * self.episodes - done
        return max(0.0, elapsed / done * left)

    @property
    def _done(self) -> float:
        # Trials in other processes are counted when they end.
        return max(self.played, self.ended * self.episodes)
