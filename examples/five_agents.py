"""The paper's five agents, several seeds each: a table of its four metrics, and the learning curves as a figure.

    python examples/five_agents.py --seeds 5 --out runs/five-agents

Takes about ten minutes on two cores with the defaults (25 runs of 2,000 episodes). Runs go on in
threads, one a core: the training loop holds no lock of Python's. Without matplotlib
(pip install 'nasdqn-fast[report]') there is no figure. Five seeds are a look, not a study. The last
line names the directory.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

import nasdqn_fast
from nasdqn_fast.metrics import rolling_mean
from nasdqn_fast.run.directory import check_free
from nasdqn_fast.run.result import RunResult
from nasdqn_fast.validation import check_positive_int

METHODS = ("fixed-small", "fixed-medium", "fixed-large", "random-nas", "nas-dqn")


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--episodes", type=int, default=2_000)
    parser.add_argument("--out", type=Path, default=Path("runs/five-agents"))
    options = parser.parse_args(arguments)

    try:
        check_positive_int("seeds", options.seeds)
        check_positive_int("episodes", options.episodes)
        check_free(options.out)
    except ValueError as error:
        parser.exit(2, f"{parser.prog}: {error}\n")
    results = train_all(options.seeds, options.episodes, options.out)
    print(table(results))
    try:
        draw(results, options.out / "curves.png")
    except ImportError:
        print("no figure: matplotlib is not installed")
    print(options.out)


def train_all(seeds: int, episodes: int, out: Path) -> dict[str, list[RunResult]]:
    """Every method with every seed, each run in a directory of its own."""

    def run(method: str, seed: int) -> RunResult:
        return nasdqn_fast.train(method, seed=seed, episodes=episodes, out=out / f"{method}-{seed}")

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        futures = {m: [threads.submit(run, m, seed) for seed in range(seeds)] for m in METHODS}
        return {method: [future.result() for future in runs] for method, runs in futures.items()}


def table(results: dict[str, list[RunResult]]) -> str:
    """Mean and standard deviation over seeds of each metric; episodes to 150 as median and how many got there."""
    lines = [f"{'method':14}{'final 100':>16}{'SD of the same':>17}{'episodes to 150':>22}{'best':>8}{'wall s':>8}"]
    for method, runs in results.items():
        metrics = [run.metrics for run in runs if run.metrics is not None]
        final, sd = [m.final_mean for m in metrics], [m.final_std for m in metrics]
        # A run that never got there is later than every other, so that the median stays honest.
        reached = [np.inf if m.episodes_to_threshold is None else m.episodes_to_threshold for m in metrics]
        episodes = f"{np.median(reached):.0f} ({np.isfinite(reached).sum()} of {len(runs)})"
        lines.append(
            f"{method:14}{np.mean(final):9.1f} ± {np.std(final):4.1f}{np.mean(sd):10.1f} ± {np.std(sd):4.1f}"
            f"{episodes:>22}{np.max([m.best for m in metrics]):8.1f}{np.mean([r.times.total for r in runs]):8.1f}"
        )
    return "\n".join(lines)


def draw(results: dict[str, list[RunResult]], path: Path) -> None:
    """50-episode rolling means: each method's mean over seeds, and its lowest and highest seed as a band."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(9, 4), layout="constrained")
    axes = figure.subplots(1, 2, sharey=True)
    for ax, methods in zip(axes, (METHODS[:3], METHODS[3:]), strict=True):
        for color, method in enumerate(methods, start=METHODS.index(methods[0])):
            curves = np.array([rolling_mean(run.episodes.returns, 50) for run in results[method]])
            episodes = np.arange(curves.shape[1]) + 50
            ax.plot(episodes, curves.mean(axis=0), color=f"C{color}", label=method, lw=1.5)
            ax.fill_between(episodes, curves.min(axis=0), curves.max(axis=0), color=f"C{color}", alpha=0.15, lw=0)
        optimum = results[methods[0]][0].optimum
        if optimum is not None:
            ax.axhline(optimum, color="black", ls=":", lw=1, label=f"optimum {optimum:.1f}")
        ax.set_xlabel("episode")
        ax.legend(loc="lower right", frameon=False)
    axes[0].set_ylabel("return, mean of 50 episodes")
    axes[0].set_title("one architecture throughout", fontsize=10)
    axes[1].set_title("searching: a switch every 200 episodes", fontsize=10)
    figure.savefig(path, dpi=150)


if __name__ == "__main__":
    main()
