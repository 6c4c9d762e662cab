"""How far a trial estimator ranks architectures as full training does, and what it costs.

The architectures of a table are estimated in turn, each once, in an order drawn anew in every repeat. Their scores are
compared with the means of full training over the table's seeds for the final score, which no estimate has seen, by
Kendall's tau. The interval is that of other seeds, not of other architectures: repeats and final seeds are resampled.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast.config import Config, EnvConfig, RunConfig
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.errors import InputError
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.statistics.bootstrap import RESAMPLES, Interval, bootstrap
from nasdqn_fast.statistics.ranks import kendall
from nasdqn_fast.study.runner import Show
from nasdqn_fast.study.search.api import search_runs
from nasdqn_fast.study.table.lookup import Table
from nasdqn_fast.study.table.search import NotInTable, search_table
from nasdqn_fast.types import Proposal, Result
from nasdqn_fast.validation import check_positive_int

METRIC = "final"


class EachOnce(Controller):
    """Every architecture of the space once, in an order drawn at the beginning, and then all over again."""

    def __init__(self, space: SearchSpace, rng: np.random.Generator) -> None:
        super().__init__(space, rng)
        self._order = [int(i) for i in rng.permutation(len(space))]
        self._tried = 0

    def propose(self) -> Proposal:
        return Proposal(self.space[self._order[self._tried % len(self.space)]], "turn")

    def learn(self, result: Result) -> None:
        self._tried += 1


METHOD = f"{__name__}:EachOnce"


@dataclass(frozen=True, eq=False)
class Agreement:
    """What a trial estimator's ranking is worth.

    Args:
        estimator, task: which, and on what.
        architectures: of the table, in order.
        estimates: float64 (repeats, architectures), its scores.
        truth: float64 (final seeds, architectures), scores of full training.
        steps, updates: environment steps and updates of a trial, on average; nothing trained before is paid again.
        full_steps, full_updates: of full training.
    """

    estimator: str
    task: str
    architectures: tuple[Architecture, ...]
    estimates: np.ndarray
    truth: np.ndarray
    steps: float
    updates: float
    full_steps: float
    full_updates: float

    @property
    def tau(self) -> float:
        """Kendall's tau of the estimates with the mean of full training, averaged over the repeats."""
        return float(_mean_tau(self.estimates[None], self.truth[None])[0])

    def interval(self, resamples: int = RESAMPLES) -> Interval:
        """95 % interval of tau: repeats and final seeds drawn with replacement."""
        return bootstrap(_mean_tau, self.estimates, self.truth, resamples=resamples)


def rank_agreement(
    table: Table,
    task: str,
    estimator: str,
    options: Mapping[str, Any] | None = None,
    *,
    repeats: int | None = None,
    episodes: int | None = None,
    out: str | Path | None = None,
    threads: int | None = None,
    show: Show | None = None,
) -> Agreement:
    """Estimates every architecture of a table, and compares with full training.

    Args:
        table: whose seeds for the final score are the truth; its other seeds answer the estimator.
        task: of it.
        estimator: a name of ``list trial-estimators``, or ``module:attribute``.
        options: its options.
        repeats: how often, with other seeds and another order; None: as often as the table has seeds for searching.
        episodes: of full training; None: all that the table has.
        out: directory for real runs, with the table's settings, where the table cannot answer because the estimator
            does not begin anew: weights are inherited. The same call continues them.
        threads, show: of these, as for `nasdqn_fast.experiment`.

    Raises:
        NotInTable: it cannot answer, and no directory is given.
        InputError: unknown task, estimator or option, or a table of one architecture.
        TrialFailed: a real run has failed.
    """
    if len(table.space) < 2:
        raise InputError("the table has one architecture; a ranking needs two")
    repeats = len(table.search_seeds(task)) if repeats is None else check_positive_int("repeats", repeats)
    about: dict[str, Any] = {"estimator": estimator, "trial_estimator_options": options or {}}
    try:
        trials = _on_table(table, task, repeats, episodes, about)
    except NotInTable:
        if out is None:
            raise
        trials = _by_runs(table, task, repeats, episodes, about, out, threads, show)
    index = {architecture: i for i, architecture in enumerate(table.space)}
    estimates = np.empty((repeats, len(index)))
    for row, repeat in zip(estimates, trials, strict=True):
        for architecture, score, _, _ in repeat:
            row[index[architecture]] = score
    seeds = table.final_seeds(task)
    answers = [table.query(name, task, seed, episodes) for name in table.space for seed in seeds]
    return Agreement(
        estimator,
        task,
        tuple(table.space),
        estimates,
        table.scores(task, seeds, episodes=episodes, metric=METRIC).T,
        steps=float(np.mean([steps for repeat in trials for _, _, steps, _ in repeat])),
        updates=float(np.mean([updates for repeat in trials for _, _, _, updates in repeat])),
        full_steps=float(np.mean([answer.cost.steps for answer in answers])),
        full_updates=float(np.mean([answer.cost.updates for answer in answers])),
    )


# Architecture, score, steps and updates of a trial.
_Estimated = tuple[Architecture, float, int, int]


def _on_table(
    table: Table, task: str, repeats: int, episodes: int | None, about: Mapping[str, Any]
) -> list[list[_Estimated]]:
    found = [
        search_table(table, task, EachOnce, trials=len(table.space), seed=seed, episodes=episodes, **about)
        for seed in range(repeats)
    ]
    return [[(r.architecture, r.score, r.cost.steps, r.cost.updates) for r in search.trials] for search in found]


def _by_runs(
    table: Table,
    task: str,
    repeats: int,
    episodes: int | None,
    about: Mapping[str, Any],
    out: str | Path,
    threads: int | None,
    show: Show | None,
) -> list[list[_Estimated]]:
    settings = table.settings(task)
    length = table.episodes if episodes is None else episodes
    config = Config(
        env=EnvConfig(**settings["env"]),
        agent=AgentSettings(**settings["agent"]),
        run=RunConfig(episodes=length),
    )
    found = search_runs(
        [METHOD],
        trials=len(table.space),
        seeds=repeats,
        final_seeds=0,
        config=config,
        out=out,
        threads=threads,
        progress=show,
        architectures=[str(architecture) for architecture in table.space],
        **about,
    )
    if len(found[METHOD]) < repeats:
        raise InputError(f"other processes are at work in {str(out)!r}; give the same command when they have ended")
    return [
        [
            (Architecture.parse(r["architecture"]), r["score"], r["cost"]["steps"], r["cost"]["updates"])
            for r in each.trials
        ]
        for each in found[METHOD]
    ]


def _mean_tau(estimates: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Of samples drawn m times, (m, repeats, n) and (m, seeds, n): (m,)."""
    means = truth.mean(axis=1)
    # A repeat at a time: all pairs of all at once would be large.
    return np.mean([kendall(estimates[:, repeat], means) for repeat in range(estimates.shape[1])], axis=0)


def built_in() -> list[str]:
    """Names of the trial estimators of the package, full training first, with which the others are compared."""
    names = plugins.names("trial-estimators")
    return ["full-training", *(name for name in names if name != "full-training")]
