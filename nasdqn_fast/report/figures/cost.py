"""What a method costs, and what it gives for that."""

from __future__ import annotations

import math

import numpy as np

from nasdqn_fast.metrics import FINAL_EPISODES
from nasdqn_fast.report.data import TaskData
from nasdqn_fast.report.figure import Drawn, Kind
from nasdqn_fast.report.figures.boxes import boxes, height
from nasdqn_fast.report.style import BLACK, height_of, legend, looks, name_rows, references, sheet, short, wrapped


def _cost(data: TaskData) -> Drawn | str:
    styles = looks(data.groups)
    names = [f"{wrapped(label)}\nn = {len(group)}" for label, group in data.groups.items()]
    figure, ((axes,),) = sheet(1.7 + height_of(names))
    rows = []
    for row, (label, group) in enumerate(data.groups.items()):
        train, search, seconds = (group.column(name) for name in ("train", "search", "seconds"))
        middle = np.median(seconds)
        low, high = np.percentile(seconds, (25, 75))
        colour = styles[label].colour
        axes.barh(row, np.median(train), 0.62, color=colour, alpha=0.45, edgecolor=colour)
        axes.barh(row, np.median(search), 0.62, left=np.median(train), color=BLACK)
        axes.plot((low, high), (row, row), color=BLACK, linewidth=1.6)
        axes.text(high, row, f"  {middle:.3g} s", va="center", fontsize=11)
        for seed, *values in zip(group.seeds.tolist(), train.tolist(), search.tolist(), strict=True):
            rows.append((data.task, label, seed, *values))
    axes.barh(0, 0, color="0.6", label="training (median)")
    axes.barh(0, 0, color=BLACK, label="search (median)")
    axes.plot([], [], color=BLACK, linewidth=1.6, label="middle half of the runs")
    name_rows(axes, names)
    axes.set_xlim(0, axes.get_xlim()[1] * 1.08)
    axes.set_xlabel("wall time of a run (s)")
    legend(figure, axes)
    return Drawn(figure, ("task", "label", "seed", "train_seconds", "search_seconds"), rows)


def _overhead(data: TaskData) -> Drawn | str:
    columns = {label: 100 * group.column("search_share") for label, group in data.searches.items()}
    if not columns:
        return "no method changes its architecture"
    figure, ((axes,),) = sheet(height(columns))
    boxes(data, axes, columns)
    axes.axvline(5, color="0.35", linestyle=":", linewidth=1.4, label="5 %: counted as negligible")
    axes.set_xlim(left=0)
    axes.set_xlabel("search: share of wall time (%)")
    legend(figure, axes)
    rows = [
        (data.task, label, seed, share)
        for label, values in columns.items()
        for seed, share in zip(data.groups[label].seeds.tolist(), values.tolist(), strict=True)
    ]
    return Drawn(figure, ("task", "label", "seed", "search_percent"), rows)


def _complexity(data: TaskData) -> Drawn | str:
    styles = looks(data.groups)
    points = {
        label: tuple(group.column(name) for name in ("parameters", "flop", "final_mean"))
        for label, group in data.groups.items()
    }
    if all(math.isnan(value) for values in points.values() for value in values[0].tolist()):
        return "the runs hold no numbers of parameters"
    figure, ((left, right),) = sheet(3.6 + 0.2 * len(points), 1, 2, sharey=True)
    for label, (parameters, flop, final) in points.items():
        look = styles[label]
        many = len(final) > 100
        for axes, x in ((left, parameters), (right, flop)):
            axes.scatter(
                x,
                final,
                s=8 if many else 26,
                color=look.colour,
                marker=look.marker,
                alpha=0.5 if many else 0.85,
                linewidth=0,
                label=f"{short(label)} (n = {len(final)})",
                rasterized=many,
            )
    for axes, name in ((left, "parameters"), (right, "operations (FLOP)")):
        references(axes, optimum=data.optimum, threshold=data.threshold)
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter("")  # between powers of ten they would overlap
        axes.set_xlabel(name)
    left.set_ylabel(f"mean return of the last {FINAL_EPISODES}")
    legend(figure, left)
    rows = [
        (data.task, label, seed, *values)
        for label, columns in points.items()
        for seed, *values in zip(
            data.groups[label].seeds.tolist(), *(column.tolist() for column in columns), strict=True
        )
    ]
    return Drawn(figure, ("task", "label", "seed", "parameters", "flop", "final_mean"), rows)


COST = Kind(
    "cost",
    "Computational cost (figure 5)",
    "Wall time of training, and of controller, transfer, pruning and estimator; compiling, writing and evaluating are "
    "left out. Times of runs that shared a machine are longer than those of a run alone.",
    _cost,
)
OVERHEAD = Kind(
    "search-overhead",
    "Search overhead",
    "Of the wall time of training and search, the share of the search; a point a run.",
    _overhead,
)
COMPLEXITY = Kind(
    "complexity",
    "Complexity against performance (the paper's section 3.4)",
    "A point a run. Parameters of the network, averaged over environment steps where it changed; operations by the "
    "textbook count: a forward pass a step, a Double-DQN update an update.",
    _complexity,
)
