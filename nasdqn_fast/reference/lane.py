"""One of the environments that an agent steps in lockstep, and the books of its episode."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

import numpy as np

from nasdqn_fast.envs import AnyEnvironment, Environment
from nasdqn_fast.envs.kernel import TERMINATED
from nasdqn_fast.envs.python import Play, PythonEnvironment
from nasdqn_fast.errors import StepError


@dataclass
class Lane:
    """An environment in play, stepped by its own plain Python functions, or in Python anyway.

    Args:
        environment: what is played.
        state: float64 (state_size,), the environment's.
        observation: float32 (observation_size,), of that state.
        epsilon: exploration probability, fixed when the episode starts.
        episode_return: sum of rewards so far.
        length: steps so far.
        loss_sum, n_losses: of the updates accounted to this lane since the episode began.
        play: of an environment in Python, which has its state in it; None of a row of a vector environment.
        seed: of such a row, a uniform for the reset that is to come; None: none is.
        waits: of such a row, whether the next step only begins its episode.
        row: the number of its last transition, in the order of storing.
        acted: greedy actions of the episode, by the number of the network in a population.
    """

    environment: AnyEnvironment
    state: np.ndarray
    observation: np.ndarray
    epsilon: float = 0.0
    episode_return: float = 0.0
    length: int = 0
    loss_sum: float = 0.0
    n_losses: int = 0
    play: Play | None = None
    seed: float | None = None
    waits: bool = False
    row: int = 0
    acted: Counter[int] = field(default_factory=Counter)

    @classmethod
    def of(cls, environment: AnyEnvironment, *, training: bool = False, is_row: bool = False) -> Self:
        """A lane that waits for its first `reset`.

        Args:
            environment: what is played.
            training: whether it steps the user's object, where there is one.
            is_row: whether it is a row of a vector environment, which steps all of them.
        """
        state = np.zeros(environment.kernel.state_size)
        lane = cls(environment, state, np.zeros(environment.observation_size, np.float32))
        if isinstance(environment, PythonEnvironment) and not is_row:
            lane.play = environment.play(1, training=training)
        return lane

    def empty(self) -> Self:
        """A lane of the same environment that waits for its first `reset`."""
        state, observation = np.zeros_like(self.state), np.zeros_like(self.observation)
        return type(self)(self.environment, state, observation, play=self.play)

    def reset(self, rng: np.random.Generator, epsilon: float) -> None:
        """Starts an episode; of a row, all but the environment's part of it."""
        environment = self.environment
        if isinstance(environment, PythonEnvironment) and self.play is None:
            self.seed = rng.random()
        elif isinstance(environment, PythonEnvironment):
            assert self.play is not None
            self.observation = environment.observation(self.play.reset(0, rng.random())).copy()
        else:
            kernel = environment.kernel
            self.observation = np.zeros_like(self.observation)
            kernel.reset(environment.params, rng.random(kernel.reset_uniforms), self.state, self.observation)
        self.epsilon, self.episode_return, self.length = epsilon, 0.0, 0
        self.loss_sum, self.n_losses = 0.0, 0
        self.acted.clear()

    def step(self, action: int, rng: np.random.Generator) -> tuple[float, bool, bool]:
        """Takes an action: reward, terminated, truncated. A new array holds the new observation.

        Raises:
            StepError: the environment's step reported an error, or returned flags that there are not.
        """
        environment = self.environment
        if isinstance(environment, PythonEnvironment):
            reward, terminated, truncated = self._step_python(environment, action)
        else:
            reward, terminated = self._step_kernel(environment, action, rng)
            truncated = False
        return self.count(reward, terminated, truncated, environment.limit)

    def count(self, reward: float, terminated: bool, truncated: bool, limit: int | None) -> tuple[float, bool, bool]:
        """Counts a step of the episode: reward, terminated, truncated, by the time limit, too."""
        self.length += 1
        self.episode_return += reward
        # The clock is the engine's: a time limit truncates and never terminates.
        return reward, terminated, not terminated and (truncated or (limit is not None and self.length >= limit))

    def _step_kernel(self, environment: Environment, action: int, rng: np.random.Generator) -> tuple[float, bool]:
        kernel = environment.kernel
        uniforms = rng.random(kernel.step_uniforms)
        reward = np.zeros(1)
        self.observation = np.zeros_like(self.observation)
        flags = kernel.step(environment.params, uniforms, self.state, action, self.observation, reward)
        if flags not in (0, TERMINATED):
            raise StepError(
                f"environment {kernel.name} reported an error in step, after {self.length} steps: "
                f"it returned {flags!r}, neither 0 nor TERMINATED"
            )
        return float(reward[0]), bool(flags == TERMINATED)

    def _step_python(self, environment: PythonEnvironment, action: int) -> tuple[float, bool, bool]:
        assert self.play is not None
        returned = self.play.stepping(0)(np.int64(environment.first_action + action))
        observation, reward, terminated, truncated, _ = environment.unpacked(returned, "step")
        self.observation = environment.observation(observation).copy()
        return float(reward), bool(terminated), bool(truncated)

    def mean_loss(self) -> float:
        """Mean loss of the episode's updates, NaN if there was none."""
        return self.loss_sum / self.n_losses if self.n_losses else float("nan")


_BOOKS = {
    "lane_reward_sum": "episode_return",
    "lane_loss_sum": "loss_sum",
    "lane_epsilon": "epsilon",
    "lane_length": "length",
    "lane_n_losses": "n_losses",
}


def lanes_state(lanes: Sequence[Lane]) -> dict[str, np.ndarray]:
    """Arrays from which the lanes' episodes continue, a row or number a lane, as `LoopCore.get_state` has them."""
    arrays = {
        "states": np.array([lane.state for lane in lanes]),
        "observations": np.array([lane.observation for lane in lanes]),
    }
    return arrays | {name: np.array([getattr(lane, book) for lane in lanes]) for name, book in _BOOKS.items()}


def set_lanes_state(lanes: Sequence[Lane], state: Mapping[str, np.ndarray]) -> None:
    """Restores the lanes from what `lanes_state` returned."""
    for i, lane in enumerate(lanes):
        lane.state, lane.observation = state["states"][i].copy(), state["observations"][i].copy()
        for name, attribute in _BOOKS.items():
            setattr(lane, attribute, state[name][i].item())


def set_plays_state(lanes: Sequence[Lane], state: Sequence[Mapping[str, object]]) -> None:
    """Lets the next reset of each lane's environment in Python begin the episode of this state again.

    Raises:
        KeyError, TypeError, ValueError: not a valid state.
    """
    if len(state) != len(lanes):
        raise ValueError(f"the state must be of {len(lanes)} environments")
    for lane, start in zip(lanes, state, strict=True):
        assert lane.play is not None
        lane.play.set_state([start])
