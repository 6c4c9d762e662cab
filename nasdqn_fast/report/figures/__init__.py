"""The figures, in the order of the page: the paper's, then ours."""

from __future__ import annotations

from nasdqn_fast.report.figure import Kind
from nasdqn_fast.report.figures import boxes, comparison, cost, curves, networks, pareto, search, sooner, switches

OF_PAPER: tuple[Kind, ...] = (
    networks.ARCHITECTURES,
    curves.LEARNING,
    boxes.FINAL,
    sooner.EPISODES,
    boxes.STABILITY,
    cost.COST,
    cost.COMPLEXITY,
    search.MAP,
    curves.LAST,
)
OURS: tuple[Kind, ...] = (
    pareto.PARETO,
    search.TIMELINE,
    switches.LOSS,
    curves.REGRET,
    comparison.IMPROVEMENT,
    sooner.SURVIVAL,
    cost.OVERHEAD,
    comparison.INTERVALS,
)
KINDS = {kind.name: kind for kind in (*OF_PAPER, *OURS)}
