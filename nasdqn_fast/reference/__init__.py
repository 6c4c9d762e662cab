"""The NumPy twin of the native engine: the same signatures, plus ``dtype``.

Obvious code that reads like the paper's equations and is never optimized: the oracle of the native
backend, and a backend of its own.
"""

from typing import TYPE_CHECKING

from nasdqn_fast.reference.agent import DQNAgent
from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.reference.optimizer import Optimizer
from nasdqn_fast.reference.population import DQNEnsemble, DQNPopulation
from nasdqn_fast.reference.replay import ReplayBuffer
from nasdqn_fast.reference.supernet import DQNSupernet

if TYPE_CHECKING:
    from nasdqn_fast import reference
    from nasdqn_fast.engine.protocol import Engine

    _IS_ONE: Engine = reference  # mypy's proof

__all__ = ["DQNAgent", "DQNEnsemble", "DQNPopulation", "DQNSupernet", "Optimizer", "QNetwork", "ReplayBuffer"]
