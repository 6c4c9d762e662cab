"""Nothing is carried over: "re-initializing network models", Rahmani et al. 2025, section 3.3, taken literally."""

from __future__ import annotations

from nasdqn_fast.transfers.base import Carried, Switch


def fresh(switch: Switch) -> Carried:
    """A network with initial weights."""
    return Carried(switch.old.like(switch.architecture, switch.rng))


plugin = fresh
