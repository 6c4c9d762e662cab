"""Every test of a transfer runs on the networks of both backends."""

import pytest


@pytest.fixture(params=["native", "numpy"])
def backend(request):
    return request.param
