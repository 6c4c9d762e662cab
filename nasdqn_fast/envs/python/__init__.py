"""Environments that are stepped in Python: those of Gymnasium, or of anybody who has its interface.

Everything else stays compiled: `nasdqn_fast._core.python_lanes` calls `Play` or `VectorPlay` from the training loop,
and converts what it returns.
"""

from nasdqn_fast.envs.python.environment import PythonEnvironment
from nasdqn_fast.envs.python.kernel import PythonKernel
from nasdqn_fast.envs.python.lookup import kernel_named, kernel_of, named_kernel
from nasdqn_fast.envs.python.play import Play
from nasdqn_fast.envs.python.vector_play import VectorPlay

__all__ = ["Play", "PythonEnvironment", "PythonKernel", "VectorPlay", "kernel_named", "kernel_of", "named_kernel"]
