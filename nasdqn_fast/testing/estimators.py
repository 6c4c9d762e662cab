"""What every estimator must do, as tests to inherit: give a subclass the estimator's name.

    class TestMine(EstimatorContract):
        estimator = "mypackage.mine:plugin"
        options = {"episodes": 10}

Needs pytest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from nasdqn_fast.estimators import base
from nasdqn_fast.space import Architecture
from nasdqn_fast.testing.randomness import global_generators

# Episodes of each segment of a run; the last is the one that is estimated.
RUNS = [(1,), (3,), (200,), (200, 200), (40, 200, 1), (1, 1, 500), (2, 2, 2, 2)]


class EstimatorContract:
    """Inherit it in a class whose name begins with ``Test``.

    Attributes:
        estimator: name of an estimator, ``module:attribute``, or the plug-in itself if it is a class.
        options: its options, by name.
    """

    estimator: Any
    options: ClassVar[Mapping[str, Any]] = {}

    def score(self, segment: base.Segment) -> float:
        """The score, of an estimator made for the purpose."""
        return base.apply(base.make(self.estimator, self.options), segment)

    @pytest.mark.parametrize("run", RUNS, ids=str)
    def test_every_segment_has_a_finite_score(self, run: Sequence[int]) -> None:
        score = self.score(make_segment(run))
        assert type(score) is float
        assert np.isfinite(score)

    @pytest.mark.parametrize("returns", [0.0, -1e12, 1e12])
    def test_equal_returns_of_any_size_have_a_finite_score(self, returns: float) -> None:
        assert np.isfinite(self.score(make_segment((20, 20), lambda episode: returns)))

    @pytest.mark.parametrize("run", RUNS, ids=str)
    def test_the_score_depends_on_the_segment_alone(self, run: Sequence[int]) -> None:
        """A run that is resumed makes the estimator anew, which then has to give the score that it would have given."""
        used = base.make(self.estimator, self.options)
        for other in RUNS:
            base.apply(used, make_segment(other))
        assert base.apply(used, make_segment(run)) == self.score(make_segment(run))

    @pytest.mark.parametrize("run", RUNS, ids=str)
    def test_the_segment_is_left_alone(self, run: Sequence[int]) -> None:
        segment, untouched = make_segment(run), make_segment(run)
        self.score(segment)
        for name in ("returns", "lengths", "curve"):
            np.testing.assert_array_equal(getattr(segment, name), getattr(untouched, name))

    def test_nothing_is_drawn_from_global_generators(self) -> None:
        before = global_generators()
        self.score(make_segment((200, 200)))
        assert global_generators() == before


def make_segment(
    run: Sequence[int],
    returns: Callable[[int], float] = lambda episode: 100.0 + 37 * episode % 11,
    *,
    switch_every: int = 200,
    evaluate: Callable[[int], float] = lambda n: 50.0 + 1 / n,
) -> base.Segment:
    """The last segment of a run, as an estimator is given it.

    Args:
        run: episodes of each segment.
        returns: return of the episode of this index.
        switch_every: the run's.
        evaluate: mean return of n greedy episodes.
    """
    starts = np.cumsum([0, *run])[:-1].tolist()
    curve = np.array([returns(episode) for episode in range(sum(run))], dtype=np.float64)
    return base.Segment(
        architecture=Architecture.parse("2x32-relu"),
        returns=curve[starts[-1] :],
        lengths=np.full(run[-1], 200, np.int64),
        curve=curve,
        starts=tuple(starts),
        switch_every=switch_every,
        evaluate=evaluate,
    )
