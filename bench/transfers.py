"""What a switch costs: each transfer at the switch and in the 50 episodes after it, and whole runs of both searches.

    python bench/transfers.py                    # docs/figures/transfers.png, and tables beside it
    python bench/transfers.py --parts switch --seeds 2 --train 50 --after 5 --out /tmp/transfers

Takes an hour or more; results are written when they are there, and not measured again. Seeds from 0 to 99 are those on
which transfers are tuned; they are not reported elsewhere.

Hypotheses, written before the first run of this script:

1. At the switch, `distill` loses less than 1 % of the return in the median of every class of change; `fresh`,
   `matching` and `overlap` lose more than 50.
2. In the 50 episodes after it, `distill` is within 5 of going on without a switch, in every class.
3. `net2net` moves the return of a wider or deeper rectifier network by nothing.
4. Both searches with `distill` and the whole memory kept end within 5 of the fixed medium network, with Adam and with
   the paper's SGD; with `matching` they do not.
"""

from __future__ import annotations

import argparse
import copy
import csv
import itertools
import statistics
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor, as_completed
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

import nasdqn_fast
from nasdqn_fast.engine import DQNAgent
from nasdqn_fast.search.greedy import GreedyEpisodes
from nasdqn_fast.search.learning import LearningAside
from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers import base

OUT = Path(__file__).parents[1] / "docs" / "figures" / "transfers"
GREEDY = 100  # episodes before and after, on the same starts

ADAM = {"optimizer": "adam", "horizon_is": "truncated"}
CHANGES = {
    "2x32-relu": {"widen": "2x128-relu", "deepen": "4x32-relu", "activation": "2x32-tanh", "mixed": "3x64-tanh"},
    "3x64-leaky_relu": {
        "widen": "3x128-leaky_relu",
        "deepen": "4x64-leaky_relu",
        "narrow": "3x32-leaky_relu",
        "shorten": "2x64-leaky_relu",
        "activation": "3x64-tanh",
        "mixed": "2x128-relu",
    },
    "3x64-tanh": {
        "widen": "3x128-tanh",
        "deepen": "4x64-tanh",
        "narrow": "3x32-tanh",
        "shorten": "2x64-tanh",
        "activation": "3x64-relu",
        "mixed": "4x32-leaky_relu",
    },
}
CLASSES = ("widen", "deepen", "narrow", "shorten", "activation", "mixed")
TRANSFERS: dict[str, tuple[str, dict[str, Any]]] = {
    "fresh": ("fresh", {}),
    "matching": ("matching", {}),
    "overlap": ("overlap", {}),
    "net2net": ("net2net", {}),
    "distill": ("distill", {}),
    "distill-inexact": ("distill", {"exact": False}),
    "distill-updates": ("distill", {"exact": False, "td_updates": 5_000}),
}
SWITCH_COLUMNS = ("source", "seed", "change", "target", "transfer", "before", "after", "next", "unswitched", "seconds")

# Agent settings, method, transfer, share of the memory that is kept; in the order in which they are run.
RUNS = [
    ("adam", "random-nas", "distill", 1.0),
    ("adam", "fixed", "", 1.0),
    ("paper", "random-nas", "distill", 1.0),
    ("paper", "fixed", "", 1.0),
    ("adam", "nas-dqn", "distill", 1.0),
    ("paper", "nas-dqn", "distill", 1.0),
    ("paper", "random-nas", "distill", 0.25),
    ("adam", "random-nas", "matching", 1.0),
    ("paper", "random-nas", "matching", 0.25),
    ("paper", "nas-dqn", "distill", 0.25),
    ("paper", "nas-dqn", "matching", 0.25),
]
HANGING = [
    ("hanging", "random-nas", "distill", 1.0),
    ("hanging", "fixed", "", 1.0),
    ("hanging", "random-nas", "matching", 1.0),
]
RUN_KEYS = ("setting", "method", "transfer", "keep", "episodes", "widths", "seed")
RUN_COLUMNS = (*RUN_KEYS, "final", "mean", "seconds", "search_share", "updates", "architectures", "curve")
Row = dict[str, Any]


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--parts", default="switch,runs,hanging,figure", help="of switch, runs, hanging, figure")
    parser.add_argument("--seeds", type=int, default=5, help="0, 1, ...")
    parser.add_argument("--sources", default=",".join(CHANGES), help="networks from which a switch is looked at")
    parser.add_argument("--transfers", default=",".join(TRANSFERS), help="those that make it")
    parser.add_argument(
        "--train", type=int, default=600, help="episodes before each single switch; another number wants another --out"
    )
    parser.add_argument("--after", type=int, default=50, help="episodes after it; likewise")
    parser.add_argument("--episodes", type=int, default=2_000, help="of a whole run, which has ten segments")
    parser.add_argument("--widths", default="32,64,128", help="of the architectures that a whole run searches")
    parser.add_argument("--settings", default="adam,paper", help="of the whole runs")
    parser.add_argument("--jobs", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, default=OUT, help="name without .csv and .png")
    options = parser.parse_args(arguments)
    options.out.parent.mkdir(parents=True, exist_ok=True)
    parts, seeds = options.parts.split(","), range(options.seeds)
    switches, runs = (options.out.with_name(f"{options.out.name}_{part}.csv") for part in ("switch", "runs"))

    if "switch" in parts:
        done = {(row["source"], int(row["seed"]), row["transfer"]) for row in read(switches)}
        tasks = []
        for seed, source in itertools.product(seeds, options.sources.split(",")):
            missing = [label for label in options.transfers.split(",") if (source, seed, label) not in done]
            if missing:
                tasks.append(partial(switch_rows, source, seed, missing, options.train, options.after))
        collect(switches, SWITCH_COLUMNS, options.jobs, tasks)
    for part, wanted in (("runs", RUNS), ("hanging", HANGING)):
        if part in parts:
            done = {tuple(row[key] for key in RUN_COLUMNS[: len(RUN_KEYS)]) for row in read(runs)}
            size = options.episodes if part == "runs" else min(options.episodes, 600), options.widths
            todo = [(*run, *size, seed) for seed in seeds for run in wanted]
            todo = [
                at for at in todo if at[0] in (part, *options.settings.split(",")) and tuple(map(str, at)) not in done
            ]
            collect(runs, RUN_COLUMNS, options.jobs, [partial(run_row, *at) for at in todo])
    if "figure" in parts:
        draw(options.out.with_suffix(".png"), read(switches), read(runs))
    print(options.out)


def read(path: Path) -> list[Row]:
    return list(csv.DictReader(path.read_text(encoding="utf-8").splitlines())) if path.exists() else []


def collect(path: Path, columns: Sequence[str], jobs: int, tasks: Iterable[Callable[[], list[Row]]]) -> None:
    """Runs tasks side by side, and appends the rows of each when it is done; at last they are sorted."""
    with ProcessPoolExecutor(jobs) as pool:
        for finished in as_completed([pool.submit(task) for task in tasks]):
            rows = read(path) + finished.result()
            write(path, columns, rows)
    write(path, columns, sorted(read(path), key=lambda row: [str(row[column]) for column in columns[:7]]))


def write(path: Path, columns: Sequence[str], rows: Sequence[Row]) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, columns, lineterminator="\n")
        writer.writeheader()
        writer.writerows(rows)


def switch_rows(source: str, seed: int, labels: Sequence[str], train: int, after_it: int) -> list[Row]:
    """One source run, and each switch from it with each transfer: greedy return, and training after it."""
    agent = DQNAgent("inverted-pendulum", source, rng=seed, **ADAM)
    agent.run_episodes(train)
    unswitched = copy.deepcopy(agent).run_episodes(after_it).returns.mean()
    rows = []
    for change, target in CHANGES[source].items():
        for label in labels:
            name, given = TRANSFERS[label]
            greedy = GreedyEpisodes(agent, lambda i: np.random.default_rng([seed, i]))
            before = greedy.play(agent.network, GREEDY).returns.mean()
            start = time.process_time()
            switch = base.Switch(
                old=agent.network,
                architecture=Architecture.parse(target),
                rng=np.random.default_rng(seed),
                replay=agent.replay,
                target=agent.target,
                optimizer=agent.optimizer.get_state(),
                settings=agent.settings,
                play=greedy.play,
                learn=LearningAside(agent, np.random.default_rng(seed)).learn,
            )
            carried, _ = base.apply(base.make(name, given), switch)
            seconds = time.process_time() - start
            after = greedy.play(carried.network, GREEDY).returns.mean()
            learner = copy.deepcopy(agent)
            learner.switch_network(carried.network, carried.optimizer)
            following = learner.run_episodes(after_it).returns.mean()
            numbers = (f"{value:.2f}" for value in (before, after, following, unswitched))
            rows.append(
                dict(
                    zip(SWITCH_COLUMNS, (source, seed, change, target, label, *numbers, f"{seconds:.3f}"), strict=True)
                )
            )
    return rows


def run_row(setting: str, method: str, transfer: str, keep: float, episodes: int, widths: str, seed: int) -> list[Row]:
    """A whole run of ten segments; its curve as means of a quarter of a segment."""
    given: dict[str, Any] = {} if setting == "paper" else dict(ADAM)
    if setting == "hanging":
        given |= {"start": "hanging", "max_episode_steps": 400, "policy_epsilon_decay": 0.985}
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
    return [dict(zip(RUN_COLUMNS, values, strict=True))]


def draw(path: Path, switches: Sequence[Row], runs: Sequence[Row]) -> None:
    """Loss of return at the switch by class of change, and the curves of whole runs."""
    try:
        import matplotlib.figure
    except ModuleNotFoundError:
        print("no figure: pip install 'nasdqn-fast[report]' for matplotlib")
        return
    figure = matplotlib.figure.Figure(figsize=(11, 8), layout="constrained")
    at_once, afterwards, adam, paper = figure.subplots(2, 2).flat
    shown = ("fresh", "matching", "overlap", "net2net", "distill")
    for axes, column, reference, title in (
        (at_once, "after", "before", "greedy return at the switch"),
        (afterwards, "next", "unswitched", "training return in the 50 episodes after it"),
    ):
        for k, label in enumerate(shown):
            for x, change in enumerate(CLASSES):
                rows = [row for row in switches if (row["transfer"], row["change"]) == (label, change)]
                lost = [float(row[column]) - float(row[reference]) for row in rows]
                at = x + (k - 2) * 0.15
                axes.plot([at] * len(lost), lost, ".", color=f"C{k}", alpha=0.4, markersize=4)
                if lost:
                    name = label if x == 0 else None
                    axes.plot([at], [statistics.median(lost)], "_", color=f"C{k}", markersize=12, label=name)
        axes.axhline(0, color="grey", linewidth=0.5)
        axes.set_xticks(range(len(CLASSES)), CLASSES)
        axes.set_ylabel("difference from no switch")
        axes.set_title(title)
        axes.grid(axis="y", alpha=0.3)
    if at_once.get_legend_handles_labels()[0]:
        at_once.legend(loc="lower left", fontsize="small")
    for axes, setting in ((adam, "adam"), (paper, "paper")):
        kinds = dict.fromkeys(
            (row["method"], row["transfer"], row["keep"]) for row in runs if row["setting"] == setting
        )
        for method, transfer, keep in kinds:
            curves = [
                [float(value) for value in row["curve"].split()]
                for row in runs
                if (row["setting"], row["method"], row["transfer"], row["keep"]) == (setting, method, transfer, keep)
            ]
            label = f"{method} 3x64-relu" if method == "fixed" else f"{method}, {transfer}, memory kept: {keep}"
            length = max(map(len, curves))
            curves = [curve for curve in curves if len(curve) == length]
            at = (np.arange(length) + 0.5) / length
            axes.plot(at, np.mean(curves, axis=0), label=f"{label} (n = {len(curves)})", linewidth=1.2)
        axes.set(xlabel="share of the episodes", ylabel="return", title=f"whole runs, {setting}")
        axes.grid(alpha=0.3)
        axes.set_visible(bool(kinds))
        if kinds:
            axes.legend(loc="lower right", fontsize="x-small")
    figure.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
