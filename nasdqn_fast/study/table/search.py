"""Searches on a table in place of training: any controller, in milliseconds."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast.config import TABLES, all_settings, find_method, given_options, resolve
from nasdqn_fast.config.plugin_options import SPELLED_OUT
from nasdqn_fast.controllers import base as controllers
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.errors import InputError, suggest
from nasdqn_fast.run.rewards import limit_of, reward_of, space_of, with_latencies, with_reward
from nasdqn_fast.search.offline import best_so_far, run_trials
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import Architecture
from nasdqn_fast.study.search.plan import run_seed
from nasdqn_fast.study.search.search import FULL, check_goes_with
from nasdqn_fast.study.table.lookup import Answer, CostMeter, Table
from nasdqn_fast.study.table.starts import TableStarts
from nasdqn_fast.trial_estimators import base as trial_estimators
from nasdqn_fast.types import WHOLE_RUN, Proposal, Result
from nasdqn_fast.validation import check_positive_int

# Those of `nasdqn_fast.train` that a search on a table has: the controller's, and what it is told.
SETTINGS = (
    *(name for names in SPELLED_OUT.values() for name in names.values()),
    "max_parameters",
    *(setting.keyword for setting in all_settings() if setting.section == "reward"),
)


@dataclass(frozen=True, eq=False)
class TableSearch:
    """What a search on a table has found.

    Args:
        task: it was on.
        seed: of the search.
        trials: what the controller was told, in order.
        seeds: of the runs that the trials were; None where nothing was trained.
        best: the architecture with the highest mean score over its trials.
        final_score: of it, over seeds that no trial has seen; with ``reward_cost``, the cost in it.
        optimum: the highest final score of all architectures that there are to choose from.
        regrets: float64 (trials,), regret of the best architecture after each trial.
        cost: of all trials together.
        search_scores, final_scores: float64 (architectures,), of all that there are to choose from: means over the
            seeds for searching, and over the others.
        latencies: that were in the reward, by architecture; empty without.
    """

    task: str
    seed: int
    trials: tuple[Result, ...]
    seeds: tuple[int | None, ...]
    best: Architecture
    final_score: float
    optimum: float
    regrets: np.ndarray
    cost: CostMeter
    search_scores: np.ndarray
    final_scores: np.ndarray
    latencies: Mapping[str, float] = field(default_factory=dict)

    @property
    def regret(self) -> float:
        """How far the final score is below the optimum."""
        return self.optimum - self.final_score


def search_table(
    table: Table,
    task: str,
    method: str | type[Controller] | None = None,
    *,
    trials: int = 50,
    seed: int = 0,
    episodes: int | None = None,
    metric: str = "final",
    estimator: Any = FULL,
    trial_estimator_options: Mapping[str, Any] | None = None,
    controller_options: Mapping[str, Any] | None = None,
    **options: Any,
) -> TableSearch:
    """Runs a controller on a table: ``search_table(table, "hanging", "nas-dqn", trials=50, seed=1)``.

    Every trial is one run of the table, with a seed drawn among those for searching, or as much of it as the estimator
    asks for. A proposal's budget is the episodes of that run that it sees; one that names a finished trial of the same
    architecture as its source sees so many more of that trial's run, and pays for these only.

    Args:
        table: the table.
        task: name of one of its tasks.
        method: as for `nasdqn_fast.train`; ``random-nas`` if not given.
        trials: how many, >= 1.
        seed: of the search, >= 0.
        episodes: of a trial without a budget, and of the final score; None: all.
        metric: what a score is (`Table.query`).
        estimator: what a trial is worth: a name of ``list trial-estimators``, ``module:attribute``, or the function.
        trial_estimator_options: its options.
        controller_options: options of the controller.
        **options: further settings of the controller, as ``controller_temperature`` or ``architecture``;
            ``reward_cost`` and the like, and ``max_parameters``. Latencies are measured unless they are given.

    Raises:
        InputError: a setting is wrong, or the table lacks what the controller asks for.
    """
    trials = check_positive_int("trials", trials)
    for name in options:
        if name not in SETTINGS:
            raise InputError(f"a search on a table has no setting {name!r}: {suggest(name, SETTINGS)}")
    given = {"method": method, "seed": seed, "controller_options": controller_options, **options}
    config = resolve(None, {**given, "architectures": [str(architecture) for architecture in table.space]})
    sizes = table.sizes(task)
    config = with_latencies(config, sizes)
    space, reward = space_of(config, sizes), reward_of(config, sizes)
    streams = Streams(config.run.seed)
    controller = controllers.make(
        find_method(config.search.method).controller,
        space,
        streams.controller,
        given_options(config, TABLES[0]),
    )
    limit = limit_of(config, sizes)
    made = trial_estimators.make(estimator, trial_estimator_options)
    check_goes_with(config.search.method, controller, made)
    estimate = _OnTable(table, task, made, config.run.seed, episodes, metric)

    def told(proposal: Proposal) -> Result:
        limit.check(proposal.architecture, f"method {config.search.method!r}")
        return with_reward(estimate(proposal), reward)

    def worth(architecture: Architecture, mean: Callable[..., float]) -> float:
        score = mean(architecture, task, episodes=episodes, metric=metric)
        return score if reward is None else reward(architecture, score)

    def final(architecture: Architecture) -> float:
        return worth(architecture, table.final_score)

    results = run_trials(controller, told, trials)
    finals = np.array([final(architecture) for architecture in space])
    optimum = float(finals.max())
    best = best_so_far((result.architecture, result.score) for result in results)
    return TableSearch(
        task,
        config.run.seed,
        tuple(results),
        tuple(None if answer is None else answer.seed for answer in estimate.answers),
        best[-1],
        final(best[-1]),
        optimum,
        np.array([optimum - final(architecture) for architecture in best]),
        estimate.meter,
        np.array([worth(architecture, table.search_score) for architecture in space]),
        finals,
        config.reward.seconds,
    )


class NotInTable(InputError):
    """A trial estimator asks for training that no row of a table is."""


class _OnTable:
    """Answers proposals from a table.

    Args:
        table, task, metric: as for `search_table`.
        estimator: as `nasdqn_fast.trial_estimators.base.make` returns it.
        seed: of the search.
        episodes: of full training.
    """

    def __init__(
        self, table: Table, task: str, estimator: plugins.Function, seed: int, episodes: int | None, metric: str
    ) -> None:
        self._table, self._task, self._estimator, self._seed, self._metric = table, task, estimator, seed, metric
        self._rng = Streams(seed).estimator
        self._episodes = table.episodes if episodes is None else episodes
        self._starts = TableStarts(table, task)
        self._results: list[Result] = []
        self.answers: list[Answer | None] = []
        self.meter = CostMeter()

    def __call__(self, proposal: Proposal) -> Result:
        number = len(self.answers) + 1
        before = None if proposal.source is None else self._source(proposal)
        done = 0 if before is None else before.episodes
        budget = self._episodes if proposal.budget in (None, WHOLE_RUN) else proposal.budget
        assert budget is not None
        start = self._starts.of(proposal.architecture, run_seed(self._seed, number), self._seed)
        answers: list[Answer] = []

        def train(episodes: int, parent: int | None) -> trial_estimators.Trained:
            if parent is not None:
                raise NotInTable("a table holds no run that begins with another's weights; train real trials")
            seed = None if before is None else before.seed
            about = {"metric": self._metric, "rng": self._rng}
            answers.append(self._table.query(proposal.architecture, self._task, seed, episodes, **about))  # type: ignore[arg-type]
            return trial_estimators.Trained(answers[-1].returns, answers[-1].score)

        trial = trial_estimators.Trial(
            number=number,
            architecture=proposal.architecture,
            space=self._table.space,
            earlier=tuple(self._results),
            episodes=min(done + budget, self._table.episodes),
            settings=self._starts.settings,
            train=train,
            network=start.network,
            transitions=start.transitions,
        )
        score = trial_estimators.apply(self._estimator, trial)
        answer = answers[-1] if answers else None
        self.answers.append(answer)
        returns, cost = np.empty(0), start.cost
        if answer is not None:
            cost += answer.cost if before is None else answer.cost - before.cost
            returns = answer.returns[done:]
        self.meter.add(len(returns), cost)
        self._results.append(Result(proposal, proposal.architecture, score, returns, cost))
        return self._results[-1]

    def _source(self, proposal: Proposal) -> Answer:
        assert proposal.source is not None
        if proposal.source > len(self.answers):
            raise InputError(f"a proposal continues trial {proposal.source}; there have been {len(self.answers)}")
        before = self.answers[proposal.source - 1]
        if before is None:
            raise InputError(f"a proposal continues trial {proposal.source}, which was not trained")
        if before.architecture != proposal.architecture:
            raise InputError(
                f"a proposal of {proposal.architecture} continues trial {proposal.source}, which was "
                f"{before.architecture}; a table holds no run that changes its architecture"
            )
        if before.episodes == self._table.episodes:
            raise InputError(
                f"a proposal continues trial {proposal.source}, which is as long as the table's runs, "
                f"{before.episodes} episodes; give the controller a smaller budget, or make a table of longer runs"
            )
        return before
