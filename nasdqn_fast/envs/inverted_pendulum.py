"""A pendulum to be kept upright by three torques: the paper's environment.

| | |
|---|---|
| state | theta (rad from upright, in (-pi, pi]), omega (rad/s), cos theta, sin theta |
| observation | cos theta, sin theta, omega (rad/s) |
| actions | 0, 1, 2: torque -2, 0, +2 N m |
| reward | cos theta_t - 0.001 torque_t**2, theta before the step |
| ends | never; time limit 200 steps of 0.02 s |

Rahmani et al. 2025, arXiv:2510.19872, section 2.1. The paper leaves the initial state open. ``upright``, the
default, is the one from which a good policy reaches the paper's threshold of 150 and a random one does not;
``uniform`` is that of Gymnasium's Pendulum-v1; ``hanging`` has to swing up, which 200 steps do not suffice for.
"""

import math

import numpy as np

from nasdqn_fast.envs.kernel import EnvKernel
from nasdqn_fast.envs.trigonometry import sine_and_cosine

UPRIGHT = {"theta_low": -0.2, "theta_high": 0.2, "omega_low": -0.2, "omega_high": 0.2}  # rad, rad/s
UNIFORM = {"theta_low": -math.pi, "theta_high": math.pi, "omega_low": -1.0, "omega_high": 1.0}
HANGING = {"theta_low": math.pi, "theta_high": math.pi, "omega_low": 0.0, "omega_high": 0.0}

PARAMS = {
    "gravity": 9.8,  # m/s^2
    "mass": 1.0,  # kg, at the end of a massless rod
    "length": 1.0,  # m
    "dt": 0.02,  # s
    "max_omega": 8.0,  # rad/s
    "max_torque": 2.0,  # N m
    "torque_cost": 0.001,  # 1/(N m)^2, lambda in the paper
    **UPRIGHT,
}


# 2 * math.pi in two parts of 27 and 26 bits: their products with whole numbers below 2**26 are exact.
TURN = 2 * math.pi
TURN_HIGH = math.floor(TURN * 2.0**24) / 2.0**24
TURN_LOW = TURN - TURN_HIGH
WHOLE = 1.5 * 2.0**52  # adding and subtracting it rounds to a whole number


def wrap(theta):
    """The angle in (-pi, pi]; for |theta| up to 4e8 exactly, no rounding error is added.

    Without a call of fmod, which would keep steps in lockstep from being vectorised.
    """
    if -math.pi < theta <= math.pi:
        return theta
    turns = (theta * (1.0 / TURN) + WHOLE) - WHOLE
    theta = (theta - turns * TURN_HIGH) - turns * TURN_LOW
    if theta > math.pi:  # the quotient was rounded across a half
        return theta - TURN
    if theta <= -math.pi:
        return theta + TURN
    return theta


def put(theta, omega, state, obs):
    """Writes the state and what is seen of it.

    The sine and cosine are kept because the next step's dynamics and reward want those of this
    very theta: one of each a step.
    """
    sine, cosine = sine_and_cosine(theta)
    state[0], state[1], state[2], state[3] = theta, omega, cosine, sine
    obs[0], obs[1], obs[2] = cosine, sine, omega


def reset(params, uniforms, state, obs):
    theta_low, theta_high, omega_low, omega_high = params[7], params[8], params[9], params[10]
    # low + (high - low) u is NumPy's own map: seeded resets match Generator.uniform.
    theta = theta_low + (theta_high - theta_low) * uniforms[0]
    omega = omega_low + (omega_high - omega_low) * uniforms[1]
    put(wrap(np.fmod(theta, TURN)), omega, state, obs)  # fmod is exact, however far away an author starts


def step(params, uniforms, state, action, obs, reward):
    gravity, mass, length, dt = params[0], params[1], params[2], params[3]
    max_omega, max_torque, torque_cost = params[4], params[5], params[6]
    theta, omega, cos_theta, sin_theta = state[0], state[1], state[2], state[3]

    torque = (action - 1) * max_torque
    reward[0] = cos_theta - torque_cost * (torque * torque)
    acceleration = gravity / length * sin_theta + torque / (mass * length * length)
    omega = min(max(omega + acceleration * dt, -max_omega), max_omega)
    # theta moves with the new omega. With the old one (explicit Euler) every swing gains energy,
    # and a pendulum left alone would climb by itself.
    put(wrap(theta + omega * dt), omega, state, obs)
    return 0


def observation_low(params):
    return (-1.0, -1.0, -max(params["max_omega"], -params["omega_low"], -params["omega_high"]))


def observation_high(params):
    return (1.0, 1.0, max(params["max_omega"], params["omega_low"], params["omega_high"]))


plugin = EnvKernel(
    reset,
    step,
    PARAMS,
    state_size=4,
    observation_size=3,
    n_actions=3,
    observation_low=observation_low,
    observation_high=observation_high,
    max_episode_steps=200,
    reset_uniforms=2,
    starts={"upright": UPRIGHT, "uniform": UNIFORM, "hanging": HANGING},
    positive=("mass", "length", "dt", "max_omega"),
    threshold=150.0,  # section 2.4
    gymnasium_id="InvertedPendulum-v0",
)
