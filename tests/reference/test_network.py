"""The NumPy network against finite differences, closed forms and itself in the other precision."""

import re

import numpy as np
import pytest

from nasdqn_fast.reference import Optimizer, QNetwork
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


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("widths", ARCHITECTURES)
def test_the_gradient_is_the_central_difference(widths, activation):
    """Along single parameters of every layer and along random directions, h = 1e-6 in float64."""
    network, batch = network_and_batch(f"{widths}-{activation}")
    gradient = network.loss_and_gradient(*batch, huber_delta=0.7)[1].parameters
    parameters, rng, h = network.parameters, np.random.default_rng(0), 1e-6
    directions = list(rng.normal(size=(5, len(parameters))))
    for index in rng.choice(len(parameters), size=min(40, len(parameters)), replace=False):
        directions.append(np.eye(1, len(parameters), index)[0])
    for direction in directions:
        losses = []
        for sign in (1, -1):
            network.parameters = parameters + sign * h * direction
            losses.append(network.loss_and_gradient(*batch, huber_delta=0.7)[0])
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


@pytest.mark.parametrize(
    ("activation", "hidden"), [("relu", [2.0, 0.0]), ("leaky_relu", [2.0, -0.03]), ("tanh", np.tanh([2.0, -3.0]))]
)
def test_forward_on_a_hand_worked_network(activation, hidden):
    network = QNetwork(f"1x2-{activation}", 1, 1, dtype=np.float64)
    network.weights[0][:] = [[1.0, -2.0]]
    network.biases[0][:] = [1.0, -1.0]
    network.weights[1][:] = [[10.0], [100.0]]
    network.biases[1][:] = 0.5
    assert network.forward(np.array([[1.0]])).item() == pytest.approx(10 * hidden[0] + 100 * hidden[1] + 0.5)


def test_the_loss_is_the_mean_of_hubers():
    """Errors 0.5, -1, 3 with delta 1: (0.125 + 0.5 + 2.5) / 3 (Huber 1964)."""
    network = QNetwork("1x1-relu", 1, 1, dtype=np.float64)
    network.parameters = np.zeros(4)
    loss, gradient = network.loss_and_gradient(np.zeros((3, 1)), np.zeros(3, int), np.array([-0.5, 1.0, -3.0]))
    assert loss == pytest.approx((0.125 + 0.5 + 2.5) / 3)
    assert gradient.biases[1].item() == pytest.approx((0.5 - 1 + 1) / 3)


@pytest.mark.parametrize(("activation", "variance"), [("relu", 2 / 200), ("leaky_relu", 2 / 200), ("tanh", 2 / 500)])
def test_the_initial_variance_is_hes_or_glorots(activation, variance):
    network = QNetwork(f"200,300-{activation}", 3, 2, rng=0)
    # 60,000 draws: the relative error of their variance is sqrt(2 / 60,000) = 0.6 %; 5 of these.
    assert network.weights[1].var() == pytest.approx(variance, rel=0.03)
    assert not any(biases.any() for biases in network.biases)


def test_initial_weights_are_drawn_layer_by_layer_in_double_precision():
    rng = np.random.default_rng(3)
    network = QNetwork("5,2-relu", 3, 4, rng=3)
    for weights in network.weights:
        drawn = rng.standard_normal(weights.shape) * np.sqrt(2 / len(weights))
        np.testing.assert_array_equal(weights, drawn.astype(np.float32))


def test_parameters_are_weights_then_biases_layer_by_layer():
    network = QNetwork("3,2-relu", 4, 5, rng=0)
    parts = [part.ravel() for layer in zip(network.weights, network.biases, strict=True) for part in layer]
    np.testing.assert_array_equal(network.parameters, np.concatenate(parts))
    assert network.parameters.size == network.architecture.parameter_count(4, 5)


def test_a_write_through_a_view_is_seen_by_the_next_call():
    network = QNetwork("1x3-relu", 2, 2)
    network.biases[-1][:] = [7.0, 8.0]
    network.weights[-1][:] = 0
    np.testing.assert_array_equal(network.forward(np.ones((1, 2), np.float32)), [[7.0, 8.0]])


def test_parameters_are_read_as_a_copy_that_cannot_be_written():
    network = QNetwork("1x3-relu", 2, 2)
    before = network.parameters
    with pytest.raises(ValueError, match="read-only"):
        before[0] = 1
    network.parameters = before + 1
    np.testing.assert_array_equal(network.parameters, before + 1)


def test_a_copy_is_equal_and_apart():
    network = QNetwork("2x3-tanh", 2, 2, rng=9)
    copy = network.copy()
    assert copy.parameters.tobytes() == network.parameters.tobytes()
    network.weights[0][:] += 1
    assert not np.array_equal(copy.parameters, network.parameters)
    copy.copy_from(network)
    np.testing.assert_array_equal(copy.parameters, network.parameters)


def test_copying_from_another_shape_is_refused():
    message = "other must be 2x3-tanh from 2 to 2; got 2x4-tanh from 2 to 2"
    with pytest.raises(ValueError, match=message):
        QNetwork("2x3-tanh", 2, 2).copy_from(QNetwork("2x4-tanh", 2, 2))


def test_apply_gradient_without_an_optimizer_is_the_papers_clipped_descent():
    network, batch = network_and_batch("2x3-relu")
    before = network.parameters
    gradient = network.loss_and_gradient(*batch)[1]
    gradient.weights[0][0, 0] = 50.0
    network.apply_gradient(gradient)
    np.testing.assert_allclose(network.parameters, before - 1e-3 * np.clip(gradient.parameters, -1, 1), rtol=1e-15)


def test_a_step_down_the_gradient_lowers_the_loss():
    network, batch = network_and_batch("2x17-tanh")
    optimizer = Optimizer("sgd", learning_rate=0.05)
    loss, gradient = network.loss_and_gradient(*batch)
    network.apply_gradient(gradient, optimizer)
    assert network.loss_and_gradient(*batch)[0] < loss
    assert optimizer.steps == 1


def test_no_observations_give_no_values_but_no_mean_either():
    network = QNetwork("1x3-relu", 2, 4)
    assert network.forward(np.zeros((0, 2), np.float32)).shape == (0, 4)
    with pytest.raises(ValueError, match="observations must hold at least 1 row"):
        network.loss_and_gradient(np.zeros((0, 2), np.float32), np.zeros(0, int), np.zeros(0, np.float32))


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"observations": np.zeros((2, 3))}, TypeError, "observations must be float32 of shape (N, 3); got float64"),
        ({"actions": np.zeros(2)}, TypeError, "actions must be integers of shape (2,); got float64 (2,)"),
        ({"actions": np.array([0, 4])}, ValueError, "actions must be in [0, 4); got 4 at index 1"),
        ({"targets": np.zeros((2, 1), np.float32)}, ValueError, "targets must be float32 of shape (2,)"),
        ({"huber_delta": 0}, ValueError, "huber_delta must be a finite number > 0; got 0.0"),
    ],
)
def test_bad_arguments_are_named(change, error, message):
    arguments = {
        "observations": np.zeros((2, 3), np.float32),
        "actions": np.zeros(2, int),
        "targets": np.zeros(2, np.float32),
    }
    with pytest.raises(error, match=re.escape(message)):
        QNetwork("1x3-relu", 3, 4).loss_and_gradient(**(arguments | change))
