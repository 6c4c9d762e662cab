"""One trial of a study: begun, continued, or found to have ended."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nasdqn_fast.config import Config, to_toml
from nasdqn_fast.errors import InputError, message
from nasdqn_fast.events import Event, Played, Resumed
from nasdqn_fast.run import directory
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.study.plan import Trial
from nasdqn_fast.study.study import ended, status_of

FINISHED, FAILED, BUSY, INTERRUPTED = "finished", "failed", "busy", "interrupted"
LOOK_EVERY = 0.3  # s between two looks for the file that halts trials


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Args:
        status: `FINISHED`, `FAILED`, `BUSY` (another process has it) or `INTERRUPTED` (saved, to be continued).
        message: why it failed; otherwise empty.
        seconds: it took.
    """

    status: str
    message: str = ""
    seconds: float = 0.0


class HaltFile:
    """A file whose presence halts trials in other processes, which see the study's folder but not our memory."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._next = 0.0

    def set(self) -> None:
        """Halts the trials."""
        self._path.touch()

    def is_set(self) -> bool:
        """Whether to halt."""
        now = time.monotonic()
        if now < self._next:
            return False
        self._next = now + LOOK_EVERY
        return self._path.exists()

    def clear(self) -> None:
        """Removes the file."""
        self._path.unlink(missing_ok=True)


def run_trial(trial: Trial, config: Config, halt: Any, count: Callable[[int], object] | None = None) -> Outcome:
    """Trains what of a trial is not done yet; raises nothing.

    Args:
        trial: which.
        config: its settings; the seed is the trial's.
        halt: ``halt.is_set()`` after each episode says whether to save the trial and leave it.
        count: called with numbers of episodes as they end.
    """
    started = time.perf_counter()

    def listener(event: Event) -> None:
        if count is not None and isinstance(event, (Played, Resumed)):
            count(len(event.episodes))
        if halt.is_set():
            raise KeyboardInterrupt

    def outcome(status: str, message: str = "") -> Outcome:
        return Outcome(status, message, time.perf_counter() - started)

    try:
        if halt.is_set():
            return outcome(INTERRUPTED)
        _run(Path(trial.path), replace(config, run=replace(config.run, seed=trial.seed)), listener)
    except KeyboardInterrupt:
        return outcome(INTERRUPTED)
    except directory.InUse:
        return outcome(BUSY)
    except Exception as error:  # of a plug-in, too: one trial that fails does not end the others
        text = message(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        return outcome(FAILED, " ".join(text.split()))
    return outcome(FINISHED)


def _run(path: Path, config: Config, listener: Callable[[Event], object]) -> None:
    for _ in range(3):
        saved = path / directory.CONFIG
        if saved.exists():
            if ended(status_of(path)):
                return
            if (path / directory.CONFIG).read_bytes() != to_toml(config).encode():
                raise InputError(
                    f"{str(path / directory.CONFIG)!r} is not as the study has it; move {str(path)!r} away"
                )
            resume(path, progress=listener)
            return
        try:
            train(config=config, out=path, progress=listener)
            return
        except directory.Occupied:  # another process has begun it since
            continue
    raise InputError(f"{str(path)!r} holds files that are not a trial's; move them away")
