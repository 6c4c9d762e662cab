"""The compiled twins of NumPy's indexing, assignment and `np.random.randint`; NumPy is the oracle."""

# ruff: noqa: NPY002, what is twinned is the legacy generator

import threading

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast._core.ring import can_walk, draw, put, take, walk

TYPES = ["?", "i1", "u2", "f2", "f4", "f8", "c16", ">f4", "U3", "O", "M8[s]"]


@given(
    low=st.integers(0, 2**40),
    span=st.one_of(st.integers(1, 300), st.integers(2**31 - 2, 2**31 + 2), st.integers(2**32 - 3, 2**32 + 3)),
    n=st.integers(0, 70),
    seed=st.integers(0, 2**32 - 1),
)
def test_draws_are_those_of_randint_and_leave_the_same_state(low, span, n, seed):
    np.random.seed(seed)
    expected, after = np.random.randint(low, low + span, n), np.random.random()
    np.random.seed(seed)
    drawn = draw(low, low + span, n)
    np.testing.assert_array_equal(drawn, expected)
    assert drawn.dtype == expected.dtype
    assert np.random.random() == after


def test_another_global_generator_is_followed():
    before = np.random.get_bit_generator()
    try:
        np.random.set_bit_generator(np.random.PCG64(4))
        expected = np.random.randint(0, 1000, 50)
        np.random.set_bit_generator(np.random.PCG64(4))
        np.testing.assert_array_equal(draw(0, 1000, 50), expected)
    finally:
        np.random.set_bit_generator(before)


@pytest.mark.parametrize("args", [(0, 0, 3), (5, 2, 3), (0, 3, -1)])
def test_draws_are_refused_as_randint_refuses_them(args):
    with pytest.raises(ValueError, match=r"high <= 0|low >= high|negative") as theirs:
        np.random.randint(*args)
    with pytest.raises(ValueError, match=r"high <= 0|low >= high|negative") as ours:
        draw(*args)
    assert str(ours.value) == str(theirs.value)


def test_threads_draw_from_one_stream():
    """No draw is lost or made twice: together the threads get what one gets."""
    np.random.seed(8)
    expected = np.sort(np.random.randint(0, 2**31, 4 * 20_000))
    np.random.seed(8)
    drawn = [[] for _ in range(4)]

    def run(mine):
        mine.extend(draw(0, 2**31, 100) for _ in range(200))

    threads = [threading.Thread(target=run, args=(mine,)) for mine in drawn]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    np.testing.assert_array_equal(np.sort(np.concatenate([part for mine in drawn for part in mine])), expected)


def arrays(shape):
    """One of each type, then views: strides in every axis, reversed, read-only, without a row in memory."""
    values = np.random.default_rng(0).integers(0, 100, shape)
    for name in TYPES:
        yield values.astype(name)
    wide = values.astype(np.float32)
    yield wide[::2]
    yield wide[:, ::-1]
    yield wide[..., ::-1]
    yield np.asfortranarray(wide)
    yield np.broadcast_to(wide[:1], shape)
    record = np.zeros(shape[:2], [("a", "u1"), ("b", "f4", shape[2:])])
    record["b"] = values
    yield record["b"]  # not aligned


@pytest.mark.parametrize("shape", [(7, 1), (7, 3), (7, 3, 1), (7, 3, 4), (7, 3, 2, 5), (7, 3, 0)], ids=str)
def test_take_is_numpys_indexing(shape):
    for array in arrays(shape):
        steps, lanes = np.array([0, 2, -1, 2]) % len(array), np.array([0, -1, -1, 0])
        expected, taken = array[steps, lanes], take(array, steps, lanes)
        assert taken.dtype == expected.dtype
        np.testing.assert_array_equal(taken, expected)
        assert not np.shares_memory(taken, array)
        taken = take(array, steps[:0], lanes[:0])
        assert (taken.shape, taken.dtype) == (expected[:0].shape, expected.dtype)


@pytest.mark.parametrize(
    ("steps", "lanes"), [([7], [0]), ([-8], [0]), ([0], [3]), ([0], [-4]), ([0, 2**40], [0, 0]), ([0, 1], [0, 1, 2])]
)
def test_take_is_refused_as_numpy_refuses_it(steps, lanes):
    array = np.zeros((7, 3, 4), np.float32)
    with pytest.raises(IndexError) as theirs:
        array[steps, lanes]
    with pytest.raises(IndexError) as ours:
        take(array, np.array(steps), np.array(lanes))
    assert str(ours.value) == str(theirs.value)


@pytest.mark.parametrize("values", [np.ones((3, 4), np.float32), np.ones((3, 4)), np.arange(4), 2, [[1], [2], [3]]])
@pytest.mark.parametrize("step", [0, 3, 6, -1])
def test_put_is_numpys_assignment(step, values):
    array, expected = np.zeros((7, 3, 4), np.float32), np.zeros((7, 3, 4), np.float32)
    put(array, step, values)
    expected[step] = values
    np.testing.assert_array_equal(array, expected)


def test_put_writes_through_views_with_gaps():
    rows = np.zeros((5, 2), np.dtype([("a", "u1"), ("b", "f4", 3)], align=True))
    put(rows["b"], 2, np.arange(6, dtype=np.float32).reshape(2, 3))
    np.testing.assert_array_equal(rows["b"][2], [[0, 1, 2], [3, 4, 5]])
    assert not rows["a"].any()
    assert not rows["b"][[0, 1, 3, 4]].any()


@pytest.mark.parametrize(
    ("step", "values"), [(7, np.ones((3, 4))), (-8, 1), (0, np.ones((4, 3))), (0, np.ones((2, 4)))]
)
def test_put_is_refused_as_numpy_refuses_it(step, values):
    array = np.zeros((7, 3, 4))
    with pytest.raises((IndexError, ValueError)) as theirs:
        array[step] = values
    with pytest.raises(type(theirs.value)) as ours:
        put(array, step, values)
    assert str(ours.value) == str(theirs.value)


def walked(dones, timeouts, step, length, newest):
    """The steps of a walk, and how many of them are in its episode: what `walk` is to gather, told in Python."""
    n_steps = len(dones)
    steps = [(step + k) % n_steps for k in range(length)]
    ends = (k for k, at in enumerate(steps, 1) if dones[at] or timeouts[at] or at == newest % n_steps)
    return steps, next(ends, length)


@given(
    n_steps=st.integers(1, 9),
    n_lanes=st.integers(1, 3),
    length=st.integers(1, 12),
    newest=st.integers(-1, 8),
    seed=st.integers(0, 2**32 - 1),
)
def test_a_walk_ends_with_its_episode(n_steps, n_lanes, length, newest, seed):
    rng = np.random.default_rng(seed)
    newest = min(newest, n_steps - 1)
    rewards = rng.standard_normal((n_steps, n_lanes), np.float32)
    dones, timeouts = (rng.random((2, n_steps, n_lanes)) < 0.2).astype(np.float32)
    steps, lanes = rng.integers(-n_steps, n_steps, size=20), rng.integers(-n_lanes, n_lanes, size=20)
    gathered, within, n_within, ended, last = walk(rewards, dones, timeouts, steps, lanes, length, newest)
    assert (n_within.shape, ended.shape) == ((20, 1), (20, 1))
    for i, (step, lane) in enumerate(zip(steps, lanes, strict=True)):
        places, n = walked(dones[:, lane], timeouts[:, lane], step, length, newest)
        np.testing.assert_array_equal(gathered[i], rewards[places, lane])
        np.testing.assert_array_equal(within[i], np.arange(length) < n)
        assert n_within[i, 0] == n
        assert last[i] == places[n - 1]
        assert ended[i, 0] == (dones[last[i], lane] and not timeouts[last[i], lane])


def test_walks_go_through_views_and_leave_them_as_they_are():
    rows = np.zeros((6, 2), [("reward", "f4"), ("done", "f4"), ("timeout", "f4")])
    rows["reward"] = np.arange(12).reshape(6, 2)
    rows["done"][4] = 1
    before = rows.copy()
    fields = rows["reward"], rows["done"], rows["timeout"]
    gathered, _, n_within, _, last = walk(*fields, np.array([2, 5]), np.array([1, 0]), 4, 1)
    np.testing.assert_array_equal(gathered, [[5, 7, 9, 11], [10, 0, 2, 4]])
    np.testing.assert_array_equal(n_within, [[3], [3]])
    np.testing.assert_array_equal(last, [4, 1])
    np.testing.assert_array_equal(rows, before)


def test_what_cannot_be_walked_is_refused():
    array, steps = np.zeros((7, 3), np.float32), np.arange(2)
    assert can_walk(array, array, array, steps)
    others = [
        np.zeros((7, 3)),
        np.zeros((7, 2), np.float32),
        np.zeros((6, 3), np.float32),
        np.zeros(7, np.float32),
        [[1.0]],
    ]
    for other in [*others, np.zeros((7, 3, 1), np.float32), np.zeros((7, 3), ">f4")]:
        for three in [(other, array, array), (array, other, array), (array, array, other)]:
            assert not can_walk(*three, steps)
            with pytest.raises(ValueError, match="use can_walk"):
                walk(*three, steps, steps, 3, 0)
    assert not can_walk(array[:0], array[:0], array[:0], steps)
    for indices in (steps.astype(np.int32), np.arange(4)[::2], [0, 1]):
        assert not can_walk(array, array, array, indices)
        with pytest.raises(ValueError, match="use can_walk"):
            walk(array, array, array, steps, indices, 3, 0)
    for lanes, length in [(np.arange(3), 3), (steps, 0)]:
        with pytest.raises(ValueError, match="use can_walk"):
            walk(array, array, array, steps, lanes, length, 0)
    for lane in (3, -4):
        with pytest.raises(IndexError, match="there are 3"):
            walk(array, array, array, steps[:1], np.array([lane]), 2, 0)
