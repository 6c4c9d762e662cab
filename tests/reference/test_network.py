"""The NumPy network in float64: finite differences, and itself in float32. What both backends share: tests/engine."""

import numpy as np
import pytest

from nasdqn_fast.engine.agent_settings import LOSSES
from nasdqn_fast.reference import QNetwork
from nasdqn_fast.space import ACTIVATIONS

ARCHITECTURES = ["1x1", "2x3", "1x17", "4x3", "1x100", "3x17", "2x100", "17,1,100,3"]


def network_and_batch(architecture, dtype=np.float64, n=7):
    """A network with biases that are not 0, and a batch with errors on both sides of Huber's delta."""
    rng = np.random.default_rng(7)
    network = QNetwork(architecture, 3, 4, rng=1, dtype=dtype)
    for biases in network.biases:
        biases[:] = rng.normal(scale=0.1, size=biases.shape)
    observations = rng.normal(size=(n, 3)).astype(dtype)
    targets = rng.normal(scale=2, size=n).astype(dtype)
    return network, (observations, rng.integers(4, size=n), targets)


@pytest.mark.parametrize("loss", LOSSES)
@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("widths", ARCHITECTURES)
def test_the_gradient_is_the_central_difference(widths, activation, loss):
    """Along single parameters of every layer and along random directions, h = 1e-6 in float64."""
    network, batch = network_and_batch(f"{widths}-{activation}")
    gradient = network.loss_and_gradient(*batch, huber_delta=0.7, loss=loss)[1].parameters
    parameters, rng, h = network.parameters, np.random.default_rng(0), 1e-6
    directions = list(rng.normal(size=(5, len(parameters))))
    for index in rng.choice(len(parameters), size=min(40, len(parameters)), replace=False):
        directions.append(np.eye(1, len(parameters), index)[0])
    for direction in directions:
        losses = []
        for sign in (1, -1):
            network.parameters = parameters + sign * h * direction
            losses.append(network.loss_and_gradient(*batch, huber_delta=0.7, loss=loss)[0])
        numeric = (losses[0] - losses[1]) / (2 * h)
        # The loss is about 1 with a rounding error of 1e-16, which the division by h makes 1e-10.
        assert gradient @ direction == pytest.approx(numeric, rel=1e-6, abs=2e-9 * np.abs(direction).sum())


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_float32_agrees_with_float64(activation):
    single, (observations, actions, targets) = network_and_batch(f"3x17-{activation}", np.float32)
    double = QNetwork(single.architecture, 3, 4, dtype=np.float64)
    double.parameters = single.parameters.astype(np.float64)
    loss, gradient = single.loss_and_gradient(observations, actions, targets)
    exact_loss, exact = double.loss_and_gradient(observations.astype(float), actions, targets.astype(float))
    assert gradient.parameters.dtype == single.forward(observations).dtype == np.float32
    assert loss == pytest.approx(exact_loss, rel=1e-5)
    np.testing.assert_allclose(gradient.parameters, exact.parameters, rtol=1e-4, atol=1e-6)


def test_apply_gradient_without_an_optimizer_is_the_papers_clipped_descent():
    network, batch = network_and_batch("2x3-relu")
    before = network.parameters
    gradient = network.loss_and_gradient(*batch)[1]
    gradient.weights[0][0, 0] = 50.0
    network.apply_gradient(gradient)
    np.testing.assert_allclose(network.parameters, before - 1e-3 * np.clip(gradient.parameters, -1, 1), rtol=1e-15)
