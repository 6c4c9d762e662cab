"""The Pareto front. Oracle: its definition, point against point."""

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast.statistics.pareto import pareto_front

POINTS = st.lists(st.tuples(st.integers(0, 6), st.integers(-5, 5)), min_size=1, max_size=30)


@given(points=POINTS)
def test_it_is_what_no_other_point_dominates(points):
    costs, values = np.array(points, float).T
    expected = [
        not any(c <= cost and v >= value and (c < cost or v > value) for c, v in points) for cost, value in points
    ]
    assert pareto_front(costs, values).tolist() == expected


def test_what_is_unknown_is_on_no_front():
    costs, values = np.array([1.0, np.nan, 2.0, 3.0]), np.array([1.0, 9.0, np.nan, 2.0])
    assert pareto_front(costs, values).tolist() == [True, False, False, True]


def test_a_front_of_nothing_is_empty():
    assert pareto_front(np.empty(0), np.empty(0)).tolist() == []
