"""One seed, one stream for each purpose."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast.seeding import STREAMS, Streams

SEEDS = st.integers(0, 2**128)


def draws(streams):
    return {name: getattr(streams, name).random(3).tolist() for name in STREAMS}


@given(SEEDS)
def test_same_seed_same_streams_and_no_two_alike(seed):
    first = draws(Streams(seed))
    assert first == draws(Streams(seed))
    assert len({tuple(numbers) for numbers in first.values()}) == len(STREAMS)


def test_seeds_differ():
    assert draws(Streams(0)) != draws(Streams(1))


def test_a_stream_does_not_move_another():
    """Two methods of one seed meet the same initial states, whatever their controllers draw."""
    quiet, busy = Streams(7), Streams(7)
    busy.controller.random(1_000)
    assert quiet.env.random() == busy.env.random()


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("env", 0),
        ("policy", 1),
        ("replay", 2),
        ("init", 3),
        ("controller", 4),
        ("transfer", 5),
        ("evaluation", 6),
        ("guard", 7),
        ("estimator", 8),
        ("learning", 9),
    ],
)
def test_a_stream_keeps_its_place(name, key):
    """Oracle: NumPy. A stream that moved would change the results of every seed ever published."""
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence(42, spawn_key=(key,))))
    assert getattr(Streams(42), name).random() == expected.random()


def test_a_child_has_its_streams_seed_and_its_key_and_moves_nothing():
    """Oracle: NumPy, of the stream's place and the key."""
    streams = Streams(42)
    streams.estimator.random(3)
    before = streams.get_state()
    expected = np.random.Generator(np.random.PCG64(np.random.SeedSequence(42, spawn_key=(8, 5, 0))))
    children = [streams.child("estimator", 5, 0) for _ in range(2)]
    assert [child.random() for child in children] == [expected.random()] * 2
    assert streams.get_state() == before


@given(SEEDS)
def test_a_generator_is_a_seed_too(seed):
    assert draws(Streams(np.random.default_rng(seed))) == draws(Streams(np.random.default_rng(seed)))


def test_a_generator_given_twice_gives_two_runs():
    rng = np.random.default_rng(0)
    assert draws(Streams(rng)) != draws(Streams(rng))


@given(SEEDS, st.integers(0, 5))
def test_a_state_goes_on_after_json(seed, drawn):
    streams, restored = Streams(seed), Streams(0)
    for name in STREAMS:
        getattr(streams, name).integers(10, size=drawn, dtype=np.int32)  # may leave half a word in the generator
    restored.set_state(json.loads(json.dumps(streams.get_state())))
    for name in STREAMS:
        assert getattr(restored, name).integers(1000, dtype=np.int32) == getattr(streams, name).integers(
            1000, dtype=np.int32
        )
    assert draws(restored) == draws(streams)


def test_a_state_from_before_a_stream_was_added_leaves_that_stream_alone():
    state = Streams(1).get_state()
    del state["evaluation"]
    streams = Streams(2)
    streams.set_state(state)
    assert draws(streams) == draws(Streams(1)) | {"evaluation": draws(Streams(2))["evaluation"]}


@pytest.mark.parametrize("seed", [1.0, "1", None, True])
def test_a_seed_of_another_type_is_refused(seed):
    with pytest.raises(TypeError, match=r"seed must be an int or a numpy\.random\.Generator"):
        Streams(seed)


def test_a_negative_seed_is_refused():
    with pytest.raises(ValueError, match="seed must be >= 0, got -1"):
        Streams(-1)
