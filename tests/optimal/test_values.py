"""Backward induction: the compiled sweep against itself uncompiled, kept tables against plain induction."""

import numpy as np
import pytest

from nasdqn_fast.optimal.grid import Grid
from nasdqn_fast.optimal.sweep import compiled_sweep, sweep
from nasdqn_fast.optimal.values import Values

GRID = Grid(6, 5, 2.0)


@pytest.fixture
def random_mdp():
    """Next states (30, 2, 2) and rewards (30, 2) without any meaning."""
    rng = np.random.default_rng(0)
    return rng.uniform([-np.pi, -2], [np.pi, 2], size=(30, 2, 2)), rng.normal(size=(30, 2))


def induction(next_states, rewards, horizon):
    """V_T ... V_0 by NumPy, every table kept."""
    tables = [np.zeros(35)]
    for _ in range(horizon):
        values = (rewards + GRID.interpolate(tables[-1], next_states)).max(axis=1)
        tables.append(np.concatenate([values, values[:5]]))
    return tables[::-1]


def test_the_compiled_sweep_is_the_plain_one(random_mdp):
    next_states, rewards = random_mdp
    later = np.random.default_rng(1).normal(size=35)
    plain, compiled = np.empty(35), np.empty(35)
    sweep(later, *GRID.locate(next_states), rewards, 5, plain)
    compiled_sweep()(later, *GRID.locate(next_states), rewards, 5, compiled)
    np.testing.assert_allclose(compiled, plain, rtol=1e-14)


@pytest.mark.parametrize("horizon", [1, 2, 3, 4, 10, 16, 17])
def test_tables_that_were_not_kept_are_recomputed(random_mdp, horizon):
    values, expected = Values(GRID, *random_mdp, horizon), induction(*random_mdp, horizon)
    order = [*range(horizon + 1), *np.random.default_rng(0).permutation(horizon + 1).tolist()]
    for t in order:
        np.testing.assert_allclose(values.at(t), expected[t], rtol=1e-12, atol=1e-12)


def test_only_about_two_square_roots_of_the_tables_are_held(random_mdp):
    values = Values(GRID, *random_mdp, 100)
    values.at(55)
    assert len(values._kept) + len(values._block) <= 21
