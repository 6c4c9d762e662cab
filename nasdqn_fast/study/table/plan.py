"""What a table is to hold: architectures x tasks x seeds, and the settings of each."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nasdqn_fast.config import Config, resolve
from nasdqn_fast.errors import InputError, OutOfRange, UnknownName, suggest
from nasdqn_fast.run.assembly import make_environment
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.study.table.tasks import DEFAULT_TASKS, LEARNER, Task
from nasdqn_fast.validation import check_int, check_positive_int

# Seeds below are for searching, the others for the final score: the seeds that a search has seen flatter its choice.
FIRST_FINAL_SEED = 1_000
# Settings that a plan sets itself, or that would make rows of unequal length.
_OWN = (
    "method",
    "architecture",
    "seed",
    "env",
    "start",
    "max_episode_steps",
    "env_param",
    "optimizer",
    "steps",
    "stop_at_threshold",
)


@dataclass(frozen=True, order=True)
class Cell:
    """One row of a table.

    Args:
        task, architecture: text forms.
        seed: of the run.
    """

    task: str
    architecture: str
    seed: int

    def __str__(self) -> str:
        return f"{self.task}, {self.architecture}, seed {self.seed}"


@dataclass(frozen=True)
class Plan:
    """Which rows a table has.

    Args:
        tasks: names, as `Task.parse` takes them.
        architectures: the space.
        seeds: an even number: half of them, from 0, are for searching, the other half, from 1000, for the final score.
        episodes: of each row.
        evaluate_every: episodes between two greedy evaluations.
        evaluate_episodes: episodes of such an evaluation, from the same starts for all rows of a task.
        learner: keywords of `nasdqn_fast.train` for the agent, in place of `LEARNER` and the defaults.

    Raises:
        InputError: a setting is unknown, out of range or the plan's own.
    """

    tasks: tuple[str, ...] = DEFAULT_TASKS
    architectures: tuple[str, ...] = tuple(map(str, SearchSpace.paper()))
    seeds: int = 16
    episodes: int = 600
    evaluate_every: int = 25
    evaluate_episodes: int = 20
    learner: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if not self.tasks:
            raise InputError("a table needs at least one task")
        object.__setattr__(self, "tasks", tuple(dict.fromkeys(self.tasks)))
        object.__setattr__(self, "architectures", tuple(map(str, SearchSpace(self.architectures))))
        check_positive_int("episodes", self.episodes)
        check_int("evaluate_every", self.evaluate_every, 1, self.episodes)
        if check_int("seeds", self.seeds, 2, 2 * FIRST_FINAL_SEED) % 2:
            raise OutOfRange("seeds", "an even number", str(self.seeds), "half of them are for the final score")
        for name in self.learner:
            if name in _OWN:
                raise InputError(f"a table's plan sets {name} itself; leave it out, or choose other tasks")
        for task in self.tasks:
            config = self.config(Cell(task, self.architectures[0], 0))
            if not Task.parse(task).built_in:
                _check_environment(task, config)

    def config(self, cell: Cell) -> Config:
        """The settings of a row, with which `nasdqn_fast.train` repeats it."""
        own = {
            "method": "fixed",
            "architecture": cell.architecture,
            "seed": cell.seed,
            "episodes": self.episodes,
            "evaluate_every": self.evaluate_every,
            "evaluate_episodes": self.evaluate_episodes,
            "evaluate_seed": 0,
        }
        return resolve(None, {**LEARNER, **self.learner, **Task.parse(cell.task).settings, **own})

    def settings(self, task: str) -> dict[str, Any]:
        """Section -> key -> value: all that makes a row of this task what it is, but for architecture and seed."""
        values = self.config(Cell(task, self.architectures[0], 0)).as_json()
        run = {key: values["run"][key] for key in ("episodes", "evaluate_every", "evaluate_episodes", "evaluate_seed")}
        return {"env": values["env"], "agent": values["agent"], "run": run}

    def all_seeds(self) -> Iterable[int]:
        """In the order in which they are computed: one for searching, one for the final score, and so on."""
        for number in range(self.seeds // 2):
            yield from (number, FIRST_FINAL_SEED + number)

    def cells(self) -> list[Cell]:
        """All rows, in the order of the table."""
        seeds = sorted(self.all_seeds())
        return [Cell(task, name, seed) for task in self.tasks for name in self.architectures for seed in seeds]

    def shard(self, number: int, of: int) -> list[Cell]:
        """The rows that one of several shards computes, in the order in which it does.

        Seed by seed, so that a table that is not finished has something of everything; within a seed in an order drawn
        once and for all, so that no shard has all of the large networks.

        Args:
            number: from 0.
            of: how many shards there are.
        """
        rng, cells = np.random.default_rng(0), []
        for seed in self.all_seeds():
            these = [Cell(task, name, seed) for task in self.tasks for name in self.architectures]
            cells += [these[i] for i in rng.permutation(len(these))]
        return cells[number::of]


def _check_environment(task: str, config: Config) -> None:
    """Finds a wrong name before anything is computed."""
    try:
        make_environment(config)
    except UnknownName:
        raise InputError(
            f"unknown task {task!r}: {suggest(task, DEFAULT_TASKS)}, or an environment as train --env takes it"
        ) from None
