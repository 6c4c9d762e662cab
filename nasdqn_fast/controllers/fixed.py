"""One architecture for the whole run: the paper's baselines, Rahmani et al. 2025, section 2.4.1."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.options import REQUIRED, Checked, option
from nasdqn_fast.space import Architecture, SearchSpace, check_architecture
from nasdqn_fast.types import WHOLE_RUN, Proposal


class Fixed(Controller):
    """Always the same architecture, without a switch.

    Args:
        space: not used; the architecture need not be in it.
        rng: not used.
        options: which architecture.
    """

    @dataclass(frozen=True)
    class Options(Checked):
        architecture: str = option(
            REQUIRED, "what to train, as 3x64-relu or 64,32-tanh", "paper 2.2", check=check_architecture
        )

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options) -> None:
        super().__init__(space, rng)
        self.architecture = Architecture.parse(options.architecture)

    def propose(self) -> Proposal:
        return Proposal(self.architecture, "fixed", WHOLE_RUN)


plugin = Fixed
