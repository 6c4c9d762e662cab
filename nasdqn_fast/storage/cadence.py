"""How often a run saves its state."""

from __future__ import annotations

import re
import time
from dataclasses import dataclass
from typing import Any

from nasdqn_fast.validation import check_int, described

# Where time decides, saving may take up this share of it: a large memory on a slow disk is saved less often.
SHARE = 0.01


@dataclass(frozen=True)
class Cadence:
    """How often a run is saved: every so many episodes or seconds, or never if both are None."""

    episodes: int | None = None
    seconds: float | None = None

    @classmethod
    def parse(cls, name: str, value: Any) -> Cadence:
        """The cadence of ``25`` (episodes, also as an int), ``30s`` or ``never``.

        Args:
            name: of the setting, for messages.
            value: the value given.

        Raises:
            ValueError: anything else.
        """
        if value == "never":
            return cls()
        if isinstance(value, str) and (seconds := re.fullmatch(r"(\d{1,9}(\.\d{1,9})?)s", value)):
            if float(seconds[1]) > 0:
                return cls(seconds=float(seconds[1]))
        elif isinstance(value, str) and re.fullmatch(r"\d{1,9}", value) and int(value):
            return cls(episodes=int(value))
        elif isinstance(value, int) and not isinstance(value, bool):
            return cls(episodes=check_int(name, value, 1, 999_999_999))
        raise ValueError(
            f"{name} must be a number of episodes, as 25, of seconds, as 30s, or never; got {described(value)}"
        )


class Schedule:
    """When the next state is due, by the monotonic clock.

    Args:
        cadence: how often.
        episodes: number of episodes that have ended when the run begins or is resumed.
    """

    def __init__(self, cadence: Cadence, episodes: int) -> None:
        self._cadence = cadence
        self._episodes = episodes
        self._next = time.monotonic() + (cadence.seconds or 0)

    def due(self, episodes: int) -> bool:
        """Whether to save now that so many episodes have ended."""
        if self._cadence.episodes is not None:
            return episodes // self._cadence.episodes > self._episodes // self._cadence.episodes
        return self._cadence.seconds is not None and time.monotonic() >= self._next

    def saved(self, episodes: int, seconds: float) -> None:
        """Note that the state was saved, and how many seconds that took."""
        self._episodes = episodes
        self._next = time.monotonic() + max(self._cadence.seconds or 0, seconds / SHARE)
