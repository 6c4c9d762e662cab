"""Kendall's tau. Oracle: SciPy's."""

import numpy as np
import pytest

from nasdqn_fast.statistics.ranks import kendall


@pytest.mark.parametrize("n", [2, 5, 27])
@pytest.mark.parametrize("values", [3, 1000])
def test_it_is_scipys_with_and_without_ties(n, values):
    stats = pytest.importorskip("scipy.stats")
    rng = np.random.default_rng(n)
    a, b = rng.integers(values, size=(2, 40, n)).astype(float)
    a[:, 0], b[:, 0] = -1, -2  # not all of a sample are equal
    expected = [stats.kendalltau(x, y).statistic for x, y in zip(a, b, strict=True)]
    np.testing.assert_allclose(kendall(a, b), expected)
    np.testing.assert_allclose(kendall(a, b[0]), [stats.kendalltau(x, b[0]).statistic for x in a])


def test_what_orders_nothing_agrees_with_nothing():
    assert kendall(np.ones(5), np.arange(5)) == 0.0
