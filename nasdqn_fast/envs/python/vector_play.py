"""A vector environment in play: one call a step for all rows, and the three ways in which it begins their episodes."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from gymnasium.vector import AsyncVectorEnv, AutoresetMode, SyncVectorEnv, VectorEnv

from nasdqn_fast.envs.python.duplicate import duplicate
from nasdqn_fast.envs.python.play import SEEDS, Play, generator_state
from nasdqn_fast.envs.python.row import Row
from nasdqn_fast.errors import InputError
from nasdqn_fast.seeding import restored_generator
from nasdqn_fast.validation import described

if TYPE_CHECKING:
    from nasdqn_fast.envs.python.environment import PythonEnvironment

Steps = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]  # observations, rewards, terminated, truncated


def autoreset_mode(name: str, env: VectorEnv) -> AutoresetMode:
    """How a vector environment begins the episodes that follow those that have ended.

    Raises:
        InputError: it does not say.
    """
    found = env.metadata.get("autoreset_mode")
    try:
        return AutoresetMode(found)
    except ValueError:
        got = "nothing" if found is None else described(found)
        raise InputError(
            f"environment {name!r} must say in metadata['autoreset_mode'] when it resets a row, as a "
            f"gymnasium.vector.AutoresetMode; it says {got}; pass the single environment, and num_envs"
        ) from None


class VectorPlay:
    """The rows of a vector environment in play.

    The first reset, of all rows, has a seed. Then a row whose episode has ended is reset by `reset`, where its mode is
    DISABLED; in the step that ended the episode, where it is SAME_STEP, which keeps the observation for `reset`; and in
    the next step, which is no transition then, where it is NEXT_STEP.

    Args:
        environment: what is played.
        env: the vector environment, on which nobody else calls anything.

    Attributes:
        n: how many rows.
        limit: steps after which the caller has to end an episode; None: the environment does it.
    """

    in_progress = False  # no state leads into the middle of an episode

    def __init__(self, environment: PythonEnvironment, env: VectorEnv) -> None:
        self._environment, self._env, self.n = environment, env, env.num_envs
        self._mode = autoreset_mode(environment.kernel.name, env)
        self.limit = environment.limit if self._mode is AutoresetMode.DISABLED else None
        # From what the next reset of all rows begins: {}, from seeds yet to be drawn; None: there was one.
        self._start: dict[str, Any] | None = {}
        self._ended = np.zeros(self.n, bool)  # in the last step, and not begun again by `reset`
        self._first: np.ndarray | None = None  # with which the next episodes of those that have ended begin

    def __del__(self) -> None:
        self.close()

    @property
    def generator(self) -> np.random.Generator | None:
        """The generator of all rows, if it has one."""
        generator = getattr(self._env.unwrapped, "np_random", None)
        return generator if isinstance(generator, np.random.Generator) else None

    @generator.setter
    def generator(self, generator: np.random.Generator) -> None:
        self._env.unwrapped.np_random = generator

    def reset(self, rows: np.ndarray, uniforms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Begins an episode in rows where one has ended, or in all.

        Args:
            rows: bool (n,), which ones.
            uniforms: numbers in [0, 1), for seeds.

        Returns:
            float32 (n, observation_size), the observations, and bool (n,): the rows that the next step is to begin.
        """
        waiting = np.zeros(self.n, bool)
        if self._start is not None:
            return self._begin(self._start, uniforms), waiting
        if rows.all() and not self._ended.all():  # after an error
            return self.begin(), waiting
        if self._mode is AutoresetMode.NEXT_STEP:
            return np.zeros((self.n, self._environment.observation_size), np.float32), rows
        self._ended = self._ended & ~rows
        if self._mode is AutoresetMode.DISABLED:
            return self._reset(options={"reset_mask": rows.copy()}), waiting
        assert self._first is not None
        return self._first, waiting

    def step(self, actions: np.ndarray) -> Steps:
        """One step of all rows.

        Args:
            actions: int64 (n,), from 0; the environment may keep the array.

        Returns:
            observations, float32 (n, observation_size); rewards, float64 (n,); terminated and truncated, bool (n,).
        """
        environment, before = self._environment, self._ended
        if environment.first_action:
            actions = actions + environment.first_action
        returned = environment.unpacked(self._env.step(actions), "step")
        rows = environment.observations(returned[0], self.n)
        rewards = self._column("rewards", returned[1], np.float64)
        terminated = self._column("terminations", returned[2], np.bool_)
        truncated = self._column("truncations", returned[3], np.bool_)
        self._ended = terminated | truncated
        if self._mode is AutoresetMode.NEXT_STEP and (self._ended & before).any():
            raise environment.wrong("ended an episode in the step that began it, as its autoreset mode NEXT_STEP says")
        if self._mode is AutoresetMode.SAME_STEP and self._ended.any():
            self._first, rows = rows, self._with_last(rows, returned[4])
        return rows, rewards, terminated, truncated

    def begin(self, seed: int | Sequence[int] | None = None) -> np.ndarray:
        """Begins an episode in all rows: their observations, float32 (n, observation_size)."""
        self._start = None
        self._ended = np.zeros(self.n, bool)
        return self._reset(seed=seed)

    def begin_row(self, row: int) -> np.ndarray:
        """Begins an episode in a row, and in others only if it cannot be begun alone: all observations, as `begin`."""
        if self._start is not None or not self._ended[row] or self._mode is AutoresetMode.NEXT_STEP:
            return self.begin()
        return self.reset(np.arange(self.n) == row, np.zeros(self.n))[0]

    def get_state(self) -> list[dict[str, Any]]:
        """From what all rows can begin new episodes: the state of its generator, if there is one for all."""
        if self._start is not None:
            return [copy.deepcopy(self._start)]
        return [generator_state(self._env)]

    def set_state(self, starts: Sequence[Mapping[str, Any]]) -> None:
        """The next reset begins episodes in all rows, from this state.

        Raises:
            KeyError, TypeError, ValueError: not a valid state.
        """
        if not isinstance(starts, list) or len(starts) != 1:
            raise ValueError("the state must be of one vector environment")
        if starts[0]:
            restored_generator(starts[0]["np_random"])  # to see that it is one
        self._start = dict(starts[0])

    def copied(self, lane: int) -> Play | None:
        """A copy in which one row continues its episode; None if none has begun, or it cannot be copied."""
        if self._start is not None:
            return None
        try:
            other = VectorPlay(self._environment, duplicate(self._env))
        except Exception:
            return None
        other._start, other._ended = None, self._ended.copy()
        return Play.continuing(self._environment, Row(other, self._environment, lane))

    def close(self) -> None:
        """Closes the environment if it was made here."""
        if "_env" in vars(self) and not self._environment.kernel.recipe.owns(self._env):
            with contextlib.suppress(Exception):  # it is not needed any more
                self._env.close()

    def _begin(self, start: Mapping[str, Any], uniforms: np.ndarray) -> np.ndarray:
        if "np_random" in start:
            self.generator = restored_generator(start["np_random"])
            return self.begin()
        seeds = [int(uniform * SEEDS) for uniform in uniforms.tolist()]
        # Gymnasium's interface has one seed for all; these two take one a row.
        each = isinstance(self._env.unwrapped, (SyncVectorEnv, AsyncVectorEnv))
        return self.begin(seeds if each else seeds[0])

    def _reset(self, **arguments: Any) -> np.ndarray:
        returned = self._environment.unpacked(self._env.reset(**arguments), "reset")
        return self._environment.observations(returned[0], self.n)

    def _with_last(self, rows: np.ndarray, infos: Mapping[str, Any]) -> np.ndarray:
        """The observations, those that ended an episode in place of those that begin the next one."""
        if "final_obs" not in infos:
            raise self._environment.wrong(
                "returned infos without 'final_obs' from the step that ended an episode, as its autoreset mode "
                "SAME_STEP says"
            )
        rows = rows.copy()
        for row in np.flatnonzero(self._ended):
            rows[row] = self._environment.observation(infos["final_obs"][row])
        return rows

    def _column(self, name: str, value: Any, dtype: type) -> np.ndarray:
        column: np.ndarray = np.ascontiguousarray(value, dtype)
        if column.shape != (self.n,):
            raise self._environment.wrong(f"returned {name} of shape {np.shape(value)}; it has {self.n} rows")
        return column
