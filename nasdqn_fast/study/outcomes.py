"""What the trials of a study came to, from their summaries: a small record a trial, whatever its length."""

from __future__ import annotations

import math
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, Self

import numpy as np

from nasdqn_fast.run.directory import CONFIG, SUMMARY
from nasdqn_fast.study.study import MISSING, UNFINISHED, Study, ended

SEARCH = ("controller", "transfer", "prune", "estimator")
NAN = math.nan


class Part(NamedTuple):
    """A segment of a run.

    Attributes:
        architecture: what was trained.
        reason: why the controller chose it.
        first, last: its episodes, from 1.
        score: what the controller was told; NaN if the run ended before.
        steps, parameters, flop: its environment steps, the network's parameters, and all operations; NaN likewise.
    """

    architecture: str
    reason: str
    first: int
    last: int
    score: float
    steps: float
    parameters: float
    flop: float


@dataclass(frozen=True)
class Outcome:
    """One trial that has a summary.

    Attributes:
        seed, path: which one.
        status: of its run.
        episodes, steps: that ended.
        final_mean, final_std, best: the paper's metrics; NaN before the first episode.
        reached: episodes until the 50-episode mean first exceeded the threshold; NaN if it never did.
        mean_return: over all episodes.
        train, search: seconds of training, and of controller, transfer, pruning and estimator.
        total: seconds of the whole run.
        segments: in order.
    """

    seed: int
    path: str
    status: str
    episodes: int
    steps: int
    final_mean: float
    final_std: float
    best: float
    reached: float
    mean_return: float
    train: float
    search: float
    total: float
    segments: tuple[Part, ...]

    @classmethod
    def of_summary(cls, seed: int, path: str, summary: Mapping[str, Any]) -> Self:
        """From the content of ``summary.json``."""
        metrics, seconds = summary["metrics"] or {}, summary["seconds"]
        return cls(
            seed,
            path,
            summary["status"],
            summary["episodes"],
            summary["steps"],
            _number(metrics.get("final_mean")),
            _number(metrics.get("final_std")),
            _number(metrics.get("best")),
            _number(metrics.get("episodes_to_threshold")),
            _number(summary["mean_return"]),
            seconds["train"],
            sum(seconds.get(part, 0.0) for part in SEARCH),
            seconds["total"],
            tuple(map(_part, summary["segments"])),
        )

    @property
    def seconds(self) -> float:
        """Training and search: what a method costs, without compiling, writing and showing."""
        return self.train + self.search

    @property
    def search_share(self) -> float:
        """Of training and search, the share of the search."""
        return self.search / self.seconds if self.seconds else 0.0

    @property
    def restricted(self) -> float:
        """Episodes to the threshold, or the length of the run if it did not get there."""
        return self.episodes if math.isnan(self.reached) else self.reached

    @property
    def parameters(self) -> float:
        """Mean over its environment steps of the network's parameters."""
        steps = sum(part.steps for part in self.segments)
        return sum(part.steps * part.parameters for part in self.segments) / steps if steps else NAN

    @property
    def flop(self) -> float:
        """Operations of the whole run."""
        return sum(part.flop for part in self.segments)

    @property
    def flop_per_step(self) -> float:
        """Operations of the whole run over its environment steps."""
        steps = sum(part.steps for part in self.segments)
        return self.flop / steps if steps else NAN


@dataclass(frozen=True, eq=False)
class Group:
    """The trials of one task and label that have ended, by ascending seed.

    Attributes:
        task, method, label: as in `Trial`.
        outcomes: the trials.
        threshold, optimum: those of the task; NaN where the task has none, or the value is unknown.
    """

    task: str
    method: str
    label: str
    outcomes: tuple[Outcome, ...]
    threshold: float
    optimum: float

    def __len__(self) -> int:
        return len(self.outcomes)

    @property
    def seeds(self) -> np.ndarray:
        """int64 (trials,)."""
        return self.column("seed").astype(np.int64)

    def column(self, name: str) -> np.ndarray:
        """float64 (trials,): an attribute of all outcomes."""
        return np.array([getattr(outcome, name) for outcome in self.outcomes], dtype=np.float64)


@dataclass(frozen=True, eq=False)
class Outcomes:
    """All that a study has come to so far.

    Attributes:
        groups: (task, label) -> its trials that have ended; in the study's order, also where there are none yet.
        planned: number of trials.
        statuses: status -> how many trials have it, of those that have not ended.
    """

    groups: Mapping[tuple[str, str], Group]
    planned: int
    statuses: Mapping[str, int]

    @property
    def is_complete(self) -> bool:
        """Whether every trial has ended."""
        return not self.statuses

    @property
    def ended(self) -> int:
        """How many trials have."""
        return self.planned - sum(self.statuses.values())

    @property
    def tasks(self) -> Sequence[str]:
        """In the study's order."""
        return list(dict.fromkeys(task for task, _ in self.groups))

    def of(self, task: str) -> list[Group]:
        """The groups of a task that have a trial."""
        return [group for (other, _), group in self.groups.items() if other == task and len(group)]


def read_outcomes(study: Study) -> Outcomes:
    """Reads every summary once.

    Raises:
        InputError: one is damaged.
    """
    found: dict[tuple[str, str], list[Outcome]] = {}
    about: dict[tuple[str, str], tuple[str, float, float]] = {}
    statuses: dict[str, int] = {}
    planned = 0
    for trial in study.trials():
        planned += 1
        key = trial.task, trial.label
        outcomes = found.setdefault(key, [])
        about.setdefault(key, (trial.method, NAN, NAN))
        if not Path(trial.path, SUMMARY).exists():
            # Not by `study.status`, which would look for the summary again: the trial may end in between.
            status = UNFINISHED if Path(trial.path, CONFIG).exists() else MISSING
        else:
            summary = study.summary(trial)
            status = summary["status"]
            if ended(status):
                outcomes.append(Outcome.of_summary(trial.seed, trial.path, summary))
                about[key] = trial.method, _number(summary["threshold"]), _number(summary["optimum"])
                continue
        statuses[status] = statuses.get(status, 0) + 1
    groups = {}
    for (task, label), outcomes in found.items():
        method, threshold, optimum = about[task, label]
        ordered = tuple(sorted(outcomes, key=lambda outcome: outcome.seed))
        groups[task, label] = Group(task, method, label, ordered, threshold, optimum)
    return Outcomes(groups, planned, statuses)


def _number(value: float | None) -> float:
    return NAN if value is None else float(value)


def _part(segment: Mapping[str, Any]) -> Part:
    cost = segment["cost"] or {}
    return Part(
        sys.intern(segment["architecture"]),  # a few names, a hundred thousand times
        sys.intern(segment["reason"]),
        segment["first"],
        segment["last"],
        _number(segment["score"]),
        *(_number(cost.get(name)) for name in ("steps", "parameters", "flop")),
    )
