"""The paper's figure 2: the fixed networks."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np

from nasdqn_fast.report.data import TaskData
from nasdqn_fast.report.figure import Drawn, Kind
from nasdqn_fast.report.style import BLACK, looks, sheet, wrapped
from nasdqn_fast.space import Architecture

SHOWN = 7  # units of a layer that are drawn
MOST = 4  # networks


def _draw(data: TaskData) -> Drawn | str:
    fixed = {}
    for label, group in data.groups.items():
        names = {part.architecture for outcome in group.outcomes for part in outcome.segments}
        if len(names) == 1:
            fixed[label] = Architecture.parse(names.pop()), group.outcomes[0].segments[0].parameters
    if not fixed:
        return "no method keeps one architecture"
    colours = looks(data.groups)
    drawn = dict(list(fixed.items())[:MOST])
    figure, grid = sheet(2.7 + 0.2 * max(wrapped(label, 20).count("\n") + 1 for label in drawn), 1, len(drawn))
    for axes, (label, (architecture, parameters)) in zip(grid[0], drawn.items(), strict=True):
        _network(axes, architecture, colours[label].colour)
        axes.set_title(
            f"{wrapped(label, 20)}\n{architecture}\n{parameters:,.0f} parameters",
            fontsize=11 if len(drawn) < 4 else 9.5,
        )
    rows = [
        (data.task, label, str(architecture), architecture.depth, "x".join(map(str, architecture.widths)), parameters)
        for label, (architecture, parameters) in fixed.items()
    ]
    return Drawn(figure, ("task", "label", "architecture", "depth", "widths", "parameters"), rows)


def _network(axes: Any, architecture: Architecture, colour: str) -> None:
    """Circles for units, lines for weights; wide layers are drawn in part, with their number below."""
    sizes: list[int | None] = [None, *architecture.widths, None]  # inputs and outputs are the task's
    places = [np.arange(n) - (n - 1) / 2 for n in (min(size or 3, SHOWN) for size in sizes)]
    for x, (left, right) in enumerate(itertools.pairwise(places)):
        for y in left:
            for z in right:
                axes.plot((x, x + 1), (y, z), color=BLACK, alpha=0.13, linewidth=0.6, zorder=1)
    for x, (size, ys) in enumerate(zip(sizes, places, strict=True)):
        hidden = size is not None
        axes.scatter(np.full(len(ys), x), ys, s=42, color=colour if hidden else "white", edgecolor=BLACK, zorder=2)
        text = str(size) if hidden else ("in" if x == 0 else "out")
        axes.text(x, -SHOWN / 2 - 0.5, text, ha="center", va="top", fontsize=11)
    axes.set(xlim=(-0.5, len(sizes) - 0.5), ylim=(-SHOWN / 2 - 1.4, SHOWN / 2))
    axes.set_axis_off()


ARCHITECTURES = Kind(
    "architectures",
    "The fixed networks (the paper's figure 2)",
    f"Hidden layers with their units; of wide layers {SHOWN} are drawn.",
    _draw,
)
