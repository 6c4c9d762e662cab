"""What an architecture costs: its parameters, the operations of a forward pass, or the time of one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from nasdqn_fast.errors import InputError
from nasdqn_fast.flop import forward_flop
from nasdqn_fast.space import Architecture

MEASURES = ("parameters", "flop", "latency")


def cost_of(measure: str, sizes: tuple[int, int], latencies: Mapping[str, float]) -> Callable[[Architecture], float]:
    """A function that gives the cost of an architecture.

    Args:
        measure: one of `MEASURES`: weights and biases; operations of a forward pass of one observation; seconds of one.
        sizes: of an observation, and number of actions.
        latencies: architecture, as text -> seconds; of ``latency`` only.
    """
    if measure == "parameters":
        return lambda architecture: float(architecture.parameter_count(*sizes))
    if measure == "flop":
        return lambda architecture: float(forward_flop(architecture, *sizes, rows=1))

    def latency(architecture: Architecture) -> float:
        """Seconds.

        Raises:
            InputError: the table does not have the architecture.
        """
        name = str(Architecture.parse(architecture))
        if name not in latencies:
            raise InputError(
                f"reward_latencies has no {name}; it has {', '.join(latencies) or 'none'}; add it, or leave "
                "reward_latencies out to have all architectures measured"
            )
        return latencies[name]

    return latency
