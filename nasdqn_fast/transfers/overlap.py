"""The overlapping leading block of every layer is copied, the rest is new.

As SEARL does (Franke et al. 2021, arXiv:2009.01555) and AgileRL did before August 2026.
"""

from __future__ import annotations

from nasdqn_fast.transfers.base import Carried, Switch, leading_blocks


def overlap(switch: Switch) -> Carried:
    """Copies W[:m, :n] and b[:n] of each pair of layers, m and n the smaller sizes."""
    new = switch.old.like(switch.architecture, switch.rng)
    for source, target in leading_blocks(switch.old, new):
        target[...] = source
    return Carried(new)


plugin = overlap
