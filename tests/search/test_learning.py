"""Updates of a network beside training."""

import copy

import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine import backends
from nasdqn_fast.errors import Stopped
from nasdqn_fast.search.learning import LearningAside

CARTPOLE = envs.make("cartpole", max_episode_steps=20)


def playing_agent(backend="native", **settings):
    settings = {"batch_size": 4, "warm_up": 10, "replay_capacity": 500, "optimizer": "adam"} | settings
    agent = backends.find(backend).DQNAgent(CARTPOLE, "1x8-relu", rng=3, **settings)
    agent.run_episodes(8)
    return agent


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_it_learns_as_the_agent_does_and_leaves_the_agent_alone(backend):
    """Oracle: a copy of the agent that switches to the network, with the generator in its memory, and learns."""
    agent = playing_agent(backend)
    before, twin = agent.get_state(), copy.deepcopy(agent)
    network = agent.network.like("2x5-tanh", 1)
    twin.switch_network(network.copy())
    twin.replay.rng.bit_generator.state = np.random.default_rng(5).bit_generator.state
    aside = LearningAside(agent, np.random.default_rng(5))
    state = aside.learn(network, 6)
    for _ in range(6):
        twin.learn()
    np.testing.assert_equal(agent.get_state(), before)
    np.testing.assert_array_equal(network.parameters, twin.network.parameters)
    np.testing.assert_equal(state, twin.optimizer.get_state())
    assert aside.updates == 6


def test_the_same_generator_gives_the_same_network_and_calls_continue():
    agent, found = playing_agent(), []
    for _ in range(2):
        network, aside = agent.network.like("1x4-relu", 1), LearningAside(agent, np.random.default_rng(5))
        aside.learn(network, 3)
        once = network.parameters
        aside.learn(network, 3)
        found.append(np.concatenate([once, network.parameters]))
        assert aside.updates == 6
    np.testing.assert_array_equal(*found)


@pytest.mark.parametrize(("unit", "every"), [("updates", 4), ("steps", 2)])
def test_the_target_moves_after_as_many_updates_as_in_training(unit, every):
    """With two updates a step; the fifth update is the first that meets the moved target."""
    agents = [playing_agent(target_every=n, target_unit=unit, updates_per_step=2, loss="mse") for n in (every, 10_000)]
    network, found = agents[0].network, []
    for n in (4, 5):
        here = []
        for agent in agents:
            learner = network.copy()
            agent.replay.set_state(agents[0].replay.get_state())
            LearningAside(agent, np.random.default_rng(5)).learn(learner, n)
            here.append(learner.parameters)
        found.append(np.array_equal(*here))
    assert found == [True, False]


def test_an_empty_memory_allows_no_update():
    agent = backends.find("native").DQNAgent(CARTPOLE, "1x8-relu", replay_capacity=50, batch_size=4)
    network = agent.network.like("1x4-relu", 1)
    before, aside = network.parameters, LearningAside(agent, np.random.default_rng(5))
    assert aside.learn(network, 3)["steps"] == 0
    np.testing.assert_array_equal(network.parameters, before)
    assert aside.updates == 0


def test_schedules_stand_still_at_the_agents_step():
    """Oracle: SGD's steps are in proportion to the learning rate, of which half the steps leave half."""
    moved = []
    for schedule in ("constant", "linear"):
        agent = playing_agent(optimizer="sgd", learning_rate=0.1, gradient_clip_by="none")
        settings = {"steps": 2 * agent.steps, "learning_rate_schedule": schedule}
        agent = playing_agent(optimizer="sgd", learning_rate=0.1, gradient_clip_by="none", warm_up=10_000, **settings)
        network = agent.network.like("1x4-tanh", 1)
        before = network.parameters
        LearningAside(agent, np.random.default_rng(5)).learn(network, 1)
        moved.append(network.parameters - before)
    np.testing.assert_allclose(moved[1], 0.5 * moved[0], rtol=1e-2, atol=1e-6)


def test_it_stops_when_it_is_told_to_and_says_so_again():
    agent, token = playing_agent(), StopToken()
    aside = LearningAside(agent, np.random.default_rng(5), token)
    aside.learn(agent.network.copy(), 2)
    aside.check()
    token.set()
    with pytest.raises(Stopped):
        aside.learn(agent.network.copy(), 2)
    with pytest.raises(Stopped):
        aside.check()
    assert aside.updates == 2
