"""What a switch costs, and what is learned after it."""

from __future__ import annotations

from typing import Any

import numpy as np

from nasdqn_fast.report.data import TaskData, changes, thinned
from nasdqn_fast.report.figure import Drawn, Kind
from nasdqn_fast.report.style import GREY, height_of, legend, looks, name_rows, sheet, short, wrapped

AROUND = 50  # episodes averaged before and after a switch
WINDOW = 10


def _loss(data: TaskData) -> Drawn | str:
    aligned = {}
    for label, group in data.searches.items():
        length = _shortest_segment(group.outcomes)
        around = min(AROUND, length // 2)
        found = [
            (outcome.seed, at + 1, returns[at - around : at + length])
            for outcome, returns in zip(group.outcomes, data.returns[label], strict=True)
            for at, old, new in changes(outcome)
            if old != new and at + length <= outcome.episodes and around >= 1
        ]
        if found:
            aligned[label] = around, length, found
    if not aligned:
        return "no run changes its architecture with whole segments before and after"
    styles = looks(data.groups)
    names = [
        f"{wrapped(label)}\n{which} {around}"
        for label, (around, _, _) in aligned.items()
        for which in ("first", "last")
    ]
    needed = 0.8 + height_of(names)
    figure, ((above,), (below,)) = sheet(4.2 + needed, 2, 1, height_ratios=[3.6, needed])
    rows: list[tuple[Any, ...]] = []
    boxes = []
    for label, (around, length, found) in aligned.items():
        curves = np.array([returns for *_, returns in found], np.float64)
        window = min(WINDOW, around)
        # Means of episodes before or after, never across.
        before = _means(curves[:, :around], window)
        after = _means(curves[:, around:], window)
        look = styles[label]
        for x, y in ((np.arange(len(before)) + window - around, before), (np.arange(len(after)) + window, after)):
            at = thinned(len(x))
            text = f"{short(label)}: {len(found)} switches" if y is after else None
            above.plot(x[at], y[at], color=look.colour, linestyle=look.dash, label=text)
        level = curves[:, :around].mean(axis=1)
        first, last = curves[:, around : 2 * around].mean(axis=1), curves[:, -around:].mean(axis=1)
        boxes += [(first - level, look.colour), (last - level, look.colour)]
        for (seed, episode, _), *values in zip(found, level, first, last, strict=True):
            rows.append((data.task, label, seed, episode, around, length, *values))
    above.axvline(0, color=GREY, linewidth=1.2, linestyle=":")
    above.set(xlabel="episodes after the switch", ylabel=f"return, mean of {window} episodes")
    for place, (values, colour) in enumerate(boxes):
        below.boxplot(
            [values],
            positions=[place],
            orientation="horizontal",
            widths=0.6,
            showfliers=False,
            patch_artist=True,
            boxprops={"facecolor": colour, "alpha": 0.35},
            medianprops={"color": "black", "linewidth": 2},
            manage_ticks=False,
        )
    below.axvline(0, color=GREY, linewidth=1.2, linestyle=":")
    name_rows(below, names)
    below.set_xlabel("return, less that of as many episodes before the switch")
    legend(figure, above)
    header = ("task", "label", "seed", "episode", "averaged", "segment", "before", "first_after", "last_of_segment")
    return Drawn(figure, header, rows)


def _shortest_segment(outcomes: Any) -> int:
    """Episodes of the shortest segment but the last, which the end of the run may have cut."""
    lengths = [part.last - part.first + 1 for outcome in outcomes for part in outcome.segments[:-1]]
    return min(lengths, default=0)


def _means(curves: np.ndarray, window: int) -> np.ndarray:
    """Rolling mean over episodes of the mean over switches."""
    mean = curves.mean(axis=0)
    return np.convolve(mean, np.full(window, 1 / window), "valid")


LOSS = Kind(
    "switches",
    "Loss at each switch, and what was learned after it",
    "Above: training return around the switches to another architecture, averaged over all of them. Below: return in "
    "the first and the last episodes of the segment after each switch, less that of the episodes before it; boxes "
    "hold the middle half of the switches.",
    _loss,
)
