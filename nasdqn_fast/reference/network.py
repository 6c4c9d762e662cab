"""The Q-network in plain NumPy: section 2.2 of Rahmani et al. 2025 (arXiv:2510.19872), line by line.

Indices count from 0: ``weights[l]``, of shape (n_l, n_{l+1}), is the paper's W^(l+1).
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import DTypeLike

from nasdqn_fast.engine.agent_settings import LOSSES
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.engine.initial_weights import PAPER, InitialWeights
from nasdqn_fast.reference.normalizer import Normalizer
from nasdqn_fast.reference.optimizer import Optimizer
from nasdqn_fast.space import LEAKY_SLOPE, Architecture
from nasdqn_fast.validation import (
    check_actions,
    check_array,
    check_choice,
    check_fit,
    check_float_dtype,
    check_instance,
    check_observations,
    check_positive32,
    check_positive_int,
    check_rng,
)

# name -> (sigma(z), sigma'(z)). At 0, where the rectifiers have no derivative, the left one is taken.
ACTIVATIONS: dict[str, tuple[Callable, Callable]] = {
    "relu": (lambda z: np.maximum(z, 0), lambda z: np.where(z > 0, 1, 0)),
    "leaky_relu": (lambda z: np.where(z > 0, z, LEAKY_SLOPE * z), lambda z: np.where(z > 0, 1, LEAKY_SLOPE)),
    "tanh": (np.tanh, lambda z: 1 - np.tanh(z) ** 2),
}


@dataclass(frozen=True)
class Gradient:
    """dJ/dw, laid out as the network's parameters.

    Args:
        parameters: (P,), all of it: W0, b0, W1, b1, ...
        weights, biases: views of it, one a layer.
    """

    parameters: np.ndarray
    weights: list[np.ndarray]
    biases: list[np.ndarray]

    @classmethod
    def of(cls, parameters: np.ndarray, sizes: Sequence[int]) -> Self:
        """With the views that a network of these layer sizes has of its parameters."""
        return cls(parameters, *_views(parameters, sizes))

    def __reduce__(self) -> tuple[Any, ...]:
        """A copy's views are of its own parameters."""
        sizes = [*(len(weights) for weights in self.weights), len(self.biases[-1])]
        return self.of, (self.parameters, sizes)


class QNetwork(BaseNetwork):
    """Q(s, .; w): a multilayer perceptron with a linear head.

    Args:
        architecture: text form or Architecture.
        observation_size: numbers in an observation, n_0.
        n_actions: Q-values, n_{L+1}.
        rng: seed or Generator of the initial weights; None: zeros.
        initial: how they are drawn.
        dtype: float32, or float64 for checks against finite differences.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range.
    """

    normalizer_type = Normalizer
    optimizer_type = Optimizer
    _normalizer: Normalizer | None = None
    _base: tuple[tuple[Any, float], ...] = ()

    def __init__(
        self,
        architecture: str | Architecture,
        observation_size: int,
        n_actions: int,
        rng: int | np.random.Generator | None = 0,
        initial: InitialWeights = PAPER,
        *,
        dtype: DTypeLike = np.float32,
    ) -> None:
        self.architecture = Architecture.parse(architecture)
        self.observation_size = check_positive_int("observation_size", observation_size)
        self.n_actions = check_positive_int("n_actions", n_actions)
        self.dtype = check_float_dtype("dtype", dtype)
        count = self.architecture.parameter_count(self.observation_size, self.n_actions)
        self._parameters = np.zeros(count, self.dtype)
        self._weights, self._biases = _views(self._parameters, self._sizes())
        self.initial = initial
        if rng is not None:
            initial.draw(self.weights, self.biases, self.architecture.activation, check_rng("rng", rng))

    @property
    def weights(self) -> list[np.ndarray]:
        """Writable views, (n_in, n_out), one a layer."""
        return list(self._weights)

    @property
    def biases(self) -> list[np.ndarray]:
        """Writable views, (n_out,), one a layer."""
        return list(self._biases)

    @property
    def parameters(self) -> np.ndarray:
        """A read-only copy of all parameters, (P,): W0, b0, W1, b1, ...; assigning sets them."""
        parameters = self._parameters.copy()
        parameters.flags.writeable = False
        return parameters

    @parameters.setter
    def parameters(self, value: np.ndarray) -> None:
        self._parameters[:] = check_array("parameters", value, self._parameters.shape, self.dtype)

    @property
    def normalizer(self) -> Normalizer | None:
        """What observations go through before the first layer; None: they are used as they are."""
        return self._normalizer

    @normalizer.setter
    def normalizer(self, value: Any) -> None:
        if value is not None:
            check_instance("normalizer", value, Normalizer, "copy another network's")
        if value is not None and value.size != self.observation_size:
            raise ValueError(
                f"normalizer must be one of observations of size {self.observation_size}; got one of {value.size}"
            )
        self._normalizer = value
        for network, _ in self._base:
            network.normalizer = value

    def _use_base(self, base: tuple[tuple[Any, float], ...]) -> None:
        self._base = tuple(base)
        self.normalizer = self._normalizer  # that of the base, too

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Q-values (N, n_actions) of observations x (N, observation_size)."""
        return self._forward(self._normalized(check_observations(x, self.observation_size, self.dtype, name="x")))[-1]

    def q_values(self, rows: np.ndarray) -> np.ndarray:
        """Q-values of float32 observations, whatever the network's own dtype is."""
        return self.forward(rows.astype(self.dtype))

    def _normalized(self, x: np.ndarray) -> np.ndarray:
        return x if self._normalizer is None else self._normalizer.normalized(x, self.dtype)

    def loss_and_gradient(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        targets: np.ndarray,
        huber_delta: float = 1.0,
        loss: str = "huber",
        weights: np.ndarray | None = None,
    ) -> tuple[float, Gradient]:
        """J(w), the mean loss of Q(s_i, a_i) against y_i, and its gradient (section 2.2.3).

        Args:
            observations: (N, observation_size), N >= 1.
            actions: any integer dtype (N,).
            targets: y, (N,).
            huber_delta: > 0, where the Huber loss turns from quadratic to linear; 1.0 in the paper.
            loss: ``huber`` (the paper), or ``mse``, the square of the error.
            weights: factors of the transitions' losses, (N,); None: ones.
        """
        observations = check_observations(observations, self.observation_size, self.dtype)
        n = len(observations)
        if n == 0:
            raise ValueError("observations must hold at least 1 row, the loss is a mean; got 0")
        actions = check_actions(actions, n, self.n_actions)
        targets = check_array("targets", targets, (n,), self.dtype)
        huber_delta = check_positive32("huber_delta", huber_delta)
        check_choice("loss", loss, LOSSES)
        weights = np.ones_like(targets) if weights is None else check_array("weights", weights, (n,), self.dtype)

        observations = self._normalized(observations)
        z = self._forward(observations)
        td_error = z[-1][np.arange(n), actions] - targets  # Q(s_i, a_i) - y_i
        losses, slope = _loss_and_slope(td_error, huber_delta, loss)
        error = np.zeros_like(z[-1])
        error[np.arange(n), actions] = weights * slope / n
        return float(np.mean(weights * losses)), self._backward(observations, z, error)

    def regression(
        self, observations: np.ndarray, q: np.ndarray, huber_delta: float, loss: str, weights: np.ndarray | None
    ) -> tuple[float, Gradient]:
        """Mean loss, over transitions and actions, of all Q-values against given ones, and its gradient.

        Args:
            observations: (N, observation_size).
            q: the values wanted, (N, n_actions).
            huber_delta, loss, weights: as for `loss_and_gradient`.
        """
        observations = self._normalized(observations.astype(self.dtype))
        z = self._forward(observations)
        losses, slope = _loss_and_slope(z[-1] - q, huber_delta, loss)
        factors = np.ones((len(q), 1), self.dtype) if weights is None else weights[:, None]
        return float(np.mean(factors * losses)), self._backward(observations, z, factors * slope / q.size)

    def zero_gradient(self) -> Gradient:
        """Zeros of the shape of its parameters."""
        return Gradient.of(np.zeros_like(self._parameters), self._sizes())

    def _backward(self, observations: np.ndarray, z: list[np.ndarray], error: np.ndarray) -> Gradient:
        """The gradient; error: dJ/dz of the layer at hand, the paper's epsilon^(l), from the head down."""
        gradient = self.zero_gradient()
        sigma, sigma_prime = ACTIVATIONS[self.architecture.activation]
        for layer in reversed(range(len(self._weights))):
            inputs = observations if layer == 0 else sigma(z[layer - 1])
            gradient.weights[layer][:] = inputs.T @ error
            gradient.biases[layer][:] = error.sum(axis=0)
            if layer > 0:
                error = (error @ self._weights[layer].T) * sigma_prime(z[layer - 1]).astype(self.dtype)
        return gradient

    def fit(
        self, x: np.ndarray, q: np.ndarray, rows: np.ndarray, optimizer: Optimizer, difference_weight: float = 1.0
    ) -> float:
        """Steps of an optimizer towards given Q-values of all actions.

        L = mean over states of e^2 + weight mean_a (e_a - e)^2, with e_a = Q(s, a; w) - q_a and e = mean_a e_a.

        Args:
            x: observations (N, observation_size).
            q: the values wanted, (N, n_actions).
            rows: any integer dtype (steps, batch): the minibatch of each step, in [0, N).
            optimizer: takes the steps.
            difference_weight: > 0; the policy follows from the differences between actions alone.

        Returns:
            mean loss of the last minibatch, before its step. If a loss is not finite, it is returned at once.
        """
        x = self._normalized(check_observations(x, self.observation_size, self.dtype, name="x"))
        q = check_array("q", q, (len(x), self.n_actions), self.dtype)
        weight = check_positive32("difference_weight", difference_weight)
        for chosen in check_fit(rows, len(x)):
            z = self._forward(x[chosen])
            error = z[-1] - q[chosen]
            mean = error.mean(axis=1, keepdims=True)
            loss = float(np.mean(mean[:, 0] ** 2 + weight * ((error - mean) ** 2).mean(axis=1)))
            if not np.isfinite(loss):
                return loss
            slope = 2 / error.size * (mean + weight * (error - mean))
            self.apply_gradient(self._backward(x[chosen], z, slope.astype(self.dtype)), optimizer)
        return loss

    def apply_gradient(self, gradient: Gradient, optimizer: Optimizer | None = None) -> None:
        """w <- one step of the optimiser down the gradient; without one, the paper's clipped SGD."""
        vector = check_array("gradient.parameters", gradient.parameters, self._parameters.shape, self.dtype)
        (optimizer or Optimizer("sgd")).step(self._parameters, vector)

    def like(self, architecture: str | Architecture, rng: int | np.random.Generator | None = 0) -> Self:
        """A new network between the same observations and actions, of the same dtype."""
        shape = self.observation_size, self.n_actions
        return self._normalizing_too(type(self)(architecture, *shape, rng, self.initial, dtype=self.dtype))

    def _copy_parameters(self, other: Self) -> None:
        self.parameters = other.parameters

    def _forward(self, x: np.ndarray) -> list[np.ndarray]:
        """z of every layer, z = h W + b with h = sigma(z) of the layer before; the last one is Q, of the base too."""
        sigma, _ = ACTIVATIONS[self.architecture.activation]
        z = [x @ self._weights[0] + self._biases[0]]
        for weights, biases in zip(self._weights[1:], self._biases[1:], strict=True):
            z.append(sigma(z[-1]) @ weights + biases)
        for network, sign in self._base:
            z[-1] = z[-1] + self.dtype.type(sign) * network._forward(x)[-1]
        return z

    def _sizes(self) -> Sequence[int]:
        return self.architecture.layer_sizes(self.observation_size, self.n_actions)

    def __getstate__(self) -> dict[str, Any]:
        return {name: value for name, value in vars(self).items() if name not in ("_weights", "_biases")}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._weights, self._biases = _views(self._parameters, self._sizes())


def _loss_and_slope(error: np.ndarray, huber_delta: float, loss: str) -> tuple[np.ndarray, np.ndarray]:
    """Loss of each error, and its derivative."""
    if loss == "mse":
        return error**2, 2 * error
    quadratic = np.minimum(np.abs(error), huber_delta)
    return quadratic * (np.abs(error) - quadratic / 2), np.clip(error, -huber_delta, huber_delta)


def _views(vector: np.ndarray, sizes: Sequence[int]) -> tuple[list[np.ndarray], list[np.ndarray]]:
    """The weights and biases of each layer within a parameter vector."""
    weights, biases, start = [], [], 0
    for n_in, n_out in itertools.pairwise(sizes):
        middle = start + n_in * n_out
        weights.append(vector[start:middle].reshape(n_in, n_out))
        biases.append(vector[middle : middle + n_out])
        start = middle + n_out
    return weights, biases
