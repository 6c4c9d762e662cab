"""A table of learning curves as an objective of Optuna: ``study.optimize(objective(table, "hanging"), 50)``."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nasdqn_fast.space import Architecture, SearchSpace


def suggested(trial: Any, space: SearchSpace) -> Architecture:
    """What an ``optuna.Trial`` suggests.

    Args:
        trial: suggests ``depth``, ``width`` and ``activation`` if the space is all combinations of some of these, else
            ``architecture``.
        space: what there is to choose from.
    """
    axes = space.axes()
    if axes is None:
        return Architecture.parse(trial.suggest_categorical("architecture", [str(name) for name in space]))
    depth, width, activation = (trial.suggest_categorical(name, list(values)) for name, values in axes.items())
    return Architecture.uniform(depth, width, activation)


def objective(table: Any, task: str, seed: int = 0, **query: Any) -> Callable[[Any], float]:
    """A function of a trial: the score of one run of the architecture that it suggests, to be maximised.

    Args:
        table: a `nasdqn_fast.Table`.
        task: name of one of its tasks.
        seed: of the choice among the runs for searching.
        **query: of `Table.query`: ``episodes``, ``metric``, ``meter``.
    """
    rng = np.random.default_rng(seed)

    def score(trial: Any) -> float:
        return float(table.query(suggested(trial, table.space), task, rng=rng, **query).score)

    return score
