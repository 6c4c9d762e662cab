"""Whether a search goes to the architectures that are worth most, as others' runs scored them."""

from __future__ import annotations

import math

import numpy as np

from nasdqn_fast.statistics.means import Estimate
from nasdqn_fast.study.outcomes import Group, Outcome

PARTS = 200  # of the jackknife


def worth_of_choices(searched: Group, random: Group) -> tuple[Estimate, int] | None:
    """Mean worth of the architectures searched, less that of those drawn at random; and the number of seeds.

    An architecture is worth the mean of its scores under the random search, each less the mean score of its segment's
    number. A seed's choices are weighed without the scores of that seed, so that no run is judged by its own luck; they
    count with their episodes. The first segment, drawn uniformly by both, does not count, nor do architectures that no
    other seed has tried. All seeds share the scores, hence the error is the jackknife's (Efron and Stein 1981), which
    leaves a seed's choices out together with its scores; of more than 200 seeds, several at once.

    Returns:
        None with fewer than three seeds that both have, or if no architecture is known.
    """
    of_seed = {outcome.seed: outcome for outcome in searched.outcomes}
    pairs = [(of_seed[outcome.seed], outcome) for outcome in random.outcomes if outcome.seed in of_seed]
    if len(pairs) < 3:
        return None
    names = {part.architecture for pair in pairs for outcome in pair for part in outcome.segments}
    column = {name: k for k, name in enumerate(sorted(names))}
    expected = _mean_by_segment([outcome for _, outcome in pairs])
    sums, counts = np.zeros((2, len(pairs), len(column)))
    for row, (_, outcome) in enumerate(pairs):
        for k, part in enumerate(outcome.segments):
            if not math.isnan(part.score):
                sums[row, column[part.architecture]] += part.score - expected[k]
                counts[row, column[part.architecture]] += 1
    chosen = np.array([[_episodes(outcome, column) for outcome in pair] for pair in pairs])
    value = _difference(chosen, sums, counts)
    without = []
    for left_out in np.array_split(np.arange(len(pairs)), min(len(pairs), PARTS)):
        rest = (np.delete(array, left_out, axis=0) for array in (chosen, sums, counts))
        without.append(_difference(*rest))
    n = len(without)
    error = math.sqrt((n - 1) / n * float(np.sum((np.array(without) - np.mean(without)) ** 2)))
    return None if math.isnan(value + error) else (Estimate(value, error, n - 1), len(pairs))


def _difference(chosen: np.ndarray, sums: np.ndarray, counts: np.ndarray) -> float:
    """Mean over seeds. chosen: (seeds, 2, architectures), sums and counts: (seeds, architectures)."""
    others = counts.sum(axis=0) - counts
    worth = (sums.sum(axis=0) - sums) / np.maximum(others, 1)
    weights = chosen * (others > 0)[:, None]
    episodes = weights.sum(axis=2)
    usable = (episodes > 0).all(axis=1)
    if not usable.any():
        return math.nan
    means = (weights * worth[:, None]).sum(axis=2)[usable] / episodes[usable]
    return float((means[:, 0] - means[:, 1]).mean())


def _mean_by_segment(outcomes: list[Outcome]) -> np.ndarray:
    """(segments,): mean score of the first segments, of the second, ..."""
    most = max(len(outcome.segments) for outcome in outcomes)
    found: list[list[float]] = [[] for _ in range(most)]
    for outcome in outcomes:
        for scores, part in zip(found, outcome.segments, strict=False):
            if not math.isnan(part.score):
                scores.append(part.score)
    return np.array([np.mean(scores) if scores else math.nan for scores in found])


def _episodes(outcome: Outcome, column: dict[str, int]) -> np.ndarray:
    """(architectures,): how many episodes each was in use for after the first segment."""
    episodes = np.zeros(len(column))
    for part in outcome.segments[1:]:
        episodes[column[part.architecture]] += part.last - part.first + 1
    return episodes
