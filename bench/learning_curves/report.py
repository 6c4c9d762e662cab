"""The tables of a comparison, in Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np

from learning_curves import runs, statistics
from learning_curves.summary import Summary, pairs
from nasdqn_fast.statistics.means import welch
from nasdqn_fast.statistics.shares import wilson

CURVES = ("profile, task", "steps", "runs", "area, originals", "area, ours", "difference in SD", "TOST p", "same")
FINAL = (
    "profile, task",
    "threshold",
    "quartiles, originals",
    "quartiles, ours",
    "share there, originals",
    "ours",
    "met",
)
TIMES = ("profile, task", "CPU s, originals", "CPU s, ours", "ratio")


def tables(folder: Path) -> str:
    """Learning curves, final networks and times of every case that both have."""
    found = list(pairs(folder))
    return "\n\n".join(
        (
            _markdown(CURVES, [_curves(*pair) for pair in found]),
            _markdown(FINAL, [_final(*pair) for pair in found]),
            _markdown(TIMES, [_times(*pair) for pair in found]),
        )
    )


def _name(case: runs.Case) -> str:
    return f"{case.profile}, {case.task}"


def _curves(case: runs.Case, originals: Summary, ours: Summary) -> tuple[str, ...]:
    sd = float(np.std(originals.areas, ddof=1))
    test = welch(ours.areas, originals.areas)
    low, high = test.interval(0.90)  # lies within the margin exactly if p < 5 %
    p = test.p_within(-sd, sd)
    return (
        _name(case),
        f"{case.steps:,}",
        f"{len(originals)} / {len(ours)}",
        _mean_and_sd(originals.areas),
        _mean_and_sd(ours.areas),
        f"{test.value / sd:+.2f} ({low / sd:+.2f} to {high / sd:+.2f})",
        f"{p:.3f}" if p >= 0.001 else "< 0.001",
        "yes" if p < 0.05 else "not shown",
    )


def _final(case: runs.Case, originals: Summary, ours: Summary) -> tuple[str, ...]:
    threshold = runs.THRESHOLDS[case.task]
    shares = [_share(summary, threshold) for summary in (originals, ours)]
    met = shares[1][2] >= shares[0][1]  # ours reaches the low end of theirs
    texts = [f"{hits / n:.0%} ({low:.0%} to {high:.0%})" for hits, low, high, n in shares]
    return (
        _name(case),
        f"{threshold:.0f}",
        *(_quartiles(summary.greedy) for summary in (originals, ours)),
        *texts,
        "yes" if met else "no",
    )


def _share(summary: Summary, threshold: float) -> tuple[int, float, float, int]:
    hits, n = int(np.sum(summary.greedy >= threshold)), len(summary)
    return (hits, *wilson(hits, n), n)


def _times(case: runs.Case, originals: Summary, ours: Summary) -> tuple[str, ...]:
    theirs, mine = (float(np.median(summary.cpu)) for summary in (originals, ours))
    return _name(case), f"{theirs:.1f}", f"{mine:.2f}", f"{theirs / mine:.0f}"


def _mean_and_sd(values: np.ndarray) -> str:
    return f"{np.mean(values):.1f} ± {np.std(values, ddof=1):.1f}"


def _quartiles(values: np.ndarray) -> str:
    return " / ".join(f"{value:.0f}" for value in statistics.quartiles(values))


def _markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(cells)} |" for cells in lines)
