"""States as files."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nasdqn_fast.storage import npz, state_file

PLAIN = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5)
LEAVES = PLAIN | hnp.arrays(st.sampled_from(["f4", "f8", "i8", "?"]), hnp.array_shapes(max_dims=2, max_side=4))
STATES = st.dictionaries(
    st.text(max_size=5),
    st.recursive(LEAVES, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner)),
    max_size=4,
)


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    return tmp_path_factory.mktemp("state") / "state.npz"


def same(a, b):
    if isinstance(a, np.ndarray):
        return isinstance(b, np.ndarray) and (a.dtype, a.shape, a.tobytes()) == (b.dtype, b.shape, b.tobytes())
    if isinstance(a, dict):
        return a.keys() == b.keys() and all(same(a[key], b[key]) for key in a)
    if isinstance(a, list):
        return len(a) == len(b) and all(map(same, a, b))
    return type(a) is type(b) and a == b


@given(STATES)
def test_a_state_comes_back_to_the_bit(path, state):
    state_file.save(path, state)
    assert same(state_file.load(path), state)


def test_numpys_scalars_become_plain_and_nan_stays(path):
    state_file.save(path, {"a": np.int64(3), "b": np.float32(0.1), "c": math.nan, "big": 2**127 + 1})
    found = state_file.load(path)
    assert (found["a"], found["b"], found["big"]) == (3, float(np.float32(0.1)), 2**127 + 1)
    assert math.isnan(found["c"])


@pytest.mark.parametrize("array", [np.ones((3, 2)).T, np.asfortranarray(np.eye(3)), np.arange(6)[::2], np.float32(2)])
def test_an_array_of_any_layout_comes_back(path, array):
    state_file.save(path, {"a": array})
    np.testing.assert_array_equal(state_file.load(path)["a"], array)


@pytest.mark.parametrize("array", [np.array([{}]), np.ones(2, complex), np.ones(2, ">f8"), np.zeros(2, "f4,i4")])
def test_an_array_that_could_not_be_read_is_not_written(tmp_path, array):
    with pytest.raises(TypeError, match="cannot be stored; numbers, booleans and text can"):
        state_file.save(tmp_path / "state.npz", {"a": array})
    assert not list(tmp_path.iterdir())


def test_a_key_that_would_come_back_as_another_is_refused(tmp_path):
    with pytest.raises(TypeError, match="a state's keys are strings; got int 1"):
        state_file.save(tmp_path / "state.npz", {"a": {1: 2}})


def test_what_no_file_can_hold_is_refused_and_nothing_written(tmp_path):
    with pytest.raises(TypeError, match="a state holds JSON values and arrays; got set"):
        state_file.save(tmp_path / "state.npz", {"a": {1}})
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("arrays", "reason"),
    [
        ({}, "it lacks 'state'"),
        ({"state": b'{"a": {"__array__": "b"}}'}, "it lacks 'b'"),
        ({"state": b"[1]"}, "it holds no state"),
        ({"state": b"{"}, "Expecting"),
        ({"state": b"\xff\xfe{"}, "can't decode|utf-16"),
        ({"state": b"[" * 200_000}, "nested too deep"),
        ({"state": json.dumps({"a": 1}).encode() * 2}, "Extra data"),
    ],
)
def test_what_is_no_state_is_refused(path, arrays, reason):
    with path.open("wb") as file:
        npz.write(file, {name: np.frombuffer(text, np.uint8) for name, text in arrays.items()})
    with pytest.raises(ValueError, match=reason):
        state_file.load(path)
