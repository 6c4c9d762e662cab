"""Nothing is carried over: "re-initializing network models", Rahmani et al. 2025, section 3.3, taken literally."""

from __future__ import annotations

import numpy as np

from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers.base import N


def fresh(old: N, architecture: Architecture, rng: np.random.Generator) -> N:
    """A network with initial weights."""
    return old.like(architecture, rng)


plugin = fresh
