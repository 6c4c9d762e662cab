"""The pendulum against the paper's equations, written here once more and otherwise (arXiv:2510.19872, 2.1)."""

import math
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast import envs
from nasdqn_fast.envs.inverted_pendulum import plugin, wrap

finite = {"allow_nan": False, "allow_infinity": False}
angles = st.floats(-math.pi, math.pi)
physics = st.fixed_dictionaries(
    {
        "gravity": st.floats(0.0, 30.0),
        "mass": st.floats(0.1, 10.0),
        "length": st.floats(0.1, 10.0),
        "dt": st.floats(0.001, 0.1),
        "max_omega": st.floats(0.5, 20.0),
        "max_torque": st.floats(0.0, 10.0),
        "torque_cost": st.floats(0.0, 1.0),
    }
)


def begin(environment, theta, omega):
    """State and observation of a chosen moment, by way of a reset."""
    params = {"theta_low": theta, "theta_high": theta, "omega_low": omega, "omega_high": omega}
    started = environment.kernel.bind(params={**environment.values, **params})
    state, obs = np.empty(4), np.empty(3, np.float32)
    plugin.reset(started.params, np.zeros(2), state, obs)
    return state, obs


def advance(environment, state, action):
    """One step; returns flags, observation, reward."""
    obs, reward = np.empty(3, np.float32), np.empty(1)
    flags = plugin.step(environment.params, np.empty(0), state, action, obs, reward)
    return flags, obs, reward[0]


@given(angles, st.floats(-8.0, 8.0), st.integers(0, 2), physics)
def test_step_follows_the_equations(theta, omega, action, given_physics):
    p = given_physics
    environment = plugin.bind(params=p)
    state, _ = begin(environment, theta, omega)
    _, obs, reward = advance(environment, state, action)

    tau = {0: -1, 1: 0, 2: 1}[action] * p["max_torque"]
    torque_of_gravity = p["mass"] * p["gravity"] * p["length"] * math.sin(theta)
    new_omega = omega + p["dt"] * (torque_of_gravity + tau) / (p["mass"] * p["length"] ** 2)
    new_omega = sorted((-p["max_omega"], new_omega, p["max_omega"]))[1]
    new_theta = theta + p["dt"] * new_omega
    assert reward == pytest.approx(math.cos(theta) - p["torque_cost"] * tau**2, abs=1e-12)
    # Float32 observations: half a unit in the last place of numbers up to 20.
    np.testing.assert_allclose(obs, [math.cos(new_theta), math.sin(new_theta), new_omega], atol=1e-6)
    assert math.remainder(state[0] - new_theta, 2 * math.pi) == pytest.approx(0, abs=1e-12)
    assert state[1] == pytest.approx(new_omega, abs=1e-11)


def test_defaults_are_the_papers():
    values = plugin.bind().values
    expected = {
        "gravity": 9.8,
        "mass": 1,
        "length": 1,
        "dt": 0.02,
        "max_omega": 8,
        "max_torque": 2,
        "torque_cost": 0.001,
    }
    assert {name: values[name] for name in expected} == expected
    assert plugin.max_episode_steps == 200


def test_reward_is_that_of_the_state_before_the_step():
    environment = plugin.bind()
    state, _ = begin(environment, 1.0, 5.0)
    assert advance(environment, state, 1)[2] == math.cos(1.0)


@given(st.floats(-4e8, 4e8) | st.sampled_from([math.pi, -math.pi, math.nextafter(math.pi, 4), 3 * math.pi]))
def test_wrap_takes_off_whole_turns_exactly(theta):
    wrapped = wrap(theta)
    assert -math.pi < wrapped <= math.pi
    turns = (Fraction(theta) - Fraction(float(wrapped))) / Fraction(2 * math.pi)
    assert turns.denominator == 1


@given(angles, st.floats(-8.0, 8.0), st.lists(st.integers(0, 2), max_size=60))
def test_angle_stays_wrapped_and_speed_clipped(theta, omega, actions):
    environment = plugin.bind()
    state, obs = begin(environment, theta, omega)
    for action in actions:
        flags, obs, _ = advance(environment, state, action)
        assert flags == 0
        assert -math.pi < state[0] <= math.pi
        assert abs(state[1]) <= 8.0
    np.testing.assert_array_equal(obs, np.array([math.cos(state[0]), math.sin(state[0]), state[1]], np.float32))


@pytest.mark.parametrize("theta", [2.0, 3.0, 0.5])
def test_energy_is_kept_without_torque(theta):
    """A symplectic step: the energy's error of order dt swings with the pendulum and does not grow.

    Oracle: conservation of m l^2 omega^2 / 2 + m g l cos theta. Explicit Euler gains without bound.
    """
    environment = plugin.bind()
    state, _ = begin(environment, theta, 0.0)
    energies = []
    for _ in range(20_000):
        advance(environment, state, 1)
        energies.append(0.5 * state[1] ** 2 + 9.8 * math.cos(state[0]))
    error = np.abs(np.array(energies) - 9.8 * math.cos(theta))
    assert error.max() < 0.02 * 9.8 * 8.0  # dt g max_omega, the size of one step's change of energy
    assert error[-2_000:].max() < 1.05 * error[:2_000].max()


def test_upright_and_hanging_are_at_rest_without_torque():
    environment = plugin.bind()
    for theta, cos_theta in [(0.0, 1.0), (math.pi, -1.0)]:
        state, _ = begin(environment, theta, 0.0)
        _, obs, reward = advance(environment, state, 1)
        np.testing.assert_allclose(obs, [cos_theta, 0, 0], atol=1e-6)
        assert reward == cos_theta


@given(st.floats(0, 1, exclude_max=True), st.floats(0, 1, exclude_max=True))
def test_starts_are_the_three_that_are_named(u_theta, u_omega):
    ranges = {"upright": (0.2, 0.2), "uniform": (math.pi, 1.0)}
    assert list(plugin.starts) == [*ranges, "hanging"]
    state, obs = np.empty(4), np.empty(3, np.float32)
    for start, (theta, omega) in ranges.items():
        plugin.reset(plugin.bind(start=start).params, np.array([u_theta, u_omega]), state, obs)
        assert math.remainder(state[0] - (2 * u_theta - 1) * theta, 2 * math.pi) == pytest.approx(0, abs=1e-12)
        assert state[1] == pytest.approx((2 * u_omega - 1) * omega, abs=1e-12)
    plugin.reset(plugin.bind(start="hanging").params, np.array([u_theta, u_omega]), state, obs)
    assert state[:2].tolist() == [math.pi, 0.0]


def test_reset_draws_as_numpy_does():
    """Oracle: Generator.uniform on a generator in the same state, to the last bit but one (a C compiler may fuse)."""
    environment = plugin.bind()
    uniforms = np.random.default_rng(3).random(2)
    state, obs = np.empty(4), np.empty(3, np.float32)
    plugin.reset(environment.params, uniforms, state, obs)
    np.testing.assert_allclose(state[:2], np.random.default_rng(3).uniform(-0.2, 0.2, 2), rtol=4e-16)


def test_start_beyond_the_usual_speed_is_within_the_bounds():
    environment = envs.make("inverted-pendulum", params={"omega_low": -12.0, "omega_high": 9.0})
    assert environment.observation_low.tolist() == [-1, -1, -12]
    assert environment.observation_high.tolist() == [1, 1, 9]
