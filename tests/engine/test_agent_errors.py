"""What is not finite is found, said in which episode, and costs no episode that has ended."""

import re

import numpy as np
import pytest

from nasdqn_fast.errors import NonFiniteError, StepError
from nasdqn_fast.seeding import Streams

ALWAYS_GREEDY = {"policy_epsilon_start": 0.0, "policy_epsilon_end": 0.0}
FAULT_RATE, LENGTH, SEED = 0.2, 4, 24  # six episodes end before the first faulty one starts
WHAT = {"reward": "reward", "observation": "observation", "reset": "observation"}


def agent_on(engine, environment, **settings):
    small = {"batch_size": 4, "replay_capacity": 50, "warm_up": 10**6}
    return engine.DQNAgent(environment, "1x4-relu", **(small | settings))


@pytest.mark.parametrize("fault", WHAT)
def test_what_an_environment_returns_must_be_finite(engine, scripted, episodes_before_fault, fault):
    ended = episodes_before_fault(Streams(SEED).env, LENGTH, FAULT_RATE)
    assert ended == 6
    agent = agent_on(engine, scripted(length=LENGTH, fault_rate=FAULT_RATE, fault=fault), rng=SEED)
    message = f"non-finite {WHAT[fault]} in episode {ended + 1}: the environment .* returned it; check its parameters"
    with pytest.raises(NonFiniteError, match=message):
        agent.run_episodes(ended + 1)
    assert agent.run_episodes(ended).lengths.tolist() == [LENGTH] * ended
    assert np.isfinite(agent.replay.transitions().observations).all()


@pytest.mark.parametrize("fault", WHAT)
def test_what_a_played_environment_returns_must_be_finite(engine, scripted, fault):
    agent = agent_on(engine, scripted(fault_rate=1, fault=fault))
    with pytest.raises(NonFiniteError, match=f"non-finite {WHAT[fault]} in episode 1: the environment .* returned it"):
        agent.play_episodes(1)


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("method", ["run_episodes", "play_episodes"])
def test_an_environments_error_flag_is_raised(engine, scripted, num_envs, method):
    agent = agent_on(engine, scripted(fault_rate=1, fault="error"), num_envs=num_envs)
    with pytest.raises(StepError, match="reported an error"):
        getattr(agent, method)(1)


def test_an_error_flag_costs_no_episode_that_has_ended(engine, scripted, episodes_before_fault):
    ended = episodes_before_fault(Streams(SEED).env, LENGTH, FAULT_RATE)
    agent = agent_on(engine, scripted(length=LENGTH, fault_rate=FAULT_RATE, fault="error"), rng=SEED)
    with pytest.raises(StepError, match="reported an error"):
        agent.run_episodes(ended + 1)
    assert agent.run_episodes(ended).lengths.tolist() == [LENGTH] * ended


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_diverging_loss_is_reported_with_its_episode_and_the_mend(engine, scripted, optimizer, cpu_target):
    """Updates begin in the third episode, and the second one meets weights of 1e30."""
    environment = scripted(length=LENGTH, reward_of_step=1e3)
    agent = agent_on(engine, environment, warm_up=9, learning_rate=1e30, optimizer=optimizer)
    message = "non-finite loss in episode 3: lower learning_rate (now 1e+30)"
    with pytest.raises(NonFiniteError, match=re.escape(message)):
        agent.run_episodes(5)
    assert agent.run_episodes(2).lengths.tolist() == [LENGTH] * 2


@pytest.mark.parametrize("bad", [np.nan, -np.inf])
def test_weights_that_are_not_finite_are_found_at_the_end_of_the_episode(engine, scripted, bad, cpu_target):
    """Of the last action, which is never taken here, so that no loss tells of it."""
    agent = agent_on(engine, scripted(length=LENGTH), **ALWAYS_GREEDY)
    agent.run_episodes(2)
    agent.network.biases[-1][2] = bad
    with pytest.raises(NonFiniteError, match="non-finite weights in episode 3: lower learning_rate"):
        agent.run_episodes(2)
    assert agent.steps == 3 * LENGTH


@pytest.mark.parametrize("held", ["network", "target"])
def test_a_loss_of_weights_that_are_not_finite_names_them(engine, scripted, held, assert_equal_runs):
    agent = agent_on(engine, scripted(length=LENGTH), warm_up=0, optimizer="adam")
    agent.run_episodes(1)
    before, steps = agent.network.parameters, agent.optimizer.steps
    getattr(agent, held).biases[-1][:] = np.inf
    broken = agent.network.parameters
    for learn in (agent.learn, lambda: agent.run_episodes(1)):
        with pytest.raises(
            NonFiniteError, match=f"non-finite loss in episode 2: the weights of the {held} are not finite"
        ):
            learn()
    assert agent.network.parameters.tobytes() == broken.tobytes()
    assert (agent.optimizer.steps, agent.updates) == (steps, LENGTH)
    agent.network.parameters = agent.target.parameters = before
    assert np.isfinite(agent.learn())


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("batch_size", [8, 100])  # a panel of the kernels, and two
def test_a_loss_that_is_too_large_leaves_everything_as_it_was(engine, scripted, optimizer, batch_size, cpu_target):
    """A reward of 3e38 and Q-values of as much the other way have no difference in float32."""
    settings = {"optimizer": optimizer, "batch_size": batch_size, "replay_capacity": 200}
    agent = agent_on(engine, scripted(length=LENGTH), **settings)
    agent.run_episodes(3)
    assert np.isfinite(agent.learn())
    state = agent.get_state()
    agent.replay.add(np.zeros(3, np.float32), 0, 3e38, np.zeros(3, np.float32), True, False)
    agent.network.biases[-1][:] = -3e38
    before, steps = agent.network.parameters, agent.optimizer.get_state()

    def learn_until_it_is_drawn():
        nonlocal before, steps
        for _ in range(500):
            agent.learn()
            before, steps = agent.network.parameters, agent.optimizer.get_state()

    with pytest.raises(NonFiniteError, match="non-finite loss in episode 4: lower learning_rate"):
        learn_until_it_is_drawn()
    assert agent.network.parameters.tobytes() == before.tobytes()
    for name, value in agent.optimizer.get_state().items():
        np.testing.assert_array_equal(value, steps[name])
    assert agent.target.parameters.tobytes() == state["target"].tobytes()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"replay": 3}, r"replay must be a \w+ of .*; got int 3; make a ReplayBuffer\(capacity, 3\)"),
        ({"rng": "x"}, r"rng must be an int >= 0 or a numpy.random.Generator; got str 'x'; pass a seed, as rng=0"),
    ],
)
def test_an_argument_of_the_wrong_type_is_named(engine, scripted, arguments, message):
    with pytest.raises(TypeError, match=message):
        agent_on(engine, scripted(), **arguments)


@pytest.mark.parametrize("network", ["2x8-relu", None])
def test_only_a_network_takes_a_networks_place(engine, scripted, network):
    agent = agent_on(engine, scripted())
    before = agent.network
    with pytest.raises(
        TypeError, match=r"network must be a QNetwork of .*; got .*; make a QNetwork\(architecture, 3, 3"
    ):
        agent.switch_network(network)
    assert agent.network is before
