"""Ensembles: each network learns as an agent of its own would from the same minibatches, and one acts."""

import copy
import pickle

import numpy as np
import pytest

from nasdqn_fast.engine import backends
from nasdqn_fast.engine.agent import DQNAgent

SMALL = {"warm_up": 50, "batch_size": 32, "target_every": 40, "policy_epsilon_decay": 0.8}
NETWORKS = ("2x16-relu", "1x9-tanh+adam+lr=0.001", "3x5-leaky_relu")
BACKENDS = pytest.mark.parametrize("backend", backends.NAMES)
VARIANTS = {
    "the paper's agent": {},
    "adam, falling rate": {"optimizer": "adam", "learning_rate_schedule": "linear", "steps": 5_000},
    "prioritized draws": {"replay_sampling": "prioritized"},
    "lanes, copies by steps": {"num_envs": 3, "target_unit": "steps", "updates_per_train": 2},
    "n steps, copies after the updates": {"n_step": 3, "target_unit": "steps", "target_moves": "after", "num_envs": 2},
    "normalized": {"normalize_observations": True},
    "Polyak averaging": {"target_tau": 0.3},
}


def ensemble(backend="native", networks=NETWORKS, **settings):
    settings = SMALL | settings
    return backends.find(backend).DQNEnsemble("cartpole", networks, rng=settings.pop("rng", 1), **settings)


def play(one, episodes=12):
    """Episodes in which the networks take turns; the first is retired in the middle. Returns, losses and actors."""
    played = []
    for i in range(episodes):
        one.act_by(i % 3 if i < 6 else 1 + i % 2)
        if i == 6:
            one.retire(0)
        ended = one.run_episodes(1)
        played += zip(ended.returns, ended.losses, one.actors, strict=True)
    return np.array(played)


@pytest.mark.quick_only(backend="native")
@pytest.mark.quick_only(variant=VARIANTS["lanes, copies by steps"])
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@BACKENDS
def test_one_network_is_the_plain_agent(backend, variant):
    """Oracle: the agent, to the bit."""
    settings = SMALL | variant
    agent = backends.find(backend).DQNAgent("cartpole", NETWORKS[0], rng=1, **settings)
    one = ensemble(backend, NETWORKS[:1], **variant)
    expected, found = agent.run_episodes(15), one.run_episodes(15)
    for name in ("returns", "losses"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert one.updates > 60
    np.testing.assert_array_equal(one.network.parameters, agent.network.parameters)


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_backends_learn_and_act_alike(variant):
    """Oracle: the twin, as long as rounding has not parted the two."""
    native, twin = (ensemble(backend, **variant) for backend in backends.NAMES)
    np.testing.assert_allclose(play(native), play(twin), rtol=1e-3)
    assert native.updates > 60
    assert native.streams.get_state() == twin.streams.get_state()
    for one, other in zip(native.members, twin.members, strict=True):
        np.testing.assert_allclose(one.network.parameters, other.network.parameters, atol=1e-4)
        np.testing.assert_allclose(one.target.parameters, other.target.parameters, atol=1e-4)


def test_each_network_learns_as_an_agent_alone_would_from_the_same_transitions():
    """Oracle: a plain agent with the same memory, draws and network, to the bit."""
    several = ensemble()
    several.run_episodes(6)
    alone = [DQNAgent("cartpole", member.network.copy(), rng=1, **SMALL) for member in several.members[::2]]
    several = ensemble(networks=[agent.network.copy() for agent in alone])
    state = several.get_state()
    source = ensemble()
    source.run_episodes(6)
    memory, draws = source.replay.get_state(), source.streams.replay.bit_generator.state
    for one in (several, *alone):
        one.replay.set_state(memory)
        one.streams.replay.bit_generator.state = draws
    assert state["population"]["chosen"] == 0
    losses = [several.learn() for _ in range(100)]
    np.testing.assert_array_equal(losses, np.mean([[agent.learn() for _ in range(100)] for agent in alone], axis=0))
    for member, agent in zip(several.members, alone, strict=True):
        np.testing.assert_array_equal(member.network.parameters, agent.network.parameters)
        np.testing.assert_array_equal(member.target.parameters, agent.target.parameters)


@BACKENDS
def test_a_retired_network_stays_as_it_is(backend):
    one = ensemble(backend)
    one.run_episodes(6)
    one.act_by(2)
    one.retire(0)
    gone, other = one.members[0], one.members[1]
    before = [parts.parameters.copy() for parts in (gone.network, gone.target, other.network)]
    one.run_episodes(5)
    np.testing.assert_array_equal(gone.network.parameters, before[0])
    np.testing.assert_array_equal(gone.target.parameters, before[1])
    assert np.any(other.network.parameters != before[2])
    assert one.retired.tolist() == [True, False, False]


@BACKENDS
def test_only_the_network_that_acts_does(backend):
    one = ensemble(backend, policy_epsilon_start=0.1, policy_epsilon_end=0.1)
    for k in (2, 0, 1):
        one.act_by(k)
        one.run_episodes(1)
        assert one.actors.tolist() == [k]
        assert one.network is one.members[k].network
        assert one.target is one.members[k].target


@pytest.mark.quick_only(backend="native")
@pytest.mark.quick_only(variant=VARIANTS["lanes, copies by steps"])
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
@BACKENDS
def test_it_continues_from_its_state_from_copies_and_from_pickles(tmp_path, backend, variant):
    one = ensemble(backend, **variant)
    play(one, 8)
    restored = ensemble(backend, rng=9, **variant)
    restored.set_state(one.get_state())
    one.save(tmp_path / "file")
    others = [restored, copy.deepcopy(one), pickle.loads(pickle.dumps(one)), type(one).load(tmp_path / "file")]
    expected = one.run_episodes(4).returns
    for other in others:
        assert other.retired.tolist() == [True, False, False]
        np.testing.assert_array_equal(other.run_episodes(4).returns, expected)
        for member, its in zip(one.members, other.members, strict=True):
            np.testing.assert_array_equal(its.network.parameters, member.network.parameters)
            np.testing.assert_array_equal(its.target.parameters, member.target.parameters)


@BACKENDS
def test_what_makes_no_sense_is_refused(backend):
    one = ensemble(backend)
    with pytest.raises(ValueError, match="k must be an integer from 0 to 2; got 3"):
        one.act_by(3)
    with pytest.raises(ValueError, match="network 0 acts; make another act before it is retired"):
        one.retire(0)
    one.act_by(1)
    one.retire(0)
    for refused in (one.act_by, one.retire):
        with pytest.raises(ValueError, match="network 0 is retired"):
            refused(0)
    state = one.get_state()
    for change, message in [
        ({"chosen": 0}, "the network that acts is retired"),
        ({"targets": state["population"]["targets"][:2]}, "the state has 2 targets, this ensemble 3 networks"),
        ({"retired": np.zeros(2, np.uint8)}, "retired must"),
        ({"targets": [np.full_like(t, np.nan) for t in state["population"]["targets"]]}, "target must"),
    ]:
        with pytest.raises(ValueError, match=message):
            ensemble(backend).set_state(state | {"population": state["population"] | change})
