"""The contract, over every transfer in the folder and both backends."""

import itertools

import pytest

from nasdqn_fast import plugins
from nasdqn_fast.testing.transfers import TransferContract


class TestEveryTransfer(TransferContract):
    @pytest.fixture(
        autouse=True, params=itertools.product(plugins.names("transfers"), ("native", "numpy")), ids="-".join
    )
    def _choose(self, request):
        self.transfer, self.backend = request.param
