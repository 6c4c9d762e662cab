"""What a table is about: tasks, each an environment as one learner meets it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from nasdqn_fast.errors import InputError

# An optimizer that is none of these is not asked for by a task's name.
OPTIMIZERS = ("adam", "sgd")
# What the learner of a table does unless told otherwise. Not the paper's: under the paper's values (SGD, the time limit
# as an end) what looks like capacity is largely the step size.
LEARNER: Mapping[str, Any] = {"horizon_is": "truncated", "policy_epsilon_decay": 0.985}


@dataclass(frozen=True)
class Environment:
    """Settings of an environment, and how its returns are stored.

    Args:
        settings: keywords of `nasdqn_fast.train`.
        scale: unit of the stored returns; None chooses one from the data.
    """

    settings: Mapping[str, Any]
    scale: float | None = None


def _pendulum(start: str, steps: int) -> Environment:
    # 0.02: a return of 400 steps has at most 400, and int16 goes to 655 with it; hundredths would overflow at 327.
    return Environment({"env": "inverted-pendulum", "start": start, "max_episode_steps": steps}, 0.02)


ENVIRONMENTS = {
    "upright": _pendulum("upright", 200),
    "uniform": _pendulum("uniform", 200),
    "hanging": _pendulum("hanging", 400),
    "cartpole": Environment({"env": "cartpole", "max_episode_steps": 500}, 1.0),
    "acrobot": Environment({"env": "acrobot", "max_episode_steps": 500}, 1.0),
    "mountain-car": Environment({"env": "mountain-car", "max_episode_steps": 200}, 1.0),
}
# Of the table that ships with the package.
DEFAULT_TASKS = (*ENVIRONMENTS, "uniform-sgd", "hanging-sgd")


@dataclass(frozen=True)
class Task:
    """An environment and an optimizer.

    Args:
        name: ``hanging`` is learned with Adam, ``hanging-sgd`` with SGD.
        settings: keywords of `nasdqn_fast.train`: the environment's, and the optimizer.
        scale: as of `Environment`.
        built_in: whether the environment is one of `ENVIRONMENTS`.
    """

    name: str
    settings: Mapping[str, Any]
    scale: float | None
    built_in: bool

    @classmethod
    def parse(cls, name: str) -> Task:
        """The task of this name.

        Args:
            name: of `ENVIRONMENTS`, or any other environment as ``train --env`` takes it; for SGD in place of Adam
                ``-sgd`` follows.

        Raises:
            InputError: an empty name.
        """
        environment, dash, optimizer = name.rpartition("-")
        if not dash or optimizer not in OPTIMIZERS:
            environment, optimizer = name, OPTIMIZERS[0]
        elif optimizer == OPTIMIZERS[0]:
            raise InputError(f"task {name!r} is called {environment!r}: Adam is the usual optimizer")
        if not environment:
            raise InputError(f"task {name!r} names no environment; write one of {', '.join(ENVIRONMENTS)}")
        known = ENVIRONMENTS.get(environment, Environment({"env": environment}))
        return cls(name, {**known.settings, "optimizer": optimizer}, known.scale, environment in ENVIRONMENTS)
