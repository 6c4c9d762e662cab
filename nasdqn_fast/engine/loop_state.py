"""The state of the training loop, as both backends save it: lanes, counters and episodes not yet reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nasdqn_fast.validation import check_all_finite, check_array, check_bool, check_int

_LANES = {
    "reward_sum": np.float64,
    "loss_sum": np.float64,
    "epsilon": np.float64,
    "length": np.int64,
    "n_losses": np.int64,
}
_ENDED = {"reward_sum": np.float64, "mean_loss": np.float64, "epsilon": np.float64, "length": np.int64}


def check_loop_state(state: Mapping[str, Any], states: tuple[int, int], observations: tuple[int, int]) -> None:
    """Refuses what is not a state of a loop with these lanes.

    Args:
        state: as a loop's ``get_state`` returns it. ``step_updates`` and ``lane_flags`` may be missing: the state was
            then saved between two vector steps, as all states of checkpoint format 1 were at first. So may
            ``continues``, of states that were saved before there were n-step returns, and ``ended_actor``, of those
            from before there were populations.
        states, observations: shapes of the loop's own arrays, (lanes, ...).

    Raises:
        KeyError, TypeError, ValueError: a part is missing, or has another type or shape.
    """
    lanes = states[:1]
    check_bool("started", state["started"])
    check_bool("continues", state.get("continues", False))
    for name in ("steps", "updates", "episodes"):
        check_int(name, state[name], 0)
    check_array("states", state["states"], states, np.float64)
    seen = check_array("observations", state["observations"], observations, np.float32)
    if state["started"]:  # else they are those of an error, perhaps
        check_all_finite("observations", seen)
    check_int("step_updates", state.get("step_updates", -1), -1)
    check_array("lane_flags", state.get("lane_flags", np.zeros(lanes, np.int32)), lanes, np.int32)
    for name, dtype in _LANES.items():
        check_array(f"lane_{name}", state[f"lane_{name}"], lanes, dtype)
    n: int | str = "n"
    for name, dtype in _ENDED.items():
        n = len(check_array(f"ended_{name}", state[f"ended_{name}"], (n,), dtype))
    if "ended_actor" in state:
        check_array("ended_actor", state["ended_actor"], (n,), np.int64)
