"""The overlapping leading block of every layer is copied, the rest is new.

As SEARL does (Franke et al. 2021, arXiv:2009.01555) and AgileRL did before August 2026.
"""

from __future__ import annotations

import numpy as np

from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers.base import N, leading_blocks


def overlap(old: N, architecture: Architecture, rng: np.random.Generator) -> N:
    """Copies W[:m, :n] and b[:n] of each pair of layers, m and n the smaller sizes."""
    new = old.like(architecture, rng)
    for source, target in leading_blocks(old, new):
        target[...] = source
    return new


plugin = overlap
