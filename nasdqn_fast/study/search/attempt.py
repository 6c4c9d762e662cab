"""One trial of a search: from a proposal to its score, and the run directory that it leaves."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from nasdqn_fast.config import Config, complete, named
from nasdqn_fast.config.sections import RewardConfig
from nasdqn_fast.errors import InputError
from nasdqn_fast.run import directory
from nasdqn_fast.run.api import resume
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.run.rewards import sizes_of
from nasdqn_fast.space import Architecture
from nasdqn_fast.storage.atomic import syncing
from nasdqn_fast.study.search.plan import run_seed
from nasdqn_fast.study.starts import Start
from nasdqn_fast.study.study import read_episodes, read_summary
from nasdqn_fast.study.trial import Listener, run_to_end
from nasdqn_fast.trial_estimators import base as trial_estimators
from nasdqn_fast.types import WHOLE_RUN, Cost, Proposal, Result

if TYPE_CHECKING:
    from nasdqn_fast.study.search.search import Search


def trial_config(
    config: Config, architecture: Architecture, seed: int, episodes: int, parent: Path | None = None
) -> Config:
    """The settings of a trial's run: one architecture from beginning to end.

    Args:
        config: of the search.
        architecture: of the trial; a Setup says how it is trained, too.
        seed: of the run.
        episodes: of the run.
        parent: directory of the run whose network it begins with.
    """
    config = without_choices(config)
    search = replace(config.search, method="fixed", architecture=str(Architecture.parse(architecture)))
    agent = replace(config.agent, **dict(architecture.training))
    warm_start = None if parent is None else str(parent)
    run = replace(config.run, seed=seed, episodes=episodes, warm_start=warm_start)
    return named(complete(replace(config, agent=agent, search=search, run=run)))


def without_choices(config: Config) -> Config:
    """The settings of a search without those of its controller, of what it chooses and is told: its runs have none."""
    search = replace(config.search, optimizers=(), learning_rates=(), max_parameters=None)
    return replace(config, search=search, reward=RewardConfig(), controller={})


class Attempt:
    """A trial while it is being estimated.

    Args:
        number: of the trial, from 1.
        proposal: what was asked for.
        search: whose trial it is.

    Attributes:
        note: what is to be said of its run; most often nothing.
    """

    def __init__(self, number: int, proposal: Proposal, search: Search) -> None:
        self._number, self._proposal, self._search = number, proposal, search
        self._seed = run_seed(search.seed, number)
        self._continued = self._continued_by(proposal)
        self._trained: _Run | None = None
        self.note = ""
        environment = search.environment
        sizes = sizes_of(environment)
        self._start = Start(search.config, lambda: environment, sizes, proposal.architecture, self._seed, search.seed)

    def result(self) -> Result:
        """Trains what the estimator asks for, and scores it."""
        search, proposal = self._search, self._proposal
        full = search.config.run.episodes
        if proposal.budget not in (None, WHOLE_RUN):
            before = 0 if self._continued is None else self._continued["episodes"][1]
            full = min(before + proposal.budget, full)
        trial = trial_estimators.Trial(
            number=self._number,
            architecture=proposal.architecture,
            space=search.controller.space,
            earlier=tuple(search.results),
            episodes=full,
            settings=search.config.agent,
            train=self._train,
            network=self._start.network,
            transitions=self._start.transitions,
        )
        score = trial_estimators.apply(search.estimator, trial)
        returns, cost, run = np.empty(0), self._start.cost, self._trained
        if run is not None:
            returns, cost = run.returns, cost + run.cost
        return Result(proposal, proposal.architecture, score, returns, cost)

    def record(self, result: Result) -> dict[str, Any]:
        """What is kept of it."""
        run = self._trained
        return {
            "trial": self._number,
            "proposal": self._proposal.get_state(),
            "architecture": str(result.architecture),
            "score": result.score,
            "run": None if run is None else run.path.name,
            "seed": None if run is None else run.seed,
            "episodes": None if run is None else [run.first, run.last],
            "parent": None if run is None else run.parent,
            "cost": asdict(result.cost),
        }

    def forget_state(self) -> None:
        """Removes the state at the end of its run, unless a later trial may continue from it."""
        if self._trained is not None and not self._search.controller.continues_trials:
            Checkpoints(self._trained.path / directory.CHECKPOINTS).remove()

    def _continued_by(self, proposal: Proposal) -> dict[str, Any] | None:
        """The record of the trial whose run becomes longer; None if a run begins, perhaps with a source's weights."""
        done, number = self._search.done, proposal.source
        if number is None:
            return None
        if number > len(done) or done[number - 1]["run"] is None:
            raise InputError(f"a proposal continues trial {number}, which has not been trained")
        source = done[number - 1]
        if source["architecture"] != str(proposal.architecture):
            return None
        if source["episodes"][1] >= self._search.config.run.episodes:
            raise InputError(f"a proposal continues trial {number}, which has been trained in full")
        return source

    def _train(self, episodes: int, parent: int | None) -> trial_estimators.Trained:
        search, proposal, continued = self._search, self._proposal, self._continued
        path, seed, first, before = search.path(self._number), self._seed, 1, None
        if continued is not None:
            seed, first, parent = continued["seed"], continued["episodes"][1] + 1, continued["parent"]
            config = trial_config(search.config, proposal.architecture, seed, episodes, self._parent(parent))
            before = search.path(continued["trial"])
            _continue(before, path, config, search.listener)
        else:
            parent = None if proposal.fresh else proposal.source or parent
            config = trial_config(search.config, proposal.architecture, seed, episodes, self._parent(parent))
            self.note = run_to_end(path, config, search.listener, keeps_end=search.controller.continues_trials)
        summary, returns = read_summary(path), read_episodes(path)["return"]
        score = summary["segments"][-1]["score"]
        if score is None:
            raise InputError(f"{str(path)!r} has ended without a score: {summary['status']}")
        cost = _cost_in(summary) if before is None else _cost_in(summary) - _cost_in(read_summary(before))
        self._trained = _Run(path, seed, first, episodes, parent, returns[first - 1 :], cost)
        return trial_estimators.Trained(returns, score)

    def _parent(self, number: int | None) -> Path | None:
        if number is None:
            return None
        done = self._search.done
        if number > len(done) or done[number - 1]["run"] is None:
            raise InputError(
                f"trial estimator {self._search.estimator.name!r} begins with the weights of trial {number}, "
                "which has not been trained"
            )
        return self._search.path(number)


@dataclass(frozen=True, eq=False)
class _Run:
    """The run of a trial.

    Args:
        path: its directory.
        seed: of all its random streams.
        first, last: episodes of the run that are the trial's, from 1.
        parent: the trial whose network it began with.
        returns, cost: of these episodes.
    """

    path: Path
    seed: int
    first: int
    last: int
    parent: int | None
    returns: np.ndarray
    cost: Cost


def _cost_in(summary: Mapping[str, Any]) -> Cost:
    """That of a run, of one segment, by its summary."""
    return Cost(**summary["segments"][-1]["cost"])


def _continue(source: Path, path: Path, config: Config, listener: Listener) -> None:
    """Trains a copy of a finished run for longer; the source stays as it is, for another trial may continue it, too."""
    if not path.exists():
        copy = path.with_name(f".{path.name}.copy")  # a name that no trial has
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(source, copy)
        copy.rename(path)
    if directory.read_config(path).run.episodes < config.run.episodes:
        with syncing(False):
            resume(path, episodes=config.run.episodes, progress=listener)
    else:
        run_to_end(path, config, listener, keeps_end=True)
