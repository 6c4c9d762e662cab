"""The training that all peers do: its constants, what they start from, and the face they show.

A training step is a step of the paper's pendulum with an epsilon-greedy action, a transition stored over the
oldest, and a Double-DQN update from a uniform minibatch (Rahmani et al. 2025, arXiv:2510.19872, section 2).
The update is SGD's or Adam's (Kingma & Ba 2015, algorithm 1), each element of the gradient clipped before.
"""

from __future__ import annotations

import itertools
from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.space import Architecture
from peers import _pendulum

OBSERVATION_SIZE, N_ACTIONS = 3, 3
HORIZON = 200  # steps; the last one is terminal
CAPACITY = 10_000  # transitions, a whole number of episodes
BATCH = 64
EPSILON = 0.05
GAMMA = 0.99
CLIP = 1.0  # of each element of the gradient
LEARNING_RATE = 1e-3  # of SGD
ADAM_LEARNING_RATE = 2.5e-4
ADAM_BETA_1, ADAM_BETA_2, ADAM_EPSILON = 0.9, 0.999, 1e-8
TARGET_EVERY = 1_000  # updates
LEAKY_SLOPE = 0.01


class Transitions(NamedTuple):
    """(s, a, r, discount, s'), n of them; the discount is gamma, and 0 where the episode is over.

    Args:
        observations, next_observations: float32 (n, 3).
        actions: int64 (n,).
        rewards, discounts: float32 (n,).
    """

    observations: np.ndarray
    actions: np.ndarray
    rewards: np.ndarray
    discounts: np.ndarray
    next_observations: np.ndarray


class PeerTraining(ABC):
    """A DQN run on the pendulum in one peer's way, in one thread, its replay memory filled beforehand.

    NumPy's and SciPy's OpenBLAS read OPENBLAS_NUM_THREADS when they are loaded, so that the process has to set it.

    Args:
        architecture: of the Q-network.
        seed: of every draw.
        optimizer: one of `optimizers`.

    Raises:
        ValueError: the peer has no such optimizer, or cannot build the network.
    """

    description: str
    version: str  # of the library
    optimizers: tuple[str, ...] = ("sgd", "adam")

    @abstractmethod
    def __init__(self, architecture: Architecture, seed: int, optimizer: str) -> None: ...

    @classmethod
    def supports(cls, architecture: Architecture) -> bool:
        """Whether the peer can build such a network."""
        return True

    @classmethod
    def check(cls, architecture: Architecture, optimizer: str) -> None:
        """Raises ValueError for what the peer does not have."""
        if optimizer not in cls.optimizers or not cls.supports(architecture):
            raise ValueError(
                f"no {architecture} with {optimizer} here; the optimizers are {', '.join(cls.optimizers)}, and "
                "`supports` tells of the architectures"
            )

    @abstractmethod
    def run(self, steps: int) -> None:
        """Does that many training steps; the first call compiles, if anything does."""


class CheckedTraining(PeerTraining):
    """A peer whose loss and gradient can be compared with ours."""

    @abstractmethod
    def loss_and_gradient(
        self, parameters: np.ndarray, observations: np.ndarray, actions: np.ndarray, targets: np.ndarray
    ) -> tuple[float, np.ndarray]:
        """Mean Huber loss and its gradient by this peer's own means, for the network given.

        Args:
            parameters: float32 (P,), W0, b0, W1, b1, ... as `QNetwork.parameters`.
            observations: float32 (n, 3).
            actions: int64 (n,).
            targets: float32 (n,).

        Returns:
            loss, gradient laid out as `parameters`.
        """

    @abstractmethod
    def take_steps(self, parameters: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        """Where its optimizer gets from the parameters (P,), along gradients (n, P) that are not clipped yet, (P,)."""


def initial_parameters(architecture: Architecture, rng: np.random.Generator) -> np.ndarray:
    """The paper's He or Glorot initialisation, a writable float32 vector W0, b0, W1, b1, ..."""
    return QNetwork(architecture, OBSERVATION_SIZE, N_ACTIONS, rng).parameters.copy()


def layers(vector: np.ndarray, architecture: Architecture) -> list[tuple[np.ndarray, np.ndarray]]:
    """Views of a parameter vector: weights (n_in, n_out) and biases (n_out,) of each layer."""
    views, start = [], 0
    for n_in, n_out in itertools.pairwise(architecture.layer_sizes(OBSERVATION_SIZE, N_ACTIONS)):
        middle = start + n_in * n_out
        views.append((vector[start:middle].reshape(n_in, n_out), vector[middle : middle + n_out]))
        start = middle + n_out
    return views


def joined(arrays: Sequence[tuple[Any, Any]]) -> np.ndarray:
    """The parameter vector of such layers."""
    return np.concatenate([np.ravel(array) for layer in arrays for array in layer])


def random_transitions(rng: np.random.Generator) -> Transitions:
    """CAPACITY transitions of the uniformly random policy: the replay memory to start from."""
    observations = np.empty((CAPACITY, OBSERVATION_SIZE), np.float32)
    next_observations = np.empty_like(observations)
    actions = rng.integers(0, N_ACTIONS, CAPACITY)
    rewards = np.empty(CAPACITY, np.float32)
    discounts = np.full(CAPACITY, GAMMA, np.float32)
    discounts[HORIZON - 1 :: HORIZON] = 0
    for i in range(CAPACITY):
        if i % HORIZON == 0:
            theta, omega = _pendulum.start(rng.random(), rng.random())
        observations[i] = _pendulum.observe(theta, omega)
        theta, omega, rewards[i] = _pendulum.step(theta, omega, actions[i])
        next_observations[i] = _pendulum.observe(theta, omega)
    return Transitions(observations, actions, rewards, discounts, next_observations)
