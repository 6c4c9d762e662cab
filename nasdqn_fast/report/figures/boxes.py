"""Distributions over runs as box plots, with every run where there are not too many."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from nasdqn_fast.metrics import FINAL_EPISODES
from nasdqn_fast.report.data import TaskData
from nasdqn_fast.report.figure import Drawn, Kind
from nasdqn_fast.report.style import BLACK, height_of, legend, looks, name_rows, references, sheet, wrapped

POINTS = 200  # runs of a method that are drawn one by one


def boxes(data: TaskData, axes: Any, columns: dict[str, np.ndarray]) -> None:
    """A horizontal box for each label: quartiles, whiskers to 1.5 times their range, and the runs."""
    styles = looks(data.groups)
    rng = np.random.default_rng(0)
    for row, (label, values) in enumerate(columns.items()):
        colour = styles[label].colour
        axes.boxplot(
            [values],
            positions=[row],
            orientation="horizontal",
            widths=0.6,
            showfliers=len(values) > POINTS,
            patch_artist=True,
            boxprops={"facecolor": colour, "alpha": 0.35},
            medianprops={"color": BLACK, "linewidth": 2},
            flierprops={"marker": ".", "markersize": 3, "markeredgecolor": colour},
            manage_ticks=False,
        )
        if len(values) <= POINTS:
            heights = row + rng.uniform(-0.18, 0.18, len(values))
            axes.scatter(values, heights, s=16, color=colour, edgecolor=BLACK, linewidth=0.4, zorder=3)
    name_rows(axes, _names(columns))


def height(columns: dict[str, np.ndarray]) -> float:
    """Inches of a figure of these boxes."""
    return 1.4 + height_of(_names(columns))


def _names(columns: dict[str, np.ndarray]) -> list[str]:
    return [f"{wrapped(label)}\nn = {len(values)}" for label, values in columns.items()]


def _column(data: TaskData, name: str) -> dict[str, np.ndarray]:
    return {label: group.column(name) for label, group in data.groups.items()}


def _rows(data: TaskData, columns: dict[str, np.ndarray]) -> Iterator[tuple[Any, ...]]:
    for label, values in columns.items():
        for seed, value in zip(data.groups[label].seeds.tolist(), values.tolist(), strict=True):
            yield data.task, label, seed, value


def _final(data: TaskData) -> Drawn | str:
    columns = _column(data, "final_mean")
    figure, ((axes,),) = sheet(height(columns) + 0.3)
    boxes(data, axes, columns)
    references(axes, optimum=data.optimum, threshold=data.threshold, horizontal=False)
    axes.set_xlabel(f"mean return of a run's last {FINAL_EPISODES} episodes")
    legend(figure, axes)
    return Drawn(figure, ("task", "label", "seed", "final_mean"), _rows(data, columns))


def _stability(data: TaskData) -> Drawn | str:
    columns = _column(data, "final_std")
    figure, ((axes,),) = sheet(height(columns))
    boxes(data, axes, columns)
    axes.set_xlim(left=0)
    axes.set_xlabel(f"standard deviation of a run's last {FINAL_EPISODES} returns")
    return Drawn(figure, ("task", "label", "seed", "final_std"), _rows(data, columns))


FINAL = Kind(
    "final-performance",
    "Final performance (figure 3, top middle)",
    "A point a run; the box holds the middle half of the runs, the thick line is their median.",
    _final,
)
STABILITY = Kind(
    "stability",
    "Stability (figure 3, bottom left)",
    "Lower is steadier. Starts differ from episode to episode, and so do returns of the best policy there is: zero "
    "cannot be reached.",
    _stability,
)
