"""The contract, over every transfer in the folder, both backends and both optimizers."""

import itertools

import pytest

from nasdqn_fast import plugins
from nasdqn_fast.testing.transfers import TransferContract


class TestEveryTransfer(TransferContract):
    @pytest.fixture(
        autouse=True,
        params=itertools.product(plugins.names("transfers"), ("native", "numpy"), ("sgd", "adam")),
        ids="-".join,
    )
    def _choose(self, request):
        self.transfer, self.backend, self.optimizer = request.param
