"""Leagues of controllers on tables of learning curves, side by side (docs/leagues.md).

    nasdqn-fast search --on-table uniform --method all --trials 50 --seeds 200 --out leagues/uniform
    python bench/leagues.py leagues/* --out docs/figures/leagues.csv --figure docs/figures/leagues.png

Reads the directories that `nasdqn-fast search --on-table ... --out` writes, a task each, and prints a Markdown table:
the regret of each method after a fifth, a half and all of the trials, and how far it is below that of uniform draws,
with 95 % intervals over searches. `--out` keeps what the figure shows, and `--figure` draws it: regret after every
trial.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from nasdqn_fast.study.table.league import COLUMNS, EXHAUSTIVE, EXPERT, LEAGUE, UNIFORM, milestones, verdict_of

Rows = Mapping[str, list[dict[str, str]]]  # method -> a row after each trial


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("leagues", nargs="+", type=Path, help="directories of `nasdqn-fast search --on-table`")
    parser.add_argument("--out", type=Path, help="CSV of all of them, to be written")
    parser.add_argument("--figure", type=Path, help="PNG to draw")
    options = parser.parse_args(arguments)
    found: dict[str, Rows] = {}
    for folder in options.leagues:
        if not (folder / LEAGUE).is_file():
            parser.error(f"no {LEAGUE} in {folder}: `nasdqn-fast search --on-table TASK --out DIR` writes it")
        task = json.loads((folder / "summary.json").read_text(encoding="utf-8"))["task"]
        if task in found:
            parser.error(f"two of the leagues are on {task!r}; give one for each task")
        found[task] = read(folder / LEAGUE)
    print(*markdown(found), sep="\n")
    if options.out is not None:
        write(options.out, found)
    if options.figure is not None:
        draw(found, options.figure)


def read(path: Path) -> Rows:
    """The rows of a league, by method, in the order of the trials."""
    found: dict[str, list[dict[str, str]]] = {}
    with path.open(newline="", encoding="utf-8") as file:
        for row in csv.DictReader(file):
            found.setdefault(row["method"], []).append(row)
    return found


def write(path: Path, found: Mapping[str, Rows]) -> None:
    """All leagues as one CSV, numbers to five digits."""
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(["task", *COLUMNS])
        for task, methods in found.items():
            for row in (row for rows in methods.values() for row in rows):
                numbers = (f"{float(row[name]):.5g}" if row[name] else "" for name in COLUMNS[3:])
                writer.writerow([task, row["method"], row["trial"], row["searches"], *numbers])


def markdown(found: Mapping[str, Rows]) -> Iterator[str]:
    """A table for each task, the lowest regret at the end first."""
    for task, methods in found.items():
        trials = len(methods[UNIFORM])
        shown = milestones(trials)
        searches = methods[UNIFORM][0]["searches"]
        yield f"\n**{task}**, {searches} searches each\n"
        yield f"| method | {' | '.join(f'after {trial}' for trial in shown)} | below uniform draws | |"
        yield f"|{'---|' * (len(shown) + 3)}"
        last = {method: rows[-1] for method, rows in methods.items()}
        for method in sorted(methods, key=lambda method: float(last[method]["regret"])):
            regrets = [f"{float(methods[method][trial - 1]['regret']):.2f}" for trial in shown]
            yield f"| {method} | {' | '.join(regrets)} | {' | '.join(_gain(method, last[method]))} |"


def _gain(method: str, row: Mapping[str, str]) -> tuple[str, str]:
    """How far the regret is below that of uniform draws, and whether the interval says so."""
    if method in (UNIFORM, EXPERT, EXHAUSTIVE):
        return "", ""
    gain, low, high = (float(row[name]) for name in ("gain", "gain_low", "gain_high"))
    return f"{gain:+.2f} [{low:+.2f}, {high:+.2f}]", verdict_of((low, high))


def draw(found: Mapping[str, Rows], path: Path) -> None:
    """Regret after every trial, a panel a task."""
    from matplotlib import colormaps
    from matplotlib.figure import Figure

    page = Figure(figsize=(4.3 * len(found), 4.6), layout="constrained")
    panels = page.subplots(1, len(found), squeeze=False)[0]
    names = list(dict.fromkeys(method for methods in found.values() for method in methods))
    others = [name for name in names if name not in (UNIFORM, EXPERT, EXHAUSTIVE)]
    styles: dict[str, dict[str, Any]] = {
        UNIFORM: {"color": "black", "linewidth": 2.5},
        EXPERT: {"color": "black", "linestyle": ":", "linewidth": 2},
        EXHAUSTIVE: {"color": "0.6", "linestyle": "--"},
    }
    shades = colormaps["viridis"]
    for i, name in enumerate(others):
        # Neighbours in the list differ in brightness, and in the dashes, so that they are told apart without colours.
        shade = (i % 4) / 4 + 0.05
        styles[name] = {"color": shades(shade), "linestyle": ("-", "--", "-.")[i // 4 % 3], "linewidth": 1.4}
    for panel, (task, methods) in zip(panels, found.items(), strict=True):
        for name, rows in methods.items():
            values = [float(row["regret"]) for row in rows]
            panel.plot(range(1, len(values) + 1), values, label=name, **styles[name])
        panel.set_title(task)
        panel.set_xlabel("trials")
        panel.set_ylim(bottom=0)
        panel.grid(alpha=0.3)
    panels[0].set_ylabel("regret: mean return below the best architecture's")
    handles, labels = panels[0].get_legend_handles_labels()
    page.legend(handles, labels, loc="outside lower center", ncols=5, frameon=False)
    page.savefig(path, dpi=110)


if __name__ == "__main__":
    main()
