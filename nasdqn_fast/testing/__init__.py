"""Tests for plug-ins of one's own: inherit a contract class, name the plug-in, run pytest.

    from nasdqn_fast.testing.environments import EnvironmentContract

    class TestMountainCar(EnvironmentContract):
        kernel = plugin

`nasdqn_fast.testing.environments`, `nasdqn_fast.testing.controllers`, `nasdqn_fast.testing.transfers` and
`nasdqn_fast.testing.estimators` hold one contract each.
"""

import pytest

# Without this, a failed assert of a contract would not say what it compared: pytest rewrites test modules only.
CONTRACTS = ("environments", "controllers", "transfers", "estimators")
pytest.register_assert_rewrite(*(f"{__name__}.{contract}" for contract in CONTRACTS))
