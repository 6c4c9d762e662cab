"""The native engine: what `nasdqn_fast.reference` has under the same names, on compiled kernels."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from nasdqn_fast import engine
    from nasdqn_fast.engine.agent import DQNAgent
    from nasdqn_fast.engine.ensemble import DQNEnsemble
    from nasdqn_fast.engine.network import QNetwork
    from nasdqn_fast.engine.optimizer import Optimizer
    from nasdqn_fast.engine.population import DQNPopulation
    from nasdqn_fast.engine.protocol import Engine
    from nasdqn_fast.engine.replay import ReplayBuffer
    from nasdqn_fast.engine.supernet import DQNSupernet

    _IS_ONE: Engine = engine  # mypy's proof

# Found on first use: the settings in this folder, which --help shows, are read without the engine.
_WHERE = {
    "DQNAgent": "agent",
    "DQNEnsemble": "ensemble",
    "DQNPopulation": "population",
    "DQNSupernet": "supernet",
    "Optimizer": "optimizer",
    "QNetwork": "network",
    "ReplayBuffer": "replay",
}
__all__ = ["DQNAgent", "DQNEnsemble", "DQNPopulation", "DQNSupernet", "Optimizer", "QNetwork", "ReplayBuffer"]


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_WHERE[name]}"), name)
