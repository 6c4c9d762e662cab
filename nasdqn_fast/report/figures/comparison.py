"""One method beside another, and where a run of one's own will lie."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

from nasdqn_fast.metrics import FINAL_EPISODES
from nasdqn_fast.report.data import TaskData
from nasdqn_fast.report.figure import Drawn, Kind
from nasdqn_fast.report.style import BLACK, GREY, height_of, legend, looks, name_rows, references, sheet, short, wrapped
from nasdqn_fast.statistics.bootstrap import Interval, bootstrap, improvement, improvement_interval, iqm, mean
from nasdqn_fast.statistics.prediction import prediction_interval
from nasdqn_fast.study.contrasts import shared_seeds

MOST = 15  # pairs


def _pairs(data: TaskData) -> Iterator[tuple[str, str, bool, int, float, Interval]]:
    for a, b in itertools.combinations(reversed(list(data.groups)), 2):
        one, other = data.groups[a], data.groups[b]
        of_a, of_b = shared_seeds(one, other)
        x, y = one.column("final_mean"), other.column("final_mean")
        paired = len(of_a) == len(x) == len(y)
        if paired:
            x, y = x[of_a], y[of_b]
        yield a, b, paired, min(len(x), len(y)), improvement(x, y), improvement_interval(x, y, paired=paired)


def _improvement(data: TaskData) -> Drawn | str:
    pairs = list(_pairs(data))
    if not pairs:
        return "there is one method only"
    styles, shown = looks(data.groups), pairs[:MOST]
    names = [_pair(a, b) for a, b, *_ in shown]
    figure, ((axes,),) = sheet(1.2 + sum(0.18 + 0.24 * (name.count("\n") + 1) for name in names))
    for row, (a, _, _, _, value, (low, high)) in enumerate(shown):
        axes.plot((low, high), (row, row), color=styles[a].colour, linewidth=6, alpha=0.45, solid_capstyle="butt")
        axes.plot([value], [row], "o", color=BLACK, markersize=6)
    axes.axvline(0.5, color=GREY, linestyle=":", linewidth=1.4)
    axes.set_xlim(-0.02, 1.02)
    name_rows(axes, names)
    axes.set_xlabel("probability that its run ends higher")
    rows = ((data.task, *values, *interval) for *values, interval in pairs)
    return Drawn(figure, ("task", "a", "b", "paired", "runs", "probability", "low", "high"), rows)


def _pair(a: str, b: str) -> str:
    text = f"{short(a)} > {short(b)}"
    return text if len(text) <= 30 else f"{wrapped(a, 30)}\n> {wrapped(b, 30)}"


def _intervals(data: TaskData) -> Drawn | str:
    styles = looks(data.groups)
    predictions = {label: prediction_interval(group.column("final_mean")) for label, group in data.groups.items()}
    names = [
        f"{wrapped(label)}\nn = {len(data.groups[label])}, {100 * prediction.share:.0f} % of new runs"
        for label, prediction in predictions.items()
    ]
    figure, ((axes,),) = sheet(2.0 + height_of(names))
    rows = []
    for row, (label, group) in enumerate(data.groups.items()):
        final, colour = group.column("final_mean"), styles[label].colour
        prediction = predictions[label]
        mean_95, iqm_95 = bootstrap(mean, final), bootstrap(iqm, final)
        axes.plot((prediction.low, prediction.high), (row, row), color=colour, linewidth=3, solid_capstyle="butt")
        for shift, interval, statistic, marker in ((-0.17, mean_95, mean, "o"), (0.17, iqm_95, iqm, "D")):
            axes.plot(interval, (row + shift,) * 2, color=colour, linewidth=8, alpha=0.55, solid_capstyle="butt")
            axes.plot([float(statistic(final))], [row + shift], marker, color=BLACK, markersize=5)
        share = prediction.share
        values = (prediction.low, prediction.high, share, float(mean(final)), *mean_95, float(iqm(final)), *iqm_95)
        rows.append((data.task, label, len(group), *values))
    name_rows(axes, names)
    axes.set_xlabel(f"mean return of the last {FINAL_EPISODES} episodes")
    references(axes, optimum=data.optimum, threshold=data.threshold, horizontal=False)
    axes.plot([], [], "o", color=BLACK, markersize=5, label="mean, 95 % interval")
    axes.plot([], [], "D", color=BLACK, markersize=5, label="interquartile mean, 95 %")
    axes.plot([], [], color="0.5", linewidth=3, label="where new runs lie")
    legend(figure, axes)
    header = [
        "task",
        "label",
        "runs",
        "new_low",
        "new_high",
        "new_share",
        "mean",
        "mean_low",
        "mean_high",
        "iqm",
        "iqm_low",
        "iqm_high",
    ]
    return Drawn(figure, header, rows)


IMPROVEMENT = Kind(
    "improvement",
    "Probability of improvement",
    "How often a run of the first method ends above one of the second, ties counted by halves; bars are 95 % intervals "
    "from whole runs drawn with replacement, seeds together where both methods have the same. Where all runs of "
    "one end above all of the other, resampling cannot show that further runs may not.",
    _improvement,
)
INTERVALS = Kind(
    "intervals",
    "How sure the mean is, and where a run of your own will lie",
    "Thick: 95 % intervals of the mean and of the interquartile mean over runs, too short below some 30 runs "
    "(docs/report.md). Thin: where a further run will lie, "
    "with 90 % probability, or less if there are too few runs to say so; the share is given. The second does not "
    "shrink with more runs.",
    _intervals,
)
