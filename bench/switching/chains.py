"""Nine switches of one agent, one after another, beside the same agent without them."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from switching.records import Row, collect, read
from switching.sources import SPACE, Source, agent, greedy_episodes

SWITCHES = 9
COLUMNS = ("task", "trained", "between", "seed", "transfer", "before", "final", "greedy", "curve", "architectures")


def measure(
    path: Path, task: str, trained: int, between: int, transfers: Sequence[str], seeds: range, jobs: int
) -> None:
    done = {(row["task"], row["trained"], row["between"], int(row["seed"]), row["transfer"]) for row in read(path)}
    tasks = []
    for seed in seeds:
        wanted = [name for name in transfers if (task, str(trained), str(between), seed, name) not in done]
        if wanted:
            tasks.append(partial(rows, task, trained, between, seed, wanted))
    collect(path, COLUMNS, 5, jobs, tasks)


def rows(task: str, trained: int, between: int, seed: int, transfers: Sequence[str]) -> list[Row]:
    """The same source run and architectures for each transfer; ``none`` continues with the first."""
    drawn = np.random.default_rng(seed).permutation(len(SPACE))[: SWITCHES + 1]
    first, *others = (SPACE[i] for i in drawn)
    learner = agent(task, first, seed)
    learner.run_episodes(trained)
    greedy = greedy_episodes(task, 500)
    start = Source(learner, seed, greedy)
    found = []
    for transfer in transfers:
        current, means, returns = start, [], np.empty(0)
        for k, target in enumerate(others):
            if transfer == "none":
                then = current.copy()
                more = then.run_episodes(between).returns
            else:
                switched = current.switch(target, transfer)
                then, (more, _) = switched.agent, current.run(switched, transfer, between)
            returns = np.concatenate([returns, more])
            means.append(returns[-between:].mean())
            current = Source(then, 1_000 * (k + 1) + seed, 1)
        end = Source(current.trained, seed, greedy).greedy
        values = (
            *(task, trained, between, seed, transfer, f"{start.greedy:.2f}", f"{returns[-100:].mean():.2f}"),
            *(f"{end:.2f}", " ".join(f"{mean:.1f}" for mean in means)),
            str(first) if transfer == "none" else " ".join(map(str, (first, *others))),
        )
        found.append(dict(zip(COLUMNS, values, strict=True)))
    return found
