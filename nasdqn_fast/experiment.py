"""One run from its settings to its result, and the evaluation of a finished one."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast import backends, envs, interrupts
from nasdqn_fast.config import Config, find_method, resolve
from nasdqn_fast.controllers import base as controllers
from nasdqn_fast.events import Event
from nasdqn_fast.run_result import Recorder, RunResult, Times
from nasdqn_fast.runlog import CONFIG, NETWORK, RunLog, check_free
from nasdqn_fast.seeding import Streams
from nasdqn_fast.trainer import Trainer
from nasdqn_fast.transfers import base as transfers
from nasdqn_fast.types import InputError
from nasdqn_fast.validation import check_path, check_positive_int, described


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
    if out is not None:
        out = check_path("out", out)
        check_free(out)
    if progress is not None and not callable(progress):
        raise TypeError(f"progress must be a function of an event; got {described(progress)}")
    environment = make_environment(config)
    started = time.perf_counter()
    trainer = make_trainer(config, environment)
    # After all that can be wrong has been found, but before training: it may take seconds the first time, which
    # nobody wants to wait after Ctrl-C. They are not counted.
    paused = time.perf_counter()
    best = optimum(environment)
    started += time.perf_counter() - paused
    recorder = Recorder()
    listeners: list[Callable[[Event], None]] = [recorder]
    log = None if out is None else RunLog(out, config)
    if log is not None:
        listeners.append(log)
    if progress is not None:
        listeners.append(progress)

    def conclude(status: str) -> RunResult:
        result = RunResult(
            config=config,
            environment=environment,
            status=status,
            episodes=recorder.episodes(),
            segments=recorder.segments(),
            network=trainer.agent.network,
            times=Times(total=time.perf_counter() - started, **trainer.clock.seconds),
            optimum=best,
            out=None if log is None else log.out,
        )
        if log is not None:
            log.close(result)
        return result

    try:
        for event in trainer.run():
            with interrupts.held():  # or the log could lack an episode that the result has
                for listener in listeners:
                    listener(event)
    except KeyboardInterrupt:
        result = conclude("interrupted")
        kept = f"; what was done is kept in {result.out}" if result.out else ""
        raise KeyboardInterrupt(f"interrupted after {len(result.episodes)} episodes{kept}") from None
    except BaseException as error:  # training diverged, or somebody's environment or controller broke, or exits
        conclude(f"failed: {error}")
        raise
    return conclude("finished")


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The greedy policy of a run.

    Args:
        returns: float64 (episodes,).
        optimum: best possible mean return of the environment, where it is known.
    """

    returns: np.ndarray
    optimum: float | None

    @property
    def regret(self) -> float | None:
        """Optimum minus mean return, where the optimum is known."""
        return None if self.optimum is None else self.optimum - float(self.returns.mean())


def evaluate(run: str | Path, episodes: int = 100, *, seed: int | None = None) -> Evaluation:
    """Plays the greedy policy of a run's final network; nothing is learned or written.

    Args:
        run: run directory.
        episodes: >= 1.
        seed: of the starts; the run's own seed if None. Its stream is not one that training drew from.

    Raises:
        InputError: no run directory, a damaged file in it, or a network for another environment.
    """
    run = check_path("run", run)
    episodes = check_positive_int("episodes", episodes)
    if not (run / CONFIG).is_file():
        raise InputError(f"{str(run)!r} is not a run directory: it holds no {CONFIG}")
    config = resolve(run / CONFIG, {"seed": seed})
    environment = make_environment(config)
    engine = backends.find(config.run.backend)
    network = engine.QNetwork.load(run / NETWORK)
    sizes = (network.observation_size, network.n_actions)
    expected = (environment.observation_size, environment.n_actions)
    if sizes != expected:
        raise InputError(
            f"the network in {str(run)!r} has {sizes[0]} observations and {sizes[1]} actions; "
            f"{config.env.name!r} has {expected[0]} and {expected[1]}"
        )
    agent = engine.DQNAgent(environment, network, rng=Streams(config.run.seed))
    return Evaluation(agent.play_episodes(episodes).returns, optimum(environment))


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
