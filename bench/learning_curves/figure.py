"""The comparison as one figure: a panel a task and profile."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from learning_curves import runs, statistics
from learning_curves.summary import Summary, pairs
from nasdqn_fast.statistics.bootstrap import mean_band

PROFILES = ("sb3", "cleanrl", "zoo")
TASKS = ("CartPole-v1", "Acrobot-v1", "MountainCar-v0")
NAMES = {"sb3": "SB3, defaults", "cleanrl": "CleanRL, dqn.py", "zoo": "SB3, RL Zoo's values"}
ORIGINALS, OURS = "#D55E00", "#0072B2"  # of Okabe and Ito, which the colour-blind tell apart
RANGES = {"CartPole-v1": (0, 510), "Acrobot-v1": (-510, -60), "MountainCar-v0": (-203, -95)}


def draw(folder: Path, path: Path) -> None:
    """Mean learning curves with 95 % bands of the cases in `folder`, into an image."""
    import matplotlib.figure

    found = {(case.profile, case.task): (case, originals, ours) for case, originals, ours in pairs(folder)}
    profiles = [profile for profile in PROFILES if any(key[0] == profile for key in found)]
    tasks = [task for task in TASKS if any(key[1] == task for key in found)]
    size = (0.7 + 4.0 * len(tasks), 0.5 + 2.9 * len(profiles))
    figure = matplotlib.figure.Figure(figsize=size, layout="constrained")
    grid = figure.subplots(len(profiles), len(tasks), squeeze=False)
    for row, profile in zip(grid, profiles, strict=True):
        for axes, task in zip(row, tasks, strict=True):
            if (profile, task) in found:
                _panel(axes, *found[profile, task])
            else:
                axes.set_axis_off()
    figure.savefig(path, dpi=130)


def _panel(axes: Any, case: runs.Case, originals: Summary, ours: Summary) -> None:
    middles = (np.arange(statistics.BINS) + 0.5) * case.steps / statistics.BINS / 1_000
    for summary, colour, dashes, who in ((originals, ORIGINALS, "--", "original"), (ours, OURS, "-", "nasdqn-fast")):
        low, high = mean_band(summary.curves, resamples=10_000)
        axes.fill_between(middles, low, high, color=colour, alpha=0.22, linewidth=0)
        axes.plot(middles, summary.curves.mean(axis=0), dashes, color=colour, label=f"{who}, {len(summary)} runs")
    axes.axhline(runs.THRESHOLDS[case.task], color="0.35", linestyle=":", linewidth=1, label="threshold")
    axes.set_title(f"{case.task}: {NAMES[case.profile]}", fontsize="medium")
    axes.set(xlabel="environment steps (thousands)", ylabel="return of training episodes")
    axes.set_xlim(0, case.steps / 1_000)
    axes.set_ylim(*RANGES[case.task])
    axes.grid(alpha=0.25)
    axes.legend(fontsize="small", loc="best", framealpha=0.85)
