"""The paper's pendulum as functions of numbers, for peers that step it in Python or compile it themselves.

The physics are those of `nasdqn_fast.envs.inverted_pendulum`, whose functions write to arrays instead: in plain
Python that takes three times as long.
"""

import math

from nasdqn_fast.envs.inverted_pendulum import PARAMS

GRAVITY, DT = PARAMS["gravity"], PARAMS["dt"]  # mass and length are 1
MAX_OMEGA, MAX_TORQUE, TORQUE_COST = PARAMS["max_omega"], PARAMS["max_torque"], PARAMS["torque_cost"]
START = PARAMS["theta_high"]  # of the angle (rad) and of the velocity (rad/s)


def start(u_theta, u_omega):
    """State (theta, omega) from two uniforms of [0, 1)."""
    return -START + 2 * START * u_theta, -START + 2 * START * u_omega


def observe(theta, omega):
    return math.cos(theta), math.sin(theta), omega


def step(theta, omega, action):
    """(theta, omega) after action 0, 1 or 2, and the reward."""
    torque = (action - 1) * MAX_TORQUE
    reward = math.cos(theta) - TORQUE_COST * (torque * torque)
    omega = min(max(omega + (GRAVITY * math.sin(theta) + torque) * DT, -MAX_OMEGA), MAX_OMEGA)
    theta += omega * DT
    if theta > math.pi:
        theta -= 2 * math.pi
    elif theta <= -math.pi:
        theta += 2 * math.pi
    return theta, omega, reward
