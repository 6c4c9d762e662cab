"""States as files."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from nasdqn_fast.errors import DamageError
from nasdqn_fast.storage import npz, state_file

TRAILER = len("sha256:") + 64
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


@settings(max_examples=30, deadline=None)
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
        ({"state": b"{"}, "it holds no JSON"),
        ({"state": b"[" * 200_000}, "it holds no JSON"),
    ],
)
def test_what_is_no_state_is_refused(path, arrays, reason):
    with path.open("wb") as file:
        npz.write(file, {name: np.frombuffer(text, np.uint8) for name, text in arrays.items()})
    with pytest.raises(DamageError, match=reason):
        state_file.load(path)


@pytest.fixture(scope="module")
def content(path):
    state_file.save(path, {"a": np.arange(9.0), "b": [1, "two", None]})
    return path.read_bytes()


@settings(deadline=None)
@given(st.data())
def test_a_changed_byte_is_found_before_anything_is_parsed(path, content, data):
    at = data.draw(st.integers(0, len(content) - 65), label="before the digest's own bytes and its mark's last")
    byte = data.draw(st.integers(0, 255).filter(lambda byte: byte != content[at]))
    path.write_bytes(content[:at] + bytes([byte]) + content[at + 1 :])
    with pytest.raises(DamageError, match=r"its digest is that of other bytes|it ends neither with a digest"):
        state_file.load(path)


@settings(deadline=None)
@given(st.data())
def test_a_file_that_was_cut_short_is_refused(path, content, data):
    """Except where the digest begins: nothing else is missing then, and it reads as files of format 1 do."""
    length = data.draw(st.integers(0, len(content) - 1).filter(lambda length: length != len(content) - TRAILER))
    path.write_bytes(content[:length])
    with pytest.raises(DamageError):
        state_file.load(path)


def test_without_its_digest_it_is_what_it_was(path, content):
    path.write_bytes(content[:-TRAILER])
    np.testing.assert_array_equal(state_file.load(path)["a"], np.arange(9.0))


def test_numpy_reads_its_arrays(path, content):
    path.write_bytes(content)
    with np.load(path) as arrays:
        np.testing.assert_array_equal(arrays["array_0"], np.arange(9.0))
