"""What searches by real trials have found, read from their folders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from nasdqn_fast.search.offline import best_so_far
from nasdqn_fast.space import Architecture, parse_setup
from nasdqn_fast.statistics.bootstrap import CONFIDENCE, Interval
from nasdqn_fast.statistics.means import one_sample
from nasdqn_fast.study.search.plan import Searches
from nasdqn_fast.study.search.records import Records


@dataclass(frozen=True, eq=False)
class FoundByTrials:
    """What one search has found.

    Args:
        method: its label.
        seed: of the search.
        path: its folder.
        trials: the records of its trials, in order (docs/search.md).
        best: the architecture with the highest mean score over its trials.
        finals: float64 (final seeds,), mean return of the last 100 episodes of full training of that architecture, with
            seeds that no trial has; empty as long as these runs have not ended.
    """

    method: str
    seed: int
    path: Path
    trials: tuple[dict[str, Any], ...]
    best: Architecture
    finals: np.ndarray

    @property
    def final_score(self) -> float:
        """Mean over the final runs; NaN without any."""
        return float(self.finals.mean()) if len(self.finals) else float("nan")

    @property
    def final_interval(self) -> Interval | None:
        """95 % interval of that by Student's t; None with fewer than two runs."""
        return one_sample(self.finals).interval(CONFIDENCE) if len(self.finals) > 1 else None

    @property
    def cost(self) -> dict[str, int]:
        """Environment steps, updates and operations of all trials together; final runs are not counted."""
        return {name: sum(trial["cost"][name] for trial in self.trials) for name in ("steps", "updates", "flop")}


def found_in(searches: Searches) -> dict[str, list[FoundByTrials]]:
    """Label -> its searches that have ended, by ascending seed, without their final runs."""
    found: dict[str, list[FoundByTrials]] = {label: [] for label in searches.plan.labels}
    for search in searches.trials():
        records = Records(Path(search.path)).read()
        if len(records) >= searches.plan.trials:
            *_, best = best_so_far((record["architecture"], record["reward"]) for record in records)
            about = (search.label, search.seed, Path(search.path), tuple(records), parse_setup(best))
            found[search.label].append(FoundByTrials(*about, finals=np.empty(0)))
    return found


def summary_of(searched: Sequence[FoundByTrials]) -> dict[str, Any]:
    """Plain JSON values: the mean over searches with its 95 % interval, None of a single one, and each search."""
    means = np.array([each.final_score for each in searched])
    return {
        "searches": len(searched),
        "final_score": float(means.mean()),
        "final_score_interval": one_sample(means).interval(CONFIDENCE) if len(means) > 1 else None,
        "steps": float(np.mean([each.cost["steps"] for each in searched])),
        "each": [
            {
                "seed": each.seed,
                "best": str(each.best),
                "final_score": each.final_score,
                "final_interval": each.final_interval,
                "finals": each.finals.tolist(),
                "cost": each.cost,
            }
            for each in searched
        ],
    }
