"""Comparisons that a claim rests on, and the rule by which they are judged (fixed before any study was run).

A contrast is an estimate and the side on which a claim wants the true value. Its interval is adjusted over all
contrasts of a claim (Holm). If it lies wholly on the claim's side, the contrast is supported; if it lies wholly on the
other, or if two one-sided tests show a difference within +-5 return, contradicted; else undecided. A claim that needs
all of its contrasts is supported if all are, and contradicted if one is.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

import numpy as np

from nasdqn_fast.statistics.means import Estimate, Interval, log_ratio, paired, welch
from nasdqn_fast.statistics.multiple import holm, holm_confidences
from nasdqn_fast.statistics.ranks import mann_whitney, wilcoxon
from nasdqn_fast.study.outcomes import Group

ALPHA = 0.05
MARGIN = 5.0  # return: a difference of means below it does not matter


class Judgement(StrEnum):
    """What the data say about a contrast or a claim."""

    SUPPORTED = "supported"
    CONTRADICTED = "contradicted"
    UNDECIDED = "undecided"
    EXPLORATORY = "exploratory"  # the number of seeds was raised after a look
    NONE = "none"  # unfinished, or not what the study is about


@dataclass(frozen=True)
class Contrast:
    """A comparison, before it is judged.

    Attributes:
        name: what is compared, as ``nas-dqn minus fixed-small``.
        measure: what is measured, with its unit.
        estimate: on the scale on which it is tested; of a ratio, its logarithm.
        n: runs, or pairs of runs, that it rests on.
        low, high: ends of the claim's side, on the same scale.
        margin: differences within it do not matter; None where there is no such margin.
        ratio: whether the estimate is the logarithm of a ratio.
        paired: whether seeds were compared one by one.
        p_ranks: of the hypothesis that there is no difference at all, by Wilcoxon's or Mann and Whitney's test; NaN
            where nothing is compared.
    """

    name: str
    measure: str
    estimate: Estimate
    n: int
    low: float
    high: float
    margin: float | None = None
    ratio: bool = False
    paired: bool = True
    p_ranks: float = math.nan

    @property
    def p(self) -> float:
        """Two-sided p value of the hypothesis that the true value is the nearest end of the claim's side."""
        return max(self.estimate.p(end) for end in (self.low, self.high) if math.isfinite(end))

    @property
    def claimed(self) -> str:
        """The claim's side as text."""
        low, high = (self.shown(end) for end in (self.low, self.high))
        if math.isinf(self.high):
            return f"> {low:.3g}"
        return f"< {high:.3g}" if math.isinf(self.low) else f"{low:.3g} to {high:.3g}"

    def shown(self, value: float) -> float:
        """A value of the estimate's scale as it is reported: a ratio, not its logarithm."""
        if not self.ratio:
            return value
        return math.exp(value) if value < 700 else math.inf


@dataclass(frozen=True)
class Judged:
    """A contrast with its verdict.

    Attributes:
        contrast: as given.
        effect, interval: as reported, and the adjusted interval.
        confidence: of the interval: 95 % or, adjusted, more.
        p: adjusted over the claim's contrasts (Holm).
        p_equivalent: adjusted, of TOST; NaN without a margin.
        p_ranks: adjusted; NaN where there is none.
        judgement: supported, contradicted or undecided.
    """

    contrast: Contrast
    effect: float
    interval: Interval
    confidence: float
    p: float
    p_equivalent: float
    p_ranks: float
    judgement: Judgement


def judge(contrasts: Sequence[Contrast]) -> tuple[Judged, ...]:
    """The verdict on each of the contrasts of one claim."""
    p_values = [contrast.p for contrast in contrasts]
    columns = (
        holm_confidences(p_values, ALPHA),
        holm(p_values),
        _holm_of_known([_p_within(contrast) for contrast in contrasts]),
        _holm_of_known([contrast.p_ranks for contrast in contrasts]),
    )
    result = []
    for contrast, *numbers in zip(contrasts, *columns, strict=True):
        confidence, p, same, ranks = map(float, numbers)
        low, high = contrast.estimate.interval(confidence)
        interval = contrast.shown(low), contrast.shown(high)
        effect = contrast.shown(contrast.estimate.value)
        judgement = _judgement(contrast, low, high, same)
        result.append(Judged(contrast, effect, interval, confidence, p, same, ranks, judgement))
    return tuple(result)


def all_of(judged: Sequence[Judged]) -> Judgement:
    """The verdict on a claim that needs all of its contrasts."""
    found = {one.judgement for one in judged}
    if Judgement.CONTRADICTED in found:
        return Judgement.CONTRADICTED
    return Judgement.SUPPORTED if found == {Judgement.SUPPORTED} else Judgement.UNDECIDED


def more(a: Group, b: Group, column: str, measure: str, margin: float | None = MARGIN) -> Contrast:
    """That the mean of a column is higher for a than for b."""
    estimate, n, pairs, ranks = _compare(a, b, column, ratio=False)
    name = f"{a.label} minus {b.label}"
    return Contrast(name, measure, estimate, n, 0.0, math.inf, margin, paired=pairs, p_ranks=ranks)


def ratio(a: Group, b: Group, column: str, measure: str, low: float, high: float) -> Contrast:
    """That the mean of a column is between `low` and `high` times as large for a as for b."""
    estimate, n, pairs, ranks = _compare(a, b, column, ratio=True)
    ends = (-math.inf if low == 0 else math.log(low)), (math.inf if math.isinf(high) else math.log(high))
    return Contrast(f"{a.label} over {b.label}", measure, estimate, n, *ends, ratio=True, paired=pairs, p_ranks=ranks)


def shared_seeds(a: Group, b: Group) -> tuple[np.ndarray, np.ndarray]:
    """Places in a and b of the seeds that both have."""
    _, of_a, of_b = np.intersect1d(a.seeds, b.seeds, return_indices=True)
    return of_a, of_b


def _compare(a: Group, b: Group, column: str, *, ratio: bool) -> tuple[Estimate, int, bool, float]:
    """The estimate, from seeds that both have if these are two or more; how many runs or pairs, which; p of ranks."""
    of_a, of_b = shared_seeds(a, b)
    x, y = a.column(column), b.column(column)
    pairs = len(of_a) >= 2
    if pairs:
        x, y = x[of_a], y[of_b]
    compare = paired if pairs else welch
    estimate = log_ratio(x, y, pairs=pairs) if ratio else compare(x, y)
    return estimate, min(len(x), len(y)), pairs, (wilcoxon if pairs else mann_whitney)(x, y)


def _p_within(contrast: Contrast) -> float:
    return math.nan if contrast.margin is None else contrast.estimate.p_within(-contrast.margin, contrast.margin)


def _holm_of_known(p_values: Sequence[float]) -> np.ndarray:
    """Holm's correction over the p values that there are; the others stay NaN."""
    result = np.array(p_values, dtype=np.float64)
    known = ~np.isnan(result)
    result[known] = holm(result[known])
    return result


def _judgement(contrast: Contrast, low: float, high: float, p_equivalent: float) -> Judgement:
    if contrast.low < low and high < contrast.high:
        return Judgement.SUPPORTED
    if high < contrast.low or low > contrast.high or p_equivalent < ALPHA:
        return Judgement.CONTRADICTED
    return Judgement.UNDECIDED
