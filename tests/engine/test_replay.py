"""Both backends' replay memories against a collections.deque, and their draws against NumPy's Generator."""

import math
from collections import deque

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError
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


def filled(engine, capacity, n, rng=0):
    buffer = engine.ReplayBuffer(capacity, 2, rng)
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


@pytest.mark.parametrize("backend", backends.NAMES)
@given(capacity=st.integers(1, 8), script=SCRIPT)
def test_any_script_agrees_with_a_deque(backend, capacity, script):
    make = backends.find(backend).ReplayBuffer
    buffer, model, count = make(capacity, 2), deque(maxlen=capacity), 0
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
            state, buffer = buffer.get_state(), make(capacity, 2)
            buffer.set_state(state)
        assert len(buffer) == len(model)
        assert rows(buffer.transitions()) == list(model)


@pytest.mark.parametrize("n", [3, 5, 12])
def test_a_sample_is_the_slots_that_integers_draws(engine, n):
    """Transition k went to slot k mod capacity."""
    buffer = filled(engine, 5, n, rng=11)
    slots = np.random.default_rng(11).integers(0, min(n, 5), size=8)
    last_in_slot = {number % 5: number for number in range(n)}
    assert rows(buffer.sample(8)) == [row(last_in_slot[slot]) for slot in slots]


def test_after_pruning_the_oldest_is_in_slot_0(engine):
    buffer = filled(engine, 5, 8, rng=2)
    buffer.prune(0.5)
    slots = np.random.default_rng(2).integers(0, 3, size=8)
    assert rows(buffer.sample(8)) == [row(5 + slot) for slot in slots]


def test_a_loaded_state_gives_the_same_samples_after_a_wrap_around(engine):
    buffer = filled(engine, 5, 13, rng=4)
    buffer.sample(3)
    copy = engine.ReplayBuffer(5, 2, rng=99)
    copy.set_state(buffer.get_state())
    for _ in range(3):
        assert rows(copy.sample(6)) == rows(buffer.sample(6))
        buffer.add(*transition(50))
        copy.add(*transition(50))


def test_a_state_of_another_capacity_is_refused(engine):
    with pytest.raises(ValueError, match="the state is that of capacity 5, this buffer has 6"):
        engine.ReplayBuffer(6, 2).set_state(filled(engine, 5, 3).get_state())


def test_every_slot_is_drawn_equally_often(engine):
    """Chi-square with 9 degrees of freedom: 27.9 is exceeded once in a thousand seeds."""
    rewards = filled(engine, 10, 10, rng=0).sample(10_000).rewards
    counts = np.bincount(rewards.astype(int), minlength=10)
    assert ((counts - 1000) ** 2 / 1000).sum() < 27.9


def test_sample_writes_to_given_arrays(engine):
    buffer, again = filled(engine, 5, 5, rng=1), filled(engine, 5, 5, rng=1)
    out = buffer.sample(4)
    observations = out.observations
    assert buffer.sample(4, out=out) is out
    assert out.observations is observations
    again.sample(4)
    assert rows(out) == rows(again.sample(4))


def test_terminated_and_truncated_are_stored_apart(engine):
    buffer = engine.ReplayBuffer(2, 1)
    o = np.zeros(1, np.float32)
    buffer.add(o, 0, 0.0, o, True, False)
    buffer.add(o, 0, 0.0, o, False, True)
    assert buffer.transitions().terminated.tolist() == [True, False]
    assert buffer.transitions().truncated.tolist() == [False, True]


def test_transitions_are_copies(engine):
    buffer = filled(engine, 3, 3)
    buffer.transitions().rewards[:] = 99
    assert buffer.transitions().rewards.tolist() == [0.0, 1.0, 2.0]


def test_newest_survivors_draw_nothing(engine):
    buffer, untouched = filled(engine, 5, 5, rng=1), filled(engine, 5, 5, rng=1)
    buffer.prune(1.0, "newest")
    assert rows(buffer.sample(9)) == rows(untouched.sample(9))


@pytest.mark.parametrize("n", [0, 1, 4, 5, 6, 10, 11])
def test_the_ring_wraps_around_at_its_exact_capacity(engine, n):
    buffer = filled(engine, 5, n)
    buffer.add(*transition(n))
    assert len(buffer) == min(n + 1, 5)
    assert rows(buffer.transitions()) == [row(number) for number in range(max(n - 4, 0), n + 1)]


def test_a_batch_larger_than_the_ring_leaves_its_newest(engine):
    buffer = engine.ReplayBuffer(5, 2)
    buffer.add_batch(*stacked(range(12)))
    assert rows(buffer.transitions()) == [row(number) for number in range(7, 12)]


@pytest.mark.parametrize("size", [1, 2, 3, 6, 7, 17, 100])
def test_observations_of_any_size_keep_their_numbers(engine, size):
    """Rows are padded in their own way below and above a cache line."""
    rng = np.random.default_rng(size)
    buffer = engine.ReplayBuffer(3, size)
    stored = rng.normal(size=(5, 2, size)).astype(np.float32)
    for before, after in stored:
        buffer.add(before, 2**31 - 1, 0.1, after, False, True)
    kept = buffer.transitions()
    np.testing.assert_array_equal(kept.observations, stored[2:, 0])
    np.testing.assert_array_equal(kept.next_observations, stored[2:, 1])
    np.testing.assert_array_equal(kept.actions, 2**31 - 1)
    np.testing.assert_array_equal(kept.rewards, np.float32(0.1))


def test_a_generator_is_shared_and_drawn_as_integers(engine):
    """Single draws and uniforms in between: half of a 64-bit draw that is left over is kept, as NumPy keeps it."""
    shared, model = np.random.default_rng(5), np.random.default_rng(5)
    buffer = filled(engine, 7, 7, shared)
    for n in (1, 2, 5, 1):
        slots = model.integers(0, 7, size=n)
        assert rows(buffer.sample(n)) == [row(slot) for slot in slots]
        assert shared.integers(3) == model.integers(3)
        assert shared.random() == model.random()
    assert shared.bit_generator.state == model.bit_generator.state


DAMAGE = {
    "next": [-1, 5, 10**12, 1.5],
    "capacity": [6],
    "observations": [np.zeros((5, 3), np.float32), np.zeros((4, 2), np.float32), np.zeros((5, 2))],
    "actions": [np.full(5, -1)],
    "rng": [{"bit_generator": "PCG64"}],
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name in DAMAGE for value in DAMAGE[name]])
def test_a_damaged_state_is_refused_and_changes_nothing(engine, name, value):
    buffer = filled(engine, 5, 7, rng=3)
    with pytest.raises((TypeError, ValueError, KeyError)):
        buffer.set_state(filled(engine, 5, 9).get_state() | {name: value})
    assert rows(buffer.transitions()) == [row(number) for number in range(2, 7)]
    assert rows(buffer.sample(9)) == rows(filled(engine, 5, 7, rng=3).sample(9))


@pytest.mark.parametrize("following", [0, 2, 4])
def test_a_state_whose_next_slot_is_not_after_the_last_is_refused(engine, following):
    """A ring that is not full writes to its first free slot."""
    state = filled(engine, 5, 3).get_state() | {"next": following}
    with pytest.raises(ValueError, match="3 transitions and writes to slot"):
        engine.ReplayBuffer(5, 2).set_state(state)


@pytest.mark.parametrize("writer", backends.NAMES)
def test_a_state_is_read_by_either_backend(engine, writer):
    written = filled(backends.find(writer), 5, 8, rng=3)
    read = engine.ReplayBuffer(5, 2)
    read.set_state(written.get_state())
    assert rows(read.sample(9)) == rows(written.sample(9))


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
        (
            lambda b: b.add(np.zeros(2, np.float32), -1, 0.0, np.zeros(2, np.float32), False, False),
            ValueError,
            "action must be an integer",
        ),
        (
            lambda b: b.add(np.zeros(2, np.float32), 0, np.nan, np.zeros(2, np.float32), False, False),
            ValueError,
            "reward must be a finite number; got nan",
        ),
        (lambda b: b.add_batch(*stacked(range(3))[:-1], np.zeros(2, bool)), ValueError, r"truncated must be bool of"),
        (lambda b: b.add_batch(*stacked(range(3))[:-1], np.zeros(3)), TypeError, r"truncated must be bool of"),
    ],
)
def test_bad_arguments_are_named(engine, call, error, message):
    with pytest.raises(error, match=message):
        call(engine.ReplayBuffer(5, 2))


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ((0, 2), ValueError, "capacity must be an integer"),
        ((1.5, 2), TypeError, "capacity must be an integer"),
        ((5, 0), ValueError, "observation_size must be an integer"),
        ((5, 2, "seed"), TypeError, "rng must be an int >= 0 or a numpy.random.Generator; got str 'seed'"),
    ],
)
def test_bad_sizes_are_named(engine, arguments, error, message):
    with pytest.raises(error, match=message):
        engine.ReplayBuffer(*arguments)


def test_transitions_of_given_ages_are_those_of_all(engine):
    replay = engine.ReplayBuffer(5, 1)
    for i in range(8):
        replay.add(np.full(1, i, np.float32), i, i, np.full(1, i + 1, np.float32), i % 2 == 0, False)
    ages = np.array([4, 0, 0, 3], np.uint8)
    assert replay.transitions(ages).actions.tolist() == [7, 3, 3, 6]
    assert replay.transitions(ages[:0]).observations.shape == (0, 1)
    with pytest.raises(ValueError, match=r"ages must be in \[0, 5\); got 5 at index 0"):
        replay.transitions(np.array([5]))


def test_outputs_used_again_are_written_again(engine):
    """Other outputs, another number and none in between: each gets the draws that new outputs would."""
    replay, twin = (engine.ReplayBuffer(10, 2, rng=3) for _ in range(2))
    for buffer in (replay, twin):
        for i in range(10):
            buffer.add(np.full(2, i, np.float32), i, i, np.full(2, -i, np.float32), False, i == 4)
    outputs = {n: replay.sample(n) for n in (4, 6)}
    [twin.sample(n) for n in (4, 6)]
    for n in (4, 4, 6, 4, 6, 6):
        assert replay.sample(n, out=outputs[n]) is outputs[n]
        wanted = twin.sample(n)
        for name, array in vars(wanted).items():
            np.testing.assert_array_equal(getattr(outputs[n], name), array)
    with pytest.raises(ValueError, match="observations must be"):
        replay.sample(5, out=outputs[6])


def test_more_memory_than_any_machine_has_is_refused_in_one_line(engine):
    # 2^52 numbers for s, as many for s': beyond what an address can reach.
    with pytest.raises(
        InputError, match=r"^\S+ GiB of memory are needed, which this machine does not have; ask for less$"
    ):
        engine.ReplayBuffer((1 << 32) - 1, 1 << 20)
