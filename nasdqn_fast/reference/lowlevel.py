"""`nasdqn_fast.lowlevel` in NumPy: the same functions, of the same arguments."""

from __future__ import annotations

import numpy as np

from nasdqn_fast.envs.kernel import Environment
from nasdqn_fast.lowlevel import (
    EnvironmentStep,
    check_draw,
    check_environment,
    check_flags,
    check_memory,
    check_rows,
    replay_stride,
    shape_of,
)
from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Batch
from nasdqn_fast.validation import check_actions, check_array, check_positive_int, check_unit_interval

__all__ = [
    "EnvironmentStep",
    "environment_reset",
    "environment_step",
    "forward",
    "loss_and_gradient",
    "replay_pack",
    "replay_sample",
    "replay_sample_n_step",
    "replay_stride",
    "replay_unpack",
]


def _network(parameters: np.ndarray, architecture: str | Architecture, observations: np.ndarray) -> QNetwork:
    network = QNetwork(*shape_of(parameters, architecture, observations), None)
    network.parameters = parameters
    return network


def forward(parameters: np.ndarray, architecture: str | Architecture, observations: np.ndarray) -> np.ndarray:
    """Q-values (N, n_actions) of observations (N, observation_size)."""
    return _network(parameters, architecture, observations).forward(observations)


def loss_and_gradient(
    parameters: np.ndarray,
    architecture: str | Architecture,
    observations: np.ndarray,
    actions: np.ndarray,
    targets: np.ndarray,
    *,
    loss: str = "huber",
    huber_delta: float = 1.0,
) -> tuple[float, np.ndarray]:
    """Mean loss of Q(s_i, a_i) against y_i, and its gradient (P,)."""
    network = _network(parameters, architecture, observations)
    value, gradient = network.loss_and_gradient(observations, actions, targets, huber_delta, loss)
    return value, gradient.parameters


def environment_reset(environment: Environment, uniforms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts n episodes by the environment's plain Python function: states and observations."""
    kernel = check_environment(environment).kernel
    uniforms = check_array("uniforms", uniforms, ("n", kernel.reset_uniforms), np.float64)
    states = np.zeros((len(uniforms), kernel.state_size))
    observations = np.zeros((len(uniforms), kernel.observation_size), np.float32)
    for row in range(len(uniforms)):
        kernel.reset(environment.params, uniforms[row], states[row], observations[row])
    return states, observations


def environment_step(
    environment: Environment, states: np.ndarray, actions: np.ndarray, uniforms: np.ndarray
) -> EnvironmentStep:
    """One step of n episodes by the environment's plain Python function, one after the other."""
    kernel = check_environment(environment).kernel
    states = np.array(check_array("states", states, ("n", kernel.state_size), np.float64))
    n = len(states)
    actions = check_actions(actions, n, kernel.n_actions)
    uniforms = check_array("uniforms", uniforms, (n, kernel.step_uniforms), np.float64)
    observations = np.zeros((n, kernel.observation_size), np.float32)
    rewards, flags = np.zeros((n, 1)), np.zeros(n, np.int32)
    for i in range(n):
        flags[i] = kernel.step(environment.params, uniforms[i], states[i], int(actions[i]), observations[i], rewards[i])
    check_flags(environment, flags)
    return EnvironmentStep(states, observations, rewards[:, 0], flags != 0)


def replay_pack(transitions: Batch, successors: np.ndarray | None = None, *, oldest: int = 0) -> np.ndarray:
    """Transitions in rows of replay memory, float32 (n, replay_stride(observation_size))."""
    batch, successors = check_memory(transitions, successors, oldest)
    n, size = batch.observations.shape
    rows = np.zeros((n, replay_stride(size)), np.float32)
    integers = rows.view(np.int32)
    rows[:, :size], rows[:, size : 2 * size] = batch.observations, batch.next_observations
    rows[:, 2 * size] = batch.rewards
    integers[:, 2 * size + 1] = batch.actions
    integers[:, 2 * size + 2] = batch.terminated + 2 * batch.truncated
    integers[:, 2 * size + 3] = successors
    return rows


def replay_unpack(rows: np.ndarray, observation_size: int) -> tuple[Batch, np.ndarray]:
    """The transitions in rows, and their successors, int32 (n,)."""
    rows, size = check_rows(rows, observation_size), observation_size
    actions, flags, successors = rows.view(np.int32)[:, 2 * size + 1 : 2 * size + 4].T
    batch = Batch(
        rows[:, :size].copy(),
        actions.astype(np.int64),
        rows[:, 2 * size].copy(),
        rows[:, size : 2 * size].copy(),
        flags & 1 != 0,
        flags & 2 != 0,
    )
    return batch, successors.copy()


def replay_sample(rows: np.ndarray, n: int, rng: np.random.Generator, *, observation_size: int) -> Batch:
    """n transitions, uniformly with replacement: rows ``rng.integers(0, len(rows), size=n)``."""
    rows, n, rng = check_draw(rows, n, rng, observation_size)
    return replay_unpack(rows[rng.integers(0, len(rows), size=n)], observation_size)[0]


def replay_sample_n_step(
    rows: np.ndarray, n: int, rng: np.random.Generator, *, observation_size: int, n_step: int, gamma: float
) -> tuple[Batch, np.ndarray]:
    """n transitions drawn as by `replay_sample`, with n-step returns, and the factors of their values (n,)."""
    rows, n, rng = check_draw(rows, n, rng, observation_size)
    n_step, gamma = check_positive_int("n_step", n_step), check_unit_interval("gamma", gamma)
    memory, successors = replay_unpack(rows, observation_size)
    first = rng.integers(0, len(rows), size=n)
    last, returns, discounts = first.copy(), np.zeros(n), np.ones(n)
    for i, slot in enumerate(first):
        for step in range(n_step):
            returns[i] += discounts[i] * memory.rewards[slot]
            discounts[i] *= gamma
            last[i] = slot
            if step + 1 == n_step or memory.terminated[slot] or memory.truncated[slot] or not successors[slot]:
                break
            if not 0 < successors[slot] < len(rows):
                raise ValueError(
                    f"the successor of row {slot} must be in [0, {len(rows)}), got {successors[slot]}; "
                    "make rows with replay_pack"
                )
            slot = (slot + successors[slot]) % len(rows)
    with np.errstate(over="ignore"):
        batch = Batch(
            memory.observations[first],
            memory.actions[first],
            returns.astype(np.float32),
            memory.next_observations[last],
            memory.terminated[last],
            memory.truncated[last],
        )
    return batch, discounts.astype(np.float32)
