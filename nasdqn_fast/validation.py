"""Checks of arguments, shared by the native and the NumPy backend.

Each takes the value given, returns it in the form the engine wants, or raises a `BadArgument`: `WrongType`, a
TypeError, for a wrong type or dtype, and `OutOfRange`, a ValueError, for a wrong shape or range. It names the
argument, what was expected, what was given and how to correct it. Arrays are never converted in silence: a float64
array in a float32 engine is a mistake in the caller that would cost a copy at every call.
"""

from __future__ import annotations

import math
import numbers
import operator
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from nasdqn_fast.errors import BadArgument, InputError, OutOfRange, UnknownName, WrongType

# Sizes and counts are int64 in the core; some bits are left so that small multiples cannot overflow.
MAX_INT = 1 << 60
# Actions in a replay memory are int32.
MAX_ACTION = (1 << 31) - 1
# No sum of float32 rewards is larger, however many steps it is over; the square of it is finite.
MAX_SUM = float(np.finfo(np.float32).max) * MAX_INT


def check_int(name: str, value: Any, minimum: int | None = None, maximum: float | None = MAX_INT) -> int:
    """An integer (NumPy's too, no bool) in [minimum, maximum]; None is no bound."""
    high = math.inf if maximum is None else maximum
    expected = "an integer" if minimum is None else f"an integer >= {minimum}"
    if high < MAX_INT:
        expected = f"an integer <= {high}" if minimum is None else f"an integer from {minimum} to {high}"
    elif isinstance(value, int) and value > high:
        expected += ", at most 2^60"
    if isinstance(value, (bool, np.bool_)):
        raise WrongType(name, expected, f"the bool {value}", python="pass a number")
    try:
        number = operator.index(value)
    except TypeError:
        raise WrongType(name, expected, described(value), python="pass int({})") from None
    if number > high or (minimum is not None and number < minimum):
        raise OutOfRange(name, expected, str(number))
    return number


def check_positive_int(name: str, value: Any) -> int:
    """An integer >= 1."""
    return check_int(name, value, 1)


def check_real(name: str, value: Any, minimum: float | None = None, maximum: float | None = None) -> float:
    """A finite real number (NumPy's too, no bool) in [minimum, maximum]; None is no bound."""
    if minimum is None and maximum is None:
        expected = "a finite number"
    elif minimum is not None and maximum is not None:
        expected = f"a number in [{minimum:g}, {maximum:g}]"
    else:
        expected = f"a finite number <= {maximum:g}" if minimum is None else f"a finite number >= {minimum:g}"
    low, high = -math.inf if minimum is None else minimum, math.inf if maximum is None else maximum
    return _check_real(name, value, expected, lambda x: math.isfinite(x) and low <= x <= high)


def check_finite(name: str, value: Any) -> float:
    """A finite real number (NumPy's too, no bool)."""
    return check_real(name, value)


def check_positive(name: str, value: Any) -> float:
    """A finite real number > 0."""
    return _check_real(name, value, "a finite number > 0", lambda x: 0 < x < math.inf)


def check_finite32(name: str, value: Any) -> float:
    """A real number that is finite as float32, which the engine computes with."""
    limit = float(np.finfo(np.float32).max)
    return _check_real(name, check_finite(name, value), "finite in float32", lambda x: abs(x) <= limit)


def check_positive32(name: str, value: Any) -> float:
    """A real number > 0 that float32 holds: rounded to it, it is neither 0 nor infinite."""
    return _check_real(name, check_positive(name, value), "a number from 1e-37 to 3e38", lambda x: 1e-37 <= x <= 3e38)


def check_unit_interval(name: str, value: Any) -> float:
    """A real number in [0, 1]: a probability or a discount."""
    return check_real(name, value, 0, 1)


def check_fraction(name: str, value: Any) -> float:
    """A real number in (0, 1]: a share of something of which a part must remain."""
    return _check_real(name, value, "a number in (0, 1]", lambda x: 0 < x <= 1)


def check_decay_rate(name: str, value: Any) -> float:
    """A real number in [0, 1), to float32 too: the decay of a running mean, which at 1 would never move."""
    return _check_real(name, value, "a number in [0, 1)", lambda x: 0 <= x <= 0.9999999)


def check_decay(names: Sequence[str], start: Any, decay: Any, lowest: Any) -> tuple[float, float, float]:
    """A probability that decays by a factor: start, factor and lowest value, all in [0, 1].

    Args:
        names: of the three.
        start, decay, lowest: the values given.
    """
    start, decay, lowest = map(check_unit_interval, names, (start, decay, lowest))
    if lowest > start:
        raise OutOfRange(names[2], f"at most {{{names[0]}}} ({start})", str(lowest), f"lower {{{names[2]}}}")
    return start, decay, lowest


def check_choice(name: str, value: Any, valid: Iterable[str]) -> str:
    """One of a few names."""
    valid = tuple(valid)
    if not isinstance(value, str):
        raise WrongType(name, f"one of {', '.join(valid)}", described(value), python="pass its name")
    if value not in valid:
        raise UnknownName(name, value, valid)
    return value


def check_text(name: str, value: Any) -> str:
    """A string."""
    if not isinstance(value, str):
        raise WrongType(name, "a string", described(value), python="pass a str")
    return str(value)


def check_bool(name: str, value: Any) -> bool:
    """True or False (NumPy's too); 0 and 1 are refused, they are most often a swapped argument."""
    if not isinstance(value, (bool, np.bool_)):
        raise WrongType(name, "a bool", described(value), python="pass bool({})")
    return bool(value)


def check_float_dtype(name: str, value: Any) -> np.dtype:
    """float32 or float64, the two precisions an engine computes in."""
    dtype = np.dtype(value)
    if dtype not in (np.float32, np.float64):
        raise WrongType(name, "float32 or float64", str(dtype), python="pass np.float32")
    return dtype


def check_rng(name: str, value: Any) -> np.random.Generator:
    """An int >= 0 is a seed; a Generator passes and is shared with the caller."""
    if isinstance(value, np.random.Generator):
        return value
    expected = "an int >= 0 or a numpy.random.Generator"
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, (int, np.integer)):
        raise WrongType(name, expected, described(value), python="pass a seed, as {}=0")
    if value < 0:
        raise OutOfRange(name, expected, str(value))
    return np.random.default_rng(int(value))


def check_path(name: str, value: Any) -> Path:
    """A path, which may or may not exist; a ``~`` at its beginning is a home directory."""
    if not isinstance(value, (str, os.PathLike)):
        raise WrongType(name, "a path", described(value), python="pass a str or a pathlib.Path")
    try:
        return Path(value).expanduser()
    except RuntimeError:  # of a user who has none, or of nobody
        raise InputError(
            f"{name} {str(value)!r}: no home directory for its ~; write the path out, or ./~ where ~ is part of a name"
        ) from None


def check_instance(name: str, value: Any, wanted: type, hint: str) -> Any:
    """An object of this class."""
    if not isinstance(value, wanted):
        raise WrongType(name, f"a {wanted.__name__} of {wanted.__module__}", described(value), python=hint)
    return value


def check_each(name: str, value: Any, check: Callable[[str, Any], Any]) -> tuple[Any, ...]:
    """A list, a tuple or a NumPy array, each item of which passes a check; as a tuple.

    Args:
        name: the argument's name.
        value: the value given.
        check: takes a name and an item.
    """
    if isinstance(value, str) or not isinstance(value, (Sequence, np.ndarray)):
        raise WrongType(name, "a list", described(value))
    return tuple(_check_item(name, f"[{index}]", item, check) for index, item in enumerate(value))


def check_table(name: str, value: Any, check: Callable[[str, Any], Any], of: str = "numbers") -> dict[str, Any]:
    """A mapping from names to values, each of which passes a check; as a dict of its own.

    Args:
        name: the argument's name.
        value: the value given.
        check: takes a name and an item.
        of: what the values are, for the message.
    """
    if not isinstance(value, Mapping):
        raise WrongType(name, f"a table of {of} by name", described(value))
    return {
        check_text(f"a name in {name}", key): _check_item(name, f"[{key!r}]", item, check)
        for key, item in value.items()
    }


def _check_item(name: str, item: str, value: Any, check: Callable[[str, Any], Any]) -> Any:
    try:
        return check(name, value)
    except BadArgument as error:
        error.item = item + error.item
        raise


def check_array(name: str, value: Any, shape: tuple[int | str, ...], dtype: DTypeLike) -> np.ndarray:
    """An array of exactly this dtype and shape; returned C-contiguous and in native byte order.

    Args:
        name: the argument's name.
        value: the value given.
        shape: a number for a fixed length, a letter for any.
        dtype: what the array must hold.
    """
    dtype = np.dtype(dtype)
    # The usual case first: the text below costs more than a small network's forward pass.
    if isinstance(value, np.ndarray) and value.dtype == dtype and _fits(value, shape):
        return value if value.flags.c_contiguous and value.flags.aligned else np.array(value, order="C")
    expected = f"{dtype} of shape {_shape_text(shape)}"
    if not isinstance(value, np.ndarray):
        raise WrongType(name, expected, described(value), python=f"pass np.asarray({{}}, dtype=np.{dtype})")
    got = f"{value.dtype} {_shape_text(value.shape)}"
    if value.dtype != dtype:
        raise WrongType(name, expected, got, python=f"pass {{}}.astype(np.{dtype})")
    raise OutOfRange(name, expected, got, python="reshape it")


def check_all_finite(name: str, array: np.ndarray) -> np.ndarray:
    """An array of numbers none of which is NaN or infinite."""
    finite = np.isfinite(array)
    if not finite.all():
        raise OutOfRange(name, "finite", str(array[~finite][0]))
    return array


def first_non_finite(arrays: Mapping[str, np.ndarray]) -> str:
    """The name of the first array that holds NaN or an infinity; empty if none does."""
    return next((name for name, array in arrays.items() if not np.isfinite(array).all()), "")


def check_sum(name: str, value: Any) -> float:
    """A real number that a sum of rewards, or a mean of such sums, can be."""
    return _check_real(name, value, "a sum of rewards", lambda x: abs(x) <= MAX_SUM)


def check_observations(
    x: Any, observation_size: int, dtype: DTypeLike = np.float32, name: str = "observations", n: int | str = "N"
) -> np.ndarray:
    """A batch of observations (N, observation_size); N = 0 is allowed."""
    return check_array(name, x, (n, observation_size), dtype)


def check_actions(actions: Any, n: int, n_actions: int) -> np.ndarray:
    """Actions (n,) of any integer dtype in [0, n_actions), returned as int64."""
    return _check_indices("actions", actions, n, n_actions)


def check_ages(ages: Any, size: int) -> np.ndarray:
    """Places (n,) in a memory of `size` transitions, counted from the oldest, returned as int64."""
    return _check_indices("ages", ages, "n", size)


def check_slots(name: str, slots: Any, capacity: int) -> np.ndarray:
    """Places (n,) in an array of `capacity` items, returned as int64."""
    return _check_indices(name, slots, "n", capacity)


def check_priorities(priorities: Any, n: int) -> np.ndarray:
    """Priorities float64 (n,) of stored transitions: finite, not negative."""
    priorities = check_all_finite("priorities", check_array("priorities", priorities, (n,), np.float64))
    if (priorities < 0).any():
        raise OutOfRange("priorities", ">= 0", str(priorities.min()))
    return priorities


def check_fit(rows: Any, size: int) -> np.ndarray:
    """Minibatches (steps, batch) of a fit, both >= 1, of places in a table of `size` rows, returned as int64."""
    if not isinstance(rows, np.ndarray) or rows.ndim != 2 or 0 in rows.shape:
        raise OutOfRange("rows", "an array of integers of shape (steps, batch), both >= 1", described(rows))
    return _check_indices("rows", rows.reshape(-1), rows.size, size).reshape(rows.shape)


def _check_indices(name: str, value: Any, n: int | str, limit: int) -> np.ndarray:
    expected = f"integers of shape ({n},)"
    if not isinstance(value, np.ndarray):
        raise WrongType(name, expected, described(value), python="pass np.asarray({})")
    got = f"{value.dtype} {_shape_text(value.shape)}"
    if not np.issubdtype(value.dtype, np.integer):
        raise WrongType(name, expected, got, python="pass {}.astype(np.int64)")
    if not _fits(value, (n,)):
        raise OutOfRange(name, expected, got, python="reshape it")
    outside = (value < 0) | (value >= limit)
    if outside.any():
        first = int(np.argmax(outside))
        raise OutOfRange(name, f"in [0, {limit})", f"{value[first]} at index {first}")
    return np.ascontiguousarray(value, dtype=np.int64)


def check_stored_actions(actions: np.ndarray) -> None:
    """Actions that a replay memory takes: [0, 2^31)."""
    smallest, largest = actions.min(initial=0), actions.max(initial=0)
    if smallest < 0 or largest > MAX_ACTION:
        raise OutOfRange("actions", f"in [0, {MAX_ACTION}]", f"{smallest} to {largest}")


def check_next_slot(value: Any, n: int, capacity: int) -> int:
    """The slot that a ring of `capacity` slots, n of them filled, writes next."""
    slot = check_int("next", value, 0, capacity - 1)
    if n > capacity or (n < capacity and slot != n):
        raise ValueError(
            f"the state has {n} transitions and writes to slot {slot} next, which no ring of {capacity} slots does; "
            "save it again"
        )
    return slot


MAX_FOLLOWS = 2**31 - 1  # what a row of the compiled memory has room for


def check_follows(value: Any) -> int:
    """How many transitions before a new one of a memory its predecessor is; 0: none is."""
    return check_int("follows", value, 0, MAX_FOLLOWS)


def check_successors(value: Any, n: int, next_slot: int) -> np.ndarray:
    """How far on the next step of each transition's episode is in a ring with n slots filled; 0: it is not stored.

    Args:
        value: int32 (n,), slot by slot, or None, as in states that were saved before there were any: all 0.
        n: filled slots.
        next_slot: the one that is written next; of a full ring, that of the oldest transition.
    """
    if value is None:
        return np.zeros(n, np.int32)
    successors = check_array("successors", value, (n,), np.int32)
    if n:
        ages = (np.arange(n) - next_slot) % n
        if ((successors < 0) | (ages + successors >= n)).any():
            raise ValueError("successors must be stored transitions that are younger; save the state again")
    return successors


def _check_real(name: str, value: Any, expected: str, holds: Any) -> float:
    if isinstance(value, (bool, np.bool_)) or not isinstance(value, numbers.Real):
        raise WrongType(name, expected, described(value), python="pass float({})")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    if not holds(number):
        raise OutOfRange(name, expected, str(number))
    return number


def _fits(value: np.ndarray, shape: tuple[int | str, ...]) -> bool:
    return value.ndim == len(shape) and all(
        isinstance(want, str) or want == have for want, have in zip(shape, value.shape, strict=True)
    )


def _shape_text(shape: tuple[int | str, ...]) -> str:
    return f"({shape[0]},)" if len(shape) == 1 else f"({', '.join(map(str, shape))})"


def described(value: Any) -> str:
    """The value given, short: a scalar with its value, anything else by its type."""
    kind = type(value).__name__
    if value is None or isinstance(value, (str, numbers.Number)):
        text = repr(value)
        return f"{kind} {text if len(text) <= 60 else text[:60] + '...'}"
    return kind
