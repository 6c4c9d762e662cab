"""Nothing is carried over: "re-initializing network models", Rahmani et al. 2025, section 3.3, taken literally."""

from __future__ import annotations

import numpy as np

from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers.base import N, new_network


def fresh(old: N, architecture: Architecture, rng: np.random.Generator) -> N:
    """A network with initial weights."""
    return new_network(old, architecture, rng)


plugin = fresh
