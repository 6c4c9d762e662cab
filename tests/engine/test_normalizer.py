"""Running statistics of observations, and networks that work on observations which these normalize."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nasdqn_fast import engine as native
from nasdqn_fast import reference
from nasdqn_fast.engine import backends
from nasdqn_fast.engine.base_normalizer import PRIOR

RECORDED = Path(__file__).parents[1] / "data" / "vec_normalize.npz"
NUMBERS = st.floats(-1e6, 1e6, width=32)


def new(engine, size=3):
    return engine.QNetwork.normalizer_type(size)


def that_has_seen(engine, rows):
    normalizer = new(engine, rows.shape[1])
    normalizer.update(rows)
    return normalizer


def some_rows(n, seed=0):
    return np.random.default_rng(seed).normal([50, 0, -3], [4, 1e-3, 1], (n, 3)).astype(np.float32)


def two_passes(rows):
    """NumPy's mean and variance of all rows, and of the mean 0 and the variance 1 that have the prior's weight."""
    rows, n = rows.astype(np.float64), len(rows)
    mean = rows.mean(axis=0) * n / (n + PRIOR)
    spread = rows.var(axis=0) * n + (rows.mean(axis=0) - mean) ** 2 * n
    return mean, (spread + PRIOR * (1 + mean**2)) / (n + PRIOR)


@settings(max_examples=100, deadline=None)
@given(
    name=st.sampled_from(backends.NAMES),
    batches=st.lists(
        st.integers(1, 5).flatmap(lambda n: arrays(np.float32, (n, 2), elements=NUMBERS)), min_size=1, max_size=20
    ),
)
def test_the_statistics_are_those_of_all_that_was_seen(name, batches):
    normalizer = new(backends.find(name), 2)
    for batch in batches:
        normalizer.update(batch)
    rows = np.concatenate(batches)
    mean, variance = two_passes(rows)
    largest = np.abs(rows).max(axis=0).astype(np.float64)
    assert normalizer.count == pytest.approx(len(rows) + PRIOR, rel=1e-12)
    # Relative to the numbers that are summed, and not to sums that may cancel.
    assert np.all(np.abs(normalizer.mean - mean) <= 1e-12 * np.maximum(largest, 1e-300))
    assert np.all(np.abs(normalizer.variance - variance) <= 1e-12 * (largest**2 + variance))


def test_statistics_and_observations_are_those_of_stable_baselines3(engine):
    """Oracle: a recording of VecNormalize (tests/data/make_vec_normalize.py): three environments whose episodes end."""
    with np.load(RECORDED) as recorded:
        normalizer = new(engine, 4)
        network = engine.QNetwork("1x4-relu", 4, 4, None)
        for view in network.weights:  # Q-values are the normalized observations, where these are positive
            np.fill_diagonal(view, 1.0)
        network.normalizer = normalizer
        for i, rows in enumerate(recorded["observations"].astype(np.float32)):
            normalizer.update(rows)
            assert normalizer.count == pytest.approx(recorded["counts"][i], rel=1e-12)
            np.testing.assert_allclose(normalizer.mean, recorded["means"][i], rtol=1e-12)
            np.testing.assert_allclose(normalizer.variance, recorded["variances"][i], rtol=1e-9)
            # We subtract in float32, as far as the mean can be one.
            allowed = np.spacing(normalizer.mean.astype(np.float32)) / np.sqrt(normalizer.variance + 1e-8)
            expected = np.maximum(recorded["normalized"][i], 0)
            assert np.all(np.abs(network.forward(rows) - expected) <= 1e-6 * expected + np.abs(allowed))
        assert recorded["normalized"].max() == 10.0  # the clip was met


def test_both_backends_have_the_same_bits():
    rows, x = some_rows(70), some_rows(9, seed=1)
    ours, theirs = (that_has_seen(engine, rows) for engine in (native, reference))
    one, other = ours.get_state(), theirs.get_state()
    for name in ("count", "mean", "variance"):
        np.testing.assert_allclose(one[name], other[name], rtol=1e-15)
    theirs.set_state(one)
    network = native.QNetwork("1x4-relu", 3, 3, None)
    for view in network.weights:
        np.fill_diagonal(view, 1.0)
    network.normalizer = ours
    np.testing.assert_array_equal(network.forward(x), np.maximum(theirs.normalized(x, np.float32), 0))


def test_without_observations_a_network_sees_what_it_is_given(engine):
    plain, with_one = (engine.QNetwork("2x5-tanh", 3, 2, rng=1) for _ in range(2))
    with_one.normalizer = new(engine)
    assert not with_one.normalizer.has_seen
    x = np.random.default_rng(0).uniform(-9, 9, (5, 3)).astype(np.float32)
    np.testing.assert_array_equal(plain.forward(x), with_one.forward(x))


@pytest.mark.usefixtures("cpu_target")
@pytest.mark.parametrize("n", [1, 5, 64, 70])
def test_a_network_works_on_normalized_observations_in_every_pass(engine, n):
    """Oracle: the same network without, given observations that NumPy has normalized."""
    rows = some_rows(100)
    plain = engine.QNetwork("7,4-leaky_relu", 3, 2, rng=1)
    normalizing = plain.copy()
    normalizing.normalizer = that_has_seen(engine, rows)
    x = some_rows(n, seed=1)
    seen = that_has_seen(reference, rows).normalized(x, np.float32)
    np.testing.assert_array_equal(normalizing.forward(x), plain.forward(seen))
    actions, targets = np.arange(n) % 2, np.ones(n, np.float32)
    loss, gradient = normalizing.loss_and_gradient(x, actions, targets)
    plain_loss, plain_gradient = plain.loss_and_gradient(seen, actions, targets)
    assert loss == plain_loss
    np.testing.assert_array_equal(gradient.parameters, plain_gradient.parameters)


def test_a_number_that_never_changes_is_zero_and_one_that_does_is_bounded(engine):
    normalizer = that_has_seen(engine, np.full((100_000, 1), 7.0, np.float32))
    network = engine.QNetwork("1x1-tanh", 1, 1, None)
    network.normalizer = normalizer
    network.weights[0][...], network.weights[1][...] = 1e-3, 1e3
    assert abs(network.forward(np.full((1, 1), 7.0, np.float32))[0, 0]) < 1e-3
    for far in (1e9, 3e38):
        assert network.forward(np.full((1, 1), far, np.float32))[0, 0] == pytest.approx(10, rel=1e-3)


def test_a_mean_that_fades_is_never_applied_as_a_subnormal_number(engine):
    normalizer = new(engine, 1)
    normalizer.set_state({"count": 1.0, "mean": np.full(1, 1e-40), "variance": np.zeros(1)})
    network = engine.QNetwork("1x1-relu", 1, 1, None)
    network.normalizer = normalizer
    network.weights[0][...], network.weights[1][...] = -1, 1
    assert network.forward(np.zeros((1, 1), np.float32))[0, 0] == 0


def test_the_networks_that_a_transfer_makes_have_statistics_of_their_own(engine):
    network = engine.QNetwork("1x4-relu", 3, 2, rng=1)
    network.normalizer = that_has_seen(engine, some_rows(9))
    for other in (network.copy(), network.like("2x5-tanh")):
        np.testing.assert_array_equal(other.normalizer.mean, network.normalizer.mean)
        other.normalizer.update(some_rows(2, seed=3))
        assert network.normalizer.count == 9 + PRIOR


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"count": np.nan}, "normalizer_count"),
        ({"count": 0.0}, "normalizer_count"),
        ({"mean": np.zeros(2)}, r"normalizer_mean must be float64 of shape \(3,\)"),
        ({"mean": np.full(3, np.inf)}, "normalizer_mean"),
        ({"variance": np.array([1.0, -1.0, 1.0])}, "normalizer_variance must be >= 0; got -1"),
        ({"variance": np.zeros(3, np.float32)}, "normalizer_variance must be float64"),
    ],
)
def test_a_state_that_is_none_is_refused(engine, change, reason):
    normalizer = that_has_seen(engine, some_rows(9))
    before = normalizer.get_state()
    with pytest.raises((TypeError, ValueError), match=reason):
        normalizer.set_state(before | change)
    np.testing.assert_equal(normalizer.get_state(), before)


def test_what_is_no_observation_is_refused(engine):
    normalizer = new(engine)
    for bad in (np.zeros((2, 3)), np.zeros((2, 4), np.float32), np.full((1, 3), np.nan, np.float32)):
        with pytest.raises((TypeError, ValueError), match="observations must be"):
            normalizer.update(bad)
    normalizer.update(np.zeros((0, 3), np.float32))
    assert not normalizer.has_seen


def test_a_network_refuses_the_normalizer_of_another_size_or_backend(engine):
    network = engine.QNetwork("1x4-relu", 3, 2)
    with pytest.raises(ValueError, match="normalizer must be one of observations of size 3; got one of 4"):
        network.normalizer = new(engine, 4)
    other = reference if engine is native else native
    with pytest.raises(TypeError, match="normalizer must be a Normalizer"):
        network.normalizer = new(other)
    assert network.normalizer is None
