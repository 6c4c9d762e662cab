"""The tabulated benchmark: what every architecture came to on every task, looked up in microseconds.

Half of the seeds are for searching, the others for the final score: a search that has chosen by some runs must not be
judged by them.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast.errors import InputError, OutOfRange, UnknownName, WrongType
from nasdqn_fast.flop import forward_flop, update_flop
from nasdqn_fast.metrics import FINAL_EPISODES
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.study.table import file as table_file
from nasdqn_fast.study.table.plan import FIRST_FINAL_SEED, Cell
from nasdqn_fast.types import Cost
from nasdqn_fast.validation import check_choice, check_int, check_path, described

DATA = Path(__file__).parent / "data"  # tables that ship with the package
DEFAULT = "paper"  # the one that is meant if none is named
METRICS = ("final", "area", "greedy")


@dataclass(frozen=True, eq=False)
class Trajectory:
    """One run of a table.

    Args:
        returns: float64 (episodes,), undiscounted; rounded to the task's unit.
        lengths: int64 (episodes,), steps.
        evaluated_after: int64 (n,), episodes that had ended at each evaluation.
        evaluations: float64 (n,), mean return of the greedy policy, always from the same starts.
    """

    returns: np.ndarray
    lengths: np.ndarray
    evaluated_after: np.ndarray
    evaluations: np.ndarray


@dataclass(frozen=True, eq=False)
class Answer:
    """What a query gives.

    Args:
        architecture: that was asked for.
        seed: whose run it was.
        episodes: how many of the run.
        score: by the metric that was asked for.
        returns: float64 (episodes,), of training.
        cost: what training for so long costs; evaluations are not counted.
    """

    architecture: Architecture
    seed: int
    episodes: int
    score: float
    returns: np.ndarray
    cost: Cost


@dataclass
class CostMeter:
    """Adds up what queries stand for: ``table.query(..., meter=meter)``.

    Attributes:
        queries, episodes, steps, updates, flop: of all of them; a run that is asked for twice counts twice.
    """

    queries: int = 0
    episodes: int = 0
    steps: int = 0
    updates: int = 0
    flop: int = 0

    def add(self, episodes: int, cost: Cost) -> None:
        """Counts one query."""
        self.queries += 1
        self.episodes += episodes
        self.steps += cost.steps
        self.updates += cost.updates
        self.flop += cost.flop


@dataclass(frozen=True)
class _TaskFacts:
    scale: float
    sizes: tuple[int, int]  # observation, actions
    agent: dict[str, Any] = field(repr=False)


class Table:
    """Learning curves of every architecture on every task; `load` reads one.

    Args:
        arrays: of the file (docs/table.md).

    Attributes:
        tasks: names, in order.
        space: the architectures, in order.
        episodes: of every run.
    """

    def __init__(self, arrays: table_file.Arrays) -> None:
        self._arrays = arrays
        self.tasks = tuple(map(str, arrays["tasks"]))
        self.space = SearchSpace(map(str, arrays["architectures"]))
        self.episodes = int(arrays["returns"].shape[1])
        self._rows = {cell: row for row, cell in enumerate(table_file.cells(arrays))}
        self._facts = {
            name: _TaskFacts(float(scale), (int(inputs), int(actions)), json.loads(str(settings))["agent"])
            for name, scale, inputs, actions, settings in zip(
                self.tasks,
                *(arrays[key] for key in ("scales", "observation_sizes", "n_actions", "settings")),
                strict=True,
            )
        }
        self._seeds = {
            task: tuple(sorted({cell.seed for cell in self._rows if cell.task == task})) for task in self.tasks
        }
        self._means: dict[tuple[str, str, tuple[int, ...], int, str], float] = {}
        self._optima: dict[tuple[str, int, str], tuple[Architecture, float]] = {}

    @classmethod
    def load(cls, table: str | Path = DEFAULT) -> Table:
        """Reads a table.

        Args:
            table: the path of a file that ends in ``.npz``, a directory of ``nasdqn-fast tabulate``, or the name of one
                that ships with the package.

        Raises:
            InputError: there is no such table, or its file is damaged.
        """
        path = check_path("table", table)
        if path.is_dir():
            path = path / "table.npz"
        if path.suffix == ".npz":
            return cls(table_file.load(path))
        shipped = sorted(file.stem for file in DATA.glob("*.npz"))
        if str(table) not in shipped:
            have = f"there are {', '.join(shipped)}" if shipped else "this version ships none"
            raise InputError(
                f"no table is called {str(table)!r}: {have}; nasdqn-fast tabulate --out DIR makes one, "
                "whose path is DIR/table.npz"
            )
        return cls(table_file.load(DATA / f"{table}.npz"))

    def settings(self, task: str) -> dict[str, dict[str, Any]]:
        """Section -> key -> value of the runs on a task."""
        index = self.tasks.index(self._task(task))
        settings: dict[str, dict[str, Any]] = json.loads(str(self._arrays["settings"][index]))
        return settings

    def sizes(self, task: str) -> tuple[int, int]:
        """Numbers in an observation of a task, and actions."""
        return self._facts[self._task(task)].sizes

    def search_seeds(self, task: str) -> tuple[int, ...]:
        """Seeds whose runs a search may look at."""
        return tuple(seed for seed in self._seeds[self._task(task)] if seed < FIRST_FINAL_SEED)

    def final_seeds(self, task: str) -> tuple[int, ...]:
        """Seeds that judge what a search has chosen."""
        return tuple(seed for seed in self._seeds[self._task(task)] if seed >= FIRST_FINAL_SEED)

    def query(
        self,
        architecture: Architecture | str,
        task: str,
        seed: int | None = None,
        episodes: int | None = None,
        *,
        metric: str = "final",
        rng: np.random.Generator | None = None,
        meter: CostMeter | None = None,
    ) -> Answer:
        """What training this architecture would have given.

        Args:
            architecture: in the table's space.
            task: its name.
            seed: of the run; None draws one of the search's with `rng`, so that noise is part of the problem.
            episodes: of the run; None: all.
            metric: ``final``, the mean return of the last 100 episodes (of all, if there are fewer); ``area``, of all
                episodes; ``greedy``, of the greedy policy at the last evaluation.
            rng: the caller's generator, of which one bounded integer is drawn.
            meter: counts the query.

        Raises:
            InputError: the table has no such task, architecture or run.
            TypeError, ValueError: neither `seed` nor `rng`, or another argument of the wrong type or out of range.
        """
        if seed is None:
            if not isinstance(rng, np.random.Generator):
                raise WrongType("rng", "a numpy.random.Generator where no seed is given", described(rng))
            seeds = self.search_seeds(task)
            seed = seeds[int(rng.integers(len(seeds)))]
        row = self._row(architecture, task, seed)
        episodes = self.episodes if episodes is None else check_int("episodes", episodes, 1, self.episodes)
        returns = self._returns(row, task)[:episodes]
        architecture = Architecture.parse(architecture)
        cost = self._cost(row, task, architecture, episodes)
        if meter is not None:
            meter.add(episodes, cost)
        return Answer(architecture, seed, episodes, self._score(row, task, episodes, metric), returns, cost)

    def trajectory(self, architecture: Architecture | str, task: str, seed: int) -> Trajectory:
        """A whole run.

        Raises:
            InputError: the table has no such task, architecture or run.
        """
        row = self._row(architecture, task, seed)
        return Trajectory(
            self._returns(row, task),
            self._arrays["lengths"][row].astype(np.int64),
            self._arrays["evaluated_after"].astype(np.int64),
            self._arrays["evaluations"][row].astype(np.float64),
        )

    def final_score(
        self, architecture: Architecture | str, task: str, *, episodes: int | None = None, metric: str = "final"
    ) -> float:
        """Mean score over the seeds that no search has seen.

        Raises:
            InputError: one of their runs is missing, or as `query`.
        """
        return self._mean(architecture, task, self.final_seeds(task), episodes, metric)

    def search_score(
        self, architecture: Architecture | str, task: str, *, episodes: int | None = None, metric: str = "final"
    ) -> float:
        """Mean score over the seeds that are for searching: what a search has found of it when it has seen all runs.

        Raises:
            InputError: one of their runs is missing, or as `query`.
        """
        return self._mean(architecture, task, self.search_seeds(task), episodes, metric)

    def optimum(self, task: str, *, episodes: int | None = None, metric: str = "final") -> tuple[Architecture, float]:
        """The architecture with the highest `final_score`, the first of equals, and that score.

        The highest of many means is higher than the mean of the best by luck, the more so the fewer seeds there are.
        """
        key = (self._task(task), self.episodes if episodes is None else episodes, metric)
        if key not in self._optima:
            scores = [self.final_score(name, task, episodes=episodes, metric=metric) for name in self.space]
            best = int(np.argmax(scores))
            self._optima[key] = self.space[best], scores[best]
        return self._optima[key]

    def regret(
        self, architecture: Architecture | str, task: str, *, episodes: int | None = None, metric: str = "final"
    ) -> float:
        """How far an architecture's `final_score` is below the optimum's, >= 0."""
        best = self.optimum(task, episodes=episodes, metric=metric)[1]
        return best - self.final_score(architecture, task, episodes=episodes, metric=metric)

    def scores(
        self, task: str, seeds: tuple[int, ...], *, episodes: int | None = None, metric: str = "final"
    ) -> np.ndarray:
        """Every architecture's score with every one of these seeds: float64 (architectures, seeds)."""
        return np.array(
            [[self.query(name, task, seed, episodes, metric=metric).score for seed in seeds] for name in self.space]
        )

    def _mean(
        self,
        architecture: Architecture | str,
        task: str,
        seeds: tuple[int, ...],
        episodes: int | None,
        metric: str,
    ) -> float:
        length = self.episodes if episodes is None else episodes
        key = (task, str(Architecture.parse(architecture)), seeds, length, metric)
        if key not in self._means:
            scores = [self.query(architecture, task, seed, episodes, metric=metric).score for seed in seeds]
            self._means[key] = float(np.mean(scores))
        return self._means[key]

    def _task(self, task: str) -> str:
        if task not in self.tasks:
            raise UnknownName("task", task, self.tasks)
        return task

    def _row(self, architecture: Architecture | str, task: str, seed: int) -> int:
        architecture = Architecture.parse(architecture)
        cell = Cell(self._task(task), str(architecture), check_int("seed", seed, 0))
        if cell in self._rows:
            return self._rows[cell]
        if architecture not in self.space:
            raise InputError(f"the table has no architecture {architecture}; it has {', '.join(map(str, self.space))}")
        seeds = ", ".join(map(str, self._seeds[task]))
        raise InputError(f"the table has no run of {cell}; seeds of this task: {seeds}")

    def _returns(self, row: int, task: str) -> np.ndarray:
        returns: np.ndarray = self._arrays["returns"][row] * self._facts[task].scale
        return returns

    def _score(self, row: int, task: str, episodes: int, metric: str) -> float:
        check_choice("metric", metric, METRICS)
        if metric == "greedy":
            after = self._arrays["evaluated_after"]
            number = int(np.searchsorted(after, episodes, side="right"))
            if not number:
                raise OutOfRange("episodes", f"at least {after[0]}, the first evaluation, for greedy", str(episodes))
            return float(self._arrays["evaluations"][row, number - 1])
        since = max(0, episodes - FINAL_EPISODES) if metric == "final" else 0
        return float(self._arrays["returns"][row, since:episodes].mean() * self._facts[task].scale)

    def _cost(self, row: int, task: str, architecture: Architecture, episodes: int) -> Cost:
        facts, arrays = self._facts[task], self._arrays
        steps = int(arrays["lengths"][row, :episodes].sum(dtype=np.int64))
        # Every step has had its updates, but for those of the warm-up, before which there was none.
        not_made = (int(arrays["steps"][row]) - steps) * _updates_per_step(facts.agent)
        updates = max(0, round(int(arrays["updates"][row]) - not_made))
        batch, double = facts.agent["batch_size"], facts.agent["double"]
        return Cost(
            steps,
            updates,
            parameters=int(arrays["parameters"][row]),
            flop=forward_flop(architecture, *facts.sizes, rows=steps)
            + updates * update_flop(architecture, *facts.sizes, batch=batch, double=double),
        )


def _updates_per_step(agent: dict[str, Any]) -> float:
    if agent["updates_per_train"] is not None:
        return float(agent["updates_per_train"] / (agent["train_every"] * agent["num_envs"]))
    return float(agent["updates_per_step"])
