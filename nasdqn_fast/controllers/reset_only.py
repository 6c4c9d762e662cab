"""One architecture that begins with new weights every --switch-every episodes: a control for what resets do.

A switch to another architecture with transfer ``fresh`` resets the network and changes the architecture; here it is
only reset, as in Nikishin et al. 2022 (arXiv:2205.07802), who keep the whole memory (--replay-keep 1).
"""

from __future__ import annotations

from nasdqn_fast.controllers.prune_only import PruneOnly
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Proposal


class ResetOnly(PruneOnly):
    """The same architecture in every segment, each with initial weights of its own, whatever the transfer."""

    def again(self, architecture: Architecture) -> Proposal:
        return Proposal(architecture, "reset", fresh=True)


plugin = ResetOnly
