"""One row of a vector environment, as an environment by itself: for episodes beside training."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import gymnasium
import numpy as np

if TYPE_CHECKING:
    from nasdqn_fast.envs.python.environment import PythonEnvironment
    from nasdqn_fast.envs.python.vector_play import VectorPlay


class Row(gymnasium.Env[Any, Any]):
    """A row of a vector environment whose other rows take the same actions and are of no interest.

    Args:
        play: the vector environment.
        environment: what is played.
        row: which row.
    """

    def __init__(self, play: VectorPlay, environment: PythonEnvironment, row: int = 0) -> None:
        self._play, self._environment, self._row = play, environment, row

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Begins an episode."""
        play = self._play
        return self._returned(play.begin_row(self._row) if seed is None else play.begin(seed)), {}

    def step(self, action: Any) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """One step; the other rows begin new episodes where theirs have ended."""
        play, row = self._play, self._row
        actions = np.full(play.n, action - self._environment.first_action, np.int64)
        observations, rewards, terminated, truncated = play.step(actions)
        observation = self._returned(observations)
        others = terminated | truncated
        others[row] = False
        if others.any():
            play.reset(others, np.zeros(play.n))
        return observation, float(rewards[row]), bool(terminated[row]), bool(truncated[row]), {}

    def close(self) -> None:
        """Closes the vector environment."""
        self._play.close()

    @property
    def np_random(self) -> Any:
        """The generator of all rows; None where each has its own."""
        return self._play.generator

    @np_random.setter
    def np_random(self, generator: np.random.Generator) -> None:
        self._play.generator = generator

    def _returned(self, observations: np.ndarray) -> Any:
        """The row's observation as the environment would return it: of a Discrete space a number."""
        observation = observations[self._row].copy()
        first = self._environment.first_observation
        return observation if first is None else first + int(observation.argmax())
