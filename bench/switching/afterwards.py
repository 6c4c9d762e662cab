"""What a network learns in the 200 episodes after a switch, beside going on without one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from functools import partial
from pathlib import Path

import numpy as np

from nasdqn_fast.space import Architecture
from switching.records import Row, collect, read
from switching.sources import CLASSES, Source, agent, pairs

PAIRS = 20  # of each class
SEEDS = 10  # source runs of a pair, one in each round
AFTER = 200
SOON = 50
COLUMNS = (
    *("task", "trained", "seed", "source", "target", "transfer", "change"),
    *("before", "after", "soon", "later", "end", "seconds"),
)
# What is not a transfer: going on; going on with a quarter of the memory; the target trained from nothing.
REFERENCES = ("none", "pruned", "scratch")


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
    done = {(row["task"], row["trained"], row["source"], int(row["seed"]), row["transfer"]) for row in read(path)}
    tasks = []
    for (source, seed), switches in layout(rounds).items():
        wanted = [name for name in transfers if (task, str(trained), str(source), seed, name) not in done]
        if wanted:
            tasks.append(partial(rows, task, trained, seed, source, switches, wanted, after))
    collect(path, COLUMNS, 6, jobs, tasks)


def rows(
    task: str,
    trained: int,
    seed: int,
    architecture: Architecture,
    switches: Sequence[tuple[str, Architecture]],
    transfers: Sequence[str],
    after: int,
) -> list[Row]:
    """One source run and what follows it: of each reference once, of each transfer once a target."""
    learner = agent(task, architecture, seed)
    learner.run_episodes(trained)
    source = Source(learner, seed, 1 if task == "hanging" else 100)
    found = []

    def add(
        target: Architecture, transfer: str, change: str, at_switch: float, returns: np.ndarray, seconds: float
    ) -> None:
        means = returns[:SOON].mean(), returns.mean(), returns[-SOON:].mean()
        values = (
            *(task, trained, seed, architecture, target, transfer, change, f"{source.greedy:.2f}", f"{at_switch:.2f}"),
            *(f"{mean:.2f}" for mean in means),
            f"{seconds:.3f}",
        )
        found.append(dict(zip(COLUMNS, values, strict=True)))

    for transfer in transfers:
        if transfer == "none":
            add(architecture, transfer, "", source.greedy, source.copy().run_episodes(after).returns, 0.0)
        elif transfer == "pruned":
            pruned = source.copy()
            pruned.replay.prune(0.25)
            add(architecture, transfer, "", source.greedy, pruned.run_episodes(after).returns, 0.0)
        else:
            for name, target in switches:
                if transfer == "scratch":
                    new = agent(task, target, seed)
                    add(target, transfer, name, source.played(new.network), new.run_episodes(after).returns, 0.0)
                else:
                    switched = source.switch(target, transfer)
                    returns, seconds = source.run(switched, transfer, after)
                    add(target, transfer, name, switched.after, returns, switched.seconds + seconds)
    return found
