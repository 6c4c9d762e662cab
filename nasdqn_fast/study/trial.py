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
from nasdqn_fast.run import directory, signals
from nasdqn_fast.run.api import resume
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.run.run import Run
from nasdqn_fast.storage.atomic import syncing
from nasdqn_fast.study.plan import Trial
from nasdqn_fast.study.study import UNFINISHED, ended, status_of

FINISHED, FAILED, BUSY, INTERRUPTED = "finished", "failed", "busy", "interrupted"
LOOK_EVERY = 0.3  # s between two looks for the file that halts trials


@dataclass(frozen=True)
class Outcome:
    """What became of a trial.

    Args:
        status: `FINISHED`, `FAILED`, `BUSY` (another process has it) or `INTERRUPTED` (saved, to be continued).
        message: why it failed, or what is to be said of it; most often empty.
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
        """Removes the file, when trials that run have had time to see it: not every executor waits for them."""
        if self._path.exists():
            time.sleep(3 * LOOK_EVERY)
            self._path.unlink(missing_ok=True)


Listener = Callable[[Event], object]


def run_trial(trial: Trial, config: Config, halt: Any, count: Callable[[float], object] | None = None) -> Outcome:
    """Trains what of a trial is not done yet; raises nothing.

    Args:
        trial: which.
        config: its settings; the seed is the trial's.
        halt: ``halt.is_set()`` after each episode says whether to save the trial and leave it.
        count: called with numbers of episodes as they end.
    """
    config = replace(config, run=replace(config.run, seed=trial.seed))
    return outcome_of(lambda listener: run_to_end(Path(trial.path), config, listener), halt, count)


def outcome_of(work: Callable[[Listener], str], halt: Any, count: Callable[[float], object] | None = None) -> Outcome:
    """What becomes of work that trains; raises nothing.

    Args:
        work: trains with this listener; returns what is to be said of it.
        halt, count: as for `run_trial`.
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
        return outcome(FINISHED, work(listener))
    except KeyboardInterrupt:
        return outcome(INTERRUPTED)
    except directory.InUse:
        return outcome(BUSY)
    except Exception as error:  # of a plug-in, too: one trial that fails does not end the others
        text = message(error) if isinstance(error, InputError) else f"{type(error).__name__}: {error}"
        return outcome(FAILED, " ".join(text.split()))


def run_to_end(path: Path, config: Config, listener: Listener, *, keeps_end: bool = False) -> str:
    """Trains what of a run is not done yet.

    Args:
        path: its directory.
        config: every setting.
        listener: told of every event.
        keeps_end: whether the state at the end is kept, from which the run could be made longer.

    Returns:
        what is to be said of it; most often nothing.
    """
    for _ in range(3):
        try:
            saved = (path / directory.CONFIG).read_bytes()
        except FileNotFoundError:
            try:
                return _begin(path, config, listener, keeps_end)
            except directory.Occupied:  # another process has begun it since
                continue
        if ended(status_of(path, check=True)):
            return ""
        expected = to_toml(config).encode()
        if saved == expected and not _is_damaged(path):
            resume(path, progress=listener)
            if not keeps_end:
                Checkpoints(path / directory.CHECKPOINTS).remove()
            return ""
        if not expected.startswith(saved):
            raise InputError(f"{str(path / directory.CONFIG)!r} is not as the study has it; move {str(path)!r} away")
        _forget(path)
    raise InputError(f"{str(path)!r} holds files that are not a trial's; move them away")


def _begin(path: Path, config: Config, listener: Listener, keeps_end: bool) -> str:
    """As `nasdqn_fast.train`, of a config that has been checked, and without flushing."""
    with signals.watched() as watch, syncing(False):
        run = Run(config, listener, keeps_end=keeps_end)
        with directory.claimed(path):
            run.begin(path)
            run.train(watch)
    return run.trainer.agent.warning_of_no_update()


def _is_damaged(path: Path) -> bool:
    """Whether a loss of power has damaged a trial that had ended: resuming would have nothing to go on from."""
    if not (path / directory.SUMMARY).exists():
        return False
    return status_of(path) == UNFINISHED or ended(status_of(path))


def _forget(path: Path) -> None:
    """Removes what is left of a damaged trial, the config last."""
    with directory.locked(path):
        if not ended(status_of(path, check=True)):
            directory.clear(path)
            Checkpoints(path / directory.CHECKPOINTS).remove()
            (path / directory.CONFIG).unlink(missing_ok=True)
