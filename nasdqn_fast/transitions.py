"""Which transitions are valid, decided once for every way into a replay memory.

The training loop's own test is in ext/kernels/loop.c: what an environment returns must be finite, too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, NamedTuple

import numpy as np

from nasdqn_fast.types import Batch
from nasdqn_fast.validation import (
    MAX_ACTION,
    check_all_finite,
    check_array,
    check_bool,
    check_finite,
    check_finite32,
    check_int,
    check_next_slot,
    check_priorities,
    check_real,
    check_stored_actions,
    check_successors,
)

FIELDS = tuple(field.name for field in fields(Batch))
Transition = tuple[np.ndarray, int, float, np.ndarray, bool, bool]


def check_transition(
    observation: Any,
    action: Any,
    reward: Any,
    next_observation: Any,
    terminated: Any,
    truncated: Any,
    *,
    size: int,
    dtype: np.dtype,
) -> Transition:
    """One transition.

    Args:
        observation, next_observation: finite, of this dtype, (size,).
        action: int in [0, 2^31).
        reward: a number that is finite in this dtype.
        terminated, truncated: bool.
        size: numbers in an observation.
        dtype: of observations and rewards.

    Raises:
        TypeError, ValueError: it is not valid.
    """
    return (
        check_all_finite("observation", check_array("observation", observation, (size,), dtype)),
        check_int("action", action, 0, MAX_ACTION),
        (check_finite32 if dtype == np.float32 else check_finite)("reward", reward),
        check_all_finite("next_observation", check_array("next_observation", next_observation, (size,), dtype)),
        check_bool("terminated", terminated),
        check_bool("truncated", truncated),
    )


def check_transitions(batch: Batch, *, size: int, dtype: np.dtype) -> Batch:
    """Any number of transitions, each of them valid as `check_transition` has it; returned with contiguous arrays.

    Raises:
        TypeError, ValueError: one of them is not valid, or an array has the wrong dtype or length.
    """
    batch = check_batch(batch, "n", size=size, dtype=dtype)
    check_stored_actions(batch.actions)
    for name in ("observations", "rewards", "next_observations"):
        check_all_finite(name, getattr(batch, name))
    return batch


def check_batch(batch: Batch, n: int | str, *, size: int, dtype: np.dtype) -> Batch:
    """The arrays' dtypes and shapes only; the first one's length holds for all."""
    observations = check_array("observations", batch.observations, (n, size), dtype)
    n = len(observations)
    return Batch(
        observations,
        check_array("actions", batch.actions, (n,), np.int64),
        check_array("rewards", batch.rewards, (n,), dtype),
        check_array("next_observations", batch.next_observations, (n, size), dtype),
        check_array("terminated", batch.terminated, (n,), bool),
        check_array("truncated", batch.truncated, (n,), bool),
    )


class Ring(NamedTuple):
    """The parts of a replay memory's state, checked; priorities are ones and the largest is 1, where it has none."""

    batch: Batch
    next_slot: int
    successors: np.ndarray
    priorities: np.ndarray
    largest_priority: float


def check_ring(
    state: Mapping[str, Any], capacity: int, *, size: int, dtype: np.dtype, range_of_priorities: tuple[float, float]
) -> Ring:
    """A replay memory's state; of earlier versions' states successors, of others priorities may be missing.

    Args:
        state: as ``get_state`` returns it.
        capacity, size, dtype: of the memory that is to have it.
        range_of_priorities: the least and the largest that there may be.

    Raises:
        KeyError, TypeError, ValueError: it is damaged, or that of another capacity or observation size.
    """
    if state["capacity"] != capacity:
        raise ValueError(f"the state is that of capacity {state['capacity']}, this buffer has {capacity}")
    batch = check_transitions(Batch(*(state[name] for name in FIELDS)), size=size, dtype=dtype)
    n = len(batch)
    next_slot = check_next_slot(state["next"], n, capacity)
    least, most = range_of_priorities
    largest = check_real("largest_priority", state["largest_priority"] if "priorities" in state else 1.0, 1.0, most)
    priorities = check_priorities(state.get("priorities", np.ones(n)), n)
    if not (priorities >= least).all() or not (priorities <= largest).all():
        raise ValueError(f"priorities must be from {least:g} to largest_priority ({largest:g})")
    return Ring(batch, next_slot, check_successors(state.get("successors"), n, next_slot), priorities, largest)
