"""What the settings of a search do, and what the profile `robust` comes to beside fixed networks (docs/robust.md).

    python bench/robust.py collect STUDY ... --out docs/figures/robust_sensitivity.csv
    python bench/robust.py effects docs/figures/robust_sensitivity.csv --of nas-dqn
    python bench/robust.py collect STUDY ... --out docs/figures/robust_runs.csv
    python bench/robust.py goals docs/figures/robust_runs.csv --of nas-dqn --figure docs/figures/robust.png

`collect` reads studies made by `nasdqn-fast experiment` and writes a row a run. `effects` is the difference of every
other method from one, over the seeds that both have. `goals` compares one method with every other on the scale on
which a random policy is 0 and the best that is known 1, with the share of runs that fail, and the architectures that
were tried; with matplotlib, it draws every run. `--group` gives methods another name: several with one name count as
one, which is what one of them drawn at random comes to. Intervals are of 95 %, over paired seeds, of which each counts
once.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import json
import math
import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

import numpy as np

from nasdqn_fast.run.directory import ARCHITECTURES
from nasdqn_fast.statistics.means import Estimate, log_ratio, one_sample, paired
from nasdqn_fast.statistics.shares import wilson
from nasdqn_fast.study.outcomes import read_outcomes
from nasdqn_fast.study.study import Study


class Range(NamedTuple):
    """Mean returns between which a task is played: of the uniform random policy, and the best that is known."""

    random: float
    best: float

    def of(self, returns: np.ndarray) -> np.ndarray:
        """Returns on the scale from 0 to 1."""
        return (returns - self.random) / (self.best - self.random)


# Of the pendulum the best is by dynamic programming; CartPole's and the others' is the longest episode, or what the
# best of the runs here reach. The random policies played 5,000 episodes.
RANGES = {
    "upright": Range(81.4, 196.1),
    "uniform": Range(-74.0, 54.2),
    "hanging": Range(-398.9, -15.4),
    "cartpole": Range(22.1, 500.0),
    "acrobot": Range(-498.8, -75.0),
    "mountain-car": Range(-200.0, -98.0),
}
FAILED = 0.5  # a run whose final performance is below it on this scale has failed
MARGIN = 0.02  # differences within it do not matter, on this scale
COLUMNS = ("task", "method", "seed", "final", "area", "architectures", "steps", "flop", "seconds", "search_share")


class Runs(NamedTuple):
    """What the runs of one task and method came to, arrays (runs,) by ascending seed."""

    seeds: np.ndarray
    final: np.ndarray
    area: np.ndarray
    architectures: np.ndarray
    search_share: np.ndarray

    def of_seeds(self, seeds: np.ndarray) -> Runs:
        """One for each of these seeds: the mean of those that have it."""
        return Runs(*(np.array([column[self.seeds == seed].mean() for seed in seeds]) for column in self))


Table = Mapping[str, Mapping[str, Runs]]  # task -> method -> runs


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    command = commands.add_parser("collect", help="write a row for each run of studies")
    command.add_argument("studies", nargs="+", type=Path)
    command.add_argument("--out", type=Path, required=True)
    for name, about in (("effects", "what one option changes"), ("goals", "one method beside all others")):
        command = commands.add_parser(name, help=about)
        command.add_argument("runs", nargs="+", type=Path, help="files of `collect`")
        command.add_argument("--of", required=True, help="method that others are compared with")
    command.add_argument(
        "--group",
        nargs=2,
        action="append",
        default=[],
        metavar=("PATTERN", "NAME"),
        help="name of the methods that match a regular expression; if given, all others are left out; repeatable",
    )
    command.add_argument("--figure", type=Path, help="PNG to draw")
    command.add_argument(
        "--columns", nargs="+", choices=("area", "final"), default=["area", "final"], help="what it shows"
    )
    options = parser.parse_args(arguments)
    if options.command == "collect":
        collect(options.studies, options.out)
        return
    table = read(options.runs)
    if options.command == "goals" and options.group:
        try:
            table = grouped(table, dict(options.group))
        except re.error as error:
            parser.error(f"--group: {error.pattern!r} is no regular expression: {error}")
    if lacking := [task for task, methods in table.items() if options.of not in methods]:
        known = ", ".join(dict.fromkeys(name for methods in table.values() for name in methods))
        parser.error(
            f"--of must be a method with runs of every task; {options.of!r} has none of {lacking}; there are {known}"
        )
    if options.command == "goals" and (unknown := set(table) - set(RANGES)):
        parser.error(f"the range of returns is known of {', '.join(RANGES)}; the runs are also of {', '.join(unknown)}")
    print(*(effects if options.command == "effects" else goals)(table, options.of), sep="\n")
    if options.command == "goals" and options.figure is not None:
        draw(table, options.figure, options.columns)


def collect(studies: Sequence[Path], out: Path) -> None:
    """Writes a row for each run that has ended."""
    with out.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(COLUMNS)
        for folder in studies:
            for (task, label), group in read_outcomes(Study.open(folder)).groups.items():
                for run in group.outcomes:
                    numbers = (run.final_mean, run.mean_return, trained(Path(run.path)), run.steps, run.flop)
                    cost = f"{run.seconds:.2f}", f"{run.search_share:.4f}"
                    writer.writerow([short(task), label, run.seed, *(f"{number:.10g}" for number in numbers), *cost])


def trained(run: Path) -> int:
    """How many architectures a run has trained: in segments, or at once."""
    found = set()
    with (run / ARCHITECTURES).open(encoding="utf-8") as file:
        for event in map(json.loads, file):
            if event["event"] == "tell":
                found.add(event["architecture"])
            elif event["event"] == "population":
                found.update(network["architecture"] for network in event["networks"])
            elif event["event"] == "replace":
                found.add(event["to"]["architecture"])
    return len(found)


def short(task: str) -> str:
    """The name of a task as the tables of learning curves call it."""
    starts = [part.partition("=")[2] for part in task.split("+") if part.startswith("env.start=")]
    return starts[0] if starts else task.replace("inverted-pendulum", "upright")


def read(paths: Sequence[Path]) -> Table:
    """The rows of files of `collect`."""
    found: dict[str, dict[str, list[tuple[float, ...]]]] = defaultdict(lambda: defaultdict(list))
    for path in paths:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.DictReader(file):
                numbers = (row[name] for name in ("seed", "final", "area", "architectures", "search_share"))
                found[row["task"]][row["method"]].append(tuple(map(float, numbers)))
    return {
        task: {method: Runs(*np.array(sorted(rows)).T) for method, rows in methods.items()}
        for task, methods in found.items()
    }


def grouped(table: Table, names: Mapping[str, str]) -> Table:
    """The runs of the methods that match a pattern, by the pattern's name."""
    found: dict[str, dict[str, Runs]] = defaultdict(dict)
    for task, methods in table.items():
        for pattern, name in names.items():
            together = [runs for method, runs in methods.items() if re.fullmatch(pattern, method)]
            if together:
                joined = Runs(*(np.concatenate(columns) for columns in zip(*together, strict=True)))
                order = np.argsort(joined.seeds, kind="stable")
                found[task][name] = Runs(*(column[order] for column in joined))
    return found


def effects(table: Table, of: str) -> Iterator[str]:
    """Markdown: each method less one, by task."""
    yield f"| method | task | runs | final, less `{of}` | area, less `{of}` | architectures, median | search |"
    yield "|---|---|---|---|---|---|---|"
    for method in dict.fromkeys(method for methods in table.values() for method in methods):
        for task, methods in table.items():
            if method not in methods or of not in methods:
                continue
            runs, other = both(methods[method], methods[of])
            tried, share = f"{np.median(runs.architectures):.0f}", f"{100 * np.mean(runs.search_share):.1f} %"
            if method == of:
                cells = f"{one_sample(runs.final).value:.1f}", f"{one_sample(runs.area).value:.1f}"
            else:
                cells = (
                    with_interval(paired(runs.final, other.final)),
                    with_interval(paired(runs.area, other.area)),
                )
            yield f"| `{method}` | {task} | {len(runs.seeds)} | {cells[0]} | {cells[1]} | {tried} | {share} |"


def goals(table: Table, of: str) -> Iterator[str]:
    """Markdown: one method's performance over each other's, on the scale from 0 to 1, by task."""
    for task, methods in table.items():
        yield f"\n**{task}**\n"
        yield f"| method | runs | final | area | failed | `{of}`: final over it | area over it | final less it | TOST |"
        yield "|---|---|---|---|---|---|---|---|---|"
        for method, runs in sorted(methods.items(), key=lambda item: -item[1].final.mean()):
            bounds = RANGES[task]
            ours, theirs = both(methods[of], runs)
            cells = ["", "", "", ""]
            if method != of:
                final = bounds.of(ours.final), bounds.of(theirs.final)
                less = paired(*final)
                cells = [
                    as_ratio(*final),
                    as_ratio(bounds.of(ours.area), bounds.of(theirs.area)),
                    with_interval(less, 3),
                    f"{less.p_within(-MARGIN, MARGIN):.3f}",
                ]
            failed = int(np.sum(bounds.of(runs.final) < FAILED))
            low, high = wilson(failed, len(runs.seeds))
            rate = f"{100 * failed / len(runs.seeds):.0f} % [{100 * low:.0f}, {100 * high:.0f}]"
            means = f"{runs.final.mean():.1f} | {runs.area.mean():.1f}"
            yield f"| `{method}` | {len(runs.seeds)} | {means} | {rate} | {' | '.join(cells)} |"
        ours = methods[of]
        share = 100 * ours.search_share.mean()
        tried = np.median(ours.architectures)
        yield f"\n`{of}` tried {tried:.0f} architectures in the median run; {share:.1f} % of its time was search."


def draw(table: Table, path: Path, columns: Sequence[str]) -> None:
    """Every run as a dot, and means with their intervals: a panel for each task and column, a row a task if several."""
    from matplotlib.figure import Figure

    tall = len(columns) > 1
    shape = (len(table), len(columns)) if tall else (1, len(table))
    rows = max(len(methods) for methods in table.values())
    page = Figure(figsize=(11, shape[0] * (0.7 + 0.28 * rows)), layout="constrained")
    panels = page.subplots(*shape, squeeze=False).ravel()
    order = list(dict.fromkeys(name for methods in table.values() for name in methods))[::-1]
    for panel, (task, column) in zip(panels, itertools.product(table, columns), strict=True):
        methods = table[task]
        names = sorted(methods, key=lambda method: methods[method].area.mean()) if tall else order
        for y, name in enumerate(names):
            if name not in methods:
                continue
            returns = getattr(methods[name], column)
            panel.plot(returns, np.full(len(returns), y), ".", color="0.7", markersize=5)
            estimate = one_sample(returns)
            reach = estimate.interval(0.95)[1] - estimate.value
            panel.errorbar(estimate.value, y, xerr=reach, fmt="o", color="C0", capsize=3)
        leads = column == columns[0] if tall else panel is panels[0]
        panel.set_yticks(range(len(names)), map(shown, names) if leads else [""] * len(names))
        panel.set_ylim(-0.6, len(names) - 0.4)
        what = "all episodes" if column == "area" else "the last 100 episodes"
        panel.set_xlabel(f"{task}: mean return of {what}")
        panel.grid(axis="x", alpha=0.3)
    page.savefig(path, dpi=110)


def shown(method: str) -> str:
    """The name of a method without the sections of its settings."""
    name, *settings = method.split("+")
    return ", ".join([name, *(setting.partition(".")[2].replace("_", " ") for setting in settings)])


def both(a: Runs, b: Runs) -> tuple[Runs, Runs]:
    """The runs of both with the seeds that both have."""
    seeds = np.intersect1d(a.seeds, b.seeds)
    return a.of_seeds(seeds), b.of_seeds(seeds)


def with_interval(estimate: Estimate, digits: int = 1) -> str:
    """A difference with its 95 % interval."""
    low, high = estimate.interval(0.95)
    return f"{estimate.value:+.{digits}f} [{low:+.{digits}f}, {high:+.{digits}f}]"


def as_ratio(a: np.ndarray, b: np.ndarray) -> str:
    """Mean of a over mean of b in percent, with its 95 % interval by the delta method."""
    if min(a.mean(), b.mean()) <= 0:
        return "-"
    estimate = log_ratio(a, b, pairs=True)
    low, high = (100 * math.exp(end) for end in estimate.interval(0.95))
    return f"{100 * math.exp(estimate.value):.1f} % [{low:.1f}, {high:.1f}]"


if __name__ == "__main__":
    main()
