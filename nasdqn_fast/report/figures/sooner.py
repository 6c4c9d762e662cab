"""How soon the threshold is exceeded."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from nasdqn_fast.report.data import TaskData
from nasdqn_fast.report.figure import Drawn, Kind
from nasdqn_fast.report.style import BLACK, GREY, height_of, legend, looks, name_rows, sheet, short, wrapped
from nasdqn_fast.statistics.survival import KaplanMeier, kaplan_meier
from nasdqn_fast.study.outcomes import Group

POINTS = 200


def survival(group: Group) -> KaplanMeier:
    """Of the episodes to the threshold; runs that did not get there are censored at their end."""
    happened = ~np.isnan(group.column("reached"))
    horizon = float(group.column("episodes").max())
    return kaplan_meier(group.column("restricted"), happened, horizon)


def _refusal(data: TaskData) -> str:
    if math.isnan(data.threshold):
        return "the task has no threshold"
    if all(np.isnan(group.column("reached")).all() for group in data.groups.values()):
        return f"no run's 50-episode mean exceeded the threshold of {data.threshold:.4g}"
    return ""


def _episodes(data: TaskData) -> Drawn | str:
    if refusal := _refusal(data):
        return refusal
    styles, rng = looks(data.groups), np.random.default_rng(0)
    curves = {label: survival(group) for label, group in data.groups.items()}
    names = [f"{wrapped(label)}\n{curve.events} of {curve.n} got there" for label, curve in curves.items()]
    figure, ((axes,),) = sheet(1.7 + height_of(names))
    rows: list[tuple[Any, ...]] = []
    for row, (label, group) in enumerate(data.groups.items()):
        colour, curve = styles[label].colour, curves[label]
        low, high = curve.restricted_interval
        axes.barh(row, curve.restricted_mean, 0.62, color=colour, alpha=0.35, edgecolor=colour)
        axes.plot((low, high), (row, row), color=BLACK, linewidth=2.4, zorder=4)
        if len(group) <= POINTS:
            times, there = group.column("restricted"), ~np.isnan(group.column("reached"))
            heights = row + rng.uniform(-0.2, 0.2, len(times))
            axes.scatter(times[there], heights[there], s=16, color=colour, edgecolor=BLACK, linewidth=0.4, zorder=3)
            axes.scatter(times[~there], heights[~there], s=26, marker=">", facecolor="white", edgecolor=BLACK, zorder=3)
        seeds = zip(
            group.seeds.tolist(), group.column("reached").tolist(), group.column("episodes").tolist(), strict=True
        )
        rows += [(data.task, label, *values) for values in seeds]
    axes.scatter([], [], s=26, marker=">", facecolor="white", edgecolor=BLACK, label="not until its end")
    axes.plot([], [], color=BLACK, linewidth=2.4, label="95 % interval of the mean")
    axes.axvline(data.episodes, color=GREY, linewidth=1.2, linestyle=":", label="end of the runs")
    name_rows(axes, names)
    axes.set_xlim(0, data.episodes * 1.03)
    axes.set_xlabel(f"episodes until the 50-episode mean exceeds {data.threshold:.4g}")
    legend(figure, axes)
    return Drawn(figure, ("task", "label", "seed", "reached", "episodes"), rows)


def _survival(data: TaskData) -> Drawn | str:
    if refusal := _refusal(data):
        return refusal
    styles, curves = looks(data.groups), {label: survival(group) for label, group in data.groups.items()}
    figure, ((axes,),) = sheet(4.2 + 0.2 * len(curves))
    for label, curve in curves.items():
        look = styles[label]
        times = np.concatenate(([0.0], curve.times, [curve.horizon]))
        parts = (np.concatenate(([1.0], part, part[-1:] if len(part) else [1.0])) for part in _parts(curve))
        share, low, high = parts
        median = "not reached" if math.isinf(curve.median) else f"{curve.median:.0f}"
        text = f"{short(label)} (n = {curve.n}, median {median})"
        axes.step(times, share, where="post", color=look.colour, linestyle=look.dash, label=text)
        axes.fill_between(times, low, high, step="post", color=look.colour, alpha=0.13, linewidth=0)
    axes.axhline(0.5, color=GREY, linestyle=":", linewidth=1.2)
    axes.set(ylim=(0, 1.02), xlim=(0, data.episodes), xlabel="episode")
    axes.set_ylabel(f"share of runs not yet above {data.threshold:.4g}")
    legend(figure, axes)
    return Drawn(figure, ("task", "label", "episode", "share", "low", "high"), _rows(data, curves))


def _parts(curve: KaplanMeier) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return curve.survival, curve.low, curve.high


def _rows(data: TaskData, curves: dict[str, KaplanMeier]) -> Iterator[tuple[Any, ...]]:
    for label, curve in curves.items():
        for values in zip(curve.times.tolist(), *(part.tolist() for part in _parts(curve)), strict=True):
            yield data.task, label, *values


EPISODES = Kind(
    "episodes-to-threshold",
    "Episodes to the threshold (figures 3 and 4)",
    "A point a run. The bar is the restricted mean: the mean of the episodes needed, where a run that did not get "
    "there counts with its length. To leave such runs out would flatter.",
    _episodes,
)
SURVIVAL = Kind(
    "survival",
    "Episodes to the threshold (Kaplan and Meier)",
    "Share of runs whose 50-episode mean has not exceeded the threshold yet, with its pointwise 95 % interval "
    "(log-log). Where a curve crosses one half, it has the median.",
    _survival,
)
