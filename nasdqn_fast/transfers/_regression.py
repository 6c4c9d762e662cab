"""Fitting a network to given Q-values: features by gradient steps, the head in closed form."""

from __future__ import annotations

import numpy as np

from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.transfers._features import hidden

BATCH = 64
ANNEALED = (1.0, 0.5, 0.2, 0.05)  # factors of the step size, each for a quarter of the steps


def fit(
    network: BaseNetwork,
    states: np.ndarray,
    q: np.ndarray,
    steps: int,
    learning_rate: float,
    difference_weight: float,
    rng: np.random.Generator,
) -> None:
    """Adam on the squared error of all Q-values, all layers, in place.

    Args:
        network: trained.
        states: (N, observation_size), N >= 1.
        q: the values wanted, (N, n_actions).
        steps: of 64 states each.
        learning_rate: at first.
        difference_weight: of the differences between actions, against their mean.
        rng: of the draws.
    """
    state = None
    for rows, factor in zip(
        np.array_split(rng.integers(len(states), size=(steps, BATCH)), len(ANNEALED)), ANNEALED, strict=True
    ):
        if len(rows):
            optimizer = network.optimizer_type("adam", learning_rate * factor, clip_by="none")
            if state is not None:
                optimizer.set_state(state)
            network.fit(states, q, rows, optimizer, difference_weight)
            state = optimizer.get_state()


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
