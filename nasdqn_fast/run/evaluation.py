"""Evaluation of a run's network, during the run or afterwards."""

from __future__ import annotations

import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast.engine import backends
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.engine.protocol import Engine
from nasdqn_fast.envs import AnyEnvironment
from nasdqn_fast.errors import DamageError, InputError
from nasdqn_fast.run.assembly import make_environment, optimum
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.run.directory import BEST_NETWORK, CHECKPOINTS, NETWORK, find_network, read_config
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import Architecture
from nasdqn_fast.validation import check_choice, check_path, check_positive_int

FILES = {"last": NETWORK, "best": BEST_NETWORK}
TRIES = 3  # a run that goes on replaces its checkpoints while they are read


@dataclass(frozen=True, eq=False)
class Evaluation:
    """The returns of a run's greedy policy.

    Args:
        returns: float64 (episodes,).
        optimum: best possible mean return of the environment, where it is known.
        source: where the network was: a file of the run directory, or the checkpoint after some episode.
        network: what was played.
    """

    returns: np.ndarray
    optimum: float | None
    source: str = NETWORK
    network: BaseNetwork | None = None

    @property
    def regret(self) -> float | None:
        """Optimum minus mean return, where the optimum is known."""
        return None if self.optimum is None else self.optimum - float(self.returns.mean())


def evaluate(
    run: str | Path,
    episodes: int = 100,
    *,
    seed: int | None = None,
    network: str = "last",
    start: str | None = None,
    env_param: Mapping[str, float] | None = None,
    max_episode_steps: int | None = None,
    env: Any = None,
) -> Evaluation:
    """Plays the greedy policy of a run's network; nothing is learned or written.

    Of a run that goes on or was killed, the network is that of its newest checkpoint.

    Args:
        run: run directory.
        episodes: >= 1.
        seed: of the starts; the run's own seed if None. Its stream is not one that training drew from.
        network: ``last``, or ``best`` by the evaluations of training (``evaluate_every``).
        start, env_param, max_episode_steps: settings of the environment to override; None leaves the run's own.
        env: the environment of a run that was given an object which no name makes again; None: that of the directory.

    Raises:
        TypeError, ValueError: `run` is no path, `episodes` below 1, or another `network`.
        InputError: no run directory, a damaged file in it, a network for another environment, or nothing to evaluate.
    """
    run = check_path("run", run)
    episodes = check_positive_int("episodes", episodes)
    check_choice("network", network, tuple(FILES))
    about = {"env": env, "start": start, "env_param": env_param, "max_episode_steps": max_episode_steps}
    config = read_config(run, about | {"seed": seed})
    environment = make_environment(config)
    engine = backends.find(config.run.backend)
    if path := find_network(run, FILES[network]):
        source, played = path.name, engine.QNetwork.load(path)
    else:
        source, played = _from_checkpoint(run, network, engine, environment)
    sizes = (played.observation_size, played.n_actions)
    expected = (environment.observation_size, environment.n_actions)
    if sizes != expected:
        raise InputError(
            f"the network in {str(run)!r} has {sizes[0]} observations and {sizes[1]} actions; "
            f"{config.env.name!r} has {expected[0]} and {expected[1]}"
        )
    agent = engine.DQNAgent(environment, played, rng=Streams(config.run.seed))
    return Evaluation(agent.play_episodes(episodes).returns, optimum(environment), source, played)


def _from_checkpoint(run: Path, which: str, engine: Engine, environment: AnyEnvironment) -> tuple[str, BaseNetwork]:
    state = _newest_state(run)
    resume = f"nasdqn-fast resume {shlex.quote(str(run))}"
    if state is None:
        raise InputError(f"the run in {str(run)!r} has nothing to evaluate yet, no network and no checkpoint: {resume}")
    trainer = state["trainer"]
    if which == "last":
        saved = trainer["agent"]
        architecture, parameters = saved["architecture"], saved["network"]
    elif saved := state.get("best_network"):
        architecture, parameters = saved["architecture"], saved["parameters"]
    else:
        raise InputError(
            f"the run in {str(run)!r} has no best network: nothing was evaluated while it trained; "
            "train with evaluate_every, or evaluate the last network"
        )
    architecture = Architecture.parse(architecture)
    sizes = environment.observation_size, environment.n_actions
    if len(parameters) != architecture.parameter_count(*sizes):
        raise InputError(
            f"the network in the checkpoint of {str(run)!r} is for another environment: {architecture} has other than "
            f"{len(parameters)} parameters with {sizes[0]} observations and {sizes[1]} actions"
        )
    network = engine.QNetwork(architecture, *sizes, None)
    network.restore(parameters, saved.get("normalizer"))
    return f"the checkpoint after episode {trainer['episodes_done']:,}", network


def _newest_state(run: Path) -> dict[str, Any] | None:
    """The newest sound checkpoint of a run that may go on meanwhile; None without any."""
    checkpoints = Checkpoints(run / CHECKPOINTS)
    for _ in range(TRIES):
        for path in checkpoints.newest_first():
            try:
                return checkpoints.load(path)
            except (DamageError, FileNotFoundError):
                continue
    return None
