"""n-step returns: against Stable-Baselines3's own, against episodes kept as lists, and what a memory knows of them."""

import math
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine import backends
from nasdqn_fast.errors import StepError, Stopped

RECORDED = np.load(Path(__file__).parents[1] / "data" / "n_step_returns.npz")
SIZE, AFTER, GAMMAS = 13, (9, 13, 31), (0.5, 0.75, 1.0, 0.99)  # of tests/data/make_n_step_returns.py
SEQUENCES = 12


def sampled_by_number(replay, n_step, gamma, transitions):
    """Every stored transition once, by its number, which is its observation's: (return, end, terminated, discount)."""
    found = {}
    while len(found) < transitions:
        batch, discounts = replay.sample_n_step(40 * transitions, n_step, gamma)
        rows = batch.observations, batch.rewards, batch.next_observations, batch.terminated, discounts
        for observation, *parts in zip(*rows, strict=True):
            found[int(observation[0])] = tuple(np.float32(part).ravel()[0] for part in parts)
    return found


@pytest.mark.parametrize("n_envs", [1, 2, 3])
@pytest.mark.parametrize("n_step", [1, 2, 3, 4, 5])
@pytest.mark.parametrize("after", AFTER)
def test_returns_are_those_that_stable_baselines3_recorded(engine, n_envs, n_step, after):
    """Exactly, but for a discount of 0.99, whose powers and sums it rounds in single precision."""
    given = {name: RECORDED[f"{name}_{n_envs}"] for name in ("rewards", "terminated", "truncated")}
    names = ("rewards", "next_observations", "dones", "discounts")
    place = AFTER.index(after), n_step - 1
    for sequence in range(SEQUENCES):
        gamma, n = GAMMAS[sequence % len(GAMMAS)], after * n_envs
        rewards, terminated, truncated = (array[sequence, :after].ravel() for array in given.values())
        numbers = np.arange(n, dtype=np.float32)[:, None]
        replay = engine.ReplayBuffer(SIZE * n_envs, 1, rng=sequence)
        replay.add_batch(numbers, np.zeros(n, np.int64), rewards, numbers + 0.5, terminated, truncated, follows=n_envs)
        stored = range(n - len(replay), n)
        batch, discounts = replay.n_step_returns(np.arange(len(stored)), n_step, gamma)
        ours = np.stack([batch.rewards, batch.next_observations[:, 0], batch.terminated, discounts], axis=1)
        theirs = [RECORDED[f"sampled_{name}_{n_envs}"][(sequence, *place)].reshape(-1) for name in names]
        expected = np.array([[array[number % len(array)] for array in theirs] for number in stored])
        found = ours[np.argsort(batch.observations[:, 0])]
        assert np.isfinite(expected).all()
        np.testing.assert_allclose(found, expected, rtol=1e-6 if gamma == 0.99 else 0, atol=1e-6 * (gamma == 0.99))


class EpisodeLists:
    """The oracle: each lane's episodes as lists, and the numbers of the transitions held, oldest first."""

    def __init__(self, lanes, capacity):
        self.capacity, self.stored, self.place = capacity, [], {}
        self.episodes = [[] for _ in range(lanes)]  # in progress

    def add(self, lane, transition):
        """transition: number, reward, terminated, truncated."""
        episode = self.episodes[lane]
        episode.append(transition)
        self.place[transition[0]] = episode, len(episode) - 1
        self.stored = [*self.stored, transition[0]][-self.capacity :]
        if transition[2] or transition[3]:
            self.cut(lane)

    def cut(self, lane):
        self.episodes[lane] = []

    def keep(self, numbers):
        self.stored = numbers
        for lane in range(len(self.episodes)):
            self.cut(lane)

    def outcome(self, number, n_step, gamma):
        episode, start = self.place[number]
        steps = episode[start : start + n_step]
        missing = [k for k, step in enumerate(steps) if step[0] not in self.stored]
        steps = steps[: missing[0]] if missing else steps
        total = sum(gamma**k * step[1] for k, step in enumerate(steps))
        return total, steps[-1][0] + 0.5, float(steps[-1][2]), gamma ** len(steps)


ACTIONS = st.lists(
    st.one_of(
        st.tuples(st.just("step"), st.integers(1, 9)),
        st.tuples(st.just("step"), st.integers(1, 9)),
        st.tuples(st.sampled_from(["prune newest", "prune random"]), st.sampled_from([0.3, 0.5, 0.9, 1.0])),
        st.tuples(st.just("new episodes"), st.just(0)),
        st.tuples(st.just("add alone"), st.integers(1, 3)),
        st.tuples(st.just("save and load"), st.just(0)),
    ),
    max_size=14,
)


@pytest.mark.parametrize("backend", backends.NAMES)
@settings(deadline=None)
@given(
    script=ACTIONS,
    lanes=st.integers(1, 3),
    capacity=st.integers(1, 20),
    n_step=st.integers(1, 5),
    gamma=st.sampled_from([0.5, 0.75, 1.0]),
    ends=st.sampled_from([0.05, 0.4]),
    seed=st.integers(0, 1_000),
)
def test_any_script_agrees_with_episodes_kept_as_lists(backend, script, lanes, capacity, n_step, gamma, ends, seed):
    """Lanes are stored in turns, as the loop does it; what breaks their order has each of them follow nothing."""
    make, rng = backends.find(backend).ReplayBuffer, np.random.default_rng(seed)
    replay, model, number, follows = make(capacity, 1, seed), EpisodeLists(lanes, capacity), 0, 0

    def store(lane, distance):
        nonlocal number
        terminated, truncated = rng.random() < ends, rng.random() < ends / 2
        reward, at = float(rng.integers(-8, 9)) / 8, np.full(1, number, np.float32)
        replay.add(at, 0, reward, at + np.float32(0.5), terminated, truncated, follows=distance)
        if not distance:
            model.cut(lane)
        model.add(lane, (number, reward, terminated, truncated))
        number += 1

    for action, argument in script:
        if action == "step":
            for _ in range(argument):
                for lane in range(lanes):
                    store(lane, follows)
                follows = lanes
        elif action == "new episodes":
            follows = 0
        elif action == "add alone":
            for _ in range(argument):
                store(0, 0)
                model.cut(0)
            follows = 0
        elif action == "save and load":
            state, replay = replay.get_state(), make(capacity, 1)
            replay.set_state(state)
        else:
            replay.prune(argument, action.split()[1])
            model.keep(replay.transitions().observations[:, 0].astype(int).tolist())
            follows = 0
    assert replay.transitions().observations[:, 0].astype(int).tolist() == model.stored
    if model.stored:
        found = sampled_by_number(replay, n_step, gamma, len(model.stored))
        for stored in model.stored:
            assert found[stored] == model.outcome(stored, n_step, gamma)


def links(replay):
    """Of each transition, oldest first: how many transitions on its successor is, 0 for none."""
    state = replay.get_state()
    return np.roll(state["successors"], -state["next"]) if len(replay) == replay.capacity else state["successors"]


def continued(replay):
    """The same from the observations: CartPole's are real numbers of which no two steps have the same."""
    held = replay.transitions()
    first = {observation.tobytes(): i for i, observation in enumerate(held.observations)}
    over = held.terminated | held.truncated
    ends = [after.tobytes() for after in held.next_observations]
    return np.array([0 if over[i] else first.get(end, i) - i for i, end in enumerate(ends)])


def cartpole_agent(engine, num_envs, **options):
    small = {"replay_capacity": 200, "warm_up": 50, "batch_size": 4, "n_step": 3, "rng": 2}
    return engine.DQNAgent("cartpole", "1x4-relu", num_envs=num_envs, **(small | options))


@pytest.mark.parametrize("num_envs", [1, 3])
def test_the_loop_links_the_steps_of_each_lane(engine, num_envs):
    agent = cartpole_agent(engine, num_envs)
    for episodes in (1, 2, 5, 9):
        agent.run_episodes(episodes)
        np.testing.assert_array_equal(links(agent.replay), continued(agent.replay))
        if num_envs > 1:
            assert set(links(agent.replay)) == {0, num_envs}
    assert len(agent.replay) == 200 < agent.steps


ODD = np.full(4, 7, np.float32), 0, 1.0, np.full(4, 8, np.float32), False, False
CHANGES = {
    "a transition from Python": lambda engine, replay: replay.add(*ODD),
    "pruning": lambda engine, replay: replay.prune(0.5),
    "pruning at random": lambda engine, replay: replay.prune(0.8, "random", 0),
    "the memory's own state": lambda engine, replay: replay.set_state(replay.get_state()),
    "another agent": lambda engine, replay: cartpole_agent(engine, 3, replay=replay, rng=9).run_episodes(1),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_after_a_change_from_outside_nothing_is_linked_across_it(engine, change):
    """Lanes in the middle of episodes: their next steps are, to the memory, the first."""
    agent = cartpole_agent(engine, 3, replay_capacity=5_000, warm_up=10_000)
    agent.run_episodes(3)
    change(engine, agent.replay)
    before, links_before = len(agent.replay), links(agent.replay)
    agent.run_episodes(1)
    expected = continued(agent.replay)
    across = (np.arange(len(expected)) < before) & (np.arange(len(expected)) + expected >= before)
    assert across.any()
    expected[across] = 0
    np.testing.assert_array_equal(links(agent.replay), expected)
    np.testing.assert_array_equal(links(agent.replay)[:before], links_before)


def test_after_an_error_the_new_episodes_follow_nothing(engine, scripted):
    """One error in a lane: of the steps before it none is linked to one after, though the lanes are stored in turns."""
    agent = engine.DQNAgent(
        scripted(length=4, fault_rate=0.2, fault="error"), "2x8-relu", num_envs=4, rng=1, n_step=3, warm_up=10**6
    )
    errors = []
    for _ in range(30):
        try:
            agent.run_episodes(3)
        except StepError:
            errors.append(len(agent.replay))
    successors = links(agent.replay)
    places = np.arange(len(successors)) + successors
    assert len(errors) > 3
    for before in errors:
        assert (places[:before] < before).all()
    assert set(successors) == {0, 4}


def test_a_stop_between_two_steps_breaks_no_episode(engine):
    """A token that is set is noticed before the first step of each call, so that it stops in the middle of episodes."""
    agent = cartpole_agent(engine, 3)
    agent.run_episodes(2)
    token = StopToken()
    token.set()
    with pytest.raises(Stopped):
        agent.run_episodes(5, stop=token)
    agent.run_episodes(2)
    np.testing.assert_array_equal(links(agent.replay), continued(agent.replay))


def test_steps_after_a_restored_state_follow_those_before(engine):
    whole, left = (cartpole_agent(engine, 3) for _ in range(2))
    whole.run_episodes(8)
    left.run_episodes(4)
    resumed = cartpole_agent(engine, 3, rng=5)
    resumed.set_state(left.get_state())
    resumed.run_episodes(4)
    np.testing.assert_array_equal(links(resumed.replay), links(whole.replay))
    np.testing.assert_array_equal(links(whole.replay), continued(whole.replay))


def test_a_state_of_before_there_were_links_has_none(engine):
    agent, older = (cartpole_agent(engine, 1) for _ in range(2))
    agent.run_episodes(3)
    state = agent.get_state()
    del state["replay"]["successors"], state["loop"]["continues"]
    older.set_state(state)
    assert not links(older.replay).any()
    assert older.run_episodes(1).lengths == agent.run_episodes(1).lengths


@pytest.mark.parametrize("successors", [[1, 0, 0], [0, 0, -1], [0, 0, 3], [2**31 - 1, 0, 0]])
def test_a_state_whose_links_lead_out_of_the_memory_or_back_is_refused(engine, successors):
    """Of a full ring of three the oldest is in slot 1, so that slot 0 is the newest."""
    replay = engine.ReplayBuffer(3, 1)
    for i in range(4):
        replay.add(np.full(1, i, np.float32), 0, 0.0, np.full(1, i, np.float32), False, False)
    state = replay.get_state() | {"successors": np.array(successors, np.int32)}
    with pytest.raises(ValueError, match="successors must be stored transitions that are younger"):
        replay.set_state(state)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda b: b.sample_n_step(1, 3, 0.9), "the replay buffer is empty; add transitions before sampling"),
        (lambda b: b.sample_n_step(1, 0, 0.9), "n_step must be an integer >= 1; got 0"),
        (lambda b: b.sample_n_step(1, 3, 1.5), r"gamma must be a number in \[0, 1\]; got 1.5"),
        (lambda b: b.add(*ODD, follows=-1), "follows must be an integer from 0 to 2147483647; got -1"),
    ],
)
def test_bad_arguments_are_named(engine, call, message):
    with pytest.raises(ValueError, match=message):
        call(engine.ReplayBuffer(5, 4))


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("horizon_is", ["terminal", "truncated"])
def test_the_target_of_an_update_is_the_textbooks(engine, scripted, num_envs, horizon_is):
    """A loss by hand: episodes of 5 steps, the horizon; the network and its target give 0 but for biases."""
    agent = engine.DQNAgent(
        scripted(length=100, limit=5, reward_of_step=0.25), "1x4-relu", num_envs=num_envs, n_step=3, gamma=0.5,
        horizon_is=horizon_is, warm_up=10**6, loss="mse", batch_size=500, replay_capacity=500,
    )  # fmt: skip
    agent.run_episodes(30)
    for network, value in ((agent.network, 0.0), (agent.target, 2.0)):
        parameters = np.zeros_like(network.parameters)
        parameters[-network.n_actions :] = value
        network.parameters = parameters
    slots = np.random.default_rng(0)
    slots.bit_generator.state = agent.replay.rng.bit_generator.state
    state, drawn = agent.replay.get_state(), slots.integers(0, len(agent.replay), 500)
    target = {}
    for slot in np.unique(drawn):
        step = round(state["next_observations"][slot][0] * 8)  # of its episode, from 1
        newest = len(agent.replay) - 1 - slot
        rows = min(3, 6 - step, newest // num_envs + 1)
        y = sum(0.5**k * 0.25 * (step + k) for k in range(rows))
        ended = step + rows - 1 == 5
        target[slot] = y if ended and horizon_is == "terminal" else y + 0.5**rows * 2.0
    expected = math.fsum(target[slot] ** 2 for slot in drawn) / 500
    assert agent.learn() == pytest.approx(expected, rel=1e-6)


def test_returns_of_given_slots_are_those_of_uniform_draws_that_meet_them(engine):
    agent = cartpole_agent(engine, 2, warm_up=10**6, rng=1)
    agent.run_episodes(5)
    slots = np.random.default_rng(9).integers(0, len(agent.replay), size=80)
    slots.flags.writeable = False
    agent.replay.rng.bit_generator.state = np.random.default_rng(9).bit_generator.state
    drawn, given = agent.replay.sample_n_step(80, 3, 0.9), agent.replay.n_step_returns(slots, 3, 0.9)
    np.testing.assert_array_equal(drawn[1], given[1])
    for name, values in vars(drawn[0]).items():
        np.testing.assert_array_equal(values, getattr(given[0], name), err_msg=name)
    assert len(agent.replay.n_step_returns(slots[:0], 3, 0.9)[0]) == 0
    with pytest.raises(ValueError, match=r"slots must be in \[0, \d+\)"):
        agent.replay.n_step_returns(np.array([len(agent.replay)]), 3, 0.9)


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(n_step=st.integers(1, 7), num_envs=st.integers(1, 4), seed=st.integers(0, 99))
def test_both_backends_draw_the_same_returns_to_the_bit(n_step, num_envs, seed):
    native, twin = (cartpole_agent(backends.find(name), num_envs, warm_up=10**6, rng=seed) for name in backends.NAMES)
    for agent in (native, twin):
        agent.run_episodes(9)
    (ours, our_discounts), (theirs, their_discounts) = (
        agent.replay.sample_n_step(300, n_step, 0.99) for agent in (native, twin)
    )
    for name, values in vars(ours).items():
        np.testing.assert_array_equal(values, getattr(theirs, name), err_msg=name)
    np.testing.assert_array_equal(our_discounts, their_discounts)
