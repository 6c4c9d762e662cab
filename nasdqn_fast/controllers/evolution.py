"""Aging evolution: the best of a few of the youngest, with one field changed; the oldest dies.

Regularized evolution, Real et al. 2019 (arXiv:1802.01548). The first architectures are uniform draws. Then each
is a mutation of the best of a random sample from the population; it joins when it has its score, and the oldest leaves.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.controllers._decisions import Neighbours, Tree
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.options import HERE, Checked, option
from nasdqn_fast.space import Architecture, SearchSpace, parse_setup
from nasdqn_fast.types import Proposal, Result
from nasdqn_fast.validation import check_sum


class Evolution(Controller):
    """Aging evolution.

    Args:
        space: what there is to choose from.
        rng: the source of randomness.
        options: sizes of population and sample.
    """

    @dataclass(frozen=True)
    class Options(Checked):
        population: int = option(10, "architectures alive, the last ones trained", "NATS-Bench", minimum=1)
        sample: int = option(5, "drawn of them, with replacement; the best is the parent", HERE, minimum=1)

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options = Options()) -> None:
        super().__init__(space, rng)
        self.options = options
        self._neighbours = Neighbours(space, Tree(space))
        self.population: deque[tuple[Architecture, float]] = deque(maxlen=options.population)

    def propose(self) -> Proposal:
        if len(self.population) < self.options.population:
            return Proposal(self.space.sample(self.rng), "population")
        drawn = self.rng.integers(len(self.population), size=self.options.sample)
        parent, _ = max((self.population[place] for place in drawn), key=lambda member: member[1])
        return Proposal(self._neighbours.mutate(parent, self.rng), "mutation")

    def learn(self, result: Result) -> None:
        # A transfer may have altered or refused the switch: what was trained lives, if the space has it.
        trained = result.architecture in self.space
        self.population.append((result.architecture if trained else result.proposal.architecture, result.score))

    def get_state(self) -> dict[str, Any]:
        population = [[str(architecture), score] for architecture, score in self.population]
        return super().get_state() | {"population": population}

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self.population.clear()
        for text, score in state["population"]:
            self.population.append((parse_setup(text), check_sum("score", score)))


plugin = Evolution
