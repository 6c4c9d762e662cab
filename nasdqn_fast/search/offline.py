"""The offline search: a budget of trials, each worth a score; whatever gives the scores, training or a table."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TypeVar

from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.types import Proposal, Result

A = TypeVar("A")
Estimate = Callable[[Proposal], Result]


def run_trials(controller: Controller, estimate: Estimate, trials: int) -> list[Result]:
    """Asks for so many trials and tells their results.

    Args:
        controller: that has not been asked for anything yet.
        estimate: what a proposal is worth; it keeps what it needs of earlier trials, for a proposal may continue one.
        trials: how many, >= 1.
    """
    results = []
    for _ in range(trials):
        result = estimate(controller.ask())
        controller.tell(result)
        results.append(result)
    return results


def best_so_far(told: Iterable[tuple[A, float]]) -> list[A]:
    """After each trial the architecture with the highest mean score over its trials, the first of equals.

    Not that of the highest score: among many trials this is a lucky one.

    Args:
        told: architecture, or its text, and score of each trial.
    """
    scores: dict[A, list[float]] = {}
    means: dict[A, float] = {}
    best = []
    for architecture, score in told:
        those = scores.setdefault(architecture, [])
        those.append(score)
        means[architecture] = sum(those) / len(those)
        best.append(max(means, key=means.__getitem__))
    return best
