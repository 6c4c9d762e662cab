"""The learning curve of a run."""

import numpy as np
import pytest

from nasdqn_fast.search.curve import LearningCurve
from nasdqn_fast.types import Episodes


def episodes(*returns):
    values = np.array(returns, dtype=np.float64)
    return Episodes(values, values.astype(np.int64), values, values)


def test_episodes_are_joined_in_order_whenever_it_is_asked():
    curve = LearningCurve()
    assert (curve.returns().dtype, curve.lengths().dtype) == (np.float64, np.int64)
    assert len(curve.returns()) == 0
    curve.append(episodes(1, 2))
    assert curve.returns().tolist() == [1, 2]
    curve.append(episodes(3))
    curve.append(episodes(4, 5))
    assert curve.returns().tolist() == curve.lengths().tolist() == [1, 2, 3, 4, 5]


def test_nobody_can_write_to_it():
    curve, given = LearningCurve(), episodes(1, 2)
    curve.append(given)
    given.returns[:] = 7.0
    before = curve.returns()
    with pytest.raises(ValueError, match="read-only"):
        before[0] = 3.0
    given.returns[:] = 9.0
    assert curve.returns().tolist() == [7.0, 7.0]
