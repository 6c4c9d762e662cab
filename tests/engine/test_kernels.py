"""The kernels against the NumPy twin in float64, which tests/reference holds to the paper's equations."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasdqn_fast import reference
from nasdqn_fast.engine.agent_settings import LOSSES
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.space import ACTIVATIONS, Architecture

# The fixture is the CPU target, which stays the same from example to example.
PROPERTY = settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
WIDTHS = ["1x1", "2x3", "3x17", "4x100", "1x3", "17,1,100,3", "2x64", "33,16"]
BATCHES = [1, 2, 63, 64, 65, 200]  # a panel of the kernels is 64
# Rounding is within 3e-6 in thousands of random networks; a wrong index costs 1e-2 and more.
TOLERANCE = 2e-5
KINK = 1e-4


def twin_of(network):
    """The same network in float64."""
    twin = reference.QNetwork(network.architecture, network.observation_size, network.n_actions, dtype=np.float64)
    twin.parameters = network.parameters.astype(np.float64)
    return twin


def with_biases(network, rng):
    for biases in network.biases:
        biases[:] = rng.normal(scale=0.3, size=biases.shape)
    return network


def away_from_kinks(twin, n, rng):
    """n observations at which no unit's input is so close to 0 that rounding could put it on the other side."""
    rows = np.zeros((0, twin.observation_size), np.float32)
    while len(rows) < n:
        drawn = rng.normal(size=(n, twin.observation_size)).astype(np.float32)
        hidden = twin._forward(drawn.astype(np.float64))[:-1]
        rows = np.concatenate([rows, drawn[np.min([np.abs(z).min(axis=1) for z in hidden], axis=0) > KINK]])
    return rows[:n]


def batch_for(network, n, rng):
    """Errors of both signs and on both sides of Huber's delta, none so small that the rounding of Q would fill it."""
    twin = twin_of(network)
    observations = away_from_kinks(twin, n, rng)
    actions = rng.integers(network.n_actions, size=n)
    q = twin.forward(observations.astype(np.float64))
    error = rng.choice([-1, 1], size=n) * rng.uniform(0.1, 2, size=n) * max(np.abs(q).max(), 1)
    return observations, actions, (q[np.arange(n), actions] - error).astype(np.float32)


def in_float64(batch):
    observations, actions, targets = batch
    return observations.astype(np.float64), actions, targets.astype(np.float64)


def assert_close(found, exact):
    """Equal but for rounding, which is relative to the terms of the sums: about the largest number, or more if that
    is what terms of opposite signs have left."""
    np.testing.assert_allclose(found, exact, rtol=0, atol=TOLERANCE * max(np.abs(exact).max(), 0.1))


def assert_agrees_with_twin(network, batch, huber_delta, loss_kind="huber"):
    twin = twin_of(network)
    assert_close(network.forward(batch[0]), twin.forward(batch[0].astype(np.float64)))
    loss, gradient = network.loss_and_gradient(*batch, huber_delta, loss_kind)
    exact_loss, exact = twin.loss_and_gradient(*in_float64(batch), huber_delta, loss_kind)
    assert loss == pytest.approx(exact_loss, rel=TOLERANCE)
    assert_close(gradient.parameters, exact.parameters)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("widths", WIDTHS)
def test_forward_loss_and_gradient_are_the_twins(cpu_target, widths, activation):
    rng = np.random.default_rng(1)
    network = with_biases(QNetwork(f"{widths}-{activation}", 3, 4, rng), rng)
    assert network.cpu_target == cpu_target
    for n in BATCHES:
        for loss in LOSSES:
            assert_agrees_with_twin(network, batch_for(network, n, rng), 1.0, loss)


@PROPERTY
@given(
    widths=st.lists(st.integers(1, 40), min_size=1, max_size=4),
    activation=st.sampled_from(ACTIVATIONS),
    sizes=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    n=st.integers(1, 200),
    huber_delta=st.sampled_from([0.1, 1.0, 10.0]),
    seed=st.integers(0, 2**32),
)
def test_any_shape_agrees_with_the_twin(cpu_target, widths, activation, sizes, n, huber_delta, seed):
    rng = np.random.default_rng(seed)
    network = with_biases(QNetwork(Architecture(tuple(widths), activation), *sizes, rng), rng)
    assert_agrees_with_twin(network, batch_for(network, n, rng), huber_delta)


@PROPERTY
@given(
    widths=st.lists(st.integers(1, 100), min_size=1, max_size=4),
    sizes=st.tuples(st.integers(1, 20), st.integers(1, 20)),
    log_n=st.integers(0, 8),
    seed=st.integers(0, 2**32),
)
def test_whole_numbers_are_computed_exactly(cpu_target, widths, sizes, log_n, seed):
    """Up to three weights of -1 or 1 a unit, small whole inputs, ReLU, a batch of 2^k: float32 rounds nothing, and
    every number must be the twin's."""
    rng = np.random.default_rng(seed)
    network = QNetwork(Architecture(tuple(widths), "relu"), *sizes)
    for weights, biases in zip(network.weights, network.biases, strict=True):
        weights[...], biases[...] = 0, rng.integers(-1, 2, size=biases.shape)
        for unit in range(weights.shape[1]):
            weights[rng.integers(len(weights), size=3), unit] = rng.choice([-1, 1], size=3)
    n = 2**log_n
    observations = rng.integers(-2, 3, size=(n, sizes[0])).astype(np.float32)
    batch = observations, rng.integers(sizes[1], size=n), rng.integers(-9, 9, size=n).astype(np.float32)
    twin = twin_of(network)
    np.testing.assert_array_equal(network.forward(observations), twin.forward(observations.astype(np.float64)))
    loss, gradient = network.loss_and_gradient(*batch)
    exact_loss, exact = twin.loss_and_gradient(*in_float64(batch))
    assert loss == exact_loss
    np.testing.assert_array_equal(gradient.parameters, exact.parameters)


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("widths", ["1x1", "2x3", "3x17", "1x100", "17,1,100,3"])
def test_the_gradient_is_the_central_difference(cpu_target, widths, activation):
    """Of the loss in float64, h = 1e-6, along random directions and along single parameters of every layer."""
    rng = np.random.default_rng(5)
    network = with_biases(QNetwork(f"{widths}-{activation}", 3, 4, rng), rng)
    batch = batch_for(network, 65, rng)
    gradient = network.loss_and_gradient(*batch, 0.7)[1].parameters.astype(np.float64)
    twin, h = twin_of(network), 1e-6
    parameters = twin.parameters
    directions = [*rng.normal(size=(5, len(parameters)))]
    for index in rng.choice(len(parameters), size=min(30, len(parameters)), replace=False):
        directions.append(np.eye(1, len(parameters), index)[0])
    for direction in directions:
        losses = []
        for sign in (1, -1):
            twin.parameters = parameters + sign * h * direction
            losses.append(twin.loss_and_gradient(*in_float64(batch), 0.7)[0])
        numeric = (losses[0] - losses[1]) / (2 * h)
        allowed = TOLERANCE * np.abs(gradient).max() * np.abs(direction).sum() ** 0.5
        assert gradient @ direction == pytest.approx(numeric, rel=1e-4, abs=max(allowed, 1e-8))


@pytest.mark.parametrize("loss_kind", ["huber", "mse"])
def test_a_weighted_gradient_is_the_central_difference(cpu_target, loss_kind):
    """Of the weighted loss in float64; and weights of one are no weights, bit for bit."""
    rng = np.random.default_rng(6)
    network = with_biases(QNetwork("9,5-tanh", 3, 4, rng), rng)
    batch, weights = batch_for(network, 65, rng), rng.random(65, np.float32)
    loss, gradient = network.loss_and_gradient(*batch, 0.7, loss_kind, weights)
    twin, h = twin_of(network), 1e-6
    parameters, exact = twin.parameters, (*in_float64(batch), 0.7, loss_kind, weights.astype(np.float64))
    assert loss == pytest.approx(twin.loss_and_gradient(*exact)[0], rel=TOLERANCE)
    for index in range(0, len(parameters), 3):
        losses = []
        for sign in (1, -1):
            twin.parameters = parameters + sign * h * np.eye(1, len(parameters), index)[0]
            losses.append(twin.loss_and_gradient(*exact)[0])
        numeric = (losses[0] - losses[1]) / (2 * h)
        assert gradient.parameters[index] == pytest.approx(numeric, rel=1e-4, abs=1e-6)
    ones = network.loss_and_gradient(*batch, 0.7, loss_kind, np.ones(65, np.float32))
    none = network.loss_and_gradient(*batch, 0.7, loss_kind)
    assert ones[0] == none[0]
    np.testing.assert_array_equal(ones[1].parameters, none[1].parameters)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64, np.int64, ">i4"])
def test_actions_may_have_any_integer_dtype(cpu_target, dtype):
    network, rng = QNetwork("1x5-tanh", 2, 4), np.random.default_rng(0)
    observations, actions, targets = batch_for(network, 9, rng)
    wanted = network.loss_and_gradient(observations, actions, targets)
    found = network.loss_and_gradient(observations, actions.astype(dtype), targets)
    assert found[0] == wanted[0]
    np.testing.assert_array_equal(found[1].parameters, wanted[1].parameters)


def test_arrays_may_have_strides(cpu_target):
    network, rng = QNetwork("2x5-relu", 3, 4), np.random.default_rng(0)
    observations, actions, targets = batch_for(network, 20, rng)
    plain = network.loss_and_gradient(*(np.ascontiguousarray(x[::2]) for x in (observations, actions, targets)))
    strided = network.loss_and_gradient(observations[::2], actions[::2], targets[::2])
    assert plain[0] == strided[0]
    np.testing.assert_array_equal(plain[1].parameters, strided[1].parameters)


def tanh_of(x):
    """The kernel's tanh: a network of one unit whose weights are 1."""
    network = QNetwork("1x1-tanh", 1, 1)
    network.parameters = np.array([1, 0, 1, 0], np.float32)
    return network.forward(x[:, None])[:, 0]


def test_tanh_is_within_six_units_in_the_last_place(cpu_target):
    """Of tanh in float64 rounded to float32: from the smallest denormal to far beyond saturation."""
    exponents = np.geomspace(1e-45, 3e38, 20_000).astype(np.float32)
    x = np.concatenate([np.linspace(-10, 10, 200_001, dtype=np.float32), exponents, -exponents, [0.0, -0.0]])
    x = x.astype(np.float32)
    exact = np.tanh(x.astype(np.float64)).astype(np.float32)
    found = tanh_of(x)
    assert np.max(np.abs(found - exact) / np.spacing(np.abs(exact))) <= 6
    assert np.max(np.abs(found)) == 1
    np.testing.assert_array_equal(found[x == 0], 0)
    np.testing.assert_array_equal(tanh_of(-x), -found)


def test_tanh_of_infinities_and_nan(cpu_target):
    np.testing.assert_array_equal(tanh_of(np.array([np.inf, -np.inf, np.nan], np.float32)), [1, -1, np.nan])


@pytest.mark.parametrize("activation", ACTIVATIONS)
def test_nan_is_never_hidden(cpu_target, activation):
    """One NaN in an observation shows in all Q-values of its row, in the loss, and in no other row."""
    network, rng = QNetwork(f"3x20-{activation}", 3, 4), np.random.default_rng(0)
    observations, actions, targets = batch_for(network, 70, rng)
    clean = network.forward(observations)
    observations[66, 1] = np.nan
    found = network.forward(observations)
    assert np.isnan(found[66]).all()
    np.testing.assert_array_equal(np.delete(found, 66, 0), np.delete(clean, 66, 0))
    assert np.isnan(network.loss_and_gradient(observations, actions, targets)[0])


def test_what_an_earlier_batch_left_behind_is_never_read(cpu_target):
    """NaN in columns that a smaller batch does not fill."""
    network, rng = QNetwork("2x20-relu", 3, 4), np.random.default_rng(0)
    batch = batch_for(network, 5, rng)
    loss, gradient = network.loss_and_gradient(*batch)
    nothing = np.full((64, 3), np.nan, np.float32)
    network.loss_and_gradient(nothing, np.zeros(64, int), np.zeros(64, np.float32))
    again, gradient_again = network.loss_and_gradient(*batch)
    assert again == loss
    np.testing.assert_array_equal(gradient_again.parameters, gradient.parameters)
