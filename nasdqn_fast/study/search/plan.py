"""What a folder of searches consists of: a study whose trials are searches."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Self

from nasdqn_fast.run.directory import FINISHED
from nasdqn_fast.study.plan import Plan, Trial
from nasdqn_fast.study.progress import Progress
from nasdqn_fast.study.search.records import Records
from nasdqn_fast.study.study import MISSING, UNFINISHED, Study

SEEDS_OF_A_SEARCH = 1_000_000
OWN = ("trials", "estimator", "estimator_options")  # what a plan of searches has besides


@dataclass(frozen=True)
class SearchPlan(Plan):
    """A plan whose seeds are those of searches.

    Args:
        trials: of each search.
        estimator: what a trial is worth: a name of ``list trial-estimators``, or ``module:attribute``.
        estimator_options: its options by name, all of them.
    """

    trials: int = 1
    estimator: str = ""
    estimator_options: Mapping[str, Any] = field(default_factory=dict)

    @classmethod
    def of_plan(cls, plan: Plan, values: Mapping[str, Any]) -> Self:
        """A plan, and what makes it one of searches.

        Args:
            plan: tasks, methods, seeds and settings.
            values: ``trials``, ``estimator`` and ``estimator_options``; others play no part.
        """
        return cls(**vars(plan), **{name: values[name] for name in OWN})

    def as_json(self) -> dict[str, Any]:
        """The content of ``search.json``."""
        return super().as_json() | {name: getattr(self, name) for name in OWN}

    @classmethod
    def of_json(cls, values: Mapping[str, Any]) -> Self:
        return cls.of_plan(Plan.of_json(values), values)


class Searches(Study):
    """Searches in a folder.

    Args:
        folder: where they are.
        plan: what they are to consist of.
    """

    file: ClassVar[str] = "search.json"
    root: ClassVar[str] = "searches"
    plan_type: ClassVar[type[Plan]] = SearchPlan
    fixed: ClassVar[tuple[str, ...]] = (*Study.fixed, *OWN)
    plan: SearchPlan

    def status(self, trial: Trial, *, check: bool = False) -> str:
        """``missing``, ``unfinished`` or ``finished``, by the trials that have been recorded."""
        records = Records(Path(trial.path)).read()
        if len(records) >= self.plan.trials:
            return FINISHED
        return UNFINISHED if records else MISSING

    def progress(self, trials: int, before: int) -> Progress:
        return SearchProgress(trials, self.plan.trials, before=before)


class SearchProgress(Progress):
    """Counted in trials; ``trials`` and ``episodes`` of `Progress` are searches, and the trials of each."""

    what: ClassVar[str] = "search"
    several: ClassVar[str] = "searches"

    @property
    def headline(self) -> str:
        done = int(self.before * self.episodes + self._done)
        number = self.trials * self.episodes
        return f"trial {min(done, number):,} of {number:,}"


class FinalRuns(Study):
    """A study of what searches have found, trained in full."""

    # More searches may find more.
    fixed: ClassVar[tuple[str, ...]] = tuple(name for name in Study.fixed if name != "methods")

    def progress(self, trials: int, before: int) -> Progress:
        return _FinalProgress(trials, self.plan.episodes, before=before)


class _FinalProgress(Progress):
    what: ClassVar[str] = "final run"
    several: ClassVar[str] = "final runs"


def run_seed(search_seed: int, number: int) -> int:
    """Seed of a trial's run: of no other trial of any search, nor of a final run, whose seeds are below a million."""
    return SEEDS_OF_A_SEARCH * (search_seed + 1) + number
