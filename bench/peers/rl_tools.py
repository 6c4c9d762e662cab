"""rl_tools (C++, header-only): a Double DQN with Adam over its network operations, the whole loop compiled by g++.

Its BLAS back end is OpenBLAS, of the wheel scipy-openblas32. Layer sizes are template arguments, so that each
architecture is compiled anew, once; the library is kept in the user's cache. All widths must be the same.
"""

from __future__ import annotations

import ctypes
import functools
import hashlib
import importlib.metadata
import importlib.util
import os
import shutil
import subprocess
import tempfile
import weakref
from pathlib import Path

import numpy as np
import scipy_openblas32

from nasdqn_fast.space import Architecture
from nasdqn_fast.storage import cache
from peers import _pendulum, _setting

COMPILER = os.environ.get("CXX", "g++")
SOURCE = Path(__file__).with_suffix(".cpp")
# Those of rl_tools' own interface; FMA and reordered sums are why loss and gradient differ from ours in the last bits.
FLAGS = ("-std=c++17", "-O3", "-march=native", "-ffast-math", "-fPIC")
ACTIVATIONS = {"relu": "RELU", "tanh": "TANH"}
OPENBLAS = {
    "RL_TOOLS_BACKEND_ENABLE_OPENBLAS": "",
    "RL_TOOLS_DISABLE_UNALIGNED_MEMORY_ALLOCATIONS": "",
    "cblas_sgemm": "scipy_cblas_sgemm",  # the wheel's names
    "cblas_dgemm": "scipy_cblas_dgemm",
}
CONSTANTS = {
    "BATCH": _setting.BATCH,
    "CAPACITY": _setting.CAPACITY,
    "HORIZON": _setting.HORIZON,
    "TARGET_EVERY": _setting.TARGET_EVERY,
    "GAMMA": _setting.GAMMA,
    "CLIP": _setting.CLIP,
    "EXPLORATION": _setting.EPSILON,
    "ADAM_LEARNING_RATE": _setting.ADAM_LEARNING_RATE,
    "ADAM_BETA_1": _setting.ADAM_BETA_1,
    "ADAM_BETA_2": _setting.ADAM_BETA_2,
    "ADAM_EPSILON": _setting.ADAM_EPSILON,
    "START": float(_pendulum.START),
    "GRAVITY": float(_pendulum.GRAVITY),
    "DT": float(_pendulum.DT),
    "MAX_OMEGA": float(_pendulum.MAX_OMEGA),
    "MAX_TORQUE": float(_pendulum.MAX_TORQUE),
    "TORQUE_COST": float(_pendulum.TORQUE_COST),
}

_spec = importlib.util.find_spec("rltools")  # to import it would compile nothing, but asks for pybind11
if _spec is None or not _spec.submodule_search_locations:
    raise ModuleNotFoundError("No module named 'rltools'", name="rltools")
if shutil.which(COMPILER) is None:  # as good as missing: the peer is passed over
    raise ModuleNotFoundError(f"no C++ compiler {COMPILER!r}", name=COMPILER)
INCLUDE = Path(_spec.submodule_search_locations[0]) / "external" / "rl_tools" / "include"


class Training(_setting.CheckedTraining):
    description = (
        f"rl_tools' network operations on OpenBLAS {importlib.metadata.version('scipy-openblas32')}, the whole loop "
        f"compiled by {COMPILER} {' '.join(FLAGS[1:4])}, subnormal numbers flushed"
    )
    version = importlib.metadata.version("rltools")
    optimizers = ("adam",)

    def __init__(self, architecture: Architecture, seed: int, optimizer: str = "adam") -> None:
        self.check(architecture, optimizer)
        rng = np.random.default_rng(seed)
        self.returns: list[float] = []
        self._compiled = _compiled(architecture)
        filling = _setting.random_transitions(rng)
        memory = np.column_stack(
            [
                filling.observations,
                filling.next_observations,
                filling.rewards,
                filling.discounts,
                filling.actions.astype(np.float32),
            ]
        )
        parameters = _setting.initial_parameters(architecture, rng)
        self._training = ctypes.c_void_p(self._compiled.peer_new(parameters, memory, int(rng.integers(2**63))))
        weakref.finalize(self, self._compiled.peer_delete, self._training)

    @classmethod
    def supports(cls, architecture: Architecture) -> bool:
        """Whether the layers are of one width, and the activation is one that rl_tools has."""
        return len(set(architecture.widths)) == 1 and architecture.activation in ACTIVATIONS

    def run(self, steps: int) -> None:
        returns = np.empty(steps // _setting.HORIZON + 1)
        ended = self._compiled.peer_run(self._training, steps, returns)
        self.returns += returns[:ended].tolist()

    def loss_and_gradient(
        self, parameters: np.ndarray, observations: np.ndarray, actions: np.ndarray, targets: np.ndarray
    ) -> tuple[float, np.ndarray]:
        gradient = np.empty_like(parameters)
        loss = self._compiled.peer_loss_and_gradient(
            self._training, parameters, len(observations), observations, actions, targets, gradient
        )
        return loss, gradient

    def take_steps(self, parameters: np.ndarray, gradients: np.ndarray) -> np.ndarray:
        parameters = parameters.copy()
        self._compiled.peer_take_steps(self._training, parameters, len(gradients), gradients)
        return parameters


@functools.cache
def _compiled(architecture: Architecture) -> ctypes.CDLL:
    """The library of an architecture, compiled at its first use.

    Raises:
        RuntimeError: the compiler refuses, with what it says.
    """
    macros = CONSTANTS | OPENBLAS | {"DEPTH": len(architecture.widths), "WIDTH": architecture.widths[0]}
    macros |= {"ACTIVATION": ACTIVATIONS[architecture.activation]}
    blas = scipy_openblas32.get_lib_dir()
    compiling = [COMPILER, *FLAGS, f"-I{INCLUDE}", *(f"-D{name}={value}" for name, value in macros.items())]
    # Linked apart: with -ffast-math, the loaded library would flush subnormal numbers in the whole process.
    linking = [COMPILER, "-shared", f"-L{blas}", f"-Wl,-rpath,{blas}"]
    said = repr((SOURCE.read_text(), compiling, linking, Training.version, Training.description, _processor()))
    folder = cache.directory() / "peers"
    folder.mkdir(parents=True, exist_ok=True)
    kept = folder / f"rl_tools-{hashlib.sha256(said.encode()).hexdigest()[:16]}.so"
    if not kept.exists():
        with tempfile.TemporaryDirectory(dir=folder) as room:
            compiled, linked = Path(room) / "peer.o", Path(room) / "peer.so"
            _run([*compiling, "-c", str(SOURCE), "-o", str(compiled)])
            _run([*linking, str(compiled), "-lscipy_openblas", "-o", str(linked)])
            linked.replace(kept)
    library = ctypes.CDLL(str(kept))
    floats, longs, doubles = (
        np.ctypeslib.ndpointer(dtype, flags="C_CONTIGUOUS") for dtype in (np.float32, np.int64, np.float64)
    )
    training, long = ctypes.c_void_p, ctypes.c_int64
    library.peer_new.restype, library.peer_new.argtypes = training, [floats, floats, ctypes.c_uint64]
    library.peer_delete.restype, library.peer_delete.argtypes = None, [training]
    library.peer_run.restype, library.peer_run.argtypes = long, [training, long, doubles]
    library.peer_loss_and_gradient.restype = ctypes.c_float
    library.peer_loss_and_gradient.argtypes = [training, floats, long, floats, longs, floats, floats]
    library.peer_take_steps.restype, library.peer_take_steps.argtypes = None, [training, floats, long, floats]
    return library


def _processor() -> str:
    """What -march=native means here."""
    said = [COMPILER, "-march=native", "-E", "-dM", "-x", "c++", os.devnull]
    return subprocess.run(said, capture_output=True, text=True, check=True).stdout


def _run(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise RuntimeError(f"{COMPILER} does not compile {SOURCE.name}:\n{done.stderr}")
