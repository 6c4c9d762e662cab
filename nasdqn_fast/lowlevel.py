"""The engine as functions over arrays, for other packages; the functions do not change their arguments.

Names, arguments and results are kept from version to version (docs/low_level.md). `nasdqn_fast.reference.lowlevel` has
the same functions in NumPy. Extensions cimport from `nasdqn_fast.lowlevel`, too: the declarations are in lowlevel.pxd.

A function may be called from several threads at once: what it works in belongs to the thread that calls it.
"""

from __future__ import annotations

import functools
import threading
from typing import Any, NamedTuple

import numpy as np

from nasdqn_fast._core import lowlevel as core
from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.envs.kernel import Environment
from nasdqn_fast.errors import step_failed
from nasdqn_fast.space import MAX_WIDTH, Architecture
from nasdqn_fast.transitions import check_transitions
from nasdqn_fast.types import Batch
from nasdqn_fast.validation import (
    check_actions,
    check_array,
    check_instance,
    check_int,
    check_positive_int,
    check_rng,
    check_successors,
    check_unit_interval,
)

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


class _Workspaces(threading.local):
    """What a thread's calls work in, kept for its next ones."""

    def __init__(self) -> None:
        self.network = functools.lru_cache(maxsize=16)(QNetwork)
        self.environment = functools.lru_cache(maxsize=16)(EnvironmentCore)


_workspaces = _Workspaces()


def shape_of(parameters: Any, architecture: str | Architecture, observations: Any) -> tuple[Architecture, int, int]:
    """The architecture, observation size and number of actions that follow from the sizes of the arrays.

    Raises:
        TypeError, ValueError: parameters of no such network, or observations that are no matrix.
    """
    architecture = Architecture.parse(architecture)
    observations = check_array("observations", observations, ("N", "observation_size"), np.float32)
    parameters = check_array("parameters", parameters, ("P",), np.float32)
    size, head = observations.shape[1], architecture.widths[-1] + 1
    if size == 0:
        raise ValueError("observations must have at least 1 number in a row; got shape " + str(observations.shape))
    below = architecture.parameter_count(size, 1) - head
    n_actions, rest = divmod(len(parameters) - below, head)
    if n_actions < 1 or rest:
        raise ValueError(
            f"parameters of {architecture} for observations of {size} must be {below} + {head} n_actions numbers; "
            f"got {len(parameters)}"
        )
    return architecture, size, n_actions


def _network(parameters: np.ndarray, architecture: str | Architecture, observations: np.ndarray) -> QNetwork:
    network: QNetwork = _workspaces.network(*shape_of(parameters, architecture, observations), None)
    network.parameters = parameters
    return network


def forward(parameters: np.ndarray, architecture: str | Architecture, observations: np.ndarray) -> np.ndarray:
    """Q-values of a batch of observations.

    Args:
        parameters: float32 (P,), W0 row by row, b0, W1, ...: `QNetwork.parameters`. The number of actions follows.
        architecture: the hidden layers, as ``"2x64-relu"``.
        observations: float32 (N, observation_size); N may be 0.

    Returns:
        float32 (N, n_actions).

    Raises:
        TypeError, ValueError: wrong dtype or shape; parameters of no network of this architecture.
    """
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
    """Mean loss of Q(s_i, a_i) against y_i, and its gradient.

    Args:
        parameters, architecture: as of `forward`.
        observations: float32 (N, observation_size), N >= 1.
        actions: integers (N,), in [0, n_actions).
        targets: y, float32 (N,), in units of return.
        loss: ``huber``, or ``mse``, the square of the error.
        huber_delta: > 0, where the Huber loss turns from quadratic to linear.

    Returns:
        the loss, and float32 (P,), the gradient, laid out as the parameters.

    Raises:
        TypeError, ValueError: wrong dtype or shape; an argument out of range; no observation.
    """
    network = _network(parameters, architecture, observations)
    value, gradient = network.loss_and_gradient(observations, actions, targets, huber_delta, loss)
    return value, np.array(gradient.parameters)


class EnvironmentStep(NamedTuple):
    """The result of one step of n episodes.

    Args:
        states: float64 (n, state_size).
        observations: float32 (n, observation_size).
        rewards: float64 (n,).
        terminated: bool (n,). Time limits are the caller's to count.
    """

    states: np.ndarray
    observations: np.ndarray
    rewards: np.ndarray
    terminated: np.ndarray


def environment_reset(environment: Environment, uniforms: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Starts n episodes.

    Args:
        environment: made by `nasdqn_fast.make`; compiled by its first call in a thread.
        uniforms: float64 (n, reset_uniforms), random numbers in [0, 1).

    Returns:
        states, float64 (n, state_size), and observations, float32 (n, observation_size).

    Raises:
        TypeError, ValueError: no `Environment`; wrong dtype or shape.
        InputError: the environment cannot be compiled.
    """
    kernel = check_environment(environment).kernel
    uniforms = check_array("uniforms", uniforms, ("n", kernel.reset_uniforms), np.float64)
    core_of = _workspaces.environment(environment)
    states = np.zeros((len(uniforms), kernel.state_size))
    observations = np.zeros((len(uniforms), kernel.observation_size), np.float32)
    for row in range(len(uniforms)):
        core_of.reset(uniforms[row], states[row], observations[row])
    return states, observations


def environment_step(
    environment: Environment, states: np.ndarray, actions: np.ndarray, uniforms: np.ndarray
) -> EnvironmentStep:
    """One step of n independent episodes, in vector code where the environment allows it.

    Args:
        environment: as of `environment_reset`.
        states: float64 (n, state_size).
        actions: integers (n,), in [0, n_actions).
        uniforms: float64 (n, step_uniforms), random numbers in [0, 1).

    Returns:
        new arrays; the rows of episodes that have ended are for the caller to reset.

    Raises:
        TypeError, ValueError: no `Environment`; wrong dtype or shape; no such action.
        StepError: the environment reported an error; names the first row.
        InputError: the environment cannot be compiled.
    """
    kernel = check_environment(environment).kernel
    states = np.array(check_array("states", states, ("n", kernel.state_size), np.float64))
    n = len(states)
    check_actions(actions, n, kernel.n_actions)
    observations = np.zeros((n, kernel.observation_size), np.float32)
    rewards, flags = np.zeros(n), np.zeros(n, np.int32)
    if n:
        _workspaces.environment(environment).step_batch(states, actions, uniforms, observations, rewards, flags)
    check_flags(environment, flags)
    return EnvironmentStep(states, observations, rewards, flags != 0)


def check_environment(environment: Any) -> Environment:
    """An `Environment`, and not its name or kernel."""
    return check_instance("environment", environment, Environment, "pass nasdqn_fast.make(...)")  # type: ignore[no-any-return]


def check_flags(environment: Environment, flags: np.ndarray) -> None:
    """Raises StepError unless every row of a step's flags is 0 or 1, terminated."""
    failed = np.flatnonzero((flags != 0) & (flags != 1))
    if len(failed):
        raise step_failed(environment.kernel.name, f"in row {failed[0]}")


def replay_stride(observation_size: int) -> int:
    """Floats in a row of replay memory.

    A row is the observation, the next observation, the reward, and three int32 in a float's place: action, flags (1
    terminated, 2 truncated) and successor. Zeros fill it up, so that no small row straddles two cache lines.

    Raises:
        TypeError, ValueError: no size of an observation.
    """
    return core.stride(check_int("observation_size", observation_size, 1, MAX_WIDTH))


def replay_pack(transitions: Batch, successors: np.ndarray | None = None, *, oldest: int = 0) -> np.ndarray:
    """Transitions in rows of replay memory, one row each, so that a draw costs one cache miss.

    Args:
        transitions: n of them, finite, actions in [0, 2^31).
        successors: int32 (n,): so many rows further on, around the end, is the next step of the same episode; 0: it is
            not among them. None: all are 0, and n-step returns are of one step.
        oldest: the row that holds the oldest transition; none may have an older successor.

    Returns:
        float32 (n, replay_stride(observation_size)).

    Raises:
        TypeError, ValueError: a transition is not valid, or a successor no younger transition.
    """
    batch, successors = check_memory(transitions, successors, oldest)
    return core.pack(batch, successors, batch.observations.shape[1])


def replay_unpack(rows: np.ndarray, observation_size: int) -> tuple[Batch, np.ndarray]:
    """The transitions in rows, and their successors, int32 (n,): the inverse of `replay_pack`.

    Raises:
        TypeError, ValueError: rows of another dtype or length.
    """
    return core.unpack(check_rows(rows, observation_size), observation_size)


def replay_sample(rows: np.ndarray, n: int, rng: np.random.Generator, *, observation_size: int) -> Batch:
    """n transitions, uniformly with replacement: rows ``rng.integers(0, len(rows), size=n)``.

    Args:
        rows: float32 (m, replay_stride(observation_size)), m >= 1: of `replay_pack`, or laid out as such.
        n: how many, >= 1.
        rng: drawn from, and so the one argument that changes.
        observation_size: numbers in an observation.

    Returns:
        new arrays.

    Raises:
        TypeError, ValueError: rows of another dtype or length, or none; an argument out of range.
    """
    rows, n, rng = check_draw(rows, n, rng, observation_size)
    return core.sample(rows, n, rng, observation_size, 1, 1.0)[0]


def replay_sample_n_step(
    rows: np.ndarray, n: int, rng: np.random.Generator, *, observation_size: int, n_step: int, gamma: float
) -> tuple[Batch, np.ndarray]:
    """n transitions drawn as by `replay_sample`, with n-step returns.

    Each is followed by its successors until a termination, a truncation, the newest step of its episode that is there,
    or `n_step` rows: its reward is then the sum of their discounted rewards, and next observation and flags are those
    of the last.

    Args:
        rows, n, rng, observation_size: as of `replay_sample`.
        n_step: rows in a return, at most.
        gamma: discount, in [0, 1].

    Returns:
        the `Batch`, and float32 (n,), the factor of the value of the next observation: gamma to the power of the rows
        in the return.

    Raises:
        TypeError, ValueError: as `replay_sample`; a successor that lies outside of the rows.
    """
    rows, n, rng = check_draw(rows, n, rng, observation_size)
    steps, factor = check_positive_int("n_step", n_step), check_unit_interval("gamma", gamma)
    return core.sample(rows, n, rng, observation_size, steps, factor)


def check_memory(transitions: Batch, successors: np.ndarray | None, oldest: int) -> tuple[Batch, np.ndarray]:
    """The arguments of `replay_pack`."""
    observations = check_array("observations", transitions.observations, ("n", "observation_size"), np.float32)
    size = check_int("observation_size", observations.shape[1], 1, MAX_WIDTH)
    batch = check_transitions(transitions, size=size, dtype=np.dtype(np.float32))
    oldest = check_int("oldest", oldest, 0, max(len(batch) - 1, 0))
    return batch, check_successors(successors, len(batch), oldest)


def check_rows(rows: np.ndarray, observation_size: int) -> np.ndarray:
    """Rows of replay memory."""
    return check_array("rows", rows, ("m", replay_stride(observation_size)), np.float32)


def check_draw(
    rows: np.ndarray, n: int, rng: np.random.Generator, observation_size: int
) -> tuple[np.ndarray, int, np.random.Generator]:
    """The arguments of a draw."""
    rows = check_rows(rows, observation_size)
    if not 1 <= len(rows) < 2**32:  # slots are drawn with 32 bits
        raise ValueError(f"rows must be 1 to 2^32 - 1 of them to draw from; got {len(rows)}")
    return rows, check_positive_int("n", n), check_rng("rng", rng)
