"""The contract, over every controller in the folder."""

import pytest

from nasdqn_fast import plugins
from nasdqn_fast.testing.controllers import ControllerContract

# What a controller cannot do without.
OPTIONS = {"fixed": {"architecture": "3x64-relu"}}


class TestEveryController(ControllerContract):
    @pytest.fixture(autouse=True, params=plugins.names("controllers"))
    def _choose(self, request):
        self.controller = request.param
        self.options = OPTIONS.get(request.param, {})
