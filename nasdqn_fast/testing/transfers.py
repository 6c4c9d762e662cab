"""What every transfer must do, as tests to inherit: give a subclass the transfer's name.

    class TestMine(TransferContract):
        transfer = "mypackage.mine:plugin"

Needs pytest.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from nasdqn_fast import plugins
from nasdqn_fast.engine import backends
from nasdqn_fast.space import Architecture
from nasdqn_fast.testing.randomness import global_generators
from nasdqn_fast.transfers import base

OBSERVATION_SIZE, N_ACTIONS = 3, 2
STATES = base.MEASURED_STATES  # all of them are measured, then

# Old, new: the same, wider, narrower, deeper, shallower, another activation, odd and unequal widths.
PAIRS = [
    ("2x32-relu", "2x32-relu"),
    ("2x32-relu", "2x128-relu"),
    ("2x128-leaky_relu", "2x32-leaky_relu"),
    ("2x64-relu", "4x64-relu"),
    ("4x64-tanh", "2x64-tanh"),
    ("3x64-relu", "3x64-tanh"),
    ("64,17,3-relu", "1x1-leaky_relu"),
    ("1x1-tanh", "5,100,17-relu"),
]

SIGMA: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
}


class TransferContract:
    """Inherit it in a class whose name begins with ``Test``.

    Attributes:
        transfer: name of a transfer, or ``module:attribute``.
        backend: the engine whose networks are used.
    """

    transfer: str
    backend: str = "native"

    def switch(self, old: Any, architecture: str, seed: int = 0) -> Any:
        """The new network."""
        transfer: Any = plugins.find("transfers", self.transfer)
        return transfer(old, Architecture.parse(architecture), np.random.default_rng(seed))

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_the_new_network_is_the_one_that_was_asked_for(self, before: str, after: str) -> None:
        old = trained_network(self.backend, before)
        new = self.switch(old, after)
        assert type(new) is type(old)
        assert new.architecture == Architecture.parse(after)
        assert (new.observation_size, new.n_actions) == (old.observation_size, old.n_actions)

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_q_follows_from_the_weights_that_are_seen(self, before: str, after: str) -> None:
        """Oracle: the equation of a forward pass over the public views; padding, if any, has no part in it."""
        new = self.switch(trained_network(self.backend, before), after)
        assert new.parameters.size == new.architecture.parameter_count(OBSERVATION_SIZE, N_ACTIONS)
        x = some_states(5)
        np.testing.assert_allclose(new.forward(x), equation(new, x), rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_the_old_network_is_left_alone(self, before: str, after: str) -> None:
        old = trained_network(self.backend, before)
        parameters = old.parameters.copy()
        new = self.switch(old, after)
        for layer in (*new.weights, *new.biases):
            layer[...] = 7.0
        np.testing.assert_array_equal(old.parameters, parameters)

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_same_generator_same_weights(self, before: str, after: str) -> None:
        old = trained_network(self.backend, before)
        first, second = self.switch(old, after, seed=5), self.switch(old, after, seed=5)
        np.testing.assert_array_equal(first.parameters, second.parameters)

    def test_nothing_is_drawn_from_global_generators(self) -> None:
        before = global_generators()
        self.switch(trained_network(self.backend, "2x32-relu"), "3x64-tanh")
        assert global_generators() == before

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_the_report_says_how_far_q_moved(self, before: str, after: str) -> None:
        """Oracle: the equation of a forward pass in float64, over every state of a small memory."""
        old, states = trained_network(self.backend, before), some_states(STATES)
        transfer: Any = plugins.find("transfers", self.transfer)
        new, report = base.apply(
            transfer, old, Architecture.parse(after), np.random.default_rng(0), filled_replay(self.backend, states)
        )
        change = np.abs(equation(new, states) - equation(old, states))
        assert report.q_change_mean == pytest.approx(change.mean(), rel=1e-3, abs=1e-4)
        assert report.q_change_max == pytest.approx(change.max(), rel=1e-3, abs=1e-4)
        assert 0 <= report.kept <= 1


def trained_network(backend: str, architecture: str) -> Any:
    """A network none of whose parameters has its initial value; the biases, which begin at 0, in particular."""
    network = backends.find(backend).QNetwork(architecture, OBSERVATION_SIZE, N_ACTIONS, rng=1)
    rng = np.random.default_rng(2)
    network.parameters = network.parameters + rng.normal(0.0, 0.1, network.parameters.size).astype(np.float32)
    return network


def some_states(n: int) -> np.ndarray:
    """Observations, float32 (n, 3)."""
    return np.random.default_rng(3).normal(size=(n, OBSERVATION_SIZE)).astype(np.float32)


def filled_replay(backend: str, observations: np.ndarray) -> Any:
    """A replay memory that holds these observations, oldest first."""
    n = len(observations)
    replay = backends.find(backend).ReplayBuffer(n, OBSERVATION_SIZE)
    no = np.zeros(n, dtype=bool)
    replay.add_batch(observations, np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.float32), observations, no, no)
    return replay


def equation(network: Any, x: np.ndarray) -> np.ndarray:
    """Q(x) in float64 from `network.weights` and `.biases`: section 2.2.1 of Rahmani et al. 2025."""
    h = x.astype(np.float64)
    *hidden, head = zip(network.weights, network.biases, strict=True)
    for weights, bias in hidden:
        h = SIGMA[network.architecture.activation](h @ weights.astype(np.float64) + bias)
    weights, bias = head
    return h @ weights.astype(np.float64) + bias
