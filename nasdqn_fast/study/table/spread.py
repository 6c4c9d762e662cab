"""What a table has to say: how far architectures differ, beside how far the seeds of one do.

Whatever the method, no search can find what is smaller than the noise of its trials. So this comes first.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from nasdqn_fast.space import Architecture
from nasdqn_fast.study.table.lookup import Table

FIRST_EPISODES = 10  # of each run: with the usual decay of epsilon nearly all of their actions are random


@dataclass(frozen=True)
class Spread:
    """Of the scores of a task by a metric.

    Args:
        task, metric: which.
        between: standard deviation, over architectures, of the means over seeds.
        within: standard deviation over seeds, pooled over architectures.
        signal: `between` without what chance adds to it; 0 if chance explains all of it.
        best, worst: architectures of the highest and the lowest mean.
        highest, lowest: their means.
        mean: of all.
    """

    task: str
    metric: str
    between: float
    within: float
    signal: float
    best: Architecture
    highest: float
    worst: Architecture
    lowest: float
    mean: float

    @property
    def reliability(self) -> float:
        """Share, in [0, 1], of the variance of single trials that is the architectures'."""
        total = self.signal**2 + self.within**2
        return self.signal**2 / total if total else 0.0


@dataclass(frozen=True)
class Choice:
    """What to take for a task and a budget.

    Args:
        task: its name.
        episodes: the budget.
        best: the architecture of the highest mean score over all seeds.
        mean, error: that mean, and its standard error.
        smallest: the architecture with the fewest parameters whose mean is no more than one standard error of a
            difference (by the deviation within architectures, pooled) below.
        smallest_mean: its mean.
        failures: share of the runs of `best` that came less than half of the way from the first ten episodes of all
            runs, which are nearly random, to `mean`.
        failures_of_all: the same share of the runs of all architectures.
    """

    task: str
    episodes: int
    best: Architecture
    mean: float
    error: float
    smallest: Architecture
    smallest_mean: float
    failures: float
    failures_of_all: float


def spread(table: Table, task: str, metric: str, episodes: int | None = None) -> Spread:
    """Between and within architectures, over all seeds.

    Args:
        table: the table; at least two architectures and two seeds.
        task, metric, episodes: as for `Table.query`.
    """
    scores = _scores(table, task, metric, episodes)
    means = scores.mean(axis=1)
    between, within = _deviation(means), float(np.sqrt(scores.var(axis=1, ddof=1).mean()))
    signal = float(np.sqrt(max(0.0, between**2 - within**2 / scores.shape[1])))
    best, worst = int(np.argmax(means)), int(np.argmin(means))
    return Spread(
        task,
        metric,
        between,
        within,
        signal,
        table.space[best],
        float(means[best]),
        table.space[worst],
        float(means[worst]),
        float(means.mean()),
    )


def choice(table: Table, task: str, episodes: int, metric: str = "final") -> Choice:
    """What to take for a task and so many episodes."""
    scores = _scores(table, task, metric, episodes)
    means, deviations, n = scores.mean(axis=1), scores.std(axis=1, ddof=1), scores.shape[1]
    best = int(np.argmax(means))
    # Pooled: by its own deviation an architecture that fails now and then would be as good as any.
    error_of_difference = float(np.sqrt((deviations**2).mean() * 2 / n))
    near = np.flatnonzero(means >= means[best] - error_of_difference)
    smallest = min(near.tolist(), key=lambda i: (_parameters(table, i, task), -means[i]))
    first = _scores(table, task, "area", min(FIRST_EPISODES, table.episodes)).mean()
    half_way = (first + means[best]) / 2
    return Choice(
        task,
        episodes,
        table.space[best],
        float(means[best]),
        float(deviations[best] / np.sqrt(n)),
        table.space[smallest],
        float(means[smallest]),
        float((scores[best] < half_way).mean()),
        float((scores < half_way).mean()),
    )


def _parameters(table: Table, index: int, task: str) -> int:
    return table.query(table.space[index], task, table.search_seeds(task)[0]).cost.parameters


def _scores(table: Table, task: str, metric: str, episodes: int | None) -> np.ndarray:
    seeds = table.search_seeds(task) + table.final_seeds(task)
    return table.scores(task, seeds, episodes=episodes, metric=metric)


def _deviation(values: np.ndarray) -> float:
    """0 of a single value."""
    return float(values.std(ddof=1)) if len(values) > 1 else 0.0
