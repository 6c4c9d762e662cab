"""The greedy return at a switch, for every pair of architectures."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.optimal import solve
from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers._features import hidden
from switching.records import Row, collect, read
from switching.sources import SPACE, Source, agent, change, environment, greedy_episodes

GREEDY = 500  # episodes before and after, from the same starts
TRANSFER = "distill"
COLUMNS = (
    *("task", "trained", "seed", "source", "target", "change"),
    *("before", "after", "agreed_before", "agreed_after", "dormant_before", "dormant_after", "seconds"),
)


def measure(path: Path, task: str, stages: Sequence[int], seeds: range, jobs: int) -> None:
    """All 702 pairs from one source run a seed, after each number of episodes of training in `stages`."""
    done = {(row["task"], int(row["trained"]), int(row["seed"]), row["source"]) for row in read(path)}
    tasks = []
    for seed, source in itertools.product(seeds, SPACE):
        if missing := [stage for stage in sorted(stages) if (task, stage, seed, str(source)) not in done]:
            tasks.append(partial(rows, task, missing, seed, source))
    collect(path, COLUMNS, 6, jobs, tasks)


def rows(task: str, stages: Sequence[int], seed: int, architecture: Architecture) -> list[Row]:
    """All switches from one source run."""
    trained, found = agent(task, architecture, seed), []
    states, best = _optimal_actions(task)
    for stage in stages:
        trained.run_episodes(stage - trained.episodes)
        source = Source(trained, seed, greedy_episodes(task, GREEDY))
        seen = trained.replay.transitions().observations[-2_000:]
        before = _agreement(trained.network, states, best), _dormant(trained.network, seen)
        for target in SPACE:
            if target == architecture:
                continue
            carried, seconds = source.transferred(target, TRANSFER)
            after = _agreement(carried.network, states, best), _dormant(carried.network, seen)
            values = (
                *(task, stage, seed, architecture, target, change(architecture, target)),
                *(f"{source.greedy:.2f}", f"{source.played(carried.network):.2f}"),
                *(f"{value:.4f}" for pair in zip(before, after, strict=True) for value in pair),
                f"{seconds:.3f}",
            )
            found.append(dict(zip(COLUMNS, values, strict=True)))
    return found


def _optimal_actions(task: str) -> tuple[np.ndarray, np.ndarray]:
    """Observations of the whole state space, (N, 3), and the best action of each at the start of an episode, (N,)."""
    optimum = solve(environment(task), theta_points=180, omega_points=101)
    theta, omega = (axis.ravel() for axis in np.meshgrid(optimum.thetas, optimum.omegas, indexing="ij"))
    observations = np.column_stack([np.cos(theta), np.sin(theta), omega]).astype(np.float32)
    return observations, optimum.policy().ravel()


def _agreement(network: BaseNetwork, states: np.ndarray, best: np.ndarray) -> float:
    """Share of the state space in which the greedy action is the optimal one."""
    return float(np.mean(network.forward(states).argmax(axis=1) == best))


def _dormant(network: BaseNetwork, states: np.ndarray) -> float:
    """Share of hidden units whose mean activity is at most 2.5 % of their layer's (Sokar et al. 2023)."""
    activity = [np.abs(layer).mean(axis=0) for layer in hidden(network, states)]
    return float(np.mean(np.concatenate([units <= 0.025 * units.mean() for units in activity])))
