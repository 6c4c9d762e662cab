"""Clustered UCB: which of depth, width and activation to change, then to what; a sliding window of scores.

After ULTHO, Yuan et al. 2025 (arXiv:2503.06101), a bandit with clustered arms for hyperparameters within one run. The
clusters are the fields, their arms the fields' values. At each switch an upper confidence bound chooses a cluster, a
second one an arm in it; the other fields stay as they are. The means are over the last `window` scores, since an agent
that learns makes old ones too low.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.controllers._arms import Arms
from nasdqn_fast.controllers._decisions import Neighbours, Tree
from nasdqn_fast.controllers._policies import argmax
from nasdqn_fast.controllers._scale import RunningScale
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.options import HERE, Checked, option
from nasdqn_fast.space import Architecture, SearchSpace, parse_setup
from nasdqn_fast.types import Proposal, Result
from nasdqn_fast.validation import check_sum


class UCB(Controller):
    """Clustered UCB.

    The first architecture is a uniform draw. A score counts for the cluster that was chosen, and for every value that
    the architecture has: also for those that stayed.

    Args:
        space: what there is to choose from.
        rng: the source of randomness: of the first draw, and of ties.
        options: width of the bound, length of the window.
    """

    @dataclass(frozen=True)
    class Options(Checked):
        c: float = option(1.0, "width of the confidence bound, in deviations of the scores", HERE, minimum=0)
        window: int = option(100, "scores that count, the last ones", HERE, minimum=1)

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options = Options()) -> None:
        super().__init__(space, rng)
        self.options = options
        self._tree = Tree(space)
        self._neighbours = Neighbours(space, self._tree)
        self._at: Architecture | None = None  # what was trained last
        self._cluster: int | None = None  # the field that was changed
        # The cluster, the architecture and the score of each.
        self.window: deque[tuple[int | None, Architecture, float]] = deque(maxlen=options.window)

    def propose(self) -> Proposal:
        if self._at is None:
            self._at = self.space.sample(self.rng)
            return Proposal(self._at, "first")
        fields = self._neighbours.fields(self._at)
        if not fields:
            return Proposal(self._at, "only")
        scale, clusters, arms = self._counts()
        numbers = [self._tree.fields.index(field) for field in fields]
        self._cluster = numbers[argmax(clusters.bounds(numbers, self.options.c, scale), self.rng)]
        field = self._tree.fields[self._cluster]
        parts = [number for number, part in enumerate(self._tree.parts) if part[0] == field]
        value = self._tree.parts[parts[argmax(arms.bounds(parts, self.options.c, scale), self.rng)]][1]
        nearest = self._neighbours.nearest(self._at, field, value)
        self._at = nearest[self.rng.integers(len(nearest))] if len(nearest) > 1 else nearest[0]
        return Proposal(self._at, field.split()[0])

    def learn(self, result: Result) -> None:
        self.window.append((self._cluster, result.proposal.architecture, result.score))
        # A transfer may have altered or refused the switch: the next one begins with what was trained.
        if result.architecture in self.space:
            self._at = result.architecture

    def _counts(self) -> tuple[RunningScale, Arms, Arms]:
        """The window's scale, and what it says of clusters and of their arms."""
        scale, clusters, arms = RunningScale(), Arms(len(self._tree.fields)), Arms(len(self._tree.parts))
        for cluster, architecture, score in self.window:
            scale.add(score)
            if cluster is not None:
                clusters.play([cluster], score)
            arms.play(self._tree.numbers(architecture), score)
        return scale, clusters, arms

    def get_state(self) -> dict[str, Any]:
        window = [[cluster, str(architecture), score] for cluster, architecture, score in self.window]
        at = self._at and str(self._at)
        return super().get_state() | {"at": at, "cluster": self._cluster, "window": window}

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self._at = state["at"] and parse_setup(state["at"])
        self._cluster = state["cluster"]
        self.window.clear()
        for cluster, text, score in state["window"]:
            self.window.append((cluster, parse_setup(text), check_sum("score", score)))


plugin = UCB
