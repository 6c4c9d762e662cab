"""Bandits: UCB1, discounted UCB or Thompson sampling, over the values of each field or over whole architectures.

UCB1: Auer et al. 2002. Discounted UCB: Garivier and Moulines 2008 (arXiv:0805.3415), for scores that drift, as an
agent's do while it learns. Thompson sampling: Thompson 1933, with normal scores. Factored arms are the values of depth,
width and activation, a bandit each, as if they contributed independently: 9 arms in the paper's space, where whole
architectures are 27, each of which is tried before any is tried again.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.controllers._arms import Arms
from nasdqn_fast.controllers._decisions import Decision, Tree
from nasdqn_fast.controllers._policies import argmax
from nasdqn_fast.controllers._scale import RunningScale
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.options import HERE, Checked, option
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.types import Proposal, Result

RULES = ("ucb1", "discounted-ucb", "thompson")


class Bandit(Controller):
    """A bandit. The score is that of the proposal, also where a transfer refused the switch.

    Args:
        space: what there is to choose from.
        rng: the source of randomness: of ties, and of Thompson's draws.
        options: the rule, and what the arms are.
    """

    @dataclass(frozen=True)
    class Options(Checked):
        rule: str = option("thompson", "how an arm is chosen", HERE, choices=RULES)
        arms: str = option(
            "factored",
            "the values of each field, or the architectures",
            HERE,
            choices=("factored", "flat"),
        )
        c: float = option(
            1.0, "UCB: width of the confidence bound, in deviations of the scores", "Auer et al. 2002", minimum=0
        )
        startup: int = option(
            6,
            "uniform draws before factored UCB: values that were only ever tried together would stay together",
            HERE,
            minimum=0,
        )
        discount: float = option(
            0.95,
            "discounted-ucb: weight of a score from play to play",
            HERE,
            minimum=0,
            maximum=1,
        )

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options = Options()) -> None:
        super().__init__(space, rng)
        self.options = options
        self.scale = RunningScale()
        self._tree = Tree(space)
        self._flat = options.arms == "flat"
        # The bandits of the fields see the same scores, and without chance make the same choices.
        self._locks = not self._flat and options.rule != "thompson"
        n_arms = len(space) if self._flat else len(self._tree.parts)
        self.arms = Arms(n_arms, options.discount if options.rule == "discounted-ucb" else 1.0)

    def propose(self) -> Proposal:
        if self._locks and self.scale.n < self.options.startup:
            return Proposal(self.space.sample(self.rng), "startup")
        if self._flat:
            return Proposal(self.space[self._choose(range(len(self.space)))], self.options.rule)
        at: Decision | Architecture = self._tree.root
        while isinstance(at, Decision):
            at = at.outcomes[self._choose(at.actions)]
        return Proposal(at, self.options.rule)

    def learn(self, result: Result) -> None:
        self.scale.add(result.score)
        architecture = result.proposal.architecture
        self.arms.play(
            [self.space.index(architecture)] if self._flat else self._tree.numbers(architecture), result.score
        )

    def _choose(self, arms: Any) -> int:
        """The place of the arm to play."""
        if self.options.rule == "thompson":
            return argmax(self.arms.draws(list(arms), self.scale, self.rng), self.rng)
        return argmax(self.arms.bounds(list(arms), self.options.c, self.scale), self.rng)

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {"scale": self.scale.get_state(), "arms": self.arms.get_state()}

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self.scale.set_state(state["scale"])
        self.arms.set_state(state["arms"])


plugin = Bandit
