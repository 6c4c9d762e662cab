"""A pole balanced on a cart that is pushed left or right: Gymnasium's CartPole-v1.

| | |
|---|---|
| state, observation | x (m), its velocity (m/s), theta (rad from upright), its velocity (rad/s) |
| actions | 0, 1: force -10, +10 N |
| reward | 1 for every step, the last one included |
| ends | terminates when x or theta (12 degrees) is beyond its threshold; time limit 500 steps of 0.02 s |

Barto, Sutton & Anderson 1983 (doi:10.1109/TSMC.1983.6313077), with the equations of motion without friction
as Florian 2007 ("Correct equations for the dynamics of the cart-pole system") gives them.
"""

import math

from nasdqn_fast.envs.kernel import TERMINATED, EnvKernel, StartRange

PARAMS = {
    "gravity": 9.8,  # m/s^2
    "cart_mass": 1.0,  # kg
    "pole_mass": 0.1,  # kg
    "half_length": 0.5,  # m, from the pivot to the pole's centre of mass
    "force": 10.0,  # N
    "dt": 0.02,  # s
    "x_threshold": 2.4,  # m
    "theta_threshold": 12 * 2 * math.pi / 360,  # rad; math.radians(12) is not Gymnasium's in the last bit
    "start": 0.05,  # each of the four state variables starts in U(-start, start)
}


def accelerations(theta, theta_dot, force, gravity, cart_mass, pole_mass, half_length):
    """Of the cart, m/s^2, and of the pole, rad/s^2 (Florian 2007, equations 23 and 24, no friction)."""
    cos_theta, sin_theta = math.cos(theta), math.sin(theta)
    total_mass = cart_mass + pole_mass
    pole_moment = pole_mass * half_length
    push = (force + pole_moment * (theta_dot * theta_dot) * sin_theta) / total_mass
    inertia = half_length * (4.0 / 3.0 - pole_mass * (cos_theta * cos_theta) / total_mass)
    theta_acceleration = (gravity * sin_theta - cos_theta * push) / inertia
    return push - pole_moment * theta_acceleration * cos_theta / total_mass, theta_acceleration


def start_between(low, high, uniforms, state, obs):
    for i in range(4):
        state[i] = low + (high - low) * uniforms[i]
        obs[i] = state[i]


def reset(params, uniforms, state, obs):
    start_between(-params[8], params[8], uniforms, state, obs)


def step(params, uniforms, state, action, obs, reward):
    gravity, cart_mass, pole_mass, half_length = params[0], params[1], params[2], params[3]
    force, dt, x_threshold, theta_threshold = params[4], params[5], params[6], params[7]
    x, x_dot, theta, theta_dot = state[0], state[1], state[2], state[3]

    push = force if action == 1 else -force
    x_acceleration, theta_acceleration = accelerations(
        theta, theta_dot, push, gravity, cart_mass, pole_mass, half_length
    )
    # Explicit Euler, as in Gymnasium: positions move with the old velocities.
    state[0] = x + dt * x_dot
    state[1] = x_dot + dt * x_acceleration
    state[2] = theta + dt * theta_dot
    state[3] = theta_dot + dt * theta_acceleration
    for i in range(4):
        obs[i] = state[i]
    reward[0] = 1.0
    if abs(state[0]) > x_threshold or abs(state[2]) > theta_threshold:
        return TERMINATED
    return 0


def start_range(params):
    return -params["start"], params["start"]


def observation_high(params):
    """Twice the thresholds, as in Gymnasium: the last observation is beyond them."""
    return (2 * params["x_threshold"], math.inf, 2 * params["theta_threshold"], math.inf)


def observation_low(params):
    return tuple(-bound for bound in observation_high(params))


plugin = EnvKernel(
    reset,
    step,
    PARAMS,
    state_size=4,
    observation_size=4,
    n_actions=2,
    observation_low=observation_low,
    observation_high=observation_high,
    max_episode_steps=500,
    reset_uniforms=4,
    positive=("cart_mass", "pole_mass", "half_length", "dt", "x_threshold", "theta_threshold"),
    threshold=475.0,  # Gymnasium's
    gymnasium_id="CartPole-v1",
    start_range=StartRange(start_range, start_between),
    reward_after_end=0.0,  # Gymnasium's
)
