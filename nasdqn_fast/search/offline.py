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


def best_architecture(told: Iterable[tuple[A, float]]) -> A:
    """The architecture with the highest mean score over its trials, the first of equals.

    Not that of the highest score: among many trials this is a lucky one.

    Args:
        told: architecture, or its text, and score of each trial.
    """
    scores: dict[A, list[float]] = {}
    for architecture, score in told:
        scores.setdefault(architecture, []).append(score)
    return max(scores, key=lambda architecture: sum(scores[architecture]) / len(scores[architecture]))
