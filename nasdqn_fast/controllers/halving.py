"""Successive halving and Hyperband, for offline search: many short trials, of which the best are continued.

Jamieson and Talwalkar 2016 (arXiv:1502.07943); Li et al. 2018 (arXiv:1603.06560). A bracket begins with n architectures
that are trained for r episodes each. The best of each eta go on from where they are, until each has had eta times as
many; and so on until one is left. Hyperband runs brackets of ever fewer and longer trials. Then all begins anew, with
other architectures.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np

from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.options import HERE, Checked, option
from nasdqn_fast.space import Architecture, SearchSpace, parse_setup
from nasdqn_fast.types import Proposal, Result
from nasdqn_fast.validation import check_int

Rung = tuple[int, int]  # how many, and the episodes that each has had after it


class Halving(Controller):
    """Successive halving, or Hyperband.

    It continues finished trials (`Proposal.source`), whose numbers it counts by the results it is told: the online
    search, which has one network, refuses it.

    Args:
        space: what there is to choose from.
        rng: the source of randomness: of what a bracket begins with.
        options: sizes and budgets.
    """

    continues_trials: ClassVar[bool] = True

    @dataclass(frozen=True)
    class Options(Checked):
        rule: str = option(
            "halving", "one kind of bracket, or Hyperband's several", HERE, choices=("halving", "hyperband")
        )
        eta: int = option(3, "one of so many goes on, for so many times the episodes", "Li et al. 2018", minimum=2)
        configurations: int | None = option(
            None,
            "architectures of the first bracket; none: the largest power of eta that the space has",
            HERE,
            minimum=1,
        )
        budget: int = option(25, "episodes of the shortest trials", HERE, minimum=1)

    def __init__(self, space: SearchSpace, rng: np.random.Generator, options: Options = Options()) -> None:
        super().__init__(space, rng)
        eta = options.eta
        n = min(options.configurations or power_within(eta, len(space)), len(space))
        if options.rule == "halving":
            self.brackets = [rungs(n, eta, options.budget)]
        else:
            self.brackets = hyperband(n, eta, options.budget)
        self.trials = 0  # that are finished
        self._bracket = self._rung = 0
        # Of this rung: what waits, and what is done, each with its last trial's number; 0: it has had none.
        self._waiting: list[tuple[Architecture, int]] = []
        self._done: list[tuple[Architecture, int, float]] = []

    def propose(self) -> Proposal:
        if not self._waiting:
            self._next_rung()
        architecture, source = self._waiting[0]
        plan = self.brackets[self._bracket]
        budget = plan[self._rung][1] - (plan[self._rung - 1][1] if self._rung else 0)
        return Proposal(architecture, f"rung-{self._rung}", budget, source or None)

    def learn(self, result: Result) -> None:
        self.trials += 1
        self._done.append((self._waiting.pop(0)[0], self.trials, result.score))

    def _next_rung(self) -> None:
        """Makes the list of what comes next: the best of this rung, or the beginning of a bracket."""
        if self._done and self._rung + 1 < len(self.brackets[self._bracket]):
            self._rung += 1
            ranked = sorted(self._done, key=lambda entry: entry[2], reverse=True)  # of equals the older is ahead
            best = ranked[: self.brackets[self._bracket][self._rung][0]]
            self._waiting = [(architecture, trial) for architecture, trial, _ in best]
        else:
            if self._done:
                self._bracket = (self._bracket + 1) % len(self.brackets)
            self._rung = 0
            n = self.brackets[self._bracket][0][0]
            places = self.rng.permutation(len(self.space))[:n]
            self._waiting = [(self.space[place], 0) for place in places]
        self._done = []

    def get_state(self) -> dict[str, Any]:
        return super().get_state() | {
            "trials": self.trials,
            "bracket": self._bracket,
            "rung": self._rung,
            "waiting": [[str(architecture), trial] for architecture, trial in self._waiting],
            "done": [[str(architecture), trial, score] for architecture, trial, score in self._done],
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        super().set_state(state)
        self.trials = check_int("trials", state["trials"], 0)
        self._bracket = check_int("bracket", state["bracket"], 0, len(self.brackets) - 1)
        self._rung = check_int("rung", state["rung"], 0, len(self.brackets[self._bracket]) - 1)
        self._waiting = [(parse_setup(text), trial) for text, trial in state["waiting"]]
        self._done = [(parse_setup(text), trial, score) for text, trial, score in state["done"]]


def power_within(eta: int, n: int) -> int:
    """The largest power of `eta` that is at most n >= 1."""
    power = 1
    while power * eta <= n:
        power *= eta
    return power


def rungs(n: int, eta: int, budget: int) -> list[Rung]:
    """A bracket: n for `budget` episodes, floor(n / eta) for eta times as many, and so on down to one or a few.

    Args:
        n: architectures at first.
        eta: one of so many goes on.
        budget: episodes of the first rung.
    """
    plan: list[Rung] = []
    while n >= 1:
        plan.append((n, budget))
        n, budget = n // eta, budget * eta
    return plan


def hyperband(n: int, eta: int, budget: int) -> list[list[Rung]]:
    """Hyperband's brackets s = s_max .. 0, s_max = floor(log_eta n).

    Bracket s begins with ceil((s_max + 1) / (s + 1) eta^s) architectures for budget eta^(s_max - s) episodes, and has
    s + 1 rungs: the last of each bracket trains for budget eta^s_max.

    Args:
        n: as many as the longest bracket begins with, if it is a power of eta.
        eta: one of so many goes on.
        budget: episodes of the shortest trials.
    """
    longest = 0
    while eta ** (longest + 1) <= n:
        longest += 1
    brackets = []
    for s in reversed(range(longest + 1)):
        first = math.ceil(((longest + 1) * eta**s) / (s + 1))
        brackets.append([(first // eta**i, budget * eta ** (longest - s + i)) for i in range(s + 1)])
    return brackets


plugin = Halving
