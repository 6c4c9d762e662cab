"""The NumPy replay memory against a collections.deque, and its draws against the agreed formula."""

import math
from collections import deque
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nasdqn_fast.pruning import survivors
from nasdqn_fast.reference import ReplayBuffer
from nasdqn_fast.types import Batch


def transition(number):
    """A transition that is told from all others by any of its parts that can hold a number."""
    observation = np.array([number, -number], np.float32)
    return observation, number % 5, float(number), observation + 1, number % 3 == 0, number % 2 == 0


def stacked(numbers):
    """The arrays of several transitions, in the order of `Batch`."""
    n = np.array(numbers, np.int64)
    observations = np.stack([n, -n], axis=1).astype(np.float32)
    return observations, n % 5, n.astype(np.float32), observations + 1, n % 3 == 0, n % 2 == 0


def rows(batch):
    """The batch as tuples that can be compared."""
    return [
        (*o.tolist(), int(a), float(r), *p.tolist(), bool(terminated), bool(truncated))
        for o, a, r, p, terminated, truncated in zip(*vars(batch).values(), strict=True)
    ]


def row(number):
    return rows(Batch(*(np.array([part]) for part in transition(number))))[0]


def filled(capacity, n, rng=0):
    buffer = ReplayBuffer(capacity, 2, rng)
    for number in range(n):
        buffer.add(*transition(number))
    return buffer


SCRIPT = st.lists(
    st.one_of(
        st.tuples(st.just("add"), st.just(1)),
        st.tuples(st.just("add_batch"), st.integers(0, 12)),
        st.tuples(st.just("sample"), st.integers(1, 9)),
        st.tuples(st.just("prune newest"), st.sampled_from([0.1, 0.25, 0.5, 1.0])),
        st.tuples(st.just("prune random"), st.sampled_from([0.1, 0.25, 0.5, 1.0])),
        st.tuples(st.just("save and load"), st.just(0)),
    ),
    max_size=30,
)


@given(st.integers(1, 8), SCRIPT)
def test_any_script_agrees_with_a_deque(capacity, script):
    buffer, model, count = ReplayBuffer(capacity, 2), deque(maxlen=capacity), 0
    for action, argument in script:
        if action == "add":
            buffer.add(*transition(count))
            model.append(row(count))
            count += 1
        elif action == "add_batch":
            buffer.add_batch(*stacked(range(count, count + argument)))
            model.extend(row(number) for number in range(count, count + argument))
            count += argument
        elif action == "sample" and model:
            assert set(rows(buffer.sample(argument))) <= set(model)
        elif action == "prune newest":
            buffer.prune(argument, "newest")
            model = deque(list(model)[len(model) - math.ceil(len(model) * argument) :], maxlen=capacity)
        elif action == "prune random":
            buffer.prune(argument, "random")
            kept = rows(buffer.transitions())
            assert len(kept) == math.ceil(len(model) * argument)
            assert kept == [entry for entry in model if entry in set(kept)]
            model = deque(kept, maxlen=capacity)
        elif action == "save and load":
            state, buffer = buffer.get_state(), ReplayBuffer(capacity, 2)
            buffer.set_state(state)
        assert len(buffer) == len(model)
        assert rows(buffer.transitions()) == list(model)


@pytest.mark.parametrize("n", [3, 5, 12])
def test_a_sample_is_the_slots_that_integers_draws(n):
    """Transition k went to slot k mod capacity."""
    buffer = filled(5, n, rng=11)
    slots = np.random.default_rng(11).integers(0, min(n, 5), size=8)
    last_in_slot = {number % 5: number for number in range(n)}
    assert rows(buffer.sample(8)) == [row(last_in_slot[slot]) for slot in slots]


def test_after_pruning_the_oldest_is_in_slot_0():
    buffer = filled(5, 8, rng=2)
    buffer.prune(0.5)
    slots = np.random.default_rng(2).integers(0, 3, size=8)
    assert rows(buffer.sample(8)) == [row(5 + slot) for slot in slots]


def test_a_loaded_state_gives_the_same_samples_after_a_wrap_around():
    buffer = filled(5, 13, rng=4)
    buffer.sample(3)
    copy = ReplayBuffer(5, 2, rng=99)
    copy.set_state(buffer.get_state())
    for _ in range(3):
        assert rows(copy.sample(6)) == rows(buffer.sample(6))
        buffer.add(*transition(50))
        copy.add(*transition(50))


def test_a_state_of_another_capacity_is_refused():
    with pytest.raises(ValueError, match="the state is that of capacity 5, this buffer has 6"):
        ReplayBuffer(6, 2).set_state(filled(5, 3).get_state())


def test_every_slot_is_drawn_equally_often():
    """Chi-square with 9 degrees of freedom: 27.9 is exceeded once in a thousand seeds."""
    rewards = filled(10, 10, rng=0).sample(10_000).rewards
    counts = np.bincount(rewards.astype(int), minlength=10)
    assert ((counts - 1000) ** 2 / 1000).sum() < 27.9


def test_sample_writes_to_given_arrays():
    buffer, again = filled(5, 5, rng=1), filled(5, 5, rng=1)
    out = buffer.sample(4)
    observations = out.observations
    assert buffer.sample(4, out=out) is out
    assert out.observations is observations
    again.sample(4)
    assert rows(out) == rows(again.sample(4))


def test_terminated_and_truncated_are_stored_apart():
    buffer = ReplayBuffer(2, 1)
    o = np.zeros(1, np.float32)
    buffer.add(o, 0, 0.0, o, True, False)
    buffer.add(o, 0, 0.0, o, False, True)
    assert buffer.transitions().terminated.tolist() == [True, False]
    assert buffer.transitions().truncated.tolist() == [False, True]


def test_transitions_are_copies():
    buffer = filled(3, 3)
    buffer.transitions().rewards[:] = 99
    assert buffer.transitions().rewards.tolist() == [0.0, 1.0, 2.0]


@given(st.integers(0, 10_000), st.integers(1, 100))
@example(100, 7)
def test_the_share_that_survives_is_exact_in_decimals(n, percent):
    """0.07 of 100 are 7, though 0.07 * 100 is 7.000000000000001 and its ceiling 8."""
    expected = math.ceil(Fraction(percent, 100) * n)
    assert len(survivors(n, percent / 100, "newest", np.random.default_rng(0))) == expected


def test_random_survivors_are_uniform():
    """Each of 10 stays in half of 2,000 prunings: 1,000 +- 5 standard deviations of 22."""
    rng = np.random.default_rng(0)
    counts = sum(np.bincount(survivors(10, 0.5, "random", rng), minlength=10) for _ in range(2_000))
    assert np.all(np.abs(counts - 1_000) < 5 * 22.4)


def test_newest_survivors_draw_nothing():
    buffer, untouched = filled(5, 5, rng=1), filled(5, 5, rng=1)
    buffer.prune(1.0, "newest")
    assert rows(buffer.sample(9)) == rows(untouched.sample(9))


@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda b: b.sample(1), ValueError, "the replay buffer is empty; add transitions before sampling"),
        (lambda b: b.sample(0), ValueError, "n must be an integer >= 1; got 0"),
        (lambda b: b.prune(0.0), ValueError, r"keep must be a number in \(0, 1\]; got 0.0"),
        (lambda b: b.prune(0.5, "oldest"), ValueError, "unknown which 'oldest'"),
        (lambda b: b.sample(2, b.transitions()), ValueError, r"observations must be float32 of shape \(2, 2\)"),
        (
            lambda b: b.add(np.zeros(2), 0, 0.0, np.zeros(2, np.float32), False, False),
            TypeError,
            r"observation must be float32 of shape \(2,\); got float64 \(2,\); pass observation.astype\(np.float32\)",
        ),
        (
            lambda b: b.add(np.zeros(2, np.float32), 0, 0.0, np.zeros(2, np.float32), 0, False),
            TypeError,
            "terminated must be a bool; got int 0",
        ),
    ],
)
def test_bad_arguments_are_named(call, error, message):
    with pytest.raises(error, match=message):
        call(ReplayBuffer(5, 2))
