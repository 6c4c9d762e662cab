"""The spread of a table. Oracle: numbers whose spread is known."""

import numpy as np
import pytest

from nasdqn_fast.study.table.spread import choice, spread

SEEDS = (*range(50), *range(1000, 1050))


def test_spread_finds_the_deviations_that_the_numbers_were_drawn_with(invented):
    """Between 40 and within 25, in 200 architectures and 100 seeds: the estimates are within some per cent."""
    rng = np.random.default_rng(0)
    means = rng.normal(0, 40, (200, 1, 1))
    returns = np.rint(means + rng.normal(0, 25, (200, 100, 1)))
    found = spread(invented(returns, SEEDS, evaluated_after=()), "task", "area")
    assert found.signal == pytest.approx(40, rel=0.1)
    assert found.within == pytest.approx(25, rel=0.03)
    assert found.between == pytest.approx(np.hypot(found.signal, found.within / 10))
    assert found.reliability == pytest.approx(40**2 / (40**2 + 25**2), abs=0.05)
    assert str(found.best) == f"1x{returns.mean(axis=1).argmax() + 1}-relu"
    assert (found.highest, found.lowest) == (returns.mean(axis=1).max(), returns.mean(axis=1).min())


def test_chance_alone_is_no_signal(invented):
    rng = np.random.default_rng(1)
    found = spread(invented(np.rint(rng.normal(0, 25, (100, 100, 1))), SEEDS, evaluated_after=()), "task", "final")
    assert found.between > 1.5, "the means differ by chance"
    assert found.signal < 1.0
    assert found.reliability < 0.01


def test_the_smallest_architecture_that_is_as_good_is_named(invented):
    """Means 0, 99, 100 with a standard error of 1 each: the second is one, not the first."""
    deviations = np.tile([-10.0, 10.0], 50)
    returns = np.repeat(np.array([0, 99, 100])[:, None, None] + deviations[None, :, None], 3, axis=2)
    returns[:, :, 0] -= 100  # the first episode, before anything is learned
    found = choice(invented(returns, SEEDS, evaluated_after=()), "task", 3)
    assert (str(found.best), str(found.smallest)) == ("1x3-relu", "1x2-relu")
    assert found.error == pytest.approx(10 / np.sqrt(99), rel=1e-6)


def test_failures_are_runs_that_came_less_than_half_of_the_way(invented):
    """From 0 to 90 on average; one run of ten of the best, and all of the other, stay at 0."""
    returns = np.zeros((2, 100, 200))
    returns[1, :90, 100:] = 100
    found = choice(invented(returns, SEEDS, evaluated_after=()), "task", 200)
    assert (found.mean, found.failures, found.failures_of_all) == (90.0, 0.1, pytest.approx(0.55))
