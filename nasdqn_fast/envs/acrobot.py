"""Two links that hang from a hinge and swing up, driven at the joint between them: Gymnasium's Acrobot-v1.

| | |
|---|---|
| state | theta 1 (rad from hanging), theta 2 (rad from the first link), their velocities (rad/s) |
| observation | cos theta 1, sin theta 1, cos theta 2, sin theta 2, both velocities (rad/s) |
| actions | 0, 1, 2: torque -1, 0, +1 N m on the joint between the links |
| reward | -1 for every step, 0 for the one that reaches the goal |
| ends | terminates when the tip is more than `goal` above the hinge; time limit 500 steps of 0.2 s |

Sutton 1996 ("Generalization in reinforcement learning: successful examples using sparse coarse coding"), with the
equations of motion of Sutton & Barto's book and one step of the classical Runge-Kutta method, as in Gymnasium.
"""

import math

import numpy as np

from nasdqn_fast.envs.kernel import TERMINATED, EnvKernel, StartRange

PARAMS = {
    "gravity": 9.8,  # m/s^2
    "length_1": 1.0,  # m
    "mass_1": 1.0,  # kg
    "mass_2": 1.0,  # kg
    "centre_1": 0.5,  # m, from the hinge to the first link's centre of mass
    "centre_2": 0.5,  # m, from the joint to the second link's centre of mass
    "inertia": 1.0,  # kg m^2, of either link
    "torque": 1.0,  # N m
    "dt": 0.2,  # s
    "max_velocity_1": 4 * math.pi,  # rad/s
    "max_velocity_2": 9 * math.pi,  # rad/s
    "goal": 1.0,  # -cos theta 1 - cos(theta 1 + theta 2) has to exceed it
    "start_low": -0.1,  # each of the four state variables starts in U(start_low, start_high)
    "start_high": 0.1,
}

TURN = math.pi - -math.pi
FAR = 100.0  # rad; RK4 moves an angle by some 10 rad at most


def wrap(theta):
    """The angle in [-pi, pi] by whole turns, each rounded, as Gymnasium subtracts them."""
    if not abs(theta) <= FAR:  # only with parameters of one's own; the loops below might never end
        theta = np.fmod(theta, TURN)
    while theta > math.pi:
        theta = theta - TURN
    while theta < -math.pi:
        theta = theta + TURN
    return theta


def accelerations(params, theta_1, theta_2, velocity_1, velocity_2, torque):
    """Of both angles, rad/s^2; every operation in Gymnasium's order, for the last bit's sake."""
    gravity, l1, m1, m2 = params[0], params[1], params[2], params[3]
    lc1, lc2, inertia = params[4], params[5], params[6]
    cos_2, sin_2 = math.cos(theta_2), math.sin(theta_2)
    d1 = m1 * (lc1 * lc1) + m2 * (l1 * l1 + lc2 * lc2 + 2 * l1 * lc2 * cos_2) + inertia + inertia
    d2 = m2 * (lc2 * lc2 + l1 * lc2 * cos_2) + inertia
    phi_2 = m2 * lc2 * gravity * math.cos(theta_1 + theta_2 - math.pi / 2)
    phi_1 = (
        -m2 * l1 * lc2 * (velocity_2 * velocity_2) * sin_2
        - 2 * m2 * l1 * lc2 * velocity_2 * velocity_1 * sin_2
        + (m1 * lc1 + m2 * l1) * gravity * math.cos(theta_1 - math.pi / 2)
        + phi_2
    )
    acceleration_2 = (torque + d2 / d1 * phi_1 - m2 * l1 * lc2 * (velocity_1 * velocity_1) * sin_2 - phi_2) / (
        m2 * (lc2 * lc2) + inertia - d2 * d2 / d1
    )
    return -(d2 * acceleration_2 + phi_1) / d1, acceleration_2


def observe(state, obs):
    obs[0], obs[1] = math.cos(state[0]), math.sin(state[0])
    obs[2], obs[3] = math.cos(state[1]), math.sin(state[1])
    obs[4], obs[5] = state[2], state[3]


def start_between(low, high, uniforms, state, obs):
    for i in range(4):
        state[i] = np.float32(low + (high - low) * uniforms[i])  # Gymnasium rounds the initial state
    observe(state, obs)


def reset(params, uniforms, state, obs):
    start_between(params[12], params[13], uniforms, state, obs)


def step(params, uniforms, state, action, obs, reward):
    dt, max_velocity_1, max_velocity_2, goal = params[8], params[9], params[10], params[11]
    torque = (action - 1) * params[7]
    a, b, va, vb = state[0], state[1], state[2], state[3]

    # The classical Runge-Kutta method: velocities and accelerations at four points of the step.
    half = dt / 2.0
    wa1, wb1 = accelerations(params, a, b, va, vb, torque)
    va2, vb2 = va + half * wa1, vb + half * wb1
    wa2, wb2 = accelerations(params, a + half * va, b + half * vb, va2, vb2, torque)
    va3, vb3 = va + half * wa2, vb + half * wb2
    wa3, wb3 = accelerations(params, a + half * va2, b + half * vb2, va3, vb3, torque)
    va4, vb4 = va + dt * wa3, vb + dt * wb3
    wa4, wb4 = accelerations(params, a + dt * va3, b + dt * vb3, va4, vb4, torque)

    sixth = dt / 6.0
    a = wrap(a + sixth * (va + 2 * va2 + 2 * va3 + va4))
    b = wrap(b + sixth * (vb + 2 * vb2 + 2 * vb3 + vb4))
    va = va + sixth * (wa1 + 2 * wa2 + 2 * wa3 + wa4)
    vb = vb + sixth * (wb1 + 2 * wb2 + 2 * wb3 + wb4)
    state[0], state[1] = a, b
    state[2] = min(max(va, -max_velocity_1), max_velocity_1)
    state[3] = min(max(vb, -max_velocity_2), max_velocity_2)
    observe(state, obs)
    if -math.cos(a) - math.cos(b + a) > goal:
        reward[0] = 0.0
        return TERMINATED
    reward[0] = -1.0
    return 0


def start_range(params):
    return params["start_low"], params["start_high"]


def observation_high(params):
    return (1.0, 1.0, 1.0, 1.0, params["max_velocity_1"], params["max_velocity_2"])


def observation_low(params):
    return tuple(-bound for bound in observation_high(params))


plugin = EnvKernel(
    reset,
    step,
    PARAMS,
    state_size=4,
    observation_size=6,
    n_actions=3,
    observation_low=observation_low,
    observation_high=observation_high,
    max_episode_steps=500,
    reset_uniforms=4,
    positive=(
        "length_1",
        "mass_1",
        "mass_2",
        "centre_1",
        "centre_2",
        "inertia",
        "dt",
        "max_velocity_1",
        "max_velocity_2",
    ),
    threshold=-100.0,  # Gymnasium's
    gymnasium_id="Acrobot-v1",
    start_range=StartRange(start_range, start_between),
)
