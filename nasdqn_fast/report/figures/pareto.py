"""What there is to choose from: return against the size of networks, and the Pareto fronts."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from nasdqn_fast.metrics import FINAL_EPISODES
from nasdqn_fast.report.data import TaskData
from nasdqn_fast.report.figure import Drawn, Kind
from nasdqn_fast.report.style import BLACK, GREY, legend, looks, references, sheet, short
from nasdqn_fast.statistics.bootstrap import bootstrap, mean
from nasdqn_fast.statistics.pareto import pareto_front

COSTS = (("parameters", "parameters"), ("flop", "operations a step (FLOP)"))
NAMED = 6  # architectures of a front that are named in the figure
HEADER = (
    "task",
    "kind",
    "name",
    "n",
    "parameters",
    "flop",
    "mean_return",
    "low",
    "high",
    "front_parameters",
    "front_flop",
)


@dataclass(frozen=True)
class _Point:
    """A method, or an architecture.

    Attributes:
        name: which.
        n: runs of the method; segments of the architecture.
        parameters, flop: of the network, and operations a step.
        value: mean return.
        low, high: 95 % interval of it; NaN where there is none.
    """

    name: str
    n: int
    parameters: float
    flop: float
    value: float
    low: float = float("nan")
    high: float = float("nan")


def _methods(data: TaskData) -> list[_Point]:
    """The methods by their final performance; parameters and operations are means over their steps."""
    points = []
    for label, group in data.groups.items():
        final = group.column("final_mean")
        interval = bootstrap(mean, final) if len(final) > 1 else (np.nan, np.nan)
        parameters, flop = (float(group.column(name).mean()) for name in ("parameters", "flop_per_step"))
        points.append(_Point(label, len(group), parameters, flop, float(final.mean()), *interval))
    return points


def _architectures(data: TaskData) -> list[_Point]:
    """The architectures that searches have trained, by what they returned at the ends of their segments."""
    found: dict[str, list[tuple[float, float, float]]] = {}
    for label, group in data.searches.items():
        for outcome, returns in zip(group.outcomes, data.returns[label], strict=True):
            for part in outcome.segments:
                if part.parameters == part.parameters and part.steps:
                    end = returns[max(part.first - 1, part.last - FINAL_EPISODES) : part.last]
                    about = (part.parameters, part.flop / part.steps, float(end.mean(dtype=np.float64)))
                    found.setdefault(part.architecture, []).append(about)
    points = []
    for name, rows in found.items():
        parameters, flop, returns = np.array(rows).T
        # The largest, as a segment with the warm-up in it has steps without updates.
        points.append(_Point(name, len(rows), float(parameters[0]), float(flop.max()), float(returns.mean())))
    return points


def _front(points: list[_Point], cost: str) -> np.ndarray:
    return pareto_front(np.array([getattr(point, cost) for point in points]), np.array([p.value for p in points]))


def _draw_front(axes: Any, points: list[_Point], cost: str, **look: Any) -> list[_Point]:
    """A staircase: for each cost, the most that so much or less has earned. Returns what is on it."""
    on_it = sorted(
        (point for point, is_in in zip(points, _front(points, cost), strict=True) if is_in),
        key=lambda point: float(getattr(point, cost)),
    )
    axes.step([getattr(p, cost) for p in on_it], [p.value for p in on_it], where="post", **look)
    return on_it


def _pareto(data: TaskData) -> Drawn | str:
    methods, architectures = _methods(data), _architectures(data)
    if any(np.isnan(point.parameters) for point in methods):
        return "the runs hold no numbers of parameters"
    styles = looks(data.groups)
    figure, ((left, right),) = sheet(3.6 + 0.2 * (len(methods) + 4), 1, 2, sharey=True)
    for axes, (cost, title) in zip((left, right), COSTS, strict=True):
        if architectures:
            costs, values = [getattr(p, cost) for p in architectures], [p.value for p in architectures]
            axes.scatter(costs, values, s=14, color="0.6", label="architecture in a search", zorder=1)
            thin = {"color": "0.6", "linewidth": 1.2, "zorder": 1, "label": "front of architectures"}
            on_it = _draw_front(axes, architectures, cost, **thin)
            if axes is left:
                _name(axes, on_it)
        _draw_front(axes, methods, cost, color=BLACK, linewidth=1.6, zorder=2, label="front of methods")
        for point in methods:
            look = styles[point.name]
            error = [[point.value - point.low], [point.high - point.value]]
            axes.errorbar(
                getattr(point, cost),
                point.value,
                yerr=None if np.isnan(point.low) else error,
                fmt=look.marker,
                markersize=8,
                color=look.colour,
                markeredgecolor=BLACK,
                markeredgewidth=0.6,
                zorder=3,
                label=f"{short(point.name)} (n = {point.n})",
            )
        references(axes, optimum=data.optimum, threshold=data.threshold)
        axes.set_xscale("log")
        axes.xaxis.set_minor_formatter("")
        axes.set_xlabel(title)
    left.set_ylabel("mean return")
    legend(figure, left)
    return Drawn(figure, HEADER, _rows(data.task, (("method", methods), ("architecture", architectures))))


def _name(axes: Any, points: list[_Point]) -> None:
    largest = max((point.parameters for point in points), default=0.0)
    for i, point in enumerate(points[:NAMED]):
        last = point.parameters == largest and len(points) > 1  # beyond it there may be no room
        height = 3 + 9 * (i % 2)  # neighbours' names do not meet
        offset = {"textcoords": "offset points", "xytext": (-4 if last else 4, height), "va": "bottom"}
        text = axes.annotate(
            point.name.replace("+", "\n"),
            (point.parameters, point.value),
            ha="right" if last else "left",
            fontsize=8,
            color=GREY,
            **offset,
        )
        text.set_in_layout(False)


def _rows(task: str, kinds: tuple[tuple[str, list[_Point]], ...]) -> list[tuple[Any, ...]]:
    rows: list[tuple[Any, ...]] = []
    for kind, points in kinds:
        fronts = (_front(points, cost).astype(int).tolist() for cost, _ in COSTS)
        for point, *is_in in zip(points, *fronts, strict=True):
            rows.append((task, kind, *vars(point).values(), *is_in))
    return rows


PARETO = Kind(
    "pareto",
    "Return against size: the Pareto fronts",
    f"Methods: mean of the final performance with its 95 % interval (bootstrap of runs), over the mean parameters and "
    "operations a step of their networks. Grey: each architecture that a search has trained, by the mean of the last "
    f"{FINAL_EPISODES} returns of its segments; later segments are of agents that have learned for longer. A front "
    "holds what nothing smaller equals.",
    _pareto,
)
