"""The NumPy twin of the native engine: the same signatures, plus ``dtype``.

Obvious code that reads like the paper's equations and is never optimised: the oracle of the native
backend, and a backend of its own.
"""

from nasdqn_fast.reference.agent import DQNAgent
from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.reference.optimizer import Optimizer
from nasdqn_fast.reference.replay import ReplayBuffer

__all__ = ["DQNAgent", "Optimizer", "QNetwork", "ReplayBuffer"]
