"""A car in a valley that has to swing up to get out: an environment of one's own, in a file of one's own.

| | |
|---|---|
| state | x in [-1.2, 0.6], velocity (1/step) |
| observation | x, velocity / max_speed |
| actions | 0, 1, 2: push left, coast, push right |
| reward | -1 for every step |
| ends | terminates at the right rim, x >= 0.5; time limit 200 steps |

Moore 1990, in the form of Sutton & Barto 2018, example 10.1, and of Gymnasium's MountainCar-v0.
"""

import math

from nasdqn_fast.envs.kernel import TERMINATED, EnvKernel

PARAMS = {
    "force": 0.001,  # 1/step^2
    "gravity": 0.0025,  # 1/step^2
    "max_speed": 0.07,  # 1/step
    "goal": 0.5,  # x
    "x_low": -0.6,  # the car starts at rest in U(x_low, x_high)
    "x_high": -0.4,
}
LEFT_WALL, RIGHT_WALL = -1.2, 0.6


def clip(value, low, high):
    return min(max(value, low), high)


def observe(state, max_speed, obs):
    """Both numbers of the size of one: a network learns little from a speed that is always below 0.07."""
    obs[0], obs[1] = state[0], state[1] / max_speed


def reset(params, uniforms, state, obs):
    x_low, x_high = params[4], params[5]
    state[0] = x_low + (x_high - x_low) * uniforms[0]
    state[1] = 0.0
    observe(state, params[2], obs)


def step(params, uniforms, state, action, obs, reward):
    force, gravity, max_speed, goal = params[0], params[1], params[2], params[3]
    velocity = state[1] + force * (action - 1) - gravity * math.cos(3 * state[0])
    velocity = clip(velocity, -max_speed, max_speed)
    state[0] = clip(state[0] + velocity, LEFT_WALL, RIGHT_WALL)
    # The left wall stops the car.
    state[1] = 0.0 if state[0] == LEFT_WALL and velocity < 0 else velocity
    observe(state, max_speed, obs)
    reward[0] = -1.0
    return TERMINATED if state[0] >= goal else 0


plugin = EnvKernel(
    reset,
    step,
    PARAMS,
    state_size=2,
    observation_size=2,
    n_actions=3,
    observation_low=(LEFT_WALL, -1.0),
    observation_high=(RIGHT_WALL, 1.0),
    max_episode_steps=200,
    reset_uniforms=1,
    starts={"valley": {"x_low": -0.6, "x_high": -0.4}, "left-slope": {"x_low": -1.1, "x_high": -0.9}},
    positive=("max_speed",),
)
