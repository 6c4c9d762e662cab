"""Another network acts in training while the agent's own learns from what it meets."""

import pickle

import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast.engine import backends

CASES = {
    "the paper's agent": {},
    "lanes, statistics": {"num_envs": 3, "normalize_observations": True},
    "lanes, n-step returns": {"num_envs": 2, "n_step": 3, "optimizer": "adam"},
}
GREEDY = {"policy_epsilon_start": 0.0, "policy_epsilon_end": 0.0}


def agent_of(engine, environment="cartpole", **settings):
    """An agent in the middle of its training, with a stand-in of another architecture."""
    settings = {"warm_up": 60, "replay_capacity": 400, "batch_size": 16, "target_every": 50} | settings
    agent = engine.DQNAgent(envs.make(environment, max_episode_steps=30), "2x8-relu", rng=1, **settings)
    agent.run_episodes(6)
    old = agent.network
    agent.switch_network(old.like("9,17-tanh", 5))
    agent.act_with(old)
    return agent


def newest(agent, before):
    """Observations and actions of the steps since, oldest first; all of them are still in the memory."""
    n = agent.steps - before
    batch = agent.replay.transitions()
    return batch.observations[-n:], batch.actions[-n:]


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("is_sum", [False, True])
def test_its_greedy_actions_are_taken(engine, num_envs, is_sum):
    """Oracle: its Q-values of the observations that were stored, by Python; the agent's own would act otherwise."""
    agent = agent_of(engine, num_envs=num_envs, **GREEDY)
    if is_sum:
        agent.act_with(agent.stand_in.plus([(agent.network.like("1x5-relu", 3), 1)]))
    stand_in, before = agent.stand_in, agent.steps
    agent.run_episodes(4)
    observations, actions = newest(agent, before)
    np.testing.assert_array_equal(stand_in.forward(observations).argmax(axis=1), actions)
    assert np.mean(agent.network.forward(observations).argmax(axis=1) != actions) > 0.05


def test_it_is_a_copy_that_does_not_learn(engine):
    agent = agent_of(engine)
    start, own = agent.stand_in.parameters, agent.network.parameters
    agent.run_episodes(3)
    np.testing.assert_array_equal(agent.stand_in.parameters, start)
    assert np.abs(agent.network.parameters - own).max() > 1e-4
    agent.act_with(agent.network)
    agent.network.weights[0][...] = 7
    assert not (agent.stand_in.weights[0] == 7).any()
    agent.run_episodes(1)


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_the_kernels_act_and_learn_as_the_twin(settings):
    native, twin = (agent_of(backends.find(backend), **settings) for backend in backends.NAMES)
    twin.set_state(native.get_state())
    for _ in range(4):
        ours, theirs = native.run_episodes(1), twin.run_episodes(1)
        np.testing.assert_array_equal(ours.returns, theirs.returns)
        np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-4)
    np.testing.assert_allclose(native.network.parameters, twin.network.parameters, atol=1e-5)


def test_the_agents_own_network_is_played_and_asked(engine):
    agent = agent_of(engine)
    without = type(agent)(agent.environment, agent.network.copy())
    np.testing.assert_array_equal(agent.play_episodes(5, rng=2).returns, without.play_episodes(5, rng=2).returns)
    observations = agent.replay.transitions().observations
    np.testing.assert_array_equal(agent.act(observations), agent.network.forward(observations).argmax(axis=1))


@pytest.mark.parametrize(
    "ending", [lambda agent: agent.act_with(None), lambda agent: agent.switch_network(agent.network)]
)
def test_it_ends(engine, ending):
    """Oracle: the greedy actions of the agent's own network, which learns nothing here."""
    agent = agent_of(engine, **GREEDY, warm_up=10**6)
    ending(agent)
    assert agent.stand_in is None
    before = agent.steps
    agent.run_episodes(2)
    observations, actions = newest(agent, before)
    np.testing.assert_array_equal(agent.network.forward(observations).argmax(axis=1), actions)


@pytest.mark.quick_only(engine="native")
@pytest.mark.quick_only(settings=CASES["the paper's agent"])
@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_an_agent_with_a_stand_in_continues_to_the_bit(engine, settings, tmp_path, assert_equal_runs):
    """By its state, a file and a pickle, against the run that was left alone."""
    whole = agent_of(engine, **settings)
    whole.run_episodes(2)
    whole.save(tmp_path / "agent.npz")
    loaded, copied = type(whole).load(tmp_path / "agent.npz"), pickle.loads(pickle.dumps(whole))
    restored = agent_of(engine, **settings)
    restored.act_with(None)
    restored.set_state(whole.get_state())
    expected = whole.run_episodes(3)
    for other in (loaded, copied, restored):
        np.testing.assert_array_equal(other.run_episodes(3).losses, expected.losses)
        assert_equal_runs(other, whole)
        assert repr(other.stand_in) == repr(whole.stand_in)


def test_what_cannot_stand_in_is_refused(engine):
    agent = agent_of(engine)
    for network, message in (
        ("1x2-relu", "network must be a QNetwork"),
        (engine.QNetwork("1x2-relu", 3, 2), "to 2 Q-values"),
    ):
        with pytest.raises((TypeError, ValueError), match=message):
            agent.act_with(network)
    assert str(agent.stand_in.architecture) == "2x8-relu"
    population = engine.DQNPopulation("cartpole", ["1x2-relu", "1x3-relu"], replay_capacity=10, batch_size=2)
    with pytest.raises(ValueError, match="a population draws which of its networks acts"):
        population.act_with(agent.stand_in)
