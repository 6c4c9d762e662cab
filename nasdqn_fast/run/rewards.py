"""The search space and the reward of a run, made from its config and the sizes of its environment."""

from __future__ import annotations

import time
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from nasdqn_fast import envs
from nasdqn_fast.config import Config, find_method, given_options
from nasdqn_fast.config.plugin_options import TABLES
from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError
from nasdqn_fast.rewards.cost import cost_of
from nasdqn_fast.rewards.limit import ParameterLimit
from nasdqn_fast.rewards.reward import Reward
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import Result

Sizes = tuple[int, int]  # of an observation, and number of actions
ROUNDS = 9  # of measuring
PASSES = 100  # in a round, of each architecture


def sizes_of(environment: envs.AnyEnvironment) -> Sizes:
    """Of an observation, and number of actions."""
    return environment.observation_size, environment.n_actions


def limit_of(config: Config, sizes: Sizes) -> ParameterLimit:
    """The limit on parameters."""
    return ParameterLimit(config.search.max_parameters, sizes)


def space_of(config: Config, sizes: Sizes) -> SearchSpace:
    """The architectures of the search space that the limit on parameters allows.

    Raises:
        InputError: there are none.
    """
    return limit_of(config, sizes).within(config.search.space())


def reward_of(config: Config, sizes: Sizes) -> Reward | None:
    """What a controller is told; None: scores as they are.

    Raises:
        InputError: an architecture of the space is not in the table of latencies.
    """
    settings = config.reward
    if settings.cost is None:
        return None
    cost = cost_of(settings.cost, sizes, settings.seconds)
    for architecture in _architectures(config, sizes):
        cost(architecture)
    target = settings.target
    if target is None:  # of the space alone, so that all methods have the same
        target = max(map(cost, space_of(config, sizes)))
    low, high = settings.range
    return Reward(settings.form, settings.resolved_weight, low, high, target, cost)


def with_reward(result: Result, reward: Reward | None) -> Result:
    """What a controller is told: the result, with a cost in its score if there is a reward."""
    if reward is None:
        return result
    return replace(result, score=reward(result.architecture, result.score), estimate=result.score)


def with_latencies(config: Config, sizes: Sizes) -> Config:
    """The config, with a table of latencies if its reward needs one and it has none: they are measured now.

    Raises:
        InputError: the limit on parameters leaves no architecture.
    """
    if not config.reward.needs_measuring:
        return config
    found = measure(config.run.backend, sizes, _architectures(config, sizes))
    return replace(config, reward=replace(config.reward, latencies=found))


def measure(backend: str, sizes: Sizes, architectures: Iterable[Architecture]) -> dict[str, float]:
    """Seconds of a forward pass of one observation, by architecture as text.

    Each is the lowest of several rounds, through all architectures: whatever else a machine does, it adds time.

    Args:
        backend: a name of the engine's.
        sizes: of an observation, and number of actions.
        architectures: which.
    """
    engine: Any = backends.find(backend)
    networks = {str(architecture): engine.QNetwork(architecture, *sizes) for architecture in architectures}
    observation = np.zeros((1, sizes[0]), np.float32)
    lowest = dict.fromkeys(networks, float("inf"))
    for _ in range(ROUNDS):
        for name, network in networks.items():
            forward = network.forward
            start = time.perf_counter()
            for _ in range(PASSES):
                forward(observation)
            lowest[name] = min(lowest[name], (time.perf_counter() - start) / PASSES)
    return lowest


def _architectures(config: Config, sizes: Sizes) -> list[Architecture]:
    """Those of the space, each once, and one that the method is given, which need not be in it."""
    found = list(dict.fromkeys(map(Architecture.parse, space_of(config, sizes))))
    if find_method(config.search.method).loop != "online":
        return found
    try:
        given = given_options(config, TABLES[0]).get("architecture")
    except InputError:  # of the controller, and reported when it is made
        return found
    return found if given is None else list(dict.fromkeys([*found, Architecture.parse(given)]))
