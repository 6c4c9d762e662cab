"""One search: a controller asks, each trial is a run directory, and what has been done is not done again.

The state of a search is its finished trials. A search that is continued makes its controller anew and tells it of these
in turn, which leads to the state in which it was left; the trial that was cut short continues from its checkpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast.config import TABLES, Config, find_method, given_options
from nasdqn_fast.controllers import base as controllers
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.envs import AnyEnvironment
from nasdqn_fast.errors import InputError
from nasdqn_fast.run import directory
from nasdqn_fast.run.assembly import make_environment, make_trainer
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.run.rewards import limit_of, reward_of, sizes_of, space_of, with_reward
from nasdqn_fast.search.offline import run_trials
from nasdqn_fast.seeding import Streams
from nasdqn_fast.storage.atomic import remove_leftovers
from nasdqn_fast.study.plan import Trial
from nasdqn_fast.study.search.attempt import Attempt, trial_config
from nasdqn_fast.study.search.plan import SearchPlan
from nasdqn_fast.study.search.records import Records
from nasdqn_fast.study.study import read_episodes
from nasdqn_fast.study.trial import Listener, Outcome, outcome_of
from nasdqn_fast.trial_estimators import base as trial_estimators
from nasdqn_fast.types import Cost, Proposal, Result

FULL = "full-training"


def run_search(
    search: Trial, config: Config, halt: Any, count: Callable[[float], object] | None = None, *, plan: SearchPlan
) -> Outcome:
    """Does what of a search is not done yet; raises nothing.

    Args:
        search: which: its seed and folder.
        config: the settings of its runs, and its method.
        halt: as for `nasdqn_fast.study.trial.run_trial`.
        count: called with numbers of trials as they end, and parts of a trial.
        plan: of all searches.
    """

    def work(listener: Listener) -> str:
        return Search(search, config, plan, listener, halt, counted).run()

    counted = _Counted(count, config.run.episodes)
    return outcome_of(work, halt, counted.episodes)


def make_controller(config: Config, environment: AnyEnvironment, seed: int) -> Controller:
    """The controller of a search."""
    method = find_method(config.search.method).controller
    options = given_options(config, TABLES[0])
    return controllers.make(method, space_of(config, sizes_of(environment)), Streams(seed).controller, options)


class Search:
    """A search and its runs.

    Args:
        search: which.
        config, plan: as for `run_search`.
        listener: of its runs' events.
        halt: ``halt.is_set()`` before each trial says whether to leave the search.
        counted: told of trials that end.

    Attributes:
        folder, seed: where it is, and of all its random streams.
        controller, estimator, environment: those of the config and the plan.
        done: the records of the trials that have ended.
        results: of these, without a cost in their scores, which only the controller is told.
    """

    def __init__(
        self, search: Trial, config: Config, plan: SearchPlan, listener: Listener, halt: Any, counted: _Counted
    ) -> None:
        self.folder, self.seed = Path(search.path), search.seed
        self.config, self.plan, self.listener, self._counted = config, plan, listener, counted
        self._halt = halt
        self.environment = make_environment(config)
        self.controller = make_controller(config, self.environment, search.seed)
        self.estimator = trial_estimators.make(plan.estimator, plan.estimator_options)
        sizes = sizes_of(self.environment)
        self._limit, self._reward = limit_of(config, sizes), reward_of(config, sizes)
        self._records = Records(self.folder)
        self.done: list[dict[str, Any]] = []
        self.results: list[Result] = []
        self._note = ""

    def run(self) -> str:
        """Runs all trials that have not been recorded; returns what is to be said of them, most often nothing.

        Raises:
            InputError: the records are not those of this search, or what the estimator asks for cannot be.
            directory.InUse: another process has this search.
            KeyboardInterrupt: it was halted; what has ended is recorded.
        """
        self.folder.mkdir(parents=True, exist_ok=True)
        with directory.locked(self.folder):
            remove_leftovers(self.folder)
            self.done = self._records.read()
            self._counted.trials(len(self.done))
            run_trials(self.controller, self._estimate, self.plan.trials)
            for number in range(1, self.plan.trials + 1):  # states that only later trials could continue
                Checkpoints(self.path(number) / directory.CHECKPOINTS).remove()
        return self._note

    def _estimate(self, proposal: Proposal) -> Result:
        number = len(self.results) + 1
        if number <= len(self.done):
            result = self._recorded(self.done[number - 1], proposal)
        elif self._halt.is_set():  # a trial that trains nothing has no episodes after which to ask
            raise KeyboardInterrupt
        else:
            self._limit.check(proposal.architecture, f"method {self.config.search.method!r}")
            attempt = Attempt(number, proposal, self)
            result = attempt.result()
            self.done.append(attempt.record(result) | {"reward": with_reward(result, self._reward).score})
            self._records.write(self.done)
            attempt.forget_state()
            self._note = self._note or attempt.note
            self._counted.trials(1)
        self.results.append(result)
        return with_reward(result, self._reward)

    def _recorded(self, record: dict[str, Any], proposal: Proposal) -> Result:
        """A trial that was finished before."""
        if record["proposal"] != proposal.get_state():
            raise InputError(
                f"{str(self.folder)!r}: trial {record['trial']} was {record['proposal']['architecture']}, where the "
                f"search now proposes {proposal.architecture}: it was begun by another version; "
                "choose another directory"
            )
        returns = np.empty(0)
        if record["run"] is not None:  # without what the trial that it continues had seen
            first, last = record["episodes"]
            returns = read_episodes(self.path(record["trial"]))["return"][first - 1 : last]
        cost = Cost(**record["cost"])
        return Result(proposal, proposal.architecture, record["score"], returns, cost)

    def path(self, number: int) -> Path:
        """The run directory of a trial."""
        return self.folder / f"{number:04}"


class _Counted:
    """Turns episodes into parts of a trial: each counts once, whatever the estimator trains.

    Args:
        count: told of the parts; None: nobody is.
        full: episodes of full training.
    """

    def __init__(self, count: Callable[[float], object] | None, full: int) -> None:
        self._count, self._full, self._part = count, full, 0.0

    def episodes(self, n: float) -> None:
        """Counts episodes of the trial that is running."""
        part = min(n / self._full, 1 - self._part)
        self._part += part
        self._tell(part)

    def trials(self, n: int) -> None:
        """Counts trials that have ended."""
        self._tell(n - self._part)
        self._part = 0.0

    def _tell(self, number: float) -> None:
        if self._count is not None and number:
            self._count(number)


def check_search(config: Config, environment: AnyEnvironment, plan: SearchPlan) -> None:
    """Finds what is wrong with a search before anything is trained.

    Args:
        config: its settings.
        environment: that of the config.
        plan: of all searches.

    Raises:
        InputError: a setting is wrong, or two do not go together.
    """
    if find_method(config.search.method).controller is None:
        raise InputError(f"method {config.search.method!r} has no controller to search with; choose another")
    controller = make_controller(config, environment, 0)
    reward_of(config, sizes_of(environment))
    estimator = trial_estimators.make(plan.estimator, plan.estimator_options)
    check_goes_with(config.search.method, controller, estimator)
    if estimator.name == "inherit" and config.search.transfer == "fresh":
        raise InputError("estimator 'inherit' needs a transfer that carries weights over; got transfer 'fresh'")
    for name, value, neutral in (
        ("steps", config.agent.steps, None),
        ("stop_at_threshold", config.run.stop_at_threshold, False),
        ("warm_start", config.run.warm_start, None),
    ):
        if value != neutral:
            raise InputError(f"{name} is no setting of a search: its trials have as many episodes as they are given")
    make_trainer(trial_config(config, controller.space[0], 0, config.run.episodes), environment)


def check_goes_with(method: Any, controller: Controller, estimator: plugins.Function) -> None:
    """Refuses a trial estimator that shortens the trials of a controller which counts their episodes itself.

    Raises:
        InputError: it does.
    """
    if controller.continues_trials and estimator.name != FULL:
        raise InputError(
            f"method {method!r} says itself for how long a trial is trained: give estimator {FULL}, got "
            f"{estimator.name!r}"
        )
