"""Uniform draws, whatever was learnt: the paper's Random-NAS, Rahmani et al. 2025, section 2.4.1."""

from __future__ import annotations

from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.types import Proposal


class RandomSearch(Controller):
    """Every architecture of the space with the same probability, independent of the past."""

    def propose(self) -> Proposal:
        return Proposal(self.space.sample(self.rng), "uniform")


plugin = RandomSearch
