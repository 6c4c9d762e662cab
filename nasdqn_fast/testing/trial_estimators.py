"""What every trial estimator must do, as tests to inherit: give a subclass its name.

    class TestMine(TrialEstimatorContract):
        estimator = "mypackage.mine:plugin"
        options = {"episodes": 10}

Needs pytest.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, ClassVar

import numpy as np
import pytest

from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.testing.randomness import global_generators
from nasdqn_fast.trial_estimators import base
from nasdqn_fast.types import Batch, Cost, Proposal, Result

SPACE = SearchSpace.grid((1, 2), (4, 8), ("relu", "tanh"))
SIZES = (3, 2)  # observation, actions


class TrialEstimatorContract:
    """Inherit it in a class whose name begins with ``Test``.

    Attributes:
        estimator: name of a trial estimator, ``module:attribute``, or the plug-in itself.
        options: its options, by name.
    """

    estimator: Any
    options: ClassVar[Mapping[str, Any]] = {}

    def scores(self, episodes: int = 40, returns: Callable[[Architecture], np.ndarray] | None = None) -> list[float]:
        """Of a search that tries every architecture twice."""
        made = base.make(self.estimator, self.options)
        return [result.score for result in run_trials(made, [*SPACE, *SPACE], episodes, returns)]

    @pytest.mark.parametrize("episodes", [1, 2, 40, 500])
    def test_every_trial_has_a_finite_score(self, episodes: int) -> None:
        for score in self.scores(episodes):
            assert type(score) is float
            assert np.isfinite(score)

    @pytest.mark.parametrize("level", [0.0, -1e9, 1e9])
    def test_equal_returns_of_any_size_have_finite_scores(self, level: float) -> None:
        assert np.isfinite(self.scores(returns=lambda architecture: np.full(1000, level))).all()

    def test_the_score_depends_on_the_trial_alone(self) -> None:
        """A search that is resumed makes it anew, which then has to give the scores that it would have given."""
        used, score = base.make(self.estimator, self.options), None
        for result in (results := run_trials(used, list(SPACE))):
            score = result.score
        anew = base.make(self.estimator, self.options)
        assert base.apply(anew, make_trial(SPACE[-1], results[:-1])) == score

    def test_nothing_is_drawn_from_global_generators(self) -> None:
        before = global_generators()
        self.scores()
        assert global_generators() == before


def curve_of(architecture: Architecture) -> np.ndarray:
    """float64 (1000,): returns that climb at a pace, and to a level, of the architecture's own."""
    size = architecture.parameter_count(*SIZES) + 20 * (architecture.activation == "tanh")
    noise = np.random.default_rng(size).normal(0, 3, 1000)
    return 100 - 5000 / (np.arange(1000) + size) + noise


def make_trial(
    architecture: Architecture,
    earlier: Sequence[Result] = (),
    episodes: int = 40,
    returns: Callable[[Architecture], np.ndarray] | None = None,
    trained: Callable[[int, int | None], object] = lambda episodes, parent: None,
) -> base.Trial:
    """A trial as a trial estimator is given it, whose training is a table look-up.

    Args:
        architecture: of the trial.
        earlier: the trials before it.
        episodes: of full training.
        returns: architecture -> what training it would give, as long as needed; None: `curve_of`.
        trained: told of each training, and its parent.
    """
    curve = (returns or curve_of)(architecture)

    def train(n: int, parent: int | None) -> base.Trained:
        trained(n, parent)
        return base.Trained(curve[:n], float(curve[:n][-100:].mean()))

    def transitions(n: int) -> Batch:
        rng = np.random.default_rng(0)
        observations = rng.normal(size=(2, n, SIZES[0])).astype(np.float32)
        ends = rng.random((2, n)) < 0.05
        rewards = rng.random(n).astype(np.float32)
        return Batch(observations[0], rng.integers(SIZES[1], size=n), rewards, observations[1], *ends)

    return base.Trial(
        number=len(earlier) + 1,
        architecture=architecture,
        space=SPACE,
        earlier=tuple(earlier),
        episodes=episodes,
        settings=AgentSettings(),
        train=train,
        network=lambda draw: QNetwork(architecture, *SIZES, draw, dtype=np.float64),
        transitions=transitions,
    )


def run_trials(
    estimator: Any,
    architectures: Sequence[Architecture],
    episodes: int = 40,
    returns: Callable[[Architecture], np.ndarray] | None = None,
) -> list[Result]:
    """The trials of a search that proposes these architectures.

    Args:
        estimator: as `nasdqn_fast.trial_estimators.base.make` returns it.
        architectures: in order.
        episodes, returns: as for `make_trial`.
    """
    results: list[Result] = []
    for architecture in architectures:
        told: list[tuple[int, int | None]] = []
        score = base.apply(estimator, make_trial(architecture, results, episodes, returns, _noting(told)))
        seen = (returns or curve_of)(architecture)[: told[-1][0] if told else 0]
        results.append(Result(Proposal(architecture, "turn"), architecture, score, seen, Cost(0, 0, 0, 0)))
    return results


def _noting(told: list[tuple[int, int | None]]) -> Callable[[int, int | None], object]:
    return lambda n, parent: told.append((n, parent))
