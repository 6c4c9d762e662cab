"""A grid of settings times seeds, a run each, in worker processes; prints the mean of the last returns by setting.

    python examples/sweep.py --rates 1e-3 1e-2 --seeds 3 --episodes 300 --processes 2

A run uses one core and holds no lock of Python's, so threads do as well (examples/five_agents.py). Processes are for
controllers, transfers and listeners that spend long in Python. Results come back by pickle, the network included.
"""

from __future__ import annotations

import argparse
import itertools
import multiprocessing
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor

import numpy as np

import nasdqn_fast
from nasdqn_fast.run.result import RunResult
from nasdqn_fast.validation import check_positive_int


# At the top level of the module: a worker process finds it by its name.
def train_one(learning_rate: float, seed: int, episodes: int) -> RunResult:
    return nasdqn_fast.train(
        "fixed-small", env="cartpole", seed=seed, episodes=episodes, learning_rate=learning_rate, warm_up=100
    )


def with_an_executor(jobs: Sequence[tuple[float, int, int]], processes: int) -> list[RunResult]:
    # "spawn" starts clean interpreters, wherever it runs; "fork" and "forkserver" give the same results.
    with ProcessPoolExecutor(processes, mp_context=multiprocessing.get_context("spawn")) as pool:
        return list(pool.map(train_one, *zip(*jobs, strict=True)))


def with_a_pool(jobs: Sequence[tuple[float, int, int]], processes: int) -> list[RunResult]:
    with multiprocessing.get_context("spawn").Pool(processes) as pool:
        return pool.starmap(train_one, jobs, chunksize=1)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rates", type=float, nargs="+", default=[1e-3, 1e-2])
    parser.add_argument("--seeds", type=int, default=3)
    parser.add_argument("--episodes", type=int, default=300)
    parser.add_argument("--processes", type=int, default=2)
    parser.add_argument("--pool", action="store_true", help="multiprocessing.Pool in place of ProcessPoolExecutor")
    options = parser.parse_args(arguments)
    try:
        for name in ("seeds", "episodes", "processes"):
            check_positive_int(name, getattr(options, name))
    except ValueError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    grid = itertools.product(options.rates, range(options.seeds))
    jobs = [(rate, seed, options.episodes) for rate, seed in grid]
    results = (with_a_pool if options.pool else with_an_executor)(jobs, options.processes)
    for rate in options.rates:
        ends = [
            result.episodes.returns[-100:].mean()
            for (of, _, _), result in zip(jobs, results, strict=True)
            if of == rate
        ]
        print(f"learning_rate {rate:g}: {np.mean(ends):.1f} ± {np.std(ends):.1f} over {len(ends)} seeds")


if __name__ == "__main__":
    main()
