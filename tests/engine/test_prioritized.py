"""Prioritized replay (Schaul et al. 2016, arXiv:1511.05952): tree, draws, weights, and what an agent makes of them."""

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nasdqn_fast._core.sum_tree import SumTree
from nasdqn_fast.engine import backends
from nasdqn_fast.reference.priorities import LEAST


def filled(engine, capacity, n, rng=0):
    buffer = engine.ReplayBuffer(capacity, 1, rng)
    buffer.prioritize()
    for number in range(n):
        add(buffer, number)
    return buffer


def add(buffer, number):
    observation = np.array([number], np.float32)
    buffer.add(observation, 0, float(number), observation, False, False)


# Whole numbers have exact sums: the leaf that is found is known, whatever the order of the additions.
VALUES = st.integers(0, 3).map(float)


@given(st.integers(1, 600), st.data())
def test_the_tree_finds_what_a_list_of_running_sums_does(n, data):
    tree, leaves = SumTree(n), np.zeros(n)
    for changes in data.draw(st.lists(st.lists(st.tuples(st.integers(0, n - 1), VALUES), max_size=9), max_size=4)):
        for leaf, value in changes:
            leaves[leaf] = value
        tree.set(np.array([leaf for leaf, _ in changes], int), np.array([value for _, value in changes]))
        np.testing.assert_array_equal(tree.leaves, leaves)
        assert tree.total == leaves.sum()
    if leaves.any():
        x = np.arange(0, leaves.sum(), 0.5)
        np.testing.assert_array_equal(tree.find(x), np.searchsorted(np.cumsum(leaves), x, side="right"))


@given(st.lists(st.sampled_from([0.0, 1e-30, 3e-5, 0.1, 1.0, 7e12, 1e38]), min_size=1, max_size=80), st.data())
def test_a_leaf_of_zero_is_never_found_whatever_the_rounding(values, data):
    tree = SumTree(len(values))
    tree.set(np.arange(len(values)), np.array(values))
    if any(values):
        share = data.draw(st.lists(st.floats(-1, 2), min_size=1, max_size=20))
        assert tree.leaves[tree.find(np.array(share) * tree.total)].all()


def test_a_million_changes_leave_the_sums_of_a_new_tree():
    """Over 60 powers of ten, where a sum that is corrected by differences would have nothing left of the small ones."""
    n, rng = 3_000, np.random.default_rng(0)
    changed, fresh = SumTree(n), SumTree(n)
    for _ in range(100):
        values = rng.choice([0.0, 1.0], 10_000) * 10.0 ** rng.uniform(-30, 30, 10_000)
        changed.set(rng.integers(n, size=10_000), values)
    fresh.leaves[:] = changed.leaves
    fresh.rebuild()
    x = rng.random(1_000) * changed.total
    assert changed.total == fresh.total == pytest.approx(changed.leaves.sum())
    np.testing.assert_array_equal(changed.find(x), fresh.find(x))


SCRIPT = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.integers(1, 12)),
        st.tuples(st.just("set"), st.floats(0, 100)),
        st.tuples(st.just("prune newest"), st.sampled_from([0.1, 0.5, 1.0])),
        st.tuples(st.just("prune random"), st.sampled_from([0.1, 0.5, 1.0])),
        st.tuples(st.just("save and load"), st.just(0)),
    ),
    max_size=20,
)


@pytest.mark.parametrize("backend", backends.NAMES)
@given(capacity=st.integers(1, 12), script=SCRIPT)
@example(capacity=5, script=[("add", 12), ("set", 7.0), ("prune newest", 0.5), ("add", 3)])
def test_a_transition_keeps_its_priority_while_the_ring_turns_and_is_pruned(backend, capacity, script):
    """Oracle: a dictionary from transition to priority."""
    engine = backends.find(backend)
    buffer, model, largest, count = filled(engine, capacity, 0), {}, 1.0, 0
    for action, argument in script:
        if action == "add":
            for _ in range(argument):
                add(buffer, count)
                model[count] = largest
                count += 1
        elif action == "set" and len(buffer):
            slot = count % len(buffer)
            buffer.set_priorities(np.array([slot]), np.array([argument]))
            number = int(stored(buffer)[slot])
            model[number] = max(argument, LEAST)
            largest = max(largest, argument)
        elif action.startswith("prune"):
            buffer.prune(argument, action.split()[1])
        elif action == "save and load":
            state, buffer = buffer.get_state(), engine.ReplayBuffer(capacity, 1)
            buffer.set_state(state)
        np.testing.assert_array_equal(buffer.priorities, [model[number] for number in stored(buffer)])


def stored(buffer):
    """Numbers of the transitions by slot."""
    return buffer.get_state()["rewards"].astype(int)


def test_single_draws_follow_the_priorities(engine):
    """Chi-square with 9 degrees of freedom: 27.9 is exceeded once in a thousand seeds."""
    buffer, priorities = filled(engine, 12, 10, rng=3), np.arange(1.0, 11.0) ** 2
    buffer.set_priorities(np.arange(10), priorities)
    counts = np.zeros(10)
    for _ in range(4_000):
        counts[buffer.sample_prioritized(1).slots] += 1
    expected = 4_000 * priorities / priorities.sum()
    assert ((counts - expected) ** 2 / expected).sum() < 27.9


def test_a_minibatch_has_one_draw_from_each_part_of_the_sum(engine):
    """Stratified: of 4 draws from 1, 1, 2, 4 two are of the last, one of the third, one of the first or second."""
    buffer = filled(engine, 4, 4, rng=5)
    buffer.set_priorities(np.arange(4), np.array([1.0, 1.0, 2.0, 4.0]))
    firsts = [buffer.sample_prioritized(4).slots.tolist() for _ in range(2_000)]
    assert {tuple(slots[1:]) for slots in firsts} == {(2, 3, 3)}
    share = np.mean([slots[0] for slots in firsts])
    assert share == pytest.approx(0.5, abs=0.05)  # 4 standard deviations


def test_the_draws_are_those_of_the_generator(engine):
    buffer, priorities = filled(engine, 70, 70, rng=11), np.arange(1.0, 71.0)
    buffer.set_priorities(np.arange(70), priorities)
    x = (np.arange(65) + np.random.default_rng(11).random(65)) * priorities.sum() / 65
    drawn = buffer.sample_prioritized(65)
    np.testing.assert_array_equal(drawn.slots, np.searchsorted(np.cumsum(priorities), x, side="right"))
    np.testing.assert_array_equal(drawn.transitions.rewards, drawn.slots)


@pytest.mark.parametrize("beta", [0.0, 0.4, 1.0])
def test_weights_are_the_papers(engine, beta):
    """w_i = (N P(i))^-beta / max_j w_j, in float64."""
    buffer = filled(engine, 100, 80, rng=2)
    buffer.set_priorities(np.arange(80), np.random.default_rng(0).random(80) + 1e-3)
    drawn, probability = buffer.sample_prioritized(64, beta), buffer.priorities / buffer.priorities.sum()
    weights = (80 * probability[drawn.slots]) ** -beta
    np.testing.assert_allclose(drawn.weights, weights / weights.max(), rtol=1e-6)
    assert drawn.weights.dtype == np.float32


def test_a_sample_is_written_to_given_arrays(engine):
    one, other = filled(engine, 9, 9, rng=1), filled(engine, 9, 9, rng=1)
    out = one.sample_prioritized(4)
    other.sample_prioritized(4)
    for _ in range(2):
        assert one.sample_prioritized(4, out=out) is out
        np.testing.assert_array_equal(out.slots, other.sample_prioritized(4).slots)


@pytest.mark.parametrize("value", [0.0, 5e-324, 1e-320])
def test_priorities_that_vanish_leave_draws_among_what_is_stored(engine, value):
    buffer = filled(engine, 1_000, 3)
    buffer.set_priorities(np.arange(3), np.full(3, value))
    drawn = buffer.sample_prioritized(500)
    assert set(drawn.slots.tolist()) == {0, 1, 2}
    np.testing.assert_array_equal(drawn.weights, 1)
    assert buffer.priorities.tolist() == [LEAST] * 3


def test_a_buffer_that_keeps_no_priorities_says_so(engine):
    buffer = engine.ReplayBuffer(4, 1)
    for call in (lambda: buffer.priorities, lambda: buffer.sample_prioritized(1)):
        with pytest.raises(ValueError, match=r"keeps no priorities; call prioritize\(\) first"):
            call()


def test_what_can_be_no_priority_is_refused(engine):
    buffer = filled(engine, 4, 2)
    for slots, priorities in (([2], [1.0]), ([0], [np.nan]), ([0], [-1.0]), ([0, 1], [1.0])):
        with pytest.raises(ValueError, match=r"^(slots|priorities) must be"):
            buffer.set_priorities(np.array(slots), np.array(priorities))
    assert buffer.priorities.tolist() == [1.0, 1.0]
    state = buffer.get_state()
    for damage in ({"priorities": np.zeros(2)}, {"priorities": np.ones(3)}, {"priorities": np.full(2, 2.0)}):
        with pytest.raises(ValueError, match=r"^priorities must be"):
            buffer.set_state(state | damage)
    assert buffer.priorities.tolist() == [1.0, 1.0]


def agent_of(engine, **settings):
    defaults = {"batch_size": 8, "warm_up": 20, "replay_capacity": 60, "rng": 4, "replay_sampling": "prioritized"}
    return engine.DQNAgent("cartpole", "1x8-tanh", **defaults | settings)


@pytest.mark.parametrize("loss", ["huber", "mse"])
def test_an_update_leaves_the_td_errors_as_priorities(engine, loss):
    """(|delta| + epsilon)^alpha, of the network before the update; what was not drawn stays."""
    agent = agent_of(engine, loss=loss, priority_alpha=0.7, priority_epsilon=0.01, learning_rate=0.1)
    agent.run_episodes(8)
    before, state = agent.replay.priorities, agent.get_state()
    twin = backends.find("numpy").DQNAgent("cartpole", "1x8-tanh", **vars(agent.settings))
    twin.set_state(state)
    drawn = twin.replay.sample_prioritized(8)
    batch, rows = drawn.transitions, np.arange(8)
    best = np.argmax(agent.network.forward(batch.next_observations), axis=1)
    bootstrapped = 0.99 * agent.target.forward(batch.next_observations)[rows, best]
    y = batch.rewards + np.where(batch.terminated | batch.truncated, 0, bootstrapped)
    expected = before.copy()
    expected[drawn.slots] = (np.abs(agent.network.forward(batch.observations)[rows, batch.actions] - y) + 0.01) ** 0.7
    agent.learn()
    np.testing.assert_allclose(agent.replay.priorities, expected, rtol=1e-4)


def test_the_loss_is_weighted(engine):
    """The same draws with beta 0, whose weights are 1, and with beta 1."""
    losses = []
    for beta in (0.0, 1.0):
        agent = agent_of(engine, priority_beta_start=beta, learning_rate=1e-30)
        agent.run_episodes(4)
        losses.append(agent.learn())
    assert losses[1] < losses[0]


def test_beta_rises_to_one_over_the_steps_and_stays_without_them(engine):
    settings = agent_of(engine, steps=400, priority_beta_start=0.4).settings
    assert [settings.priority_beta_after(n) for n in (0, 200, 400, 500)] == pytest.approx([0.4, 0.7, 1.0, 1.0])
    assert agent_of(engine).settings.priority_beta_after(10**6) == 0.4


def test_beta_of_an_update_is_that_of_its_step(engine):
    """An agent in the middle of its steps, and one whose constant beta is what the other's is there."""
    rising = agent_of(engine, steps=400, priority_beta_start=0.2, warm_up=60)
    while rising.steps < 100:
        rising.run_episodes(1)
    share = rising.steps / 400
    constant = agent_of(engine, priority_beta_start=0.2 + 0.8 * share, warm_up=60)
    constant.set_state(rising.get_state())
    assert rising.learn() == pytest.approx(constant.learn(), rel=1e-6)


def test_a_uniform_agent_is_not_changed_by_priorities_in_its_memory(engine):
    memories = [engine.ReplayBuffer(60, 4, 7) for _ in range(2)]
    memories[1].prioritize()
    agents = [agent_of(engine, replay_sampling="uniform", replay=memory) for memory in memories]
    for agent in agents:
        agent.run_episodes(6)
    np.testing.assert_array_equal(*(agent.network.parameters for agent in agents))


def test_a_memory_of_another_agent_starts_with_equal_priorities(engine):
    uniform = agent_of(engine, replay_sampling="uniform")
    uniform.run_episodes(2)
    n = len(uniform.replay)
    agent = agent_of(engine, replay=uniform.replay)
    assert agent.replay.priorities.tolist() == [1.0] * n
