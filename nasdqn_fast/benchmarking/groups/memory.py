"""Peak memory of whole runs, each ``nasdqn-fast train`` in a process of its own, from first import to last table."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

import numpy as np

from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import ARCHITECTURES, EPISODE, N_ACTIONS, OBSERVATION_SIZE
from nasdqn_fast.space import Architecture

GROUP = "memory"
ON_REQUEST = True  # whole runs, for as long as they take
RUNS = ((ARCHITECTURES[1], 50_000), (ARCHITECTURES[2], 500_000))  # replay capacity
REPEATS = 3
BASE = 120e6  # bytes: interpreter, NumPy and Numba
ROW = 64  # bytes of a transition in the replay memory, a cache line
COPIES = 4  # of the parameters: network, target, gradient and what an optimizer keeps

_RUN = """
import sys
from nasdqn_fast.benchmarking.peak_memory import peak_memory
from nasdqn_fast.cli import main
code = main(sys.argv[1:])
print(peak_memory())
sys.exit(code)
"""


def figures(session: Session) -> list[Figure]:
    """The largest peak of a few runs; whole runs, however many seconds the session has."""
    return [figure(*run) for run in RUNS]


def figure(architecture: Architecture, capacity: int) -> Figure:
    """Of a run that fills its replay memory and then learns for an episode."""
    run_peak(architecture, capacity)  # compiles the environment, if need be, and computes its optimum
    peaks = np.array([run_peak(architecture, capacity) for _ in range(REPEATS)]) / 1e6
    name = f"{architecture}, replay {capacity:,}"
    return Figure.of(
        GROUP, name, Unit.MEGABYTES, peaks, repeats=REPEATS, disturbed=0, limit=needed(architecture, capacity) / 1e6
    )


def needed(architecture: Architecture, capacity: int) -> float:
    """Bytes that a run should not need many more than."""
    parameters = architecture.parameter_count(OBSERVATION_SIZE, N_ACTIONS)
    return BASE + ROW * capacity + COPIES * 4 * parameters  # float32


def run_peak(architecture: Architecture, capacity: int) -> int:
    """Bytes.

    Raises:
        subprocess.CalledProcessError: the run failed.
    """
    options = {"architecture": architecture, "replay-capacity": capacity, "warm-up": capacity}
    # A state that is saved, as that of a run that ends, is a copy of the replay memory for as long as that takes.
    options |= {"method": "fixed", "episodes": capacity // EPISODE + 1, "checkpoint-every": "never"}
    with tempfile.TemporaryDirectory() as folder:
        given = [f"--{name}={value}" for name, value in (options | {"out": Path(folder, "run")}).items()]
        command = [sys.executable, "-P", "-c", _RUN, "train", *given]
        done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    return int(done.stdout.splitlines()[-1])
