"""The state of the training loop, as both backends save it: lanes, counters and episodes not yet reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nasdqn_fast.validation import MAX_INT, check_all_finite, check_array, check_bool, check_int, check_sums

_LANES = {
    "reward_sum": np.float64,
    "loss_sum": np.float64,
    "epsilon": np.float64,
    "length": np.int64,
    "n_losses": np.int64,
}
_ENDED = {"reward_sum": np.float64, "mean_loss": np.float64, "epsilon": np.float64, "length": np.int64}


def check_loop_state(
    state: Mapping[str, Any], states: tuple[int, int], observations: tuple[int, int], max_episode_steps: int
) -> None:
    """Refuses a state that the loop could not go on from: it comes from a file, and the loop checks nothing.

    Args:
        state: what a loop's ``get_state`` gave, or claims to have given.
        states, observations: shapes of the loop's own arrays, (lanes, ...).
        max_episode_steps: at which an episode is truncated.

    Raises:
        KeyError, TypeError, ValueError: it is no such state, or that of other lanes.
    """
    check_bool("started", state["started"])
    for name in ("steps", "updates", "episodes"):
        check_int(name, state[name], 0)
    check_array("states", state["states"], states, np.float64)
    check_all_finite("observations", check_array("observations", state["observations"], observations, np.float32))
    for name, dtype in _LANES.items():
        check_array(f"lane_{name}", state[f"lane_{name}"], states[:1], dtype)
    n: int | str = "n"
    for name, dtype in _ENDED.items():
        n = len(check_array(f"ended_{name}", state[f"ended_{name}"], (n,), dtype))
    for name in ("lane_reward_sum", "ended_reward_sum"):
        check_sums(name, state[name])
    check_all_finite("lane_loss_sum", state["lane_loss_sum"])
    # A lane that is beyond its end already would never meet it. After an error, all lanes begin new episodes.
    _check_range("lane_length", state, 0, max_episode_steps - 1 if state["started"] else max_episode_steps)
    _check_range("lane_n_losses", state, 0, MAX_INT)
    _check_range("ended_length", state, 1, max_episode_steps)
    for name in ("lane_epsilon", "ended_epsilon"):
        _check_range(name, state, 0, 1)


def _check_range(name: str, state: Mapping[str, Any], low: int, high: int) -> None:
    outside = ~((state[name] >= low) & (state[name] <= high))  # NaN, too
    if outside.any():
        raise ValueError(f"{name} must be from {low} to {high}; got {state[name][outside][0]}")
