"""Environments in Python under the loop of either backend; oracle: what they return, counted by hand."""

import gymnasium
import numpy as np
import pytest

SETTINGS = {"rng": 0, "warm_up": 10_000}


class Counting(gymnasium.Env):
    """Observes how many steps its episode has, as one number of some type, and ends after three."""

    observation_space = gymnasium.spaces.Box(0, 10, (1,), np.float64)
    action_space = gymnasium.spaces.Discrete(2)

    def __init__(self, dtype="f8", fails_at=None):
        self.dtype, self.fails_at, self.resets = np.dtype(dtype), fails_at, 0

    def reset(self, *, seed=None, options=None):
        super().reset(seed=seed)
        self.resets += 1
        if self.resets == self.fails_at:
            raise OSError("no second episode")
        self.steps = 0
        return np.array([self.steps], self.dtype), {}

    def step(self, action):
        self.steps += 1
        return np.array([self.steps], self.dtype), 1.0, self.steps == 3, False, {}


@pytest.mark.parametrize("dtype", ["<f4", ">f4", "<f8", ">f8", "f2", "i4", ">i8", "u1"])
def test_observations_of_any_type_and_byte_order_are_their_numbers(engine, dtype):
    agent = engine.DQNAgent(Counting(dtype), "1x4-relu", **SETTINGS)
    agent.run_episodes(2)
    stored = agent.replay.transitions()
    np.testing.assert_array_equal(stored.observations[:, 0], [0, 1, 2, 0, 1, 2])
    np.testing.assert_array_equal(stored.next_observations[:, 0], [1, 2, 3, 1, 2, 3])


def test_every_lane_that_has_ended_counts_when_another_fails_to_begin(engine):
    made = iter([Counting(), Counting(fails_at=2), Counting(), Counting()])  # the first to see its spaces
    agent = engine.DQNAgent(lambda: next(made), "1x4-relu", num_envs=3, **SETTINGS)
    with pytest.raises(OSError, match="no second episode"):
        agent.run_episodes(10)
    assert (agent.steps, agent.episodes, len(agent.replay)) == (9, 3, 9)
    assert agent.run_episodes(3).lengths.tolist() == [3, 3, 3]
