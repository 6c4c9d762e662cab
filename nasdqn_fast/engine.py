"""The native engine: what `nasdqn_fast.reference` has under the same names, on compiled kernels."""

from nasdqn_fast.agent import DQNAgent
from nasdqn_fast.network import QNetwork
from nasdqn_fast.optimizer import Optimizer
from nasdqn_fast.replay import ReplayBuffer

__all__ = ["DQNAgent", "Optimizer", "QNetwork", "ReplayBuffer"]
