"""The best that any policy can do on the pendulum, by dynamic programming."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np

from nasdqn_fast import envs
from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.envs.kernel import Environment, EnvKernel
from nasdqn_fast.errors import InputError
from nasdqn_fast.optimal.grid import Grid
from nasdqn_fast.optimal.values import Values
from nasdqn_fast.validation import check_finite, check_int, check_positive_int, check_rng

PENDULUM = "inverted-pendulum"
Start = str | Mapping[str, float] | None


class MeanReturn(NamedTuple):
    """A mean return and how far its quadrature may be off (the grid's error comes on top)."""

    mean: float
    error: float


class Rollouts(NamedTuple):
    """Episodes of the greedy policy.

    Args:
        returns: float64 (n,), what it earned.
        values: float64 (n,), V_0 of the initial states, what the grid promised: the mean of
            ``returns - values`` tells the grid's error with far less scatter than that of `returns`.
    """

    returns: np.ndarray
    values: np.ndarray


class Optimum:
    """Optimal values, undiscounted, of every state and time on a grid; made by `solve`.

    Between nodes values are bilinear, which blurs the edge between balancing and falling by a cell
    at every step: believe a mean only beside `rollouts` of the policy, and on two grids.

    Attributes:
        environment: what was solved.
        thetas: float64 (theta_points,), rad.
        omegas: float64 (omega_points,), rad/s.
        values: float64 (theta_points, omega_points), read-only: V_0, the best return of a whole
            episode from each node.
    """

    def __init__(self, environment: Environment, theta_points: int, omega_points: int) -> None:
        self.environment = environment
        self._core = EnvironmentCore(environment)
        self._grid = Grid(theta_points, omega_points, environment.values["max_omega"])
        self.thetas, self.omegas = self._grid.thetas, self._grid.omegas
        self._values = Values(self._grid, *self._outcomes(self._grid.states()), environment.max_episode_steps)
        self.values = self._values.at(0)[: len(self.thetas) * len(self.omegas)].reshape(self._grid.shape)
        self.values.flags.writeable = False

    def mean_return(self, start: Start = None, points: int = 256) -> MeanReturn:
        """Mean of V_0 over the initial states.

        Args:
            start: a named distribution of the environment (``upright``, ``uniform``, ``hanging``) or
                the parameters of another; None is the environment's own.
            points: >= 2, midpoints for each of the uniforms that a reset takes; the error is the
                difference to half as many.
        """
        points = check_int("points", points, 2)
        starting = self._starting(start)
        fine, coarse = (self._mean_over_midpoints(starting, n) for n in (points, points // 2))
        return MeanReturn(fine, abs(fine - coarse))

    def rollouts(self, n: int, rng: int | np.random.Generator, start: Start = None) -> Rollouts:
        """Plays the greedy policy in the exact environment.

        What it earns can be earned: its mean is a lower bound of the optimum, up to sampling.

        Args:
            n: episodes.
            rng: seed or Generator of the initial states.
            start: as in `mean_return`.
        """
        n = check_positive_int("n", n)
        starting = self._starting(start)
        states = _initial_states(starting, check_rng("rng", rng).random((n, starting.kernel.reset_uniforms)))
        values, returns = self._grid.interpolate(self._values.at(0), states), np.zeros(n)
        for t in range(self.environment.max_episode_steps):
            next_states, rewards = self._outcomes(states)
            taken = np.arange(n), self._greedy(next_states, rewards, t)
            returns += rewards[taken]
            states = next_states[taken]
        return Rollouts(returns, values)

    def policy(self, t: int = 0) -> np.ndarray:
        """The optimal action at each node, int64 (theta_points, omega_points), t steps into the episode."""
        outcomes = self._outcomes(self._grid.states())
        return self._greedy(*outcomes, self._checked_time(t)).reshape(self._grid.shape)

    def action(self, theta: float, omega: float, t: int = 0) -> int:
        """The optimal action in one state, t steps into the episode.

        Args:
            theta: rad from upright.
            omega: rad/s.
            t: 0 <= t < horizon.
        """
        state = np.array([[check_finite("theta", theta), check_finite("omega", omega)]])
        return int(self._greedy(*self._outcomes(state), self._checked_time(t))[0])

    def _greedy(self, next_states: np.ndarray, rewards: np.ndarray, t: int) -> np.ndarray:
        """argmax_a r(s, a) + V_{t+1}(s'(s, a)), the lowest action of equals."""
        return np.argmax(rewards + self._grid.interpolate(self._values.at(t + 1), next_states), axis=1)

    def _outcomes(self, states: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """s' (n, A, 2) and r (n, A) of every action in states (n, 2), by the environment's own step."""
        n, n_actions = len(states), self.environment.n_actions
        theta, omega = np.repeat(states, n_actions, axis=0).T
        # The environment keeps the sine and cosine of theta in its state.
        next_states = np.stack([theta, omega, np.cos(theta), np.sin(theta)], axis=1)
        rewards, flags = np.empty(n * n_actions), np.empty(n * n_actions, np.int32)
        self._core.step_batch(
            next_states,
            np.tile(np.arange(n_actions), n),
            np.empty((n * n_actions, 0)),
            np.empty((n * n_actions, self.environment.observation_size), np.float32),
            rewards,
            flags,
        )
        return next_states[:, :2].reshape(n, n_actions, 2), rewards.reshape(n, n_actions)

    def _starting(self, start: Start) -> Environment:
        """The environment with another distribution of initial states and the same physics."""
        kernel = self.environment.kernel
        if start is None:
            return self.environment
        if isinstance(start, str):
            named = kernel.bind(start=start).values
            start = {name: named[name] for name in kernel.starts[start]}
        return kernel.bind(params={**self.environment.values, **start})

    def _mean_over_midpoints(self, starting: Environment, points: int) -> float:
        midpoints = (np.arange(points) + 0.5) / points
        axes = np.meshgrid(*[midpoints] * starting.kernel.reset_uniforms)
        states = _initial_states(starting, np.stack([axis.ravel() for axis in axes], axis=1))
        return float(self._grid.interpolate(self._values.at(0), states).mean())

    def _checked_time(self, t: int) -> int:
        return check_int("t", t, 0, self.environment.max_episode_steps - 1)


def covers(environment: Environment) -> bool:
    """True if the environment is the pendulum, with whatever physics and horizon."""
    kernel, pendulum = environment.kernel, _pendulum()
    return [*kernel.params] == [*pendulum.params] and kernel.fingerprint() == pendulum.fingerprint()


def solve(
    environment: str | EnvKernel | Environment | None = None, theta_points: int = 720, omega_points: int = 401
) -> Optimum:
    """Solves the pendulum by backward induction over its horizon, undiscounted.

    Args:
        environment: None is ``inverted-pendulum`` with its defaults.
        theta_points: nodes on the circle, >= 2.
        omega_points: nodes from -max_omega to max_omega, >= 2; an odd number has one at rest.

    Raises:
        InputError: the environment is not the pendulum.
        TypeError, ValueError: another argument of the wrong type or out of range.
    """
    environment = envs.make_compiled(PENDULUM if environment is None else environment)
    if not covers(environment):
        raise InputError(f"the optimum is known of {PENDULUM} only; got {environment.kernel.name}")
    return Optimum(environment, theta_points, omega_points)


def _pendulum() -> EnvKernel:
    return envs.make_compiled(PENDULUM).kernel


def _initial_states(environment: Environment, uniforms: np.ndarray) -> np.ndarray:
    """The (theta, omega) that each row of uniforms resets to, (n, 2)."""
    kernel = environment.kernel
    states = np.empty((len(uniforms), kernel.state_size))
    observation = np.empty(kernel.observation_size, np.float32)
    for row, state in zip(uniforms, states, strict=True):
        kernel.reset(environment.params, row, state, observation)
    return states[:, :2]
