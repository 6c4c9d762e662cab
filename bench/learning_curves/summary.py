"""Sets of runs as small tables: a row a run and a coarse curve each, from which all else follows."""

from __future__ import annotations

import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from learning_curves import runs, statistics

WHO = ("originals", "ours")


@dataclass(frozen=True, eq=False)
class Summary:
    """The runs of one case by one implementation, in the order of their seeds.

    Attributes:
        seeds: [runs].
        greedy: [runs] mean return of the final network without exploration.
        cpu, wall: [runs] seconds of training.
        curves: [runs, bins], see `statistics.curve`.
    """

    seeds: np.ndarray
    greedy: np.ndarray
    cpu: np.ndarray
    wall: np.ndarray
    curves: np.ndarray

    @property
    def areas(self) -> np.ndarray:
        """[runs] area under the learning curve over the number of steps: mean return of the episode a step is in."""
        return self.curves.mean(axis=1)

    def __len__(self) -> int:
        return len(self.seeds)


def summarize(folder: Path, case: runs.Case) -> Summary | None:
    """The runs of a case in a folder; None without any."""
    rows = [
        (seed, run.greedy.mean(), run.cpu, run.wall, statistics.curve(run.steps, run.returns, case.steps))
        for seed, run in runs.saved(folder, case)
    ]
    return Summary(*map(np.array, zip(*rows, strict=True))) if rows else None


def write(folder: Path, who: str, case: runs.Case, summary: Summary) -> None:
    """Into ``WHO-CASE.csv``: a row a run, its curve in columns named by the steps at the end of each part."""
    folder.mkdir(parents=True, exist_ok=True)
    ends = np.arange(1, statistics.BINS + 1) * (case.steps // statistics.BINS)
    with (folder / f"{who}-{case.name}.csv").open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("seed", "area", "greedy", "cpu_seconds", "wall_seconds", *ends))
        for seed, area, greedy, cpu, wall, curve in zip(
            summary.seeds, summary.areas, summary.greedy, summary.cpu, summary.wall, summary.curves, strict=True
        ):
            values = (f"{value:.2f}" for value in curve)
            rows.writerow((seed, f"{area:.2f}", f"{greedy:.2f}", f"{cpu:.2f}", f"{wall:.2f}", *values))


def read(folder: Path, who: str, case: runs.Case) -> Summary | None:
    """What `write` wrote; None without the file."""
    path = folder / f"{who}-{case.name}.csv"
    if not path.exists():
        return None
    table = np.loadtxt(path, delimiter=",", skiprows=1, ndmin=2)
    return Summary(table[:, 0].astype(int), table[:, 2], table[:, 3], table[:, 4], table[:, 5:])


def pairs(folder: Path) -> Iterator[tuple[runs.Case, Summary, Summary]]:
    """The cases of which both have two runs or more: case, originals, ours."""
    for case in runs.CASES:
        originals, ours = (read(folder, who, case) for who in WHO)
        if originals is not None and ours is not None and min(len(originals), len(ours)) > 1:
            yield case, originals, ours
