"""What the network of a finished run is worth."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np

from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError
from nasdqn_fast.run.assembly import make_environment, optimum
from nasdqn_fast.run.directory import NETWORK, read_config
from nasdqn_fast.seeding import Streams
from nasdqn_fast.validation import check_path, check_positive_int


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
        TypeError, ValueError: `run` is no path, or `episodes` below 1.
        InputError: no run directory, a damaged file in it, or a network for another environment.
    """
    run = check_path("run", run)
    episodes = check_positive_int("episodes", episodes)
    config = read_config(run, {"seed": seed})
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
