"""The Q-network on compiled kernels (Rahmani et al. 2025, arXiv:2510.19872, section 2.2)."""

from __future__ import annotations

from typing import Any, Self, cast

import numpy as np

from nasdqn_fast._core.block import ParameterBlock
from nasdqn_fast._core.network import NetworkCore
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.engine.initial_weights import PAPER, InitialWeights
from nasdqn_fast.engine.normalizer import Normalizer
from nasdqn_fast.engine.optimizer import Optimizer
from nasdqn_fast.space import Architecture
from nasdqn_fast.validation import check_instance, check_positive_int, check_rng

# A gradient has `parameters` (P,), `weights` and `biases`, laid out as the network's.
Gradient = ParameterBlock


class QNetwork(BaseNetwork, NetworkCore):
    """Q(s, .; w): a multilayer perceptron with a linear head, float32.

    Args:
        architecture: text form or Architecture.
        observation_size: numbers in an observation.
        n_actions: Q-values.
        rng: seed or Generator of the initial weights. None: all are zero.
        initial: how they are drawn. The paper's (section 2.2.2): normal, variance 2 / n_in for ReLU and Leaky ReLU,
            as He, 2 / (n_in + n_out) for tanh, as Glorot, and biases zero.

    Attributes:
        architecture, observation_size, n_actions, initial: as given.

    Raises:
        TypeError, ValueError: an argument of the wrong type or out of range.
    """

    normalizer_type = Normalizer
    optimizer_type = Optimizer

    def __new__(
        cls,
        architecture: str | Architecture,
        observation_size: int,
        n_actions: int,
        rng: int | np.random.Generator | None = 0,
        initial: InitialWeights = PAPER,
    ) -> Self:
        architecture = Architecture.parse(architecture)
        observation_size = check_positive_int("observation_size", observation_size)
        n_actions = check_positive_int("n_actions", n_actions)
        sizes = architecture.layer_sizes(observation_size, n_actions)
        self = super().__new__(cls, sizes, architecture.activation)
        self.architecture, self.observation_size, self.n_actions = architecture, observation_size, n_actions
        self.initial = initial
        if rng is not None:
            initial.draw(self.weights, self.biases, self.architecture.activation, check_rng("rng", rng))
        return self

    def __reduce__(self) -> tuple[Any, ...]:
        shape = self.architecture, self.observation_size, self.n_actions
        return _restored, (type(self), *shape, self.parameters, self.normalizer, self._base), vars(self)

    @property
    def normalizer(self) -> Normalizer | None:
        """What observations go through before the first layer; None: they are used as they are."""
        return cast(Normalizer | None, self.normalizer_core)

    @normalizer.setter
    def normalizer(self, value: Any) -> None:
        if value is not None:
            check_instance("normalizer", value, Normalizer, "copy another network's")
        self._use_normalizer(value)

    def _use_base(self, base: tuple[tuple[Any, float], ...]) -> None:
        self._set_base(base)

    @property
    def weights(self) -> list[np.ndarray]:
        """Writable views, float32 (n_in, n_out), one a layer; a write is seen by the next call."""
        return list(self.block.weights)

    @property
    def biases(self) -> list[np.ndarray]:
        """Writable views, float32 (n_out,), one a layer."""
        return list(self.block.biases)

    @property
    def parameters(self) -> np.ndarray:
        """A read-only copy of all parameters, float32 (P,): W0, b0, W1, b1, ...; assigning sets them."""
        return self.block.parameters

    @parameters.setter
    def parameters(self, value: np.ndarray) -> None:
        self.block.parameters = value

    def forward(self, x: np.ndarray) -> np.ndarray:
        """Q-values float32 (N, n_actions) of observations x, float32 (N, observation_size)."""
        return self._forward(x)

    def loss_and_gradient(
        self,
        observations: np.ndarray,
        actions: np.ndarray,
        targets: np.ndarray,
        huber_delta: float = 1.0,
        loss: str = "huber",
        weights: np.ndarray | None = None,
    ) -> tuple[float, Gradient]:
        """Mean loss of Q(s_i, a_i) against y_i, and its gradient (section 2.2.3).

        Args:
            observations: float32 (N, observation_size), N >= 1.
            actions: any integer dtype (N,).
            targets: y, float32 (N,).
            huber_delta: > 0, where the Huber loss turns from quadratic to linear; 1.0 in the paper.
            loss: ``huber`` (the paper), or ``mse``, the square of the error.
            weights: factors of the transitions' losses, float32 (N,); None: ones.
        """
        return self._loss_and_gradient(observations, actions, targets, huber_delta, loss, weights)

    def fit(
        self, x: np.ndarray, q: np.ndarray, rows: np.ndarray, optimizer: Optimizer, difference_weight: float = 1.0
    ) -> float:
        """Steps of an optimizer towards given Q-values of all actions, without the GIL.

        The loss of a state is the square of the mean error of its actions, plus `difference_weight` times the mean
        square of what the errors differ from that.

        Args:
            x: observations, float32 (N, observation_size).
            q: the values wanted, float32 (N, n_actions).
            rows: any integer dtype (steps, batch): the minibatch of each step, in [0, N).
            optimizer: takes the steps.
            difference_weight: > 0; the policy follows from the differences between actions alone.

        Returns:
            mean loss of the last minibatch, before its step. If a loss is not finite, it is returned at once.
        """
        return self._fit(x, q, rows, optimizer, difference_weight)

    def apply_gradient(self, gradient: Gradient, optimizer: Optimizer | None = None) -> None:
        """w <- one step of the optimizer down the gradient; without one, the paper's clipped SGD."""
        self._apply_gradient(gradient, optimizer or Optimizer("sgd"))

    def like(self, architecture: str | Architecture, rng: int | np.random.Generator | None = 0) -> Self:
        """A new network between the same observations and actions."""
        network = type(self)(architecture, self.observation_size, self.n_actions, rng, self.initial)
        return self._normalizing_too(network)

    def _copy_parameters(self, other: Self) -> None:
        self.block.array[...] = other.block.array  # in one piece, padding and all


def _restored(
    kind: type[QNetwork],
    architecture: Architecture,
    observation_size: int,
    n_actions: int,
    parameters: np.ndarray,
    normalizer: Normalizer | None = None,
    base: tuple[tuple[QNetwork, float], ...] = (),
) -> QNetwork:
    network = QNetwork.__new__(kind, architecture, observation_size, n_actions, None)
    network.parameters, network.normalizer = parameters, normalizer
    network._use_base(base)
    return network
