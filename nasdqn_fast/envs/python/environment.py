"""An environment that is stepped in Python, with its parameters fixed; it checks what the steps return."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from gymnasium.vector import VectorEnv

from nasdqn_fast.envs.python.play import Play
from nasdqn_fast.envs.python.recipes import check_env
from nasdqn_fast.envs.python.row import Row
from nasdqn_fast.envs.python.vector_play import VectorPlay
from nasdqn_fast.errors import InputError, StepError
from nasdqn_fast.validation import described

if TYPE_CHECKING:
    from nasdqn_fast.envs.python.kernel import PythonKernel


@dataclass(frozen=True, eq=False)
class PythonEnvironment:
    """A `PythonKernel` with its parameters fixed, as `Environment` is of an `EnvKernel`. Made by `PythonKernel.bind`.

    Args:
        kernel: how it is made.
        values: its parameters by name.
        max_episode_steps: time limit, steps; None where none is known.
        observation_size: numbers of an observation; of a Discrete space, its size.
        n_actions: size of the space of actions.
        first_observation: of a Discrete space, which is given to the network one-hot; None of a Box.
        first_action: what the environment calls action 0.
        limit: the time limit that was asked for; None: its own.
        code: digest of the classes that it consists of.
        num_envs: rows of a vector environment; None of a single one.
    """

    kernel: PythonKernel
    values: dict[str, float]
    max_episode_steps: int | None
    observation_size: int
    n_actions: int
    first_observation: int | None
    first_action: int
    limit: int | None
    code: str
    num_envs: int | None = None

    def __repr__(self) -> str:
        sizes = f"observations of {self.observation_size}, {self.n_actions} actions"
        limit = [] if self.max_episode_steps is None else [f"at most {self.max_episode_steps:,} steps"]
        changed = [f"{name}={value:g}" for name, value in self.values.items()]
        return f"<{type(self).__name__} {self.kernel.name}: {', '.join([sizes, *limit, *changed])}>"

    def fingerprint(self) -> str:
        """Hexadecimal digest of parameters, time limit, spaces, and the code of its classes.

        Not of its name: an object, and the name by which a run finds it again, are one environment.
        """
        spaces = self.observation_size, self.n_actions, self.first_observation, self.first_action
        text = repr((sorted(self.values.items()), self.max_episode_steps, spaces, self.code))
        return hashlib.sha256(text.encode()).hexdigest()

    def make(self, *, original: bool = False) -> Any:
        """A single one of it, or a row of a vector environment; its own code may raise whatever it likes.

        Args:
            original: the user's object, where there is one.

        Raises:
            InputError: it cannot be made, or is no Gymnasium environment.
        """
        env = self._made(original=original)
        return Row(VectorPlay(self, env), self) if isinstance(env, VectorEnv) else env

    def _made(self, *, original: bool) -> Any:
        recipe = self.kernel.recipe
        env = (recipe.original if original else recipe.make)(self.values, self.limit)
        check_env(self.kernel.name, env)
        return env

    def together(self, n: int) -> VectorPlay | None:
        """The rows of a vector environment in play, for training; None where there is none of so many rows.

        Raises:
            InputError: it has another number of rows.
        """
        if self.num_envs is not None:
            env = self._made(original=True)
        elif (env := self.kernel.recipe.make_vector(self.values, self.limit, n)) is None:
            return None
        play = VectorPlay(self, env)
        if play.n != n:
            raise InputError(f"environment {self.kernel.name!r} has {play.n} rows; num_envs must be {play.n}, got {n}")
        return play

    def single(self) -> Self:
        """The environment of one episode at a time: of a vector environment, a row."""
        return replace(self, num_envs=None)

    def play(self, n: int, *, training: bool = False) -> Play:
        """So many single ones in play; the first is the user's object if it is for training and there is one."""
        return Play(self, n, training=training)

    def observation(self, value: Any) -> np.ndarray:
        """What the network sees of what the environment has returned: float32 (observation_size,), checked.

        Raises:
            StepError: it has another shape or type than its space says.
        """
        if self.first_observation is not None:
            return self._one_hot(value)
        try:
            array = np.asarray(value)
        except ValueError as error:  # lists of several lengths
            raise self.wrong(f"returned an observation that is no array: {error}") from None
        if array.shape != (self.observation_size,) or array.dtype.kind not in "fiub":
            raise self.wrong(
                f"returned an observation of shape {array.shape} and type {array.dtype}; "
                f"its observation_space says ({self.observation_size},)"
            )
        with np.errstate(over="ignore"):  # it becomes infinite, which is reported as such
            return np.ascontiguousarray(array, np.float32)

    def observations(self, values: Any, n: int) -> np.ndarray:
        """What the network sees of n rows of observations: float32 (n, observation_size), checked.

        Raises:
            StepError: they have another shape or type than the space says.
        """
        if self.first_observation is not None:
            if np.shape(values) != (n,):
                raise self.wrong(f"returned observations of shape {np.shape(values)}; it has {n} rows")
            return np.array([self._one_hot(value) for value in values])
        array = np.asarray(values)
        if array.shape != (n, self.observation_size) or array.dtype.kind not in "fiub":
            raise self.wrong(
                f"returned observations of shape {array.shape} and type {array.dtype}; "
                f"its observation_space says ({n}, {self.observation_size})"
            )
        if array.dtype == np.float32:
            return np.ascontiguousarray(array)
        with np.errstate(over="ignore"):
            return np.ascontiguousarray(array, np.float32)

    def _one_hot(self, value: Any) -> np.ndarray:
        assert self.first_observation is not None
        row, index = np.zeros(self.observation_size, np.float32), -1
        if np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iu":
            index = int(value) - self.first_observation
        if not 0 <= index < self.observation_size:
            last = self.first_observation + self.observation_size - 1
            raise self.wrong(
                f"returned the observation {value!r}; its observation_space says {self.first_observation} to {last}"
            )
        row[index] = 1.0
        return row

    def unpacked(self, returned: Any, method: str) -> tuple[Any, ...]:
        """What ``step`` or ``reset`` has returned, if it is a tuple of the right length.

        Raises:
            StepError: it is not.
        """
        parts = "(observation, info)" if method == "reset" else "(observation, reward, terminated, truncated, info)"
        if not isinstance(returned, tuple) or len(returned) != parts.count(",") + 1:
            got = f"a tuple of {len(returned)}" if isinstance(returned, tuple) else described(returned)
            raise self.wrong(f"returned {got} from {method}; Gymnasium's is {parts}")
        return returned

    def wrong(self, what: str) -> StepError:
        """The error for an environment that does what it may not."""
        return StepError(f"environment {self.kernel.name} {what}")
