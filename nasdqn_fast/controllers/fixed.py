"""One architecture for the whole run: the paper's baselines, Rahmani et al. 2025, section 2.4.1."""

from __future__ import annotations

import numpy as np

from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import WHOLE_RUN, Proposal


class Fixed(Controller):
    """Always the same architecture, without a switch.

    Args:
        space: not used; the architecture need not be in it.
        rng: not used.
        architecture: what to train.

    Raises:
        TypeError, ValueError: no architecture.
    """

    def __init__(self, space: SearchSpace, rng: np.random.Generator, *, architecture: str | Architecture) -> None:
        super().__init__(space, rng)
        self.architecture = Architecture.parse(architecture)

    def propose(self) -> Proposal:
        return Proposal(self.architecture, "fixed", WHOLE_RUN)


plugin = Fixed
