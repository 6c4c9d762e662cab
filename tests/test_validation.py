"""Argument checks: what passes comes back in the engine's form, what does not is named with a hint."""

import re

import numpy as np
import pytest

from nasdqn_fast import validation as v

OBSERVATIONS = np.zeros((5, 3), np.float32)


@pytest.mark.parametrize(
    ("check", "argument", "expected"),
    [
        (v.check_positive_int, np.int32(3), 3),
        (v.check_positive_int, 2**60, 2**60),
        (v.check_finite, -2, -2.0),
        (v.check_positive, np.float32(0.5), 0.5),
        (v.check_unit_interval, 0, 0.0),
        (v.check_unit_interval, 1, 1.0),
        (v.check_fraction, 1, 1.0),
        (v.check_decay_rate, 0, 0.0),
        (v.check_bool, np.True_, True),
    ],
)
def test_a_good_scalar_comes_back_as_pythons_own(check, argument, expected):
    result = check("x", argument)
    assert result == expected
    assert type(result) is type(expected)


@pytest.mark.parametrize(
    ("check", "argument", "error", "message"),
    [
        (v.check_positive_int, 0, ValueError, "x must be an integer >= 1; got 0"),
        (v.check_positive_int, 2**60 + 1, ValueError, f"x must be an integer >= 1, at most 2^60; got {2**60 + 1}"),
        (v.check_positive_int, 1.0, TypeError, "x must be an integer >= 1; got float 1.0; pass int(x)"),
        (v.check_positive_int, True, TypeError, "x must be an integer >= 1; got the bool True; pass a number"),
        (v.check_finite, float("inf"), ValueError, "x must be a finite number; got inf"),
        (v.check_finite, 10**400, ValueError, "x must be a finite number; got inf"),
        (v.check_finite, "1", TypeError, "x must be a finite number; got str '1'; pass float(x)"),
        (v.check_finite, None, TypeError, "x must be a finite number; got NoneType None; pass float(x)"),
        (v.check_positive, 0, ValueError, "x must be a finite number > 0; got 0.0"),
        (v.check_positive, float("nan"), ValueError, "x must be a finite number > 0; got nan"),
        (v.check_unit_interval, 1.5, ValueError, "x must be a number in [0, 1]; got 1.5"),
        (v.check_unit_interval, float("nan"), ValueError, "x must be a number in [0, 1]; got nan"),
        (v.check_unit_interval, True, TypeError, "x must be a number in [0, 1]; got bool True; pass float(x)"),
        (v.check_fraction, 0, ValueError, "x must be a number in (0, 1]; got 0.0"),
        (v.check_decay_rate, 1, ValueError, "x must be a number in [0, 1); got 1.0"),
        (v.check_bool, 1, TypeError, "x must be a bool; got int 1; pass bool(x)"),
        (v.check_rng, -1, ValueError, "x must be an int >= 0 or a numpy.random.Generator; got -1"),
        (
            v.check_rng,
            None,
            TypeError,
            "x must be an int >= 0 or a numpy.random.Generator; got NoneType None; pass a seed, as x=0",
        ),
        (v.check_float_dtype, np.int32, TypeError, "x must be float32 or float64; got int32; pass np.float32"),
    ],
)
def test_a_bad_scalar_is_named_with_what_was_expected_and_what_came(check, argument, error, message):
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        check("x", argument)


def test_an_integer_is_checked_against_both_ends():
    assert v.check_int("t", 199, 0, 199) == 199
    with pytest.raises(ValueError, match=re.escape("t must be an integer from 0 to 199; got 200")):
        v.check_int("t", 200, 0, 199)


def test_a_choice_names_the_nearest():
    assert v.check_choice("which", "newest", ("newest", "random")) == "newest"
    with pytest.raises(ValueError, match="unknown which 'newst': did you mean 'newest'"):
        v.check_choice("which", "newst", ("newest", "random"))
    with pytest.raises(TypeError, match="which must be one of newest, random; got int 3"):
        v.check_choice("which", 3, ("newest", "random"))


def test_a_seed_makes_a_generator_and_a_generator_passes():
    rng = np.random.default_rng(3)
    assert v.check_rng("rng", rng) is rng
    assert v.check_rng("rng", np.int64(7)).random() == np.random.default_rng(7).random()


def test_good_observations_pass_without_a_copy():
    assert v.check_observations(OBSERVATIONS, 3) is OBSERVATIONS
    assert v.check_observations(OBSERVATIONS[:0], 3).shape == (0, 3)


def test_strided_observations_become_contiguous():
    strided = np.arange(30, dtype=np.float32).reshape(5, 6)[:, ::2]
    result = v.check_observations(strided, 3)
    assert result.flags.c_contiguous
    np.testing.assert_array_equal(result, strided)


@pytest.mark.parametrize(
    ("argument", "error", "got"),
    [
        (OBSERVATIONS.astype(np.float64), TypeError, "float64 (5, 3); pass observations.astype(np.float32)"),
        (OBSERVATIONS.astype(">f4"), TypeError, ">f4 (5, 3); pass observations.astype(np.float32)"),
        ([[0.0, 0.0, 0.0]], TypeError, "list; pass np.asarray(observations, dtype=np.float32)"),
        (OBSERVATIONS[:, :2], ValueError, "float32 (5, 2); reshape it"),
        (OBSERVATIONS[0], ValueError, "float32 (3,); reshape it"),
    ],
)
def test_bad_observations_are_named_with_a_hint(argument, error, got):
    message = f"observations must be float32 of shape (N, 3); got {got}"
    with pytest.raises(error, match=f"^{re.escape(message)}$"):
        v.check_observations(argument, 3)


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int32, np.uint64, np.int64])
def test_actions_of_any_integer_dtype_become_int64(dtype):
    result = v.check_actions(np.array([2, 0, 1], dtype), 3, 3)
    assert result.dtype == np.int64
    assert result.tolist() == [2, 0, 1]


@pytest.mark.parametrize(
    ("actions", "error", "message"),
    [
        (np.zeros(2), TypeError, "actions must be integers of shape (2,); got float64 (2,)"),
        (np.zeros(2, bool), TypeError, "actions must be integers of shape (2,); got bool (2,)"),
        ([0, 1], TypeError, "actions must be integers of shape (2,); got list; pass np.asarray(actions)"),
        (np.zeros(3, np.int64), ValueError, "actions must be integers of shape (2,); got int64 (3,); reshape it"),
        (np.array([0, 3]), ValueError, "actions must be in [0, 3); got 3 at index 1"),
        (np.array([0, -1]), ValueError, "actions must be in [0, 3); got -1 at index 1"),
        (np.array([0, 2**63], np.uint64), ValueError, f"actions must be in [0, 3); got {2**63} at index 1"),
    ],
)
def test_bad_actions_are_named(actions, error, message):
    with pytest.raises(error, match=re.escape(message)):
        v.check_actions(actions, 2, 3)
