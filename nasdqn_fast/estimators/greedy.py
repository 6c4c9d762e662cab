"""The mean return of greedy episodes on held-out starts: a validation performance, without exploration's losses.

The starts are the same for every segment of a run, so that two scores differ by their networks alone. The environment
steps count as the segment's.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasdqn_fast.estimators.base import Segment
from nasdqn_fast.plugins import option


class Greedy:
    """Plays `episodes` greedy episodes with the network of a segment."""

    @dataclass(frozen=True)
    class Options:
        episodes: int = option(20, "greedy episodes played after each segment", "this package", minimum=1)

    def __call__(self, segment: Segment) -> float:
        return segment.evaluate(segment.options.episodes)


plugin = Greedy
