"""The contract, over every estimator in the folder, with its defaults and with one episode."""

import itertools

import pytest

from nasdqn_fast import plugins
from nasdqn_fast.testing.estimators import EstimatorContract


class TestEveryEstimator(EstimatorContract):
    @pytest.fixture(autouse=True, params=itertools.product(plugins.names("estimators"), ({}, {"episodes": 1})), ids=str)
    def _choose(self, request):
        self.estimator, self.options = request.param
