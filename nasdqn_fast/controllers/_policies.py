"""Functions of a state, one number an action: a table, or a small network. Logits, or values, or one value a state.

States are numbers from 0. The engine's networks are on a higher floor, and are for observations of an environment; a
controller's has some 400 weights, and NumPy computes it in 30 microseconds.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

import numpy as np

BETA1, BETA2, EPSILON = 0.9, 0.999, 1e-8  # of Adam, Kingma and Ba 2015


class Function(Protocol):
    """What a controller learns."""

    def outputs(self, states: Any) -> np.ndarray:
        """float64 (n, actions) of states (n,)."""

    def ascend(self, states: Any, gradients: np.ndarray, rate: float) -> None:
        """One step up a sum over states.

        Args:
            states: (n,).
            gradients: float64 (n, actions), the sum's derivatives by the outputs of each.
            rate: the step size.
        """

    def fit(self, states: Any, actions: Any, targets: Any, rate: float) -> None:
        """Moves outputs of some actions towards targets.

        Args:
            states, actions: (n,).
            targets: (n,) numbers.
            rate: share of the way, in a table; the step size, in a network.
        """

    def get_state(self) -> dict[str, Any]:
        """Arrays and plain JSON values."""

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores a state returned by `get_state`."""


class Table:
    """A number of its own for each pair of state and action, 0 at first; plain steps.

    Args:
        n_states, n_actions: its sizes.
    """

    def __init__(self, n_states: int, n_actions: int) -> None:
        self.values = np.zeros((n_states, n_actions))

    def outputs(self, states: Any) -> np.ndarray:
        return self.values[states]

    def ascend(self, states: Any, gradients: np.ndarray, rate: float) -> None:
        np.add.at(self.values, states, rate * gradients)

    def fit(self, states: Any, actions: Any, targets: Any, rate: float) -> None:
        # One after the other: of n equal pairs at once, n steps could lead beyond the target.
        for state, action, target in zip(states, actions, targets, strict=True):
            self.values[state, action] += rate * (target - self.values[state, action])

    def get_state(self) -> dict[str, Any]:
        return {"values": self.values.copy()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.values[...] = state["values"]


class Network:
    """A hidden layer of tanh units and a linear head, 0 at first; Adam's steps.

    Args:
        features: float64 (states, n), what it sees of each state.
        n_actions: outputs.
        hidden: hidden units.
        rng: draws the hidden layer's weights, Glorot and Bengio 2010.

    Attributes:
        parameters: float64, all weights.
        gradient: that of the last step, by these.
    """

    def __init__(self, features: np.ndarray, n_actions: int, hidden: int, rng: np.random.Generator) -> None:
        self._inputs = _with_ones(features)
        n_in = self._inputs.shape[1]
        self.parameters = np.zeros(n_in * hidden + (hidden + 1) * n_actions)
        self._hidden, self._head = _layers(self.parameters, n_in, hidden)
        limit = np.sqrt(6 / (n_in + hidden))
        self._hidden[...] = rng.uniform(-limit, limit, self._hidden.shape)
        self.gradient = np.zeros_like(self.parameters)
        self._gradients = _layers(self.gradient, n_in, hidden)
        self._moments = np.zeros((2, len(self.parameters)))
        self._steps = 0

    def outputs(self, states: Any) -> np.ndarray:
        return self._forward(self._inputs[states])[1]

    def ascend(self, states: Any, gradients: np.ndarray, rate: float) -> None:
        inputs = self._inputs[states]
        units, _ = self._forward(inputs)
        of_hidden, of_head = self._gradients
        of_head[...] = units.T @ gradients
        of_units = (gradients @ self._head[:-1].T) * (1 - units[:, :-1] ** 2)
        of_hidden[...] = inputs.T @ of_units
        self._step(rate)

    def fit(self, states: Any, actions: Any, targets: Any, rate: float) -> None:
        rows = np.arange(len(states))
        outputs = self.outputs(states)
        gradients = np.zeros_like(outputs)
        gradients[rows, actions] = np.asarray(targets) - outputs[rows, actions]
        self.ascend(states, gradients / len(rows), rate)

    def get_state(self) -> dict[str, Any]:
        return {"parameters": self.parameters.copy(), "moments": self._moments.copy(), "steps": self._steps}

    def set_state(self, state: Mapping[str, Any]) -> None:
        self.parameters[...] = state["parameters"]
        self._moments[...] = state["moments"]
        self._steps = state["steps"]

    def _forward(self, inputs: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Hidden units with a one, and outputs."""
        units = _with_ones(np.tanh(inputs @ self._hidden))
        return units, units @ self._head

    def _step(self, rate: float) -> None:
        self._steps += 1
        first, second = self._moments
        first += (1 - BETA1) * (self.gradient - first)
        second += (1 - BETA2) * (self.gradient**2 - second)
        rate *= np.sqrt(1 - BETA2**self._steps) / (1 - BETA1**self._steps)
        self.parameters += rate * first / (np.sqrt(second) + EPSILON)


def probabilities(logits: np.ndarray, allowed: np.ndarray) -> np.ndarray:
    """Softmax over the actions that are allowed.

    Args:
        logits: float64 (n, actions).
        allowed: bool (n, actions), one at least in each row.

    Returns:
        float64 (n, actions); 0 for the others.
    """
    logits = np.where(allowed, logits, -np.inf)
    weights = np.exp(logits - logits.max(axis=1, keepdims=True))
    return weights / weights.sum(axis=1, keepdims=True)


def log_gradient(p: np.ndarray, actions: Any) -> np.ndarray:
    """Derivatives of log p[action] by the logits: 1 - p of the action, -p of the others.

    Args:
        p: float64 (n, actions) probabilities.
        actions: (n,), those taken.
    """
    gradient = -p
    gradient[np.arange(len(p)), actions] += 1
    return gradient


def entropy_gradient(p: np.ndarray) -> np.ndarray:
    """Derivatives of the entropy H of each row by its logits: -p (log p + H)."""
    logs = np.log(np.where(p > 0, p, 1))
    entropy = -(p * logs).sum(axis=1, keepdims=True)
    return -p * (logs + entropy)


def draw(p: np.ndarray, rng: np.random.Generator) -> int:
    """A number from 0 with these probabilities, by one uniform number.

    Args:
        p: float64 (n,).
        rng: the source of randomness.
    """
    place = int(np.searchsorted(np.cumsum(p), rng.random() * p.sum(), side="right"))
    return min(place, int(np.flatnonzero(p)[-1]))  # the sum may be rounded up


def argmax(values: np.ndarray, rng: np.random.Generator) -> int:
    """The place of the largest value, of equals a random one."""
    (places,) = np.nonzero(values == values.max())
    return int(places[0] if len(places) == 1 else places[rng.integers(len(places))])


def _layers(vector: np.ndarray, n_in: int, hidden: int) -> tuple[np.ndarray, np.ndarray]:
    """Views of the hidden layer (n_in, hidden) and the head (hidden + 1, actions)."""
    return vector[: n_in * hidden].reshape(n_in, hidden), vector[n_in * hidden :].reshape(hidden + 1, -1)


def _with_ones(rows: np.ndarray) -> np.ndarray:
    return np.concatenate([rows, np.ones((len(rows), 1))], axis=1)
