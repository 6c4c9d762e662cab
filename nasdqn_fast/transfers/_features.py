"""What the hidden units of a network say, in float64: transfers decide and solve equations by it."""

from __future__ import annotations

import numpy as np

from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.reference.network import ACTIVATIONS
from nasdqn_fast.reference.normalizer import Normalizer


def inputs(network: BaseNetwork, states: np.ndarray) -> np.ndarray:
    """Observations (N, observation_size) as the first layer sees them: normalized, if the network normalizes."""
    if network.normalizer is None:
        return states.astype(np.float64)
    twin = Normalizer(network.observation_size)
    twin.set_state(network.normalizer.get_state())
    return twin.normalized(states.astype(np.float64), np.float64)


def activated(network: BaseNetwork, z: np.ndarray) -> np.ndarray:
    """sigma(z)."""
    sigma, _ = ACTIVATIONS[network.architecture.activation]
    return np.asarray(sigma(z))


def layer(network: BaseNetwork, i: int, h: np.ndarray) -> np.ndarray:
    """Hidden layer i, (N, n_i), of what the layer before it says, h."""
    weights, bias = network.weights[i].astype(np.float64), network.biases[i].astype(np.float64)
    return activated(network, h @ weights + bias)


def hidden(network: BaseNetwork, states: np.ndarray) -> list[np.ndarray]:
    """All hidden layers, each (N, n_i)."""
    h, layers = inputs(network, states), []
    for i in range(network.architecture.depth):
        h = layer(network, i, h)
        layers.append(h)
    return layers
