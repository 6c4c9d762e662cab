"""An environment that is stepped in Python before its parameters are fixed; its spaces are checked here."""

from __future__ import annotations

import hashlib
import inspect
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
from gymnasium.spaces import Box, Discrete, Space
from gymnasium.vector import AutoresetMode, SyncVectorEnv, VectorEnv, VectorWrapper

from nasdqn_fast.envs.python.environment import PythonEnvironment
from nasdqn_fast.envs.python.recipes import Recipe, check_env
from nasdqn_fast.envs.python.vector_play import autoreset_mode
from nasdqn_fast.errors import InputError
from nasdqn_fast.validation import check_finite, check_positive_int

SUPPORTED = "a Box of one dimension or a Discrete space of observations, and a Discrete space of actions"


@dataclass(frozen=True, eq=False)
class PythonKernel:
    """An environment that is stepped in Python, as `EnvKernel` is one that is compiled.

    Args:
        recipe: how it is made.
        threshold: mean return at which the task counts as solved; None where nothing is agreed on.
    """

    recipe: Recipe
    threshold: float | None = None
    state_size = 1  # of what checkpoints keep in an array: nothing

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @property
    def name(self) -> str:
        return self.recipe.name

    def address(self) -> str:
        """The name under which a run directory keeps it.

        Raises:
            InputError: a class or function that is no attribute of a module.
        """
        return self.recipe.address()

    def bind(
        self,
        *,
        start: str | None = None,
        params: Mapping[str, float] | None = None,
        max_episode_steps: int | None = None,
    ) -> PythonEnvironment:
        """Fixes parameters and time limit. Makes one of it, to see its spaces, and closes that.

        Args:
            start: None, for there are no named starts.
            params: keyword arguments by which it is made; whole numbers are passed as int.
            max_episode_steps: time limit, steps; None: its own. One that was not made by an id keeps its own besides.

        Raises:
            InputError: unknown id or parameter, or other spaces than those supported.
            Exception: whatever the environment raises.
        """
        if start is not None:
            raise InputError(f"environment {self.name!r} has no named starts, got {start!r}; leave start out")
        params = dict(params or {})
        try:
            for name, value in params.items():
                check_finite(f"environment parameter {name}", value)
            if max_episode_steps is not None:
                max_episode_steps = check_positive_int("max_episode_steps", max_episode_steps)
        except (TypeError, ValueError) as error:  # a user wrote it into a file or on a command line
            raise InputError(str(error)) from None
        probe = self.recipe.original(params, max_episode_steps)
        try:
            return self._bound(probe, params, max_episode_steps)
        finally:
            if isinstance(probe, (gymnasium.Env, VectorEnv)) and not self.recipe.owns(probe):
                probe.close()

    def _bound(self, probe: Any, params: dict[str, float], limit: int | None) -> PythonEnvironment:
        check_env(self.name, probe)
        observations, actions, num_envs = _spaces(probe)
        if (
            num_envs is not None
            and autoreset_mode(self.name, probe) is not AutoresetMode.DISABLED
            and limit is not None
        ):
            raise InputError(
                f"environment {self.name!r} is a vector environment that resets its rows by itself, which "
                f"max_episode_steps ({limit}) cannot; make it with that limit"
            )
        if not (_is_row(observations) and isinstance(actions, Discrete)):
            raise InputError(
                f"environment {self.name!r} has {_described(observations)} of observations and {_described(actions)} "
                f"of actions; supported are {SUPPORTED}; a wrapper may convert it, as "
                "gymnasium.wrappers.FlattenObservation"
            )
        spec = probe.spec
        threshold = None if spec is None else spec.reward_threshold
        one_hot = isinstance(observations, Discrete)
        return PythonEnvironment(
            replace(self, threshold=threshold),
            params,
            limit if limit is not None or spec is None else spec.max_episode_steps,
            observation_size=int(observations.n) if one_hot else observations.shape[0],
            n_actions=int(actions.n),
            first_observation=int(observations.start) if one_hot else None,
            first_action=int(actions.start),
            limit=limit,
            code=_code_of(probe),
            num_envs=num_envs,
        )


def _spaces(env: Any) -> tuple[Any, Any, int | None]:
    """Of one observation and one action, and the number of rows of a vector environment."""
    if isinstance(env, VectorEnv):
        return env.single_observation_space, env.single_action_space, env.num_envs
    return env.observation_space, env.action_space, None


def _is_row(space: Any) -> bool:
    if isinstance(space, Discrete):
        return True
    return isinstance(space, Box) and len(space.shape) == 1 and space.shape[0] > 0 and space.dtype.kind in "fiub"


def _described(space: Space[Any] | None) -> str:
    shape = f" of shape {space.shape}" if isinstance(space, Box) else ""
    return f"a {type(space).__name__}{shape}"


def _code_of(env: Any) -> str:
    """Digest of the source of the environment's class and of its wrappers'."""
    digest, layer = hashlib.sha256(), env
    while layer is not None:
        try:
            source = inspect.getsource(type(layer))
        except (OSError, TypeError):  # defined where there is no file, or compiled
            source = type(layer).__qualname__
        digest.update(source.encode())
        if isinstance(layer, SyncVectorEnv):
            layer = layer.envs[0]
        else:
            layer = layer.env if isinstance(layer, (gymnasium.Wrapper, VectorWrapper)) else None
    return digest.hexdigest()
