"""One architecture whose replay memory is pruned every --switch-every episodes: a control for what pruning does.

Rahmani et al. 2025, section 2.3.3, prunes the memory at every switch. Here each segment is a switch to the architecture
in use, which keeps the network and the optimizer: all that is left of a switch is the pruning.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.options import HERE, Checked, option
from nasdqn_fast.space import Architecture, SearchSpace, check_architecture, parse_setup
from nasdqn_fast.types import Proposal


class PruneOnly(Controller):
    """The same architecture in every segment.

    Args:
        space: what it is drawn from.
        rng: draws it.
        options: the architecture, if it is not to be drawn.
    """

    @dataclass(frozen=True)
    class Options(Checked):
        architecture: str | None = option(
            None,
            "what to train, as 3x64-relu or 64,32-tanh",
            HERE,
            check=check_architecture,
            shown="a uniform draw from the space",
        )

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options = Options()) -> None:
        super().__init__(space, rng)
        given = options.architecture
        self.architecture = None if given is None else Architecture.parse(given)
        self.begun = False

    def propose(self) -> Proposal:
        if self.architecture is None:
            self.architecture = self.space.sample(self.rng)
        first, self.begun = not self.begun, True
        return Proposal(self.architecture, "first") if first else self.again(self.architecture)

    def again(self, architecture: Architecture) -> Proposal:
        """The proposal of every segment but the first."""
        return Proposal(architecture, "prune")

    def get_state(self) -> dict[str, Any]:
        architecture = None if self.architecture is None else str(self.architecture)
        return super().get_state() | {"architecture": architecture, "begun": self.begun}

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self.architecture = None if state["architecture"] is None else parse_setup(state["architecture"])
        self.begun = bool(state["begun"])


plugin = PruneOnly
