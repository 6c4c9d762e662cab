"""The mean return of a segment's last episodes, as training played them."""

from __future__ import annotations

from dataclasses import dataclass

from nasdqn_fast.estimators.base import Segment
from nasdqn_fast.plugins import option


class MeanReturn:
    """The mean return of the last min(`episodes`, M) episodes of a segment, M being the run's ``switch_every``."""

    @dataclass(frozen=True)
    class Options:
        episodes: int = option(
            100, "episodes at the end of a segment that count, M at most", "final performance, paper 2.4", minimum=1
        )

    def __call__(self, segment: Segment) -> float:
        last = min(segment.options.episodes, segment.switch_every)
        return float(segment.returns[-last:].mean())


plugin = MeanReturn
