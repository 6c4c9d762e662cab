"""What a network learns in the 200 episodes after a switch, beside going on without one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from nasdqn_fast.space import Architecture
from switching.records import Row, collect, read
from switching.sources import CLASSES, TRANSFERS, Source, agent, greedy_episodes, pairs

PAIRS = 20  # of each class
SEEDS = 10  # source runs of a pair, one in each round
AFTER = 200
SOON = 50
COLUMNS = (
    *("task", "trained", "seed", "source", "target", "transfer", "change"),
    *("before", "after", "soon", "later", "end", "seconds"),
)
# What is not a transfer: going on; going on with a quarter of the memory; the target trained from nothing.
WITHOUT_SWITCH = ("none", "pruned")
REFERENCES = (*WITHOUT_SWITCH, "scratch")


def layout(rounds: int) -> dict[tuple[Architecture, int], list[tuple[str, Architecture]]]:
    """Source runs (architecture, seed) with their switches; a round gives each pair one seed, and uses all seeds."""
    rng, jobs = np.random.default_rng(0), defaultdict(list)
    for name in CLASSES:
        of_class = [(old, new) for change, old, new in pairs() if change == name]
        for i, k in enumerate(rng.permutation(len(of_class))[:PAIRS]):
            old, new = of_class[k]
            for round_ in range(rounds):
                jobs[old, (i + round_) % SEEDS].append((name, new))
    return dict(jobs)


def measure(path: Path, task: str, trained: int, rounds: int, transfers: Sequence[str], after: int, jobs: int) -> None:
    keys = COLUMNS[:6]
    done = {tuple(row[key] for key in keys) for row in read(path)}
    tasks = []
    for (source, seed), switches in layout(rounds).items():
        missing = [
            (transfer, change, target)
            for transfer in transfers
            for change, target in ([("", source)] if transfer in WITHOUT_SWITCH else switches)
            if tuple(map(str, (task, trained, seed, source, target, transfer))) not in done
        ]
        if missing:
            tasks.append(partial(rows, task, trained, seed, source, missing, after))
    collect(path, COLUMNS, len(keys), jobs, tasks)


def rows(
    task: str,
    trained: int,
    seed: int,
    architecture: Architecture,
    wanted: Sequence[tuple[str, str, Architecture]],
    after: int,
) -> list[Row]:
    """One source run and what follows it, for each transfer or reference, class of change and target that is wanted."""
    learner = agent(task, architecture, seed)
    learner.run_episodes(trained)
    source = Source(learner, seed, greedy_episodes(task, 100))
    found = []
    for transfer, change, target in wanted:
        at_switch, seconds = source.greedy, 0.0
        if transfer in TRANSFERS:
            switched = source.switch(target, transfer)
            at_switch = source.played(switched.agent.network)
            returns, seconds = source.run(switched, transfer, after)
            seconds += switched.seconds
        else:
            reference = agent(task, target, seed) if transfer == "scratch" else source.copy()
            if transfer == "scratch":
                at_switch = source.played(reference.network)
            if transfer == "pruned":
                reference.replay.prune(0.25)
            returns = reference.run_episodes(after).returns
        values = (
            *(task, trained, seed, architecture, target, transfer, change, f"{source.greedy:.2f}", f"{at_switch:.2f}"),
            *(f"{part.mean():.2f}" for part in (returns[:SOON], returns, returns[-SOON:])),
            f"{seconds:.3f}",
        )
        found.append(dict(zip(COLUMNS, values, strict=True)))
    return found
