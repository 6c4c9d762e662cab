"""Curves over episodes: learning, regret, and the last hundred."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from nasdqn_fast.metrics import FINAL_EPISODES
from nasdqn_fast.report.data import TaskData, rolling, thinned
from nasdqn_fast.report.figure import Drawn, Kind
from nasdqn_fast.report.style import legend, looks, references, sheet, short
from nasdqn_fast.statistics.bootstrap import mean_band

TICKS = (0, 2, 5, 10, 20, 50, 100, 200, 500, 1_000)
HEADER = ("task", "label", "runs", "episode", "mean", "low", "high")


def _bands(
    data: TaskData, window: int, start: int = 0
) -> Iterator[tuple[str, int, np.ndarray, tuple[np.ndarray, ...]]]:
    """label, runs, episodes and (mean, low, high) of the rolling mean, at a few hundred points."""
    for label, returns in data.returns.items():
        whole = returns[~np.isnan(returns).any(axis=1)]
        if not len(whole) or whole.shape[1] < start + window:
            continue
        means = rolling(whole[:, start:], window)
        at = thinned(means.shape[1])
        means = means[:, at]
        yield label, len(whole), start + at + window, (means.mean(axis=0), *mean_band(means, resamples=1_000))


def _plot(data: TaskData, axes: Any, bands: list[Any]) -> None:
    styles = looks(data.groups)
    for label, runs, episodes, (mean, low, high) in bands:
        look = styles[label]
        axes.fill_between(episodes, low, high, color=look.colour, alpha=0.18, linewidth=0)
        marker = look.marker if len(episodes) < 3 else ""
        axes.plot(
            episodes, mean, color=look.colour, linestyle=look.dash, marker=marker, label=f"{short(label)} (n = {runs})"
        )


def _rows(data: TaskData, bands: list[Any]) -> Iterator[tuple[Any, ...]]:
    for label, runs, episodes, values in bands:
        for episode, *point in zip(episodes.tolist(), *(value.tolist() for value in values), strict=True):
            yield data.task, label, runs, episode, *point


def _learning(data: TaskData) -> Drawn | str:
    window = data.window
    bands = list(_bands(data, window))
    figure, ((axes,),) = sheet(4.2 + 0.2 * len(data.groups))
    _plot(data, axes, bands)
    references(axes, optimum=data.optimum, threshold=data.threshold)
    axes.set(xlabel="episode", ylabel=f"return, mean of {window} episodes")
    legend(figure, axes)
    return Drawn(figure, HEADER, _rows(data, bands))


def _last(data: TaskData) -> Drawn | str:
    start = data.episodes - FINAL_EPISODES
    if start <= 0:
        return f"runs have no more than {FINAL_EPISODES} episodes"
    bands = list(_bands(data, 10, start))
    figure, ((axes,),) = sheet(4.2 + 0.2 * len(data.groups))
    _plot(data, axes, bands)
    references(axes, optimum=data.optimum, threshold=data.threshold)
    axes.set(xlabel="episode", ylabel="return, mean of 10 episodes")
    legend(figure, axes)
    return Drawn(figure, HEADER, _rows(data, bands))


def _regret(data: TaskData) -> Drawn | str:
    from matplotlib.ticker import FixedLocator

    if math.isnan(data.optimum):
        return "the task's optimum is not known"
    window = data.window
    bands = [
        (label, runs, episodes, (data.optimum - mean, data.optimum - high, data.optimum - low))
        for label, runs, episodes, (mean, low, high) in _bands(data, window)
    ]
    figure, ((axes,),) = sheet(4.2 + 0.2 * len(data.groups))
    _plot(data, axes, bands)
    axes.axhline(0, color="0.35", linestyle="--", linewidth=1.4, label="optimum")
    axes.set(xlabel="episode", ylabel=f"regret (return), mean of {window} episodes")
    axes.set_yscale("symlog", linthresh=10)
    axes.yaxis.set_major_locator(FixedLocator(TICKS))
    axes.yaxis.set_major_formatter("{x:g}")
    legend(figure, axes)
    return Drawn(figure, HEADER, _rows(data, bands))


LEARNING = Kind(
    "learning-curves",
    "Learning curves (figure 3, top left)",
    "Mean over runs of each run's rolling mean; the band is its pointwise 95 % interval, from whole runs drawn with "
    "replacement. Training returns, with their exploration.",
    _learning,
)
LAST = Kind(
    "last-episodes",
    "The last 100 episodes of all agents (figure 7)",
    "Mean over runs of each run's mean of ten episodes; the band is its pointwise 95 % interval.",
    _last,
)
REGRET = Kind(
    "regret",
    "Regret against the optimum",
    "Best possible mean return, from dynamic programming, less the learning curve; linear below 10, logarithmic above. "
    "Exploration alone keeps it above zero.",
    _regret,
)
