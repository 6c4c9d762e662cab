"""The state of the training loop, as both backends save it: lanes, counters and episodes not yet reported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from nasdqn_fast.validation import check_array, check_bool, check_int

_LANES = {
    "reward_sum": np.float64,
    "loss_sum": np.float64,
    "epsilon": np.float64,
    "length": np.int64,
    "n_losses": np.int64,
}
_ENDED = {"reward_sum": np.float64, "mean_loss": np.float64, "epsilon": np.float64, "length": np.int64}


def check_loop_state(state: Mapping[str, Any], states: tuple[int, int], observations: tuple[int, int]) -> None:
    """Refuses a state whose arrays would not fit into the loop's own.

    Args:
        state: what a loop's ``get_state`` gave.
        states, observations: shapes of the loop's own arrays, (lanes, ...).

    Raises:
        KeyError, TypeError, ValueError: it is the state of other lanes, or none.
    """
    check_bool("started", state["started"])
    for name in ("steps", "updates", "episodes"):
        check_int(name, state[name], 0)
    check_array("states", state["states"], states, np.float64)
    check_array("observations", state["observations"], observations, np.float32)
    for name, dtype in _LANES.items():
        check_array(f"lane_{name}", state[f"lane_{name}"], states[:1], dtype)
    n: int | str = "n"
    for name, dtype in _ENDED.items():
        n = len(check_array(f"ended_{name}", state[f"ended_{name}"], (n,), dtype))
