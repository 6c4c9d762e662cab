"""Populations: one network is the plain agent, several choose their target by the loss, and both backends agree."""

import copy
import pickle
import threading

import gymnasium
import numpy as np
import pytest
from gymnasium.vector import AutoresetMode, SyncVectorEnv

from nasdqn_fast import envs
from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine import backends
from nasdqn_fast.errors import NonFiniteError, Stopped

SMALL = {"warm_up": 50, "batch_size": 32, "target_every": 40, "policy_epsilon_decay": 0.8}
NETWORKS = ("2x16-relu", "1x9-tanh", "3x5-leaky_relu")
BACKENDS = pytest.mark.parametrize("backend", backends.NAMES)
VARIANTS = {
    "the paper's agent": {},
    "adam, falling rate": {"optimizer": "adam", "learning_rate_schedule": "linear", "steps": 5_000},
    "prioritized draws": {"replay_sampling": "prioritized"},
    "not double": {"double": False},
    "lanes, copies by steps": {"num_envs": 3, "target_unit": "steps", "updates_per_train": 2},
    "n steps, copies after the updates": {"n_step": 3, "target_unit": "steps", "target_moves": "after", "num_envs": 2},
    "normalized": {"normalize_observations": True},
    "random steps": {"random_steps": 100},
    "two panels a batch": {"batch_size": 70},
}


def population(backend="native", networks=NETWORKS, env="cartpole", **settings):
    settings = SMALL | settings
    return backends.find(backend).DQNPopulation(env, networks, rng=settings.pop("rng", 1), **settings)


def play(one, episodes):
    """So many episodes, and every choice on the way: returns, losses, actors and choices."""
    played, choices = [], []
    while len(played) < episodes:
        ended = one.run_episodes(1)
        played += zip(ended.returns, ended.losses, ended.epsilons, one.actors, strict=True)
        if (choice := one.take_choice()) is not None:
            choices.append((choice.updates, choice.chosen, *choice.losses))
    return np.array(played), np.array(choices)


@pytest.mark.quick_only(backend="native")
@pytest.mark.quick_only(variant=VARIANTS["lanes, copies by steps"])
@pytest.mark.parametrize("variant", [*VARIANTS.values(), {"target_tau": 0.3}], ids=[*VARIANTS, "Polyak averaging"])
@BACKENDS
def test_one_network_is_the_plain_agent(backend, variant):
    """Oracle: the agent, to the bit, in what it plays, learns, draws and saves."""
    settings = SMALL | variant
    agent = backends.find(backend).DQNAgent("cartpole", NETWORKS[0], rng=1, **settings)
    one = population(backend, NETWORKS[:1], **settings)
    expected, found = agent.run_episodes(20), one.run_episodes(20)
    for name in ("returns", "lengths", "losses", "epsilons"):
        np.testing.assert_array_equal(getattr(found, name), getattr(expected, name))
    assert one.updates > 100
    assert one.take_choice() is None
    assert one.learn() == agent.learn()
    state = one.get_state()
    state.pop("population")
    np.testing.assert_equal(state, agent.get_state())


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_backends_play_choose_and_act_alike(variant):
    """Oracle: the twin, as long as rounding has not parted the two."""
    native, twin = (population(backend, **variant) for backend in backends.NAMES)
    (ours, our_choices), (theirs, their_choices) = play(native, 12), play(twin, 12)
    np.testing.assert_allclose(ours, theirs, rtol=1e-3)
    np.testing.assert_allclose(our_choices, their_choices, rtol=1e-3)
    assert len(our_choices) > 1
    assert native.streams.get_state() == twin.streams.get_state()
    twin.set_state(native.get_state())
    assert twin.learn() == pytest.approx(native.learn(), rel=1e-5)
    for one, other in zip(native.members, twin.members, strict=True):
        np.testing.assert_allclose(one.network.parameters, other.network.parameters, atol=1e-4)
    np.testing.assert_allclose(native.losses, twin.losses, rtol=1e-4)


@pytest.mark.quick_only(backend="native")
@BACKENDS
def test_the_target_becomes_a_copy_of_the_network_of_the_least_loss(backend):
    several = population(backend, optimizer="adam", learning_rate=3e-3)
    chosen = set()
    for _ in range(20):
        while (choice := several.take_choice()) is None:
            several.run_episodes(1)
        chosen.add(choice.chosen)
        assert choice.updates == several.updates
        assert choice.updates % SMALL["target_every"] == 0
        assert choice.chosen == several.chosen == np.argmin(choice.losses)
        assert several.network is several.members[choice.chosen].network
        assert several.target.architecture == several.network.architecture
        np.testing.assert_array_equal(several.target.parameters, several.network.parameters)
        assert not several.losses.any()
    assert len(chosen) > 1


@pytest.mark.parametrize("double", [True, False])
@BACKENDS
def test_all_learn_one_minibatch_towards_one_target(backend, double):
    """Oracle: each network alone in an agent with the same memory and draws, and the target's values written out."""
    several = population(backend, double=double, loss="mse", warm_up=0, replay_capacity=200, target_every=1_000)
    several.run_episodes(2)
    before = several.get_state()
    target, gamma = several.target, several.settings.gamma
    batch = copy.deepcopy(several.replay).sample(several.settings.batch_size)
    rows, over = np.arange(len(batch)), batch.terminated | batch.truncated
    losses = []
    for member in several.members:
        chooser = member.network if double else target
        best = np.argmax(chooser.forward(batch.next_observations), axis=1)
        y = batch.rewards + gamma * np.where(over, 0, target.forward(batch.next_observations)[rows, best])
        losses.append(np.mean((member.network.forward(batch.observations)[rows, batch.actions] - y) ** 2.0))
    assert several.learn() == pytest.approx(np.mean(losses), rel=1e-4)
    gained = several.losses - before["population"]["losses"]
    np.testing.assert_allclose(gained, np.array(losses) / 2, rtol=1e-4)


@BACKENDS
def test_networks_act_by_the_reciprocal_of_their_loss(backend):
    """Oracle: shares of the greedy actions in one long episode, within four standard deviations of a binomial."""
    n, losses = 3_000, np.array([0.5, 2.0, 1.0])
    env = envs.make("inverted-pendulum", max_episode_steps=10 * n)
    still = {"policy_epsilon_start": 0.2, "policy_epsilon_end": 0.2, "warm_up": 10 * n, "steps": n}
    several = population(backend, env=env, **still)
    state = several.get_state()
    state["population"]["losses"] = losses
    several.set_state(state)
    assert len(several.run_episodes(1)) == 0
    acted = several.get_state()["population"]["acted"][0]
    expected = 1 / (losses + 1e-6) / np.sum(1 / (losses + 1e-6))
    assert abs(acted.sum() / n - 0.8) < 4 * np.sqrt(0.16 / n)
    spread = np.sqrt(expected * (1 - expected) / acted.sum())
    assert np.all(abs(acted / acted.sum() - expected) < 4 * spread)


def test_the_step_that_begins_a_row_is_nobodys_action():
    """Oracle: an episode without random actions has as many that are counted as steps."""
    rows = SyncVectorEnv([lambda: gymnasium.make("CartPole-v1")] * 3, autoreset_mode=AutoresetMode.NEXT_STEP)
    greedy = {"policy_epsilon_start": 0.0, "policy_epsilon_end": 0.0, "warm_up": 10**6}
    for backend in backends.NAMES:
        one = population(backend, env=rows, **greedy)
        one.run_episodes(7)
        counts = np.array(one.get_state()["population"]["acted"]).sum(axis=1)
        assert counts.tolist() == one.get_state()["loop"]["lane_length"].tolist()


@BACKENDS
def test_an_episode_without_a_greedy_action_is_the_targets(backend):
    several = population(backend, random_steps=10_000, warm_up=10_000)
    assert several.run_episodes(2).returns.shape == (2,)
    assert several.actors.tolist() == [several.chosen] * 2


@pytest.mark.quick_only(left="native")
@pytest.mark.quick_only(variant="lanes, copies by steps")
@pytest.mark.parametrize("left", backends.NAMES)
@pytest.mark.parametrize("variant", ["the paper's agent", "lanes, copies by steps", "prioritized draws", "normalized"])
def test_it_continues_from_its_state(left, variant):
    """Also while a choice waits, and with a generation that has changed since."""
    whole = population(left, **VARIANTS[variant])
    play(whole, 4)
    k = (whole.chosen + 1) % 3
    whole.replace(k, "2x7-tanh+adam+lr=0.02", whole.network.like("2x7-tanh", 3))
    while not whole.choice_waits:
        whole.run_episodes(1)
    assert len(whole.run_episodes(1)) == 0, "nothing is played before the choice is taken"
    restored = population(left, rng=9, **VARIANTS[variant])
    restored.set_state(whole.get_state())
    others = [restored, pickle.loads(pickle.dumps(whole)), copy.copy(whole)]
    expected, choices = play(whole, 5)
    for other in others:
        found, found_choices = play(other, 5)
        np.testing.assert_array_equal(found, expected)
        np.testing.assert_array_equal(found_choices, choices)
        np.testing.assert_equal(other.get_state(), whole.get_state())


@BACKENDS
def test_stops_change_nothing(backend):
    """Stopped between two steps or two updates, wherever that is, it continues to the same bits."""
    expected, choices = play(population(backend, num_envs=2), 10)
    stopped, token, stops = population(backend, num_envs=2), StopToken(), 0
    run_episodes = stopped.run_episodes

    def run_with_stops(n):
        nonlocal stops
        timer = threading.Timer(0.0005, token.set)
        timer.start()
        while True:
            try:
                episodes = run_episodes(n, token)
                break
            except Stopped:
                stops += 1
                token.clear()
        timer.cancel()
        timer.join()
        token.clear()
        return episodes

    stopped.run_episodes = run_with_stops
    found, found_choices = play(stopped, 10)
    np.testing.assert_array_equal(found, expected)
    np.testing.assert_array_equal(found_choices, choices)
    assert stops or backend == "native"


@BACKENDS
def test_a_file_keeps_a_population(backend, tmp_path):
    whole = population(backend)
    play(whole, 4)
    whole.save(tmp_path / "population")
    loaded = type(whole).load(tmp_path / "population")
    np.testing.assert_array_equal(play(loaded, 4)[0], play(whole, 4)[0])


@BACKENDS
def test_each_network_has_its_own_optimizer_and_rate(backend):
    """Oracle: the plain agent with these settings."""
    candidate = f"{NETWORKS[0]}+adam+lr=0.01"
    linear = {"learning_rate_schedule": "linear", "steps": 5_000}
    one = population(backend, [candidate], **linear)
    given = SMALL | linear | {"optimizer": "adam", "learning_rate": 0.01}
    agent = backends.find(backend).DQNAgent("cartpole", NETWORKS[0], rng=1, **given)
    np.testing.assert_array_equal(one.run_episodes(10).losses, agent.run_episodes(10).losses)
    several = population(backend, [candidate, NETWORKS[0], f"{NETWORKS[1]}+lr=0.1"])
    rules = [(m.optimizer.settings.kind, m.optimizer.settings.resolved_learning_rate) for m in several.members]
    assert rules == [("adam", 0.01), ("sgd", 0.001), ("sgd", 0.1)]


@BACKENDS
def test_a_replaced_network_starts_anew(backend):
    several = population(backend)
    play(several, 5)
    k = (several.chosen + 1) % 3
    network = several.network.like("1x4-relu", 2)
    several.replace(k, "1x4-relu", network)
    assert several.members[k].network is network
    assert several.members[k].optimizer.steps == 0
    assert several.losses[k] == 0
    assert not several.get_state()["population"]["acted"][:, k].any()
    with pytest.raises(ValueError, match=f"network {several.chosen} is the one whose copy the target is"):
        several.replace(several.chosen, "1x4-relu", network)
    with pytest.raises(ValueError, match="k must be an integer from 0 to 2"):
        several.replace(3, "1x4-relu", network)
    with pytest.raises(ValueError, match="network must be 1x5-relu, as the candidate; got 1x4-relu"):
        several.replace(k, "1x5-relu", network)
    with pytest.raises(ValueError, match="network must map 4 numbers to 2 Q-values"):
        several.replace(k, "1x4-relu", type(network)("1x4-relu", 3, 2))


@BACKENDS
def test_what_cannot_be_a_population_is_refused(backend):
    with pytest.raises(ValueError, match="at least one network"):
        population(backend, [])
    with pytest.raises(ValueError, match="target_tau must be 1"):
        population(backend, target_tau=0.5)
    several = population(backend)
    with pytest.raises(ValueError, match="the state is of 2 networks, this population has 3"):
        several.set_state(population(backend, NETWORKS[:2]).get_state())
    for key, value in {"chosen": 3, "n_losses": -1, "losses": np.zeros(2), "acted": np.zeros((1, 3))}.items():
        state = several.get_state()
        state["population"][key] = value
        with pytest.raises((TypeError, ValueError), match=key):
            several.set_state(state)
    state = several.get_state()
    state["loop"] |= {f"ended_{name}": np.ones(1) for name in ("reward_sum", "mean_loss", "epsilon")}
    state["loop"] |= {"ended_length": np.ones(1, np.int64), "ended_actor": np.array([3])}
    with pytest.raises(ValueError, match="ended_actor must be from 0 to 2"):
        several.set_state(state)


@BACKENDS
def test_a_loss_that_is_not_finite_names_the_weights_it_is_of(backend):
    several = population(backend, warm_up=0)
    play(several, 1)
    network = several.members[2].network
    network.parameters = np.full_like(network.parameters, np.inf)
    with pytest.raises(NonFiniteError, match="the weights of the network are not finite"):
        several.learn()
