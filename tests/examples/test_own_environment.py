"""examples/own_environment: the contract, Gymnasium's MountainCar, and the training as its docstring promises."""

import subprocess
import sys
from pathlib import Path

import gymnasium
import numpy as np
import pytest

from nasdqn_fast import plugins
from nasdqn_fast.envs.kernel import TERMINATED
from nasdqn_fast.testing.environments import EnvironmentContract

FOLDER = Path(__file__).parents[2] / "examples" / "own_environment"


@pytest.fixture
def mountain_car(monkeypatch):
    monkeypatch.syspath_prepend(FOLDER)
    return plugins.find("environments", "mountain_car:plugin")


class TestContract(EnvironmentContract):
    @pytest.fixture(autouse=True)
    def kernel_of_the_example(self, mountain_car):
        self.kernel = mountain_car


@pytest.mark.parametrize("action", [0, 1, 2])
def test_one_step_is_gymnasiums(mountain_car, action):
    theirs = gymnasium.make("MountainCar-v0").unwrapped
    theirs.reset(seed=0)
    rng = np.random.default_rng(0)
    terminations = 0
    for x, velocity in rng.uniform([-1.2, -0.07], [0.5, 0.07], (500, 2)):
        theirs.state = (x, velocity)
        (x_theirs, velocity_theirs), reward_theirs, terminated_theirs, _, _ = theirs.step(action)
        state, obs, reward = np.array([x, velocity]), np.empty(2, np.float32), np.empty(1)
        flags = mountain_car.step(mountain_car.bind().params, np.empty(0), state, action, obs, reward)
        np.testing.assert_allclose(state, [x_theirs, velocity_theirs], rtol=1e-6, atol=1e-9)  # theirs are float32
        np.testing.assert_allclose(obs, [x_theirs, velocity_theirs / 0.07], rtol=1e-5, atol=1e-7)
        assert (reward[0], flags == TERMINATED) == (reward_theirs, terminated_theirs)
        terminations += terminated_theirs
    assert 0 < terminations < 500


def test_training_gets_the_car_out():
    finished = subprocess.run([sys.executable, FOLDER / "train.py"], capture_output=True, text=True, check=True)
    first, *_, last = finished.stdout.splitlines()
    assert first.startswith("episodes 1 to 50: mean return ")
    greedy, value = last.rsplit(" ", 1)
    assert greedy == "greedy: mean return"
    assert -100 < float(value) < -30  # -200: never out; this seed gave -43
