"""Runs from their settings, or from what an earlier process left of them, to their results."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from nasdqn_fast.config import Config, complete, named, resolve
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.errors import InputError, WrongType
from nasdqn_fast.events import STOP, Event
from nasdqn_fast.run import directory, signals
from nasdqn_fast.run.assembly import make_environment
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.run.result import RunResult
from nasdqn_fast.run.run import Run
from nasdqn_fast.validation import check_path, described

Listener = Callable[[Event], object]
Progress = Listener | Sequence[Listener] | None


def train(
    method: str | type[Controller] | None = None,
    env: Any = None,
    seed: int | None = None,
    *,
    episodes: int | None = None,
    profile: str | None = None,
    config: Config | str | Path | None = None,
    out: str | Path | None = None,
    progress: Progress = None,
    **options: Any,
) -> RunResult:
    """Trains one agent: ``train("random-nas", seed=1, episodes=500, switch_every=100)``.

    Settings override those of `config`, which override those of the profile; docs/paper.md lists the defaults.

    Args:
        method: ``random-nas`` if not given; all: ``nasdqn-fast list methods``. A controller of your own is given as
            ``module:attribute``, or as the class.
        env: ``inverted-pendulum`` if not given; one of your own is given as ``module:attribute``, or as the
            kernel. Any Gymnasium environment: its id, or the object, its class or a function that makes one.
        seed: of all random streams, >= 0; 0 if not given.
        episodes: 2,000 if not given.
        profile: set of defaults, ``paper`` if not given.
        config: settings, or the path of a TOML file with some; a run's ``config.toml`` repeats it.
        out: run directory to write (docs/run_directory.md); None writes nothing. With it, an object in place of a
            name must be an attribute of a module, since the directory holds its name.
        progress: a function of an event, or a sequence of them; each is called with every event of the run
            (`nasdqn_fast.events`). The run ends after an event for which one returns `nasdqn_fast.STOP`.
        **options: any other setting, named as its command-line option with underscores (``--from`` is ``from_``);
            ``transfer`` may be a function, and ``controller_options={...}``, ``transfer_options={...}`` are options of
            the plug-ins.

    Raises:
        InputError: a setting is unknown, of the wrong type or out of range, or `out` cannot be written or holds
            something already. Nothing has been written then.
        NonFiniteError: training diverged.
        KeyboardInterrupt: as usual, also in another thread than the main one; `out` then holds what was done, and
            `resume` continues it.
    """
    listener = _listener(progress)
    given = {"method": method, "env": env, "seed": seed, "episodes": episodes, "profile": profile}
    config = resolve(config, given | options)
    with signals.watched() as watch:
        if out is None:
            run = Run(complete(config), listener)
            result = run.train(watch)
        else:
            out = check_path("out", out)
            directory.check_free(out)
            config = complete(config)
            run = Run(named(config), listener, environment=make_environment(config))
            with directory.claimed(out):
                run.begin(out)
                result = run.train(watch)
    if line := run.trainer.agent.warning_of_no_update():
        warnings.warn(line, stacklevel=2)
    return result


def resume(
    run: str | Path, *, episodes: int | None = None, progress: Progress = None, env: Any = None
) -> RunResult | None:
    """Continues a run that was interrupted, stopped, killed or has failed, from its newest checkpoint to its end.

    What it writes is bit-identical to what an uninterrupted run would have written (docs/resuming.md). Without a
    checkpoint it starts over.

    With `episodes` the run gets another length, also if it was finished. It is then bit-identical to a run of that
    length from the start, unless its last segment was cut short by its end: a new one begins there, and a warning says
    so. A run that its threshold has stopped does not stop for it again.

    Args:
        run: run directory.
        episodes: in all, more than have ended; None leaves the length as it is.
        progress: a function of an event, or a sequence of them; each is called with every event from there on.
        env: the environment of a run that was given an object which no name makes again; None: that of the directory.

    Returns:
        the whole run; None if it was finished already, and `episodes` is None.

    Raises:
        InputError: no run directory, one in use by another process, or one whose files are damaged; the run has as
            many episodes already, or has kept no state to continue from (``checkpoint_every = "never"``).
        NonFiniteError, KeyboardInterrupt: as `train`.
    """
    listener = _listener(progress)
    run = check_path("run", run)
    config = directory.read_config(run, {"episodes": episodes, "env": env})
    continued = episodes is not None
    if continued and config.agent.steps is not None:
        raise InputError(
            f"the run in {str(run)!r} ends after {config.agent.steps:,} steps, whatever its episodes; "
            f"train --from {run} begins another from its network"
        )
    with signals.watched() as watch, directory.locked(run):
        checkpoints = Checkpoints(run / directory.CHECKPOINTS)
        finished = directory.is_finished(run, config, continued=continued)
        try:
            directory.clean(run)
            if finished:
                checkpoints.keep_newest()  # it may have been killed before it could
        except OSError as error:
            raise directory.unwritable(run, error) from None
        if finished and not continued:
            return None
        saved = bool(checkpoints.newest_first())
        config = complete(config)
        environment = make_environment(config)
        taken_up = Run(named(config), listener, warm_start=not saved, environment=environment)
        if saved:
            taken_up.take_up(run, continued=continued)
        elif finished:
            raise InputError(
                f"the run in {str(run)!r} has kept no state to continue from, as with checkpoint_every never or in "
                f"earlier versions; train --config {run / directory.CONFIG} --episodes {episodes} --out DIR trains anew"
            )
        else:
            directory.check_unfinished(run)
            warnings.warn(f"{str(run)!r} has no checkpoint yet: starting over", stacklevel=2)
            directory.clear(run)
            if continued:
                directory.write_config(run, taken_up.config)
            taken_up.begin(run)
        result = taken_up.train(watch)
    if line := taken_up.trainer.agent.warning_of_no_update():
        warnings.warn(line, stacklevel=2)
    return result


def _listener(progress: Progress) -> Listener | None:
    """The functions as one, which calls them all in order, and returns STOP if one did."""
    if progress is None or callable(progress):
        return progress
    expected = "a function of an event, or a sequence of them"
    if isinstance(progress, str) or not isinstance(progress, Sequence):
        raise WrongType("progress", expected, described(progress))
    functions = tuple(progress)
    for index, function in enumerate(functions):
        if not callable(function):
            raise WrongType("progress", "a function of an event", described(function), item=f"[{index}]")

    def listener(event: Event) -> object:
        answers = [function(event) for function in functions]
        return STOP if any(answer is STOP for answer in answers) else None

    return listener
