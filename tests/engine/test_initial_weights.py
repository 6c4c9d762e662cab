"""Initial weights: the normal distribution of Box & Muller, He's and Glorot's variances, and what is drawn for them."""

import statistics

import numpy as np
import pytest

from nasdqn_fast import engine as native
from nasdqn_fast import reference
from nasdqn_fast.engine.initial_weights import INITS, InitialWeights, draw, standard_normal


def rng_of(uniforms):
    """A generator's stand-in, whose next uniforms are known."""

    class Known:
        def random(self, shape, dtype):
            return np.array(uniforms, dtype).reshape(shape)

    return Known()


@pytest.mark.parametrize("n", [1, 2, 7, 1_000])
def test_the_numbers_are_those_of_box_and_muller(n):
    """Oracle: the equation in double precision."""
    drawn = standard_normal(n, np.random.default_rng(5))
    u, v = np.random.default_rng(5).random((2, (n + 1) // 2), np.float32).astype(np.float64)
    radius = np.sqrt(-2 * np.log(1 - u))
    pairs = [*(radius * np.cos(2 * np.pi * v)), *(radius * np.sin(2 * np.pi * v))]
    assert drawn.dtype == np.float32
    # 2 pi v, up to 6.3, is rounded to 2.4e-7 and the radius is at most 5.8.
    np.testing.assert_allclose(drawn, pairs[:n], rtol=1e-6, atol=3e-6)


def test_they_are_distributed_normally():
    """Oracle: the distribution function of the standard library; bound of Kolmogorov's test at 1 in 10,000."""
    n = 100_000
    drawn = np.sort(standard_normal(n, np.random.default_rng(0)))
    expected = [statistics.NormalDist().cdf(x) for x in drawn.tolist()]
    assert np.abs(expected - (np.arange(n) + 0.5) / n).max() < 2.23 / np.sqrt(n)


def test_the_two_numbers_of_a_pair_and_their_squares_do_not_correlate():
    x, y = standard_normal(100_000, np.random.default_rng(0)).reshape(2, -1)
    # A correlation of 50,000 pairs has a standard deviation of 0.0045; 5 of these.
    assert abs(np.corrcoef(x, y)[0, 1]) < 0.023
    assert abs(np.corrcoef(x**2, y**2)[0, 1]) < 0.023


@pytest.mark.parametrize("u", [0.0, 1 - 2**-24])
def test_the_ends_of_the_uniforms_are_finite(u):
    """The least and the largest that a generator gives in single precision: radius 0 and sqrt(48 ln 2)."""
    radius = np.linalg.norm(standard_normal(2, rng_of([u, 0.125])))
    assert radius == pytest.approx(0 if u == 0 else np.sqrt(48 * np.log(2)), rel=1e-6)


@pytest.mark.parametrize(
    ("activation", "deviations"),
    [("relu", (1.0, 0.5)), ("leaky_relu", (1.0, 0.5)), ("tanh", (0.2**0.5, 0.125**0.5))],
)
def test_layers_take_the_numbers_in_turn(activation, deviations):
    weights = [np.full((2, 8), np.nan, np.float32), np.full((8, 8), np.nan, np.float32)]
    draw(weights, activation, np.random.default_rng(1))
    normal = standard_normal(2 * 8 + 8 * 8, np.random.default_rng(1))
    for matrix, numbers, deviation in zip(weights, np.split(normal, [16]), deviations, strict=True):
        np.testing.assert_allclose(matrix.ravel(), numbers * deviation, rtol=1e-6)


def parts(network):
    return network.weights + network.biases


@pytest.mark.parametrize("n_in", [1, 3, 200])
def test_torchs_weights_and_biases_are_uniform_within_the_root_of_the_inputs(engine, n_in):
    """Oracle: torch.nn.Linear's documentation, U(-sqrt(k), sqrt(k)) with k = 1 / in_features."""
    network = engine.QNetwork("2x300-relu", n_in, 5, 1, InitialWeights("torch"))
    for weights, biases, inputs in zip(network.weights, network.biases, (n_in, 300, 300), strict=True):
        bound = 1 / np.sqrt(inputs)
        for part in (weights, biases):
            assert np.abs(part).max() <= bound * (1 + 1e-6)
            # Of a mean of n, the standard deviation is bound / sqrt(3 n); 5 of these.
            assert abs(part.mean()) < 5 * bound / np.sqrt(3 * part.size)
        assert np.abs(weights).max() > 0.95 * bound
        assert weights.var() == pytest.approx(bound**2 / 3, rel=0.15)


@pytest.mark.parametrize("init", INITS)
def test_the_scale_of_the_head_is_that_of_the_last_layer_alone(engine, init):
    plain, scaled = (engine.QNetwork("2x9-tanh", 3, 4, 1, InitialWeights(init, scale)) for scale in (1.0, 0.25))
    for i, (whole, part) in enumerate(zip(parts(plain), parts(scaled), strict=True)):
        np.testing.assert_array_equal(part, whole * (0.25 if i % 3 == 2 else 1))


@pytest.mark.parametrize("init", INITS)
def test_networks_that_are_made_from_one_start_as_it_did(engine, init):
    settings = {"init": init, "head_scale": 0.5}
    agent = engine.DQNAgent("cartpole", "2x9-relu", rng=1, **settings)
    agent.set_state(agent.get_state())
    for network in (agent.network, agent.network.copy(), agent.target):
        direct = engine.QNetwork("2x5-relu", 4, 2, 7, InitialWeights(**settings))
        np.testing.assert_array_equal(network.like("2x5-relu", 7).parameters, direct.parameters)


def test_both_backends_draw_the_same_torch_weights():
    ours, theirs = (
        module.QNetwork("9,17-tanh", 3, 4, 2, InitialWeights("torch", 0.3)) for module in (native, reference)
    )
    np.testing.assert_array_equal(ours.parameters, theirs.parameters)


@pytest.mark.parametrize(
    ("arguments", "message"), [({"init": "he"}, "unknown init 'he'"), ({"head_scale": -1.0}, "head_scale must be")]
)
def test_a_start_that_there_is_not_is_refused(arguments, message):
    with pytest.raises(ValueError, match=message):
        InitialWeights(**arguments)


def test_both_precisions_have_the_same_weights():
    single, double = (reference.QNetwork("9,17-tanh", 3, 4, 2, dtype=dtype) for dtype in (np.float32, np.float64))
    for a, b in zip(single.weights, double.weights, strict=True):
        np.testing.assert_array_equal(a, b)
