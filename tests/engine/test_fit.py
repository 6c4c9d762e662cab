"""Steps towards given Q-values, in compiled code and in its twin."""

import numpy as np
import pytest

from nasdqn_fast.engine import backends
from nasdqn_fast.reference.network import QNetwork as Twin
from nasdqn_fast.reference.optimizer import Optimizer as TwinOptimizer

RNG = np.random.default_rng(0)
X = RNG.normal(size=(200, 3)).astype(np.float32)
Q = (50 + RNG.normal(size=(200, 3))).astype(np.float32)


def loss(network, weight):
    """L in its own words: the square of the mean error, and the weighted variance of the errors."""
    error = network.forward(X.astype(network.dtype)) - Q
    return np.mean(error.mean(axis=1) ** 2 + weight * error.var(axis=1))


@pytest.mark.parametrize("weight", [1.0, 10.0])
def test_a_step_goes_down_the_gradient(weight):
    """Oracle: central differences in float64."""
    network = Twin("5,4-tanh", 3, 3, rng=1, dtype=np.float64)
    start, gradient = network.parameters, np.empty(network.parameters.size)
    for i in range(len(start)):
        ends = []
        for step in (1e-5, -1e-5):
            moved = start.copy()
            moved[i] += step
            network.parameters = moved
            ends.append(loss(network, weight))
        gradient[i] = (ends[0] - ends[1]) / 2e-5
    network.parameters = start
    rows = np.arange(200)[None]
    optimizer = TwinOptimizer("sgd", 1e-3, clip_by="none")
    before = network.fit(X.astype(float), Q.astype(float), rows, optimizer, weight)
    assert before == pytest.approx(loss_at(network, start, weight))
    np.testing.assert_allclose((start - network.parameters) / 1e-3, gradient, rtol=1e-4, atol=1e-6)


def loss_at(network, parameters, weight):
    other = network.copy()
    other.parameters = parameters
    return loss(other, weight)


@pytest.mark.parametrize("batch", [1, 3, 31, 32, 33, 64, 100])
@pytest.mark.parametrize("architecture", ["2x32-relu", "17,3-tanh", "1x1-leaky_relu"])
def test_the_kernels_take_the_twins_steps(architecture, batch):
    rows, found = RNG.integers(200, size=(12, batch)), []
    for name in ("native", "numpy"):
        engine = backends.find(name)
        network = engine.QNetwork(architecture, 3, 3, rng=1)
        network.normalizer = network.normalizer_type(3)
        network.normalizer.update(2 * X)
        last = network.fit(X, Q, rows, engine.Optimizer("adam", 1e-2, clip_by="none"), 10.0)
        found.append((last, network.parameters))
    assert found[0][0] == pytest.approx(found[1][0], rel=1e-4)
    np.testing.assert_allclose(found[0][1], found[1][1], atol=1e-4)


def test_a_loss_that_is_not_finite_is_returned_before_its_step():
    for backend in ("native", "numpy"):
        engine = backends.find(backend)
        network, wrong = engine.QNetwork("1x4-relu", 3, 3, rng=1), Q.copy()
        wrong[7] = np.inf
        before = network.parameters
        with np.errstate(invalid="ignore"):
            assert not np.isfinite(network.fit(X, wrong, np.full((3, 2), 7), engine.Optimizer("adam")))
        np.testing.assert_array_equal(network.parameters, before)


@pytest.mark.parametrize("name", ["native", "numpy"])
@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"rows": np.array([[0, 200]])}, r"rows must be in \[0, 200\)"),
        ({"rows": np.zeros((2, 0), np.int64)}, r"rows must be an array of integers of shape \(steps, batch\)"),
        ({"rows": np.zeros(3, np.int64)}, r"rows must be an array of integers of shape \(steps, batch\)"),
        ({"rows": np.zeros((2, 2))}, "rows must be integers"),
        ({"q": Q[:, :2].copy()}, "q must be"),
        ({"x": X[:5]}, "q must be"),
        ({"difference_weight": 0.0}, "difference_weight must be"),
    ],
)
def test_what_cannot_be_fitted_is_refused(name, changed, message):
    engine = backends.find(name)
    network = engine.QNetwork("1x4-relu", 3, 3, rng=1)
    given = {"x": X, "q": Q, "rows": np.zeros((2, 2), np.int64), "optimizer": engine.Optimizer("adam")} | changed
    with pytest.raises((TypeError, ValueError), match=message):
        network.fit(**given)
