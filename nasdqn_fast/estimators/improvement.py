"""How much higher the mean return is than at the end of the segment before.

A later segment has an agent that has learned for longer, so that the mean return by itself favours whatever is trained
last; the gain does not. The first segment has none before it: its gain is over the first tenth of its own episodes (one
at least), which is about what the agent earned before it had learned anything.
"""

from __future__ import annotations

from dataclasses import dataclass

from nasdqn_fast.estimators.base import Segment
from nasdqn_fast.plugins import option


class Improvement:
    """Mean of the last min(`episodes`, M) returns of a segment minus the same mean of the segment before."""

    @dataclass(frozen=True)
    class Options:
        episodes: int = option(
            100, "episodes at the end of each of the two segments that count, M at most", "as mean-return", minimum=1
        )

    def __call__(self, segment: Segment) -> float:
        last = min(segment.options.episodes, segment.switch_every)
        if segment.previous is None:
            before = segment.returns[: max(len(segment.returns) // 10, 1)]
        else:
            before = segment.previous[-last:]
        return float(segment.returns[-last:].mean() - before.mean())


plugin = Improvement
