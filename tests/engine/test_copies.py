"""Whatever a user holds of an engine can be pickled and copied: to the bit, and sharing nothing with the original."""

import copy
import pickle

import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.envs.kernel import EnvKernel
from nasdqn_fast.errors import InputError, Stopped
from nasdqn_fast.seeding import STREAMS, Streams

COPIES = {
    "pickle": lambda thing: pickle.loads(pickle.dumps(thing)),
    "oldest-pickle": lambda thing: pickle.loads(pickle.dumps(thing, protocol=2)),
    "copy": copy.copy,
    "deepcopy": copy.deepcopy,
}


@pytest.fixture(params=COPIES)
def copied(request):
    return COPIES[request.param]


def transitions(n, size=3, seed=0):
    rng = np.random.default_rng(seed)
    return (
        rng.normal(size=(n, size)).astype(np.float32),
        rng.integers(3, size=n),
        rng.normal(size=n).astype(np.float32),
        rng.normal(size=(n, size)).astype(np.float32),
        rng.random(n) < 0.2,
        rng.random(n) < 0.2,
    )


def trained_agent(engine, env, **settings):
    settings = {"optimizer": "adam", "num_envs": 3, "warm_up": 20, "batch_size": 8, "target_every": 7, **settings}
    agent = engine.DQNAgent(env, "16,8-tanh", rng=4, replay_capacity=50, **settings)
    agent.run_episodes(10)
    return agent


def test_a_network_keeps_its_parameters_to_the_bit_and_shares_none(engine, copied):
    network = engine.QNetwork("5,7-leaky_relu", 3, 2, rng=1)
    network.weights[0][1, 2], network.biases[1][0] = np.nan, -np.inf
    network.named = "by its user"
    twin = copied(network)
    assert type(twin) is type(network)
    assert (twin.architecture, twin.observation_size, twin.n_actions, twin.named) == (
        network.architecture,
        3,
        2,
        "by its user",
    )
    assert twin.parameters.tobytes() == network.parameters.tobytes()
    twin.weights[0][...] = 0  # views of the copy's own parameters
    assert not twin.parameters[:15].any()
    assert network.weights[0].any()


def test_a_gradients_views_are_of_its_own_parameters(engine, copied):
    network = engine.QNetwork("5,7-relu", 3, 2, rng=1)
    x = np.ones((4, 3), np.float32)
    _, gradient = network.loss_and_gradient(x, np.zeros(4, int), np.ones(4, np.float32))
    twin = copied(gradient)
    assert twin.parameters.tobytes() == gradient.parameters.tobytes()
    for theirs, ours in zip(twin.weights + twin.biases, gradient.weights + gradient.biases, strict=True):
        np.testing.assert_array_equal(theirs, ours)
    if copied is not copy.copy or engine.__name__ == "nasdqn_fast.engine":
        twin.weights[0][...] = 9
        assert (twin.parameters[:15] == 9).all()
        assert not (gradient.parameters == 9).any()


@pytest.mark.parametrize("stored", [0, 5, 20, 33])
def test_a_memory_keeps_its_order_and_its_draws(engine, copied, stored):
    replay = engine.ReplayBuffer(20, 3, rng=7)
    replay.add_batch(*transitions(stored))
    if stored:
        replay.sample(3)
    twin = copied(replay)
    for memory in (replay, twin):
        memory.add_batch(*transitions(4, seed=1))
    for name, array in vars(replay.transitions()).items():
        np.testing.assert_array_equal(array, getattr(twin.transitions(), name))
    drawn = twin.sample(50)
    for name, array in vars(replay.sample(50)).items():
        np.testing.assert_array_equal(array, getattr(drawn, name))
    assert twin.get_state()["rng"] == replay.get_state()["rng"]


@pytest.mark.parametrize("kind", ["sgd", "adam"])
@pytest.mark.parametrize("steps", [0, 3])
def test_an_optimizer_steps_on_as_the_original_does(engine, copied, kind, steps):
    networks = [engine.QNetwork("5,7-relu", 3, 2, rng=1) for _ in range(2)]
    x, actions, targets = np.ones((4, 3), np.float32), np.zeros(4, int), np.full(4, 3, np.float32)
    optimizer = engine.Optimizer(kind, 0.01, clip=0.5, beta1=0.8, beta2=0.99, epsilon=1e-3)
    for _ in range(steps):
        networks[0].apply_gradient(networks[0].loss_and_gradient(x, actions, targets)[1], optimizer)
    networks[1].copy_from(networks[0])
    twin = copied(optimizer)
    assert twin.settings == optimizer.settings
    for network, rule in zip(networks, (optimizer, twin), strict=True):
        for _ in range(3):
            network.apply_gradient(network.loss_and_gradient(x, actions, targets)[1], rule)
    assert networks[0].parameters.tobytes() == networks[1].parameters.tobytes()
    assert twin.steps == optimizer.steps == steps + 3


@pytest.mark.parametrize("settings", [{}, {"optimizer": "sgd", "num_envs": 1}])
def test_an_agent_trains_on_to_the_same_bits(engine, copied, scripted, assert_equal_runs, settings):
    agent = trained_agent(engine, scripted(length=7.0), **settings)
    twin = copied(agent)
    assert_equal_runs(twin, agent)
    before = pickle.dumps(agent.get_state())
    played = twin.run_episodes(10)
    assert pickle.dumps(agent.get_state()) == before  # it shares nothing
    for name, array in vars(agent.run_episodes(10)).items():
        np.testing.assert_array_equal(array, getattr(played, name))
    assert_equal_runs(twin, agent)
    np.testing.assert_array_equal(twin.play_episodes(2).lengths, agent.play_episodes(2).lengths)
    assert twin.learn() == agent.learn()
    assert twin.streams.child("guard", 1).random() == agent.streams.child("guard", 1).random()


def test_an_agent_that_has_not_begun_and_one_that_was_stopped(engine, copied, scripted, assert_equal_runs):
    agent = engine.DQNAgent(scripted(length=7.0), "8-relu", rng=4, replay_capacity=50, batch_size=8, warm_up=5)
    for _ in range(2):
        twin = copied(agent)
        assert_equal_runs(twin, agent)
        stop = StopToken()
        stop.set()
        for each in (agent, twin):
            each.run_episodes(3)
            with pytest.raises(Stopped):
                each.run_episodes(1, stop)
        assert_equal_runs(twin, agent)


@pytest.mark.parametrize("copied", [COPIES["pickle"], copy.deepcopy], ids=["pickle", "deepcopy"])
def test_what_is_shared_stays_shared(engine, copied, scripted):
    rng = np.random.default_rng(3)
    replay = engine.ReplayBuffer(50, 3, rng)
    agent = engine.DQNAgent(scripted(), "8-relu", rng=4, replay=replay, batch_size=8, warm_up=10)
    agents, memory, network, generator = copied(([agent, agent], replay, agent.network, rng))
    assert agents[0] is agents[1]
    assert agents[0].replay is memory
    assert agents[0].network is network
    before = generator.bit_generator.state
    memory.add_batch(*transitions(9))
    memory.sample(5)
    assert generator.bit_generator.state != before
    own = copied(engine.DQNAgent(scripted(), "8-relu", rng=4, warm_up=10, batch_size=8, replay_capacity=9))
    before = own.streams.replay.bit_generator.state
    own.run_episodes(5)
    assert own.streams.replay.bit_generator.state != before


def test_streams_draw_on_alike(copied):
    streams = Streams(5)
    streams.env.random(3)
    twin = copied(streams)
    for name in STREAMS:
        assert getattr(twin, name) is not getattr(streams, name)
        assert getattr(twin, name).random() == getattr(streams, name).random()
        assert twin.child(name, 2).random() == streams.child(name, 2).random()


def test_a_stop_token_is_copied_as_a_fresh_one(copied):
    token = StopToken()
    token.set(15)
    twin = copied(token)
    assert (twin.reason, token.reason) == (0, 15)


def test_an_environment_and_its_compiled_form(copied, scripted):
    environment = scripted(length=3.0, limit=9)
    twin = copied(environment)
    assert twin.fingerprint() == environment.fingerprint()
    assert copied(environment.kernel).fingerprint() == environment.kernel.fingerprint()
    core = copied(EnvironmentCore(environment))
    observation = np.zeros(3, np.float32)
    core.reset(np.array([0.5, 0.25]), np.zeros(2), observation)
    np.testing.assert_array_equal(observation, [0, 0.5, 0.25])


def test_an_agent_of_a_subclass_with_attributes_of_its_own(engine, copied, scripted):
    agent = trained_agent(engine, scripted())
    agent.note = ["mine"]
    assert copied(agent).note == ["mine"]


def kernel_of_local_functions():
    def reset(params, uniforms, state, obs):
        obs[0] = 0

    return EnvKernel(
        reset,
        lambda params, uniforms, state, action, obs, reward: 1,
        {},
        state_size=0,
        observation_size=1,
        n_actions=1,
        observation_low=(0.0,),
        observation_high=(1.0,),
        max_episode_steps=3,
    )


def test_functions_that_pickle_cannot_find_are_one_clear_error(engine):
    kernel = kernel_of_local_functions()
    for held in (kernel, kernel.bind(), engine.DQNAgent(kernel, "4-relu", replay_capacity=9, batch_size=1)):
        with pytest.raises(pickle.PicklingError, match=r"reset of the environment kernel cannot .*<locals>"):
            pickle.dumps(held)
        with pytest.raises(InputError, match="define it with def at the top level of a module"):
            pickle.dumps(held)
        copy.deepcopy(held)  # needs no name
        copy.copy(held)


@pytest.mark.parametrize("name", ["inverted-pendulum", "cartpole", "acrobot", "mountain-car"])
def test_every_built_in_environment(name, copied):
    environment = envs.make(name)
    assert copied(environment).fingerprint() == environment.fingerprint()
    assert copied(environment.kernel).bind().fingerprint() == environment.fingerprint()
