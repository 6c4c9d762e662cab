"""One run from its settings to its result."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast import backends, envs, interrupts
from nasdqn_fast.config import Config, find_method, resolve
from nasdqn_fast.controllers import base as controllers
from nasdqn_fast.events import Event
from nasdqn_fast.run_result import Recorder, RunResult, Times
from nasdqn_fast.runlog import RunLog, check_free
from nasdqn_fast.seeding import Streams
from nasdqn_fast.trainer import Trainer
from nasdqn_fast.transfers import base as transfers
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
        KeyboardInterrupt: as usual; `out` then holds what was done.
    """
    named = {"method": method, "env": env, "seed": seed, "episodes": episodes, "profile": profile}
    config = resolve(config, named | options)
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be a function of an event; got {described(progress)}")
    if out is not None:
        out = check_path("out", out)
        check_free(out)
    return _Run(config, out, progress).train()


class _Run:
    """One run: its trainer, and those who listen to it.

    Args:
        config: every setting.
        out: run directory, free to be written; None writes nothing.
        progress: called with every event.

    Raises:
        InputError: as `train`; nothing has been written then.
    """

    def __init__(self, config: Config, out: Path | None, progress: Callable[[Event], None] | None) -> None:
        self.config = config
        self.environment = make_environment(config)
        self.started = time.perf_counter()
        self.trainer = make_trainer(config, self.environment)
        # After all that can be wrong has been found, but before training: it may take seconds the first time, which
        # nobody wants to wait after Ctrl-C. They are not counted.
        paused = time.perf_counter()
        self.optimum = optimum(self.environment)
        self.started += time.perf_counter() - paused
        self.recorder = Recorder()
        self.log = None if out is None else RunLog(out, config)
        self.listeners = [listener for listener in (self.recorder, self.log, progress) if listener is not None]

    def train(self) -> RunResult:
        """Trains to the end, and concludes however the end comes."""
        try:
            for event in self.trainer.run():
                with interrupts.held():  # or the log could lack an episode that the result has
                    for listener in self.listeners:
                        listener(event)
        except KeyboardInterrupt:
            result = self._conclude("interrupted")
            kept = f"; what was done is kept in {result.out}" if result.out else ""
            raise KeyboardInterrupt(f"interrupted after {len(result.episodes)} episodes{kept}") from None
        except BaseException as error:  # training diverged, or somebody's environment or controller broke, or exits
            self._conclude(f"failed: {error}")
            raise
        return self._conclude("finished")

    def _conclude(self, status: str) -> RunResult:
        result = RunResult(
            config=self.config,
            environment=self.environment,
            status=status,
            episodes=self.recorder.episodes(),
            segments=self.recorder.segments(),
            network=self.trainer.agent.network,
            times=Times(total=time.perf_counter() - self.started, **self.trainer.clock.seconds),
            optimum=self.optimum,
            out=None if self.log is None else self.log.out,
        )
        if self.log is not None:
            self.log.close(result)
        return result


def make_environment(config: Config) -> envs.Environment:
    """The environment of a config, with its parameters fixed."""
    env = config.env
    return envs.make(env.name, start=env.start, params=env.params, max_episode_steps=env.max_episode_steps)


def make_trainer(config: Config, environment: envs.Environment) -> Trainer:
    """The trainer of a config; all random streams come from its seed."""
    streams, search = Streams(config.run.seed), config.search
    engine = backends.find(config.run.backend)
    return Trainer(
        lambda first: engine.DQNAgent(environment, first, rng=streams, **config.agent.model_dump()),
        _make_controller(config, streams.controller),
        transfers.find(search.transfer),
        streams.transfer,
        episodes=config.run.episodes,
        switch_every=search.switch_every,
        replay_keep=search.replay_keep,
        replay_keep_which=search.replay_keep_which,
    )


def _make_controller(config: Config, rng: np.random.Generator) -> controllers.Controller:
    search, method = config.search, find_method(config.search.method)
    options = {
        "architecture": method.architecture or search.architecture,
        "epsilon_start": search.controller_epsilon_start,
        "epsilon_decay": search.controller_epsilon_decay,
        "epsilon_min": search.controller_epsilon_min,
        "temperature": search.controller_temperature,
        "buffer_size": search.controller_buffer,
        "score_kept": search.controller_score_kept,
    }
    given = {name: value for name, value in options.items() if value is not None}
    return controllers.make(method.controller, search.space(), rng, given)


def optimum(environment: envs.Environment) -> float | None:
    """Best possible mean return of the environment; None where the package cannot compute it."""
    from nasdqn_fast import optimal

    # What its policy really earns: the value on the grid is 0.3 too low upright, and too high where the saddle
    # between two actions is smoothed over. No optimum is lower than this, so no regret is too large.
    return optimal.optimal_mean_return(environment).rollout_mean if optimal.covers(environment) else None
