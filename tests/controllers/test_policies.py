"""Tables, small networks and softmax policies; oracles: central differences, and draws against probabilities."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast.controllers import _policies as policies

STATES, FEATURES, ACTIONS = 5, 4, 3
STEP = 1e-6


def network(seed=0, trained=True):
    rng = np.random.default_rng(seed)
    made = policies.Network(rng.normal(size=(STATES, FEATURES)), ACTIONS, 6, rng)
    if trained:
        made.parameters[...] = rng.normal(size=len(made.parameters))
    return made


def difference(function, x):
    """The derivatives of a function of an array, by central differences."""
    derivatives = np.empty_like(x)
    for place in range(x.size):
        before = x.flat[place]
        x.flat[place] = before + STEP
        above = function()
        x.flat[place] = before - STEP
        below = function()
        x.flat[place] = before
        derivatives.flat[place] = (above - below) / (2 * STEP)
    return derivatives


def test_a_networks_gradient_is_that_of_its_outputs():
    made, states = network(), [0, 3, 3, 1]
    weights = np.random.default_rng(1).normal(size=(len(states), ACTIONS))
    expected = difference(lambda: (made.outputs(states) * weights).sum(), made.parameters)
    made.ascend(states, weights, rate=0.0)
    assert made.gradient == pytest.approx(expected, rel=1e-6, abs=1e-8)


def test_a_networks_fit_follows_the_mean_squared_error():
    made, states, actions, targets = network(), [0, 2, 2], [1, 0, 2], np.array([1.0, -2.0, 0.5])

    def error():
        return ((targets - made.outputs(states)[[0, 1, 2], actions]) ** 2).mean()

    expected = -difference(error, made.parameters) / 2
    made.fit(states, actions, targets, rate=0.0)
    assert made.gradient == pytest.approx(expected, rel=1e-5, abs=1e-7)


def test_a_network_says_nothing_at_first_and_learns_what_it_is_told():
    made, states = network(trained=False), list(range(STATES))
    assert (made.outputs(states) == 0).all()
    targets = np.random.default_rng(2).normal(size=STATES)
    for _ in range(2_000):
        made.fit(states, [1] * STATES, targets, rate=0.01)
    assert made.outputs(states)[:, 1] == pytest.approx(targets, abs=1e-3)


def test_a_tables_steps_add_up_where_a_state_comes_twice():
    table = policies.Table(STATES, ACTIONS)
    table.ascend([2, 2, 0], np.ones((3, ACTIONS)), rate=0.5)
    assert table.values[:, 0].tolist() == [0.5, 0, 1.0, 0, 0]


def test_a_tables_fit_never_goes_beyond_the_target():
    table = policies.Table(STATES, ACTIONS)
    table.fit([1] * 30, [2] * 30, [4.0] * 30, rate=0.5)
    assert table.values[1, 2] == pytest.approx(4.0)
    assert np.count_nonzero(table.values) == 1


LOGITS = st.lists(st.floats(-5, 5), min_size=ACTIONS, max_size=ACTIONS).map(np.array)


@given(LOGITS, st.lists(st.booleans(), min_size=ACTIONS, max_size=ACTIONS).filter(any).map(np.array))
def test_the_softmax_is_over_the_actions_that_are_allowed(logits, allowed):
    (p,) = policies.probabilities(logits[None], allowed[None])
    terms = np.exp(logits) * allowed
    assert p == pytest.approx(terms / terms.sum())


@given(LOGITS, st.integers(0, ACTIONS - 1))
def test_gradients_of_log_probability_and_entropy(logits, action):
    every = np.ones((1, ACTIONS), bool)

    def p():
        return policies.probabilities(logits[None], every)

    expected = difference(lambda: np.log(p()[0, action]), logits)
    assert policies.log_gradient(p(), [action])[0] == pytest.approx(expected, abs=1e-8)
    expected = difference(lambda: -(p() * np.log(p())).sum(), logits)
    assert policies.entropy_gradient(p())[0] == pytest.approx(expected, abs=1e-8)


def test_draws_have_their_probabilities():
    """Tolerance: five standard deviations of a binomial."""
    p, rng, draws = np.array([0.0, 0.2, 0.0, 0.7, 0.1, 0.0]), np.random.default_rng(3), 5_000
    counts = np.bincount([policies.draw(p, rng) for _ in range(draws)], minlength=len(p))
    assert (np.abs(counts - draws * p) <= 5 * np.sqrt(draws * p * (1 - p))).all()


def test_of_equal_values_any_is_taken_and_of_others_the_largest():
    rng = np.random.default_rng(4)
    assert {policies.argmax(np.array([1.0, 2.0, 2.0, np.inf, np.inf]), rng) for _ in range(50)} == {3, 4}
    assert policies.argmax(np.array([1.0, 3.0, 2.0]), rng) == 1


@pytest.mark.parametrize("make", [network, lambda: policies.Table(STATES, ACTIONS)])
def test_a_restored_function_goes_on_to_the_same_bits(make):
    one, other = make(), make()
    gradients = np.random.default_rng(5).normal(size=(2, ACTIONS))
    one.ascend([0, 1], gradients, 0.1)
    other.set_state(one.get_state())
    for function in (one, other):
        function.ascend([1, 2], gradients, 0.1)
    assert (one.outputs([0, 1, 2]) == other.outputs([0, 1, 2])).all()
