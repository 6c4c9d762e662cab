"""The pendulum's optimum against brute force, symmetry, roll-outs and the table of the specification."""

import itertools
import re

import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast.envs import cartpole
from nasdqn_fast.errors import InputError
from nasdqn_fast.optimal import covers, solve


def uniform(theta, omega):
    return {"theta_low": -theta, "theta_high": theta, "omega_low": -omega, "omega_high": omega}


@pytest.fixture(scope="module")
def lattice():
    """A pendulum without gravity whose every step leads from node to node of an 8 x 5 grid, for 5 steps."""
    physics = {"gravity": 0.0, "dt": 1.0, "max_omega": np.pi / 2, "max_torque": np.pi / 4, "torque_cost": 0.3}
    environment = envs.make("inverted-pendulum", params=physics, max_episode_steps=5)
    return solve(environment, 8, 5)


@pytest.fixture(scope="module")
def fine():
    return solve()


@pytest.fixture(scope="module")
def coarse():
    return solve(theta_points=360, omega_points=201)


def best_return(environment, theta, omega, actions_first, steps):
    """The best of all action sequences that begin with `actions_first`, by the environment's own plain step."""
    kernel, best = environment.kernel, -np.inf
    observation, reward = np.empty(3, np.float32), np.empty(1)
    for actions in itertools.product(range(3), repeat=steps - len(actions_first)):
        state, total = np.array([theta, omega, np.cos(theta), np.sin(theta)]), 0.0
        for action in (*actions_first, *actions):
            kernel.step(environment.params, np.empty(0), state, action, observation, reward)
            total += reward[0]
        best = max(best, total)
    return best


def test_values_are_the_best_of_all_action_sequences(lattice):
    expected = [
        [best_return(lattice.environment, theta, omega, (), 5) for omega in lattice.omegas] for theta in lattice.thetas
    ]
    np.testing.assert_allclose(lattice.values, expected, atol=1e-12)


@pytest.mark.parametrize("t", [0, 3, 4])
def test_actions_begin_a_best_sequence(lattice, t):
    for (i, theta), (j, omega) in itertools.product(enumerate(lattice.thetas), enumerate(lattice.omegas)):
        action = lattice.action(theta, omega, t)
        assert action == lattice.policy(t)[i, j]
        chosen = best_return(lattice.environment, theta, omega, (action,), 5 - t)
        assert chosen == pytest.approx(best_return(lattice.environment, theta, omega, (), 5 - t), abs=1e-12)


def test_rollouts_earn_the_value_where_nothing_is_interpolated(lattice):
    start = {"theta_low": np.pi / 4, "theta_high": np.pi / 4, "omega_low": np.pi / 4, "omega_high": np.pi / 4}
    value = best_return(lattice.environment, np.pi / 4, np.pi / 4, (), 5)
    played = lattice.rollouts(3, 0, start)
    assert played.returns == pytest.approx([value] * 3, abs=1e-12)
    assert played.values == pytest.approx([value] * 3, abs=1e-12)
    assert lattice.mean_return(start).mean == pytest.approx(value, abs=1e-12)


@pytest.mark.parametrize(
    ("start", "expected", "rounding"),
    [
        (uniform(0.05, 0.05), 200.0, 0.05),
        (uniform(0.1, 0.1), 199.9, 0.05),
        ("upright", 196, 0.5),
        (uniform(0.5, 0.5), 166, 0.5),
        ("uniform", 54, 0.5),
        ("hanging", -148, 0.5),
    ],
)
@pytest.mark.slow
def test_the_best_mean_return_is_that_of_the_specification(fine, coarse, start, expected, rounding):
    """An independent computation, given as rounded; two grids tell how much of a difference is discretisation."""
    mean, error = fine.mean_return(start)
    grid_error = abs(mean - coarse.mean_return(start).mean)
    assert abs(mean - expected) <= rounding + error + grid_error
    # What the policy earns where nothing is interpolated, within four standard errors of 1,000 starts.
    returns, values = fine.rollouts(1_000, 0, start)
    surplus = returns - values
    assert abs(surplus.mean()) <= grid_error + 4 * surplus.std() / len(surplus) ** 0.5


def test_the_mean_over_starts_is_that_of_many_seeded_samples(lattice):
    """Interpolated here by hand, cell by cell; within four standard errors."""
    mean, error = lattice.mean_return("upright")
    rng = np.random.default_rng(0)
    theta, omega = rng.uniform(-0.2, 0.2, size=(2, 200_000))
    i, j = np.floor(theta / (np.pi / 4)).astype(int), np.floor(omega / (np.pi / 4)).astype(int)
    u, w = theta / (np.pi / 4) - i, omega / (np.pi / 4) - j

    def corner(a, b):
        return lattice.values[4 + i + a, 2 + j + b]  # node 4, 2 is theta, omega = 0

    samples = (1 - u) * ((1 - w) * corner(0, 0) + w * corner(0, 1)) + u * ((1 - w) * corner(1, 0) + w * corner(1, 1))
    assert abs(samples.mean() - mean) <= error + 4 * samples.std() / len(samples) ** 0.5


def test_left_is_as_good_as_right(coarse):
    """V(theta, omega) = V(-theta, -omega); -pi is its own mirror image."""
    mirrored = np.roll(coarse.values[::-1, ::-1], 1, axis=0)
    np.testing.assert_allclose(coarse.values, mirrored, atol=1e-9)


def test_no_return_is_beyond_what_the_reward_allows(coarse):
    assert coarse.values.max() <= 200
    assert coarse.values.min() >= -200 * 1.004


def test_a_policy_balances_from_rest_off_the_top(fine):
    """Torque 2 holds 0.2 rad, asin(2 / 9.8) = 0.205; and what balances costs next to nothing."""
    assert fine.action(0.1, 0.0) == 0
    assert fine.action(-0.1, 0.0) == 2
    still = {"theta_low": 0.1, "theta_high": 0.1, "omega_low": 0.0, "omega_high": 0.0}
    assert fine.rollouts(1, 0, still).returns[0] > 199


def test_physics_is_followed(coarse):
    """A torque that can hold the pole horizontally makes every start of `upright` a success."""
    strong = solve(envs.make("inverted-pendulum", params={"max_torque": 9.8}), 180, 101)
    assert strong.mean_return().mean > 199 > coarse.mean_return().mean


def test_the_horizon_is_the_environments():
    assert solve(envs.make("inverted-pendulum", max_episode_steps=1), 36, 21).values.max() == 1


def test_values_cannot_be_written(lattice):
    with pytest.raises(ValueError, match="read-only"):
        lattice.values[0, 0] = 1


def test_only_the_pendulum_is_covered():
    assert covers(envs.make("inverted-pendulum", params={"mass": 2}))
    assert not covers(envs.make("cartpole"))
    with pytest.raises(InputError, match=r"the optimum is known of inverted-pendulum only; got .*cartpole"):
        solve(cartpole.plugin)


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda o: o.action(0.0, 0.0, 5), ValueError, "t must be an integer from 0 to 4; got 5"),
        (lambda o: o.policy(-1), ValueError, "t must be an integer from 0 to 4; got -1"),
        (lambda o: o.action(np.nan, 0.0), ValueError, "theta must be a finite number; got nan"),
        (lambda o: o.mean_return("uprigth"), InputError, "unknown start 'uprigth': did you mean 'upright'?"),
        (lambda o: o.mean_return({"theta": 1}), InputError, "unknown environment parameter 'theta'"),
        (lambda o: o.mean_return(points=1), ValueError, "points must be an integer >= 2; got 1"),
        (lambda o: o.rollouts(0, 0), ValueError, "n must be an integer >= 1; got 0"),
    ],
)
def test_bad_arguments_are_named(lattice, call, error, message):
    with pytest.raises(error, match=re.escape(message)):
        call(lattice)
