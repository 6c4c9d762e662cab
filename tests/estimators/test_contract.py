"""The contract, over every estimator in the folder, with its defaults and with one episode."""

import itertools

import numpy as np
import pytest

from nasdqn_fast import plugins
from nasdqn_fast.testing.estimators import EstimatorContract


class TestEveryEstimator(EstimatorContract):
    @pytest.fixture(autouse=True, params=itertools.product(plugins.names("estimators"), ({}, {"episodes": 1})), ids=str)
    def _choose(self, request):
        self.estimator, self.options = request.param


class Counting:
    """Keeps what a resumed run has not."""

    def __init__(self):
        self.calls = 0

    def __call__(self, segment):
        self.calls += 1
        return float(self.calls)


def drawing(segment):
    return np.random.random()  # noqa: NPY002


def writing(segment):
    segment.returns[:] = 0.0
    return 0.0


BROKEN = [
    (Counting, "test_the_score_depends_on_the_segment_alone", [(3,)]),
    (drawing, "test_nothing_is_drawn_from_global_generators", []),
    (writing, "test_the_segment_is_left_alone", [(3,)]),
]


@pytest.mark.parametrize(("plugin", "test", "arguments"), BROKEN)
def test_the_contract_finds_what_breaks_it(plugin, test, arguments):
    contract = EstimatorContract()
    contract.estimator = plugin
    with pytest.raises(AssertionError):
        getattr(contract, test)(*arguments)
