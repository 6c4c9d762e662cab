"""Runs from their settings, or from what an earlier process left of them, to their results."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nasdqn_fast.config import Config, resolve
from nasdqn_fast.events import Event
from nasdqn_fast.run import directory, signals
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.run.result import RunResult
from nasdqn_fast.run.run import Run
from nasdqn_fast.validation import check_path, described


def train(
    method: str | None = None,
    env: str | None = None,
    seed: int | None = None,
    *,
    episodes: int | None = None,
    profile: str | None = None,
    config: Config | str | Path | None = None,
    out: str | Path | None = None,
    progress: Callable[[Event], None] | None = None,
    **options: Any,
) -> RunResult:
    """Trains one agent: ``train("random-nas", seed=1, episodes=500, switch_every=100)``.

    Settings override those of `config`, which override those of the profile; what nobody gives
    has the default that docs/paper.md lists.

    Args:
        method: ``random-nas`` if not given; all: ``nasdqn-fast list methods``.
        env: ``inverted-pendulum`` if not given; ``module:attribute`` for one of your own.
        seed: of all random streams, >= 0; 0 if not given.
        episodes: 2,000 if not given.
        profile: set of defaults, ``paper`` if not given.
        config: settings, or the path of a TOML file with some; a run's ``config.toml`` repeats it.
        out: run directory to write (docs/run_directory.md); None writes nothing.
        progress: called with every event of the run (`nasdqn_fast.events`).
        **options: any other setting, named as its command-line option with underscores.

    Raises:
        InputError: a setting is unknown, of the wrong type or out of range, or `out` cannot be written or holds
            something already. Nothing has been written then.
        NonFiniteError: training diverged.
        KeyboardInterrupt: as usual, also in another thread than the main one; `out` then holds what was done, and
            `resume` continues it.
    """
    _check_progress(progress)
    named = {"method": method, "env": env, "seed": seed, "episodes": episodes, "profile": profile}
    config = resolve(config, named | options)
    with signals.watched() as watch:
        if out is None:
            return Run(config, progress).train(watch)
        out = check_path("out", out)
        directory.check_free(out)
        run = Run(config, progress)
        with directory.claimed(out):
            run.begin(out)
            return run.train(watch)


def resume(run: str | Path, *, progress: Callable[[Event], None] | None = None) -> RunResult | None:
    """Continues a run that was interrupted, killed or has failed, from its newest checkpoint to its end.

    What it writes is to the bit what the run would have written if it had been left alone (docs/resuming.md).
    Without a checkpoint it starts over.

    Args:
        run: run directory.
        progress: called with every event from there on.

    Returns:
        the whole run; None if it was finished already.

    Raises:
        InputError: no run directory, one in use by another process, or one whose files are damaged.
        NonFiniteError, KeyboardInterrupt: as `train`.
    """
    _check_progress(progress)
    run = check_path("run", run)
    config = directory.read_config(run)
    with signals.watched() as watch, directory.locked(run):
        checkpoints = Checkpoints(run / directory.CHECKPOINTS)
        finished = directory.is_finished(run)
        try:
            directory.clean(run)
            if finished:
                checkpoints.remove()  # it may have been killed before it could
        except OSError as error:
            raise directory.unwritable(run, error) from None
        if finished:
            return None
        taken_up = Run(config, progress)
        if checkpoints.newest_first():
            taken_up.take_up(run)
        else:
            directory.check_unfinished(run)
            warnings.warn(f"{str(run)!r} has no checkpoint yet: starting over", stacklevel=2)
            directory.clear(run)
            taken_up.begin(run)
        return taken_up.train(watch)


def _check_progress(progress: Callable[[Event], None] | None) -> None:
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be a function of an event; got {described(progress)}")
