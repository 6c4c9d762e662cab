"""Fitting a network to given Q-values: features by gradient steps, the head in closed form."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Self

import numpy as np

from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.transfers._features import hidden

BATCH = 64
ANNEALED = (1.0, 0.5, 0.2, 0.05)  # factors of the step size, each for a quarter of the steps


@dataclass(frozen=True, eq=False)
class Scales:
    """The two parts of Q, each with its own scale: the mean over actions, and the differences of the actions from it.

    Q is a large value that all actions share, and small differences, which make the policy. A network that begins with
    outputs near 1 takes thousands of steps to reach the one, and resolves the other last.

    Args:
        offset: mean Q of each action, (n_actions,).
        shared: standard deviation over states of the mean over actions.
        differences: root mean square of the differences.
    """

    offset: np.ndarray
    shared: float
    differences: float

    @classmethod
    def of(cls, q: np.ndarray) -> Self:
        """The scales of Q-values, (N, n_actions); 1 for a part that is constant."""
        offset = q.mean(axis=0, dtype=np.float64)
        shared, differences = _parts(q - offset)
        return cls(offset, *(float(np.sqrt(np.mean(part**2))) or 1.0 for part in (shared, differences)))

    def normalized(self, q: np.ndarray) -> np.ndarray:
        """Q without offset and with both parts of size 1, float64 (N, n_actions)."""
        shared, differences = _parts(q - self.offset)
        return shared / self.shared + differences / self.differences

    def put_into(self, network: BaseNetwork) -> None:
        """Changes the head of a network whose outputs are normalized, so that they become Q."""
        _scale(network, self.shared, self.differences)
        network.biases[-1][...] += self.offset

    def take_out_of(self, network: BaseNetwork) -> None:
        """Undoes `put_into`."""
        network.biases[-1][...] -= self.offset
        _scale(network, 1 / self.shared, 1 / self.differences)


def _parts(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """The mean over actions, the last axis, and the differences from it."""
    shared = x.mean(axis=-1, keepdims=True)
    return shared, x - shared


def _scale(network: BaseNetwork, shared: float, differences: float) -> None:
    for parameters in (network.weights[-1], network.biases[-1]):
        of_all, of_each = _parts(parameters.astype(np.float64))
        parameters[...] = shared * of_all + differences * of_each


def fit(
    network: BaseNetwork,
    states: np.ndarray,
    q: np.ndarray,
    steps: int,
    learning_rate: float,
    difference_weight: float,
    rng: np.random.Generator,
) -> None:
    """Adam on the squared error of all Q-values, all layers, in place; the two parts of Q in units of their scales.

    Args:
        network: trained.
        states: (N, observation_size), N >= 1.
        q: the values wanted, (N, n_actions).
        steps: of 64 states each.
        learning_rate: at first.
        difference_weight: of the differences between actions, against their mean.
        rng: of the draws.
    """
    scales, state = Scales.of(q), None
    wanted = scales.normalized(q).astype(q.dtype)
    scales.take_out_of(network)
    for rows, factor in zip(
        np.array_split(rng.integers(len(states), size=(steps, BATCH)), len(ANNEALED)), ANNEALED, strict=True
    ):
        if len(rows):
            optimizer = network.optimizer_type("adam", learning_rate * factor, clip_by="none")
            if state is not None:
                optimizer.set_state(state)
            network.fit(states, wanted, rows, optimizer, difference_weight)
            state = optimizer.get_state()
    scales.put_into(network)


def refit_head(network: BaseNetwork, states: np.ndarray, q: np.ndarray, ridge: float) -> None:
    """Adds to the head what of the error is linear in the features, by ridge regression.

    The correction is what is small, not the head: a head that is solved for from nothing is so large that learning on
    is unstable.

    Args:
        network: changed.
        states: (N, observation_size).
        q: the values wanted, (N, n_actions).
        ridge: penalty, in units of the mean square of a feature.
    """
    features = np.column_stack([hidden(network, states)[-1], np.ones(len(states))])
    head = np.vstack([network.weights[-1], network.biases[-1]]).astype(np.float64)
    gram = features.T @ features
    gram += ridge * np.trace(gram) / len(gram) * np.eye(len(gram))
    head += np.linalg.lstsq(gram, features.T @ (q - features @ head), rcond=None)[0]
    network.weights[-1][...], network.biases[-1][...] = head[:-1], head[-1]
