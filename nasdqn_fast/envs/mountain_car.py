"""A car in a valley, too weak to drive straight up its side: Gymnasium's MountainCar-v0.

| | |
|---|---|
| state, observation | x, velocity (1/step) |
| actions | 0, 1, 2: push left, coast, push right |
| reward | -1 for every step, the last one included |
| ends | terminates at x >= 0.5, moving right or at rest; time limit 200 steps |

Moore 1990 ("Efficient memory-based learning for robot control"), as Sutton & Barto 2018 give it in example 10.1.
"""

import math

from nasdqn_fast.envs.kernel import TERMINATED, EnvKernel, StartRange

PARAMS = {
    "force": 0.001,  # 1/step^2
    "gravity": 0.0025,  # 1/step^2
    "max_speed": 0.07,  # 1/step
    "left_wall": -1.2,  # x, where the car stops
    "right_wall": 0.6,
    "goal": 0.5,  # x
    "goal_velocity": 0.0,  # 1/step, at the goal at least
    "start_low": -0.6,  # the car starts at rest in U(start_low, start_high)
    "start_high": -0.4,
}


def start_between(low, high, uniforms, state, obs):
    state[0] = low + (high - low) * uniforms[0]
    state[1] = 0.0
    obs[0], obs[1] = state[0], state[1]


def reset(params, uniforms, state, obs):
    start_between(params[7], params[8], uniforms, state, obs)


def step(params, uniforms, state, action, obs, reward):
    force, gravity, max_speed = params[0], params[1], params[2]
    left_wall, right_wall, goal, goal_velocity = params[3], params[4], params[5], params[6]

    velocity = state[1] + ((action - 1) * force + math.cos(3 * state[0]) * -gravity)
    velocity = min(max(velocity, -max_speed), max_speed)
    x = min(max(state[0] + velocity, left_wall), right_wall)
    if x == left_wall and velocity < 0:
        velocity = 0.0
    state[0], state[1] = x, velocity
    obs[0], obs[1] = x, velocity
    reward[0] = -1.0
    return TERMINATED if x >= goal and velocity >= goal_velocity else 0


def start_range(params):
    return params["start_low"], params["start_high"]


def observation_low(params):
    return (params["left_wall"], -params["max_speed"])


def observation_high(params):
    return (params["right_wall"], params["max_speed"])


plugin = EnvKernel(
    reset,
    step,
    PARAMS,
    state_size=2,
    observation_size=2,
    n_actions=3,
    observation_low=observation_low,
    observation_high=observation_high,
    max_episode_steps=200,
    reset_uniforms=1,
    positive=("max_speed",),
    threshold=-110.0,  # Gymnasium's
    gymnasium_id="MountainCar-v0",
    start_range=StartRange(start_range, start_between),
)
