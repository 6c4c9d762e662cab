"""What users see of an object in a notebook: one line that says what it is."""

import numpy as np
import pytest

import nasdqn_fast as nf
from nasdqn_fast import envs, reference
from nasdqn_fast.engine import backends


@pytest.fixture(params=["native", "numpy"])
def engine(request):
    return backends.find(request.param)


def test_a_network(engine):
    assert repr(engine.QNetwork("3x64-relu", 4, 2)) == "<QNetwork 3x64-relu, 4 -> 2: 8,770 parameters>"


def test_a_memory(engine):
    memory = engine.ReplayBuffer(50_000, 4)
    assert repr(memory) == "<ReplayBuffer of observations of 4: 0 of 50,000 transitions>"
    memory.add(np.zeros(4, np.float32), 0, 1.0, np.zeros(4, np.float32), False, False)
    assert repr(memory) == "<ReplayBuffer of observations of 4: 1 of 50,000 transitions>"


def test_an_optimizer(engine):
    assert repr(engine.Optimizer("adam", clip=0.5)) == "<Optimizer adam, learning rate 0.00025, clip 0.5: 0 steps>"


def test_an_agent(engine):
    agent = engine.DQNAgent("cartpole", "1x4-tanh", warm_up=10, batch_size=4)
    agent.run_episodes(2)
    done = f"2 episodes, {agent.steps} steps, {agent.updates} updates"
    assert repr(agent) == f"<DQNAgent 1x4-tanh in nasdqn_fast.envs.cartpole: {done}>"


def test_an_environment_and_its_kernel():
    about = "nasdqn_fast.envs.cartpole: observations of 4, 2 actions"
    assert repr(nf.make("cartpole").kernel) == f"<EnvKernel {about}>"
    assert repr(nf.make("cartpole")) == f"<Environment {about}, at most 500 steps>"
    heavy = envs.make("cartpole", params={"gravity": 20}, max_episode_steps=9)
    assert repr(heavy) == f"<Environment {about}, at most 9 steps, gravity=20>"


def test_a_subclass_has_its_own_name():
    class Mine(reference.QNetwork):
        pass

    assert repr(Mine("1x4-relu", 1, 1)).startswith("<Mine ")
