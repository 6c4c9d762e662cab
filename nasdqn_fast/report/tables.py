"""The tables of a task: the paper's four metrics, what is beyond them, and how far architectures and seeds spread."""

from __future__ import annotations

import math

import numpy as np

from nasdqn_fast.report.data import TaskData
from nasdqn_fast.report.figures.sooner import survival
from nasdqn_fast.report.html import table
from nasdqn_fast.report.numbers import NOTHING, interval, number, percent, significant
from nasdqn_fast.statistics.bootstrap import bootstrap, iqm, mean
from nasdqn_fast.statistics.prediction import prediction_interval
from nasdqn_fast.statistics.shares import wilson
from nasdqn_fast.study.outcomes import Group

WORST = 0.05  # of the runs, for the mean of the worst


def four_metrics(data: TaskData) -> str:
    """Final performance, sample efficiency, peak and stability, as the paper defines them."""
    header = (
        "method",
        "runs",
        "final performance (mean ± SD of run means)",
        "95 % interval of the mean",
        "episodes to threshold (median [95 %])",
        "got there",
        "peak (mean of runs; best)",
        "stability (mean ± SD)",
    )
    caption = (
        "As the paper defines them (2.4), over runs. The median is Kaplan and Meier's, so that runs which did not get "
        "there count; ∞: fewer than half did. A single best episode says little: from an easy start a random policy "
        "plays one, too."
    )
    return table(header, [_four(group) for group in data.groups.values()], caption)


def _four(group: Group) -> tuple[str, ...]:
    final, spread, best = (group.column(name) for name in ("final_mean", "final_std", "best"))
    sooner, there = NOTHING, NOTHING
    if not math.isnan(group.threshold):
        curve = survival(group)
        sooner = f"{number(curve.median, 0)} {interval(curve.median_interval, 0)}"
        there = f"{curve.events} of {curve.n}"
    return (
        group.label,
        str(len(group)),
        _mean_and_sd(final),
        interval(bootstrap(mean, final)),
        sooner,
        there,
        f"{number(float(best.mean()))}; {number(float(best.max()))}",
        _mean_and_sd(spread),
    )


def beyond(data: TaskData) -> str:
    """Interquartile mean, failures, area under the curve, regret, worst runs, prediction, cost."""
    header = (
        "method",
        "IQM of final performance [95 %]",
        "a run of yours will end in",
        "of new runs",
        "failed (below threshold) [95 %]",
        f"mean of the worst {WORST:.0%}",
        "area under the curve (mean return)",
        "regret at the end",
        "mean episodes to threshold, at most all [95 %]",
        "wall time (s, median)",
        "search share",
    )
    caption = (
        "Intervals of the interquartile mean: percentile bootstrap of whole runs. Failures: Wilson's interval. Where a "
        "run of yours will end: order statistics of the runs, for any distribution."
    )
    return table(header, [_beyond(group) for group in data.groups.values()], caption)


def _beyond(group: Group) -> tuple[str, ...]:
    final = group.column("final_mean")
    prediction = prediction_interval(final)
    failed, restricted = NOTHING, NOTHING
    if not math.isnan(group.threshold):
        hits = int((final < group.threshold).sum())
        low, high = wilson(hits, len(final))
        failed = f"{percent(hits / len(final))} [{percent(low)}, {percent(high)}]"
        curve = survival(group)
        restricted = f"{number(curve.restricted_mean, 0)} {interval(curve.restricted_interval, 0)}"
    worst = np.sort(final)[: max(1, math.ceil(WORST * len(final)))]
    return (
        group.label,
        f"{number(float(iqm(final)))} {interval(bootstrap(iqm, final))}",
        interval((prediction.low, prediction.high)),
        percent(prediction.share),
        failed,
        number(float(worst.mean())),
        number(float(group.column("mean_return").mean())),
        number(group.optimum - float(final.mean())),
        restricted,
        significant(float(np.median(group.column("seconds")))),
        percent(float(group.column("search_share").mean()), 2),
    )


def spread(data: TaskData) -> str:
    """Between and within architectures: whether there is something to search for. Empty with fewer than two."""
    fixed = [
        group
        for label, group in data.groups.items()
        if label not in data.searches and len(group) > 1 and group.outcomes[0].segments
    ]
    if len(fixed) < 2:
        return ""
    rows = []
    for name, text in (("final_mean", "last 100 episodes"), ("mean_return", "area under the curve")):
        columns = [group.column(name) for group in fixed]
        between = float(np.std([column.mean() for column in columns], ddof=1))
        freedom = sum(len(column) - 1 for column in columns)
        within = math.sqrt(sum(float(np.var(column, ddof=1)) * (len(column) - 1) for column in columns) / freedom)
        rows.append((text, number(between), number(within), str(len(fixed))))
    caption = "Standard deviations, in return: of the means of the fixed methods, and of the seeds of one method."
    return table(("", "between architectures", "within one", "fixed methods"), rows, caption)


def _mean_and_sd(values: np.ndarray) -> str:
    deviation = float(np.std(values, ddof=1)) if len(values) > 1 else math.nan
    return f"{number(float(values.mean()))} ± {number(deviation)}"
