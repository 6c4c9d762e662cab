"""The networks of both backends: what can be seen, written, copied and saved, and which arguments are refused."""

import re

import numpy as np
import pytest

from nasdqn_fast.engine import backends, initial_weights

GOOD = {
    "observations": np.zeros((2, 3), np.float32),
    "actions": np.zeros(2, np.int64),
    "targets": np.zeros(2, np.float32),
}


@pytest.mark.parametrize(
    ("activation", "hidden"), [("relu", [2.0, 0.0]), ("leaky_relu", [2.0, -0.03]), ("tanh", np.tanh([2.0, -3.0]))]
)
def test_forward_on_a_hand_worked_network(engine, activation, hidden):
    network = engine.QNetwork(f"1x2-{activation}", 1, 1)
    network.weights[0][:] = [[1.0, -2.0]]
    network.biases[0][:] = [1.0, -1.0]
    network.weights[1][:] = [[10.0], [100.0]]
    network.biases[1][:] = 0.5
    expected = 10 * hidden[0] + 100 * hidden[1] + 0.5
    assert network.forward(np.ones((1, 1), np.float32)).item() == pytest.approx(expected, rel=1e-6)


def test_the_loss_is_the_mean_of_hubers(engine):
    """Errors 0.5, -1, 3 with delta 1: (0.125 + 0.5 + 2.5) / 3 (Huber 1964)."""
    network = engine.QNetwork("1x1-relu", 1, 1)
    network.parameters = np.zeros(4, np.float32)
    targets = np.array([-0.5, 1.0, -3.0], np.float32)
    loss, gradient = network.loss_and_gradient(np.zeros((3, 1), np.float32), np.zeros(3, int), targets)
    assert loss == pytest.approx((0.125 + 0.5 + 2.5) / 3, rel=1e-7)
    assert gradient.biases[1].item() == pytest.approx((0.5 - 1 + 1) / 3, rel=1e-6)


def test_the_mean_squared_error_has_twice_the_error_as_its_slope(engine):
    """Errors 0.5, -1, 3: (0.25 + 1 + 9) / 3, and 2 (0.5 - 1 + 3) / 3, as PyTorch's F.mse_loss."""
    network = engine.QNetwork("1x1-relu", 1, 1)
    network.parameters = np.zeros(4, np.float32)
    targets = np.array([-0.5, 1.0, -3.0], np.float32)
    loss, gradient = network.loss_and_gradient(np.zeros((3, 1), np.float32), np.zeros(3, int), targets, loss="mse")
    assert loss == pytest.approx((0.25 + 1 + 9) / 3, rel=1e-7)
    assert gradient.biases[1].item() == pytest.approx(2 * (0.5 - 1 + 3) / 3, rel=1e-6)


@pytest.mark.parametrize(("activation", "variance"), [("relu", 2 / 200), ("leaky_relu", 2 / 200), ("tanh", 2 / 500)])
def test_the_initial_variance_is_hes_or_glorots(engine, activation, variance):
    network = engine.QNetwork(f"200,300-{activation}", 3, 2, rng=0)
    # 60,000 draws: the relative error of their variance is sqrt(2 / 60,000) = 0.6 %; 5 of these.
    assert network.weights[1].var() == pytest.approx(variance, rel=0.03)
    assert not any(biases.any() for biases in network.biases)


def test_both_backends_draw_the_same_initial_weights(engine):
    """Oracle: what the one function of both gives, in plain arrays."""
    network = engine.QNetwork("5,2-relu", 3, 4, rng=3)
    drawn = [np.zeros_like(weights) for weights in network.weights]
    initial_weights.draw(drawn, "relu", np.random.default_rng(3))
    for weights, expected in zip(network.weights, drawn, strict=True):
        np.testing.assert_array_equal(weights, expected)


def test_a_generator_is_drawn_from_and_shared(engine):
    rng = np.random.default_rng(3)
    first, second = (engine.QNetwork("1x2-relu", 3, 4, rng) for _ in range(2))
    np.testing.assert_array_equal(first.parameters, engine.QNetwork("1x2-relu", 3, 4, 3).parameters)
    assert not np.array_equal(first.weights[0], second.weights[0])


def test_parameters_are_weights_then_biases_layer_by_layer(engine):
    network = engine.QNetwork("3,2-relu", 4, 5, rng=0)
    parts = [part.ravel() for layer in zip(network.weights, network.biases, strict=True) for part in layer]
    np.testing.assert_array_equal(network.parameters, np.concatenate(parts))
    assert network.parameters.size == network.architecture.parameter_count(4, 5)
    assert network.parameters.dtype == np.float32


def test_a_write_through_a_view_is_seen_by_the_next_call(engine):
    network = engine.QNetwork("1x3-relu", 2, 2)
    weights, biases = network.weights, network.biases
    x = np.ones((1, 2), np.float32)
    for value in (7.0, 8.0):
        weights[-1][:], biases[-1][:] = 0, value
        np.testing.assert_array_equal(network.forward(x), [[value, value]])
        assert network.loss_and_gradient(x, np.zeros(1, int), np.zeros(1, np.float32))[0] == value - 0.5
    weights[0][:] = biases[0][:] = weights[-1][:] = 1
    assert network.forward(x)[0, 0] == 8 + 3 * (1 + 2)


def test_parameters_are_read_as_a_copy_that_cannot_be_written(engine):
    network = engine.QNetwork("1x3-relu", 2, 2)
    before = network.parameters
    with pytest.raises(ValueError, match="read-only"):
        before[0] = 1
    network.parameters = before + 1
    np.testing.assert_array_equal(network.parameters, before + 1)
    assert not np.array_equal(before, network.parameters)


def test_a_copy_is_equal_and_apart(engine):
    network = engine.QNetwork("2x3-tanh", 2, 2, rng=9)
    copy = network.copy()
    assert copy.parameters.tobytes() == network.parameters.tobytes()
    network.weights[0][:] += 1
    assert not np.array_equal(copy.parameters, network.parameters)
    copy.copy_from(network)
    np.testing.assert_array_equal(copy.parameters, network.parameters)
    network.biases[-1][:] += 1
    assert not np.array_equal(copy.parameters, network.parameters)


def test_a_gradient_is_not_overwritten_by_the_next(engine):
    network = engine.QNetwork("1x3-tanh", 3, 2)
    first = network.loss_and_gradient(**GOOD | {"targets": np.ones(2, np.float32)})[1]
    before = first.parameters.copy()
    network.loss_and_gradient(**GOOD | {"targets": -np.ones(2, np.float32)})
    np.testing.assert_array_equal(first.parameters, before)


def test_a_step_down_the_gradient_lowers_the_loss(engine):
    network, rng = engine.QNetwork("2x17-tanh", 3, 4), np.random.default_rng(0)
    batch = rng.normal(size=(7, 3)).astype(np.float32), rng.integers(4, size=7), np.ones(7, np.float32)
    optimizer = engine.Optimizer("sgd", learning_rate=0.05)
    loss, gradient = network.loss_and_gradient(*batch)
    network.apply_gradient(gradient, optimizer)
    assert network.loss_and_gradient(*batch)[0] < loss
    assert optimizer.steps == 1


def test_no_observations_give_no_values_but_no_mean_either(engine):
    network = engine.QNetwork("1x3-relu", 2, 4)
    assert network.forward(np.zeros((0, 2), np.float32)).shape == (0, 4)
    with pytest.raises(ValueError, match="observations must hold at least 1 row"):
        network.loss_and_gradient(np.zeros((0, 2), np.float32), np.zeros(0, int), np.zeros(0, np.float32))


@pytest.mark.parametrize("suffix", ["safetensors", "npz"])
@pytest.mark.parametrize("writer", backends.NAMES)
@pytest.mark.parametrize("architecture", ["1x1-relu", "17,1,100,3-leaky_relu", "3x17-tanh"])
def test_a_saved_network_comes_back_to_the_bit_in_either_backend(engine, writer, architecture, suffix, tmp_path):
    network = backends.find(writer).QNetwork(architecture, 4, 3, rng=1)
    network.biases[0][:] = np.linspace(-1, 1, len(network.biases[0]))
    network.save(tmp_path / f"network.{suffix}")
    loaded = engine.QNetwork.load(tmp_path / f"network.{suffix}")
    assert (loaded.architecture, loaded.observation_size, loaded.n_actions) == (network.architecture, 4, 3)
    assert loaded.parameters.tobytes() == network.parameters.tobytes()
    loaded.save(tmp_path / f"again.{suffix}")
    assert (tmp_path / f"again.{suffix}").read_bytes() == (tmp_path / f"network.{suffix}").read_bytes()


def test_predict_gives_the_greedy_action_of_one_observation_or_of_a_batch(engine):
    """Oracle: argmax of the forward pass, row by row."""
    network = engine.QNetwork("2x8-tanh", 3, 4, rng=2)
    batch = np.random.default_rng(0).normal(size=(50, 3)).astype(np.float32)
    expected = [int(np.argmax(network.forward(row[None])[0])) for row in batch]
    assert len(set(expected)) > 1
    actions = network.predict(batch)
    assert actions.dtype == np.int64
    assert actions.tolist() == expected
    assert [network.predict(row) for row in batch] == expected
    assert type(network.predict(batch[0])) is int
    assert network.predict(batch[0].tolist()) == network.predict(batch[0].astype(np.float64)) == expected[0]
    assert network.predict(batch[:0]).shape == (0,)


def test_predict_takes_the_lowest_of_equals_and_uses_the_normalizer(engine):
    network = engine.QNetwork("1x1-relu", 1, 3, rng=None)
    assert network.predict([5.0]) == 0
    network.parameters = np.array([1, 0, 1, 0, 0, 0, 0.5, 0.5], np.float32)  # Q = (relu(x), 0.5, 0.5)
    assert (network.predict([2]), network.predict([0.2])) == (0, 1)
    network.set_normalizer_state({"count": 10.0, "mean": np.array([2.0]), "variance": np.array([1.0])})
    assert (network.predict([2]), network.predict([0.2]), network.predict([4])) == (1, 1, 0)


@pytest.mark.parametrize(
    ("observation", "error", "reason"),
    [
        ([1.0], ValueError, "observation must be float32 of shape (2,); got float32 (1,)"),
        (np.zeros((2, 3)), ValueError, "observation must be float32 of shape (N, 2); got float32 (2, 3)"),
        (1.0, ValueError, "observation must be float32 of shape (N, 2)"),
        ("left", TypeError, "observation must be real numbers of shape (2,) or (N, 2); got str 'left'"),
        ([0.0, np.nan], ValueError, "observation must be finite; got nan"),
        ([0.0, 1e300], ValueError, "observation must be finite; got inf"),
        ([0.0, 3e38], FloatingPointError, "a Q-value is not finite"),
    ],
)
def test_predict_refuses_what_is_no_observation(engine, observation, error, reason):
    network = engine.QNetwork("1x4-relu", 2, 2)
    network.parameters = np.full(len(network.parameters), 30, np.float32)
    with np.errstate(all="ignore"), pytest.raises(error, match=re.escape(reason)):
        network.predict(observation)


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        (
            {"observations": np.zeros((2, 3))},
            TypeError,
            "observations must be float32 of shape (N, 3); got float64 (2, 3); pass observations.astype(np.float32)",
        ),
        ({"observations": [[0.0] * 3] * 2}, TypeError, "observations must be float32 of shape (N, 3); got list"),
        ({"observations": np.zeros((2, 4), np.float32)}, ValueError, "observations must be float32 of shape (N, 3)"),
        ({"observations": np.zeros(3, np.float32)}, ValueError, "observations must be float32 of shape (N, 3)"),
        ({"observations": np.zeros((2, 3), ">f4")}, TypeError, "observations must be float32 of shape (N, 3)"),
        ({"actions": np.zeros(2)}, TypeError, "actions must be integers of shape (2,); got float64 (2,)"),
        ({"actions": np.zeros(2, bool)}, TypeError, "actions must be integers of shape (2,); got bool (2,)"),
        ({"actions": np.zeros(3, int)}, ValueError, "actions must be integers of shape (2,); got int64 (3,)"),
        ({"actions": np.array([0, 4])}, ValueError, "actions must be in [0, 4); got 4 at index 1"),
        ({"actions": np.array([-1, 0])}, ValueError, "actions must be in [0, 4); got -1 at index 0"),
        ({"actions": np.array([0, 2**64 - 1], np.uint64)}, ValueError, "actions must be in [0, 4); got 18446744"),
        ({"targets": np.zeros((2, 1), np.float32)}, ValueError, "targets must be float32 of shape (2,)"),
        ({"targets": np.zeros(2)}, TypeError, "targets must be float32 of shape (2,); got float64 (2,)"),
        ({"loss": "hubr"}, ValueError, "unknown loss 'hubr': did you mean 'huber'?"),
        ({"huber_delta": 0}, ValueError, "huber_delta must be a finite number > 0; got 0.0"),
        ({"huber_delta": "1"}, TypeError, "huber_delta must be a finite number > 0; got str '1'"),
    ],
)
def test_bad_arguments_of_the_loss_are_named(engine, change, error, message):
    with pytest.raises(error, match=re.escape(message)):
        engine.QNetwork("1x3-relu", 3, 4).loss_and_gradient(**GOOD | change)


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        (("64-relu-relu", 3, 4), ValueError, "malformed architecture '64-relu-relu'"),
        ((64, 3, 4), TypeError, "architecture must be a string or an Architecture; got int"),
        (("1x3-relu", 0, 4), ValueError, "observation_size must be an integer >= 1; got 0"),
        (("1x3-relu", 3, 1.5), TypeError, "n_actions must be an integer >= 1; got float 1.5"),
        (("1x3-relu", 3, 4, -1), ValueError, "rng must be an int >= 0 or a numpy.random.Generator; got -1"),
        (("1x3-relu", 3, 4, "seed"), TypeError, "rng must be an int >= 0 or a numpy.random.Generator; got str 'seed'"),
    ],
)
def test_bad_arguments_of_a_network_are_named(engine, arguments, error, message):
    with pytest.raises(error, match=re.escape(message)):
        engine.QNetwork(*arguments)


@pytest.mark.parametrize(
    ("value", "error"), [(np.zeros(20, np.float32), ValueError), (np.zeros(28), TypeError), ([0.0] * 28, TypeError)]
)
def test_parameters_of_another_kind_are_refused_and_change_nothing(engine, value, error):
    network = engine.QNetwork("1x3-relu", 3, 4)
    before = network.parameters
    with pytest.raises(error, match=r"parameters must be float32 of shape \(28,\)"):
        network.parameters = value
    np.testing.assert_array_equal(network.parameters, before)


def test_bad_observations_of_forward_are_named(engine):
    with pytest.raises(TypeError, match=re.escape("x must be float32 of shape (N, 3); got float64 (1, 3)")):
        engine.QNetwork("1x3-relu", 3, 4).forward(np.zeros((1, 3)))


def test_copying_from_another_shape_is_refused(engine):
    message = "other must be 2x3-tanh from 2 to 2; got 2x4-tanh from 2 to 2"
    with pytest.raises(ValueError, match=message):
        engine.QNetwork("2x3-tanh", 2, 2).copy_from(engine.QNetwork("2x4-tanh", 2, 2))


def test_the_gradient_of_another_shape_is_refused(engine):
    gradient = engine.QNetwork("1x4-relu", 3, 4).loss_and_gradient(**GOOD)[1]
    network = engine.QNetwork("1x3-relu", 3, 4)
    before = network.parameters
    with pytest.raises(ValueError, match="gradient"):
        network.apply_gradient(gradient)
    np.testing.assert_array_equal(network.parameters, before)
