"""Whole runs of both searches and of a fixed network, of ten segments each."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import Any

import nasdqn_fast
from nasdqn_fast.study.table.tasks import LEARNER, Task
from switching.records import Row, collect, read

# Settings, method, transfer, share of the memory that is kept.
RUNS = [
    ("upright", "random-nas", "distill", 1.0),
    ("upright", "fixed", "", 1.0),
    ("upright", "nas-dqn", "distill", 1.0),
    ("upright", "random-nas", "matching", 1.0),
    ("paper", "random-nas", "distill", 1.0),
    ("paper", "fixed", "", 1.0),
    ("paper", "nas-dqn", "distill", 1.0),
    ("paper", "random-nas", "matching", 0.25),
    ("paper", "nas-dqn", "matching", 0.25),
    ("hanging", "random-nas", "distill", 1.0),
    ("hanging", "fixed", "", 1.0),
    ("hanging", "random-nas", "matching", 1.0),
]
KEYS = ("setting", "method", "transfer", "keep", "episodes", "widths", "seed")
COLUMNS = (*KEYS, "final", "mean", "seconds", "search_share", "updates", "architectures", "curve")


def measure(path: Path, setting: str, episodes: int, widths: str, seeds: range, jobs: int) -> None:
    """`setting`: a task, with Adam; or ``paper``, the paper's SGD on `upright`."""
    done = {tuple(row[key] for key in KEYS) for row in read(path)}
    wanted = [(*run, episodes, widths, seed) for seed in seeds for run in RUNS if run[0] == setting]
    tasks = [partial(rows, *run) for run in wanted if tuple(map(str, run)) not in done]
    collect(path, COLUMNS, len(KEYS), jobs, tasks)


def rows(setting: str, method: str, transfer: str, keep: float, episodes: int, widths: str, seed: int) -> list[Row]:
    """One run; its curve as means of a quarter of a segment."""
    given: dict[str, Any] = {} if setting == "paper" else {**LEARNER, **Task.parse(setting).settings}
    if method == "fixed":
        given["architecture"] = "3x64-relu"
    else:
        given |= {"transfer": transfer, "replay_keep": keep, "widths": tuple(map(int, widths.split(",")))}
        given["switch_every"] = max(1, episodes // 10)
    result = nasdqn_fast.train(method, seed=seed, episodes=episodes, **given)
    returns = result.episodes.returns
    block = max(1, episodes // 40)
    curve = returns[: len(returns) // block * block].reshape(-1, block).mean(axis=1)
    costs = [segment.cost.updates for segment in result.segments if segment.cost is not None]
    values = (
        *(setting, method, transfer, keep, episodes, widths, seed),
        *(f"{returns[-100:].mean():.2f}", f"{returns.mean():.2f}"),
        *(f"{result.times.total:.1f}", f"{result.times.search_share:.4f}", sum(costs)),
        " ".join(str(segment.architecture) for segment in result.segments),
        " ".join(f"{value:.1f}" for value in curve),
    )
    return [dict(zip(COLUMNS, values, strict=True))]
