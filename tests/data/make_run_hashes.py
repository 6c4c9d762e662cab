"""Keeps, in run_hashes.json, what six whole runs come to: hashes of their files, by all that the bits depend on.

    python tests/data/make_run_hashes.py             # adds the hashes of this machine to those that are kept
    python tests/data/make_run_hashes.py numpy       # those of some runs only
    python tests/data/make_run_hashes.py --replace   # after a change of results that is meant, and in the changelog

The runs are those of the installation whose Python this is. The bits of a native run depend on the CPU target (avx2
and avx512 fuse multiply-adds where the baseline cannot), on the compiler, and on NumPy's float32 functions, of which
the initial weights are made; its vector and its plain code round differently. The NumPy backend depends on NumPy and
on the kernels that OpenBLAS has chosen, but not on the CPU target. What NumPy and OpenBLAS do is probed, not named:
a recorded key is met by every machine on which they compute the same.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import platform
import subprocess
import sys
import tempfile
from pathlib import Path

os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")  # read when NumPy is imported; other threads only make it slower

import numpy as np

from nasdqn_fast import QNetwork
from nasdqn_fast._core import cpu

FILE = Path(__file__).with_name("run_hashes.json")
RUNS = {
    "nas-dqn": "--method nas-dqn --seed 1 --episodes 450",
    "overlap": "--method random-nas --seed 2 --env cartpole --episodes 200 --switch-every 40 --transfer overlap",
    "adam": "--method fixed-medium --seed 3 --optimizer adam --episodes 60",
    "lanes": "--method fixed --architecture 64,32-tanh --seed 4 --num-envs 4 --episodes 100",
    "numpy": "--method nas-dqn --seed 1 --backend numpy --episodes 20 --switch-every 5",
    "truncated": "--method nas-dqn --horizon-is truncated --updates-per-step 2 --seed 6 --episodes 210",
}
TARGETS = {run: [None] if run == "numpy" else cpu.available() for run in RUNS}

Hashes = dict[str, str]


def key(target: str | None) -> str:
    """What the bits of a run depend on, on this machine.

    Args:
        target: CPU target of a native run; None of one with the NumPy backend.
    """
    if target is None:
        return f"numpy backend, functions {_functions()}, products {_products()}"
    return f"{platform.machine()} {target}, {_compiler()}, functions {_functions()}"


def hashes(run: str, target: str | None, folder: Path) -> Hashes:
    """File -> hash, of a run made in a process of its own.

    Args:
        run: a key of `RUNS`.
        target: CPU target, or None to leave that to the process.
        folder: for the run; must not exist.
    """
    command = [Path(sys.executable).with_name("nasdqn-fast"), "train", *RUNS[run].split(), "--out", folder]
    environment = os.environ | ({"NASDQN_FAST_CPU": target} if target else {})
    subprocess.run(command, env=environment, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    found = {name: _hash((folder / name).read_bytes()) for name in ("episodes.csv", "architectures.jsonl")}
    QNetwork.load(folder / "network.safetensors").save(folder / "network.npz")
    with np.load(folder / "network.npz", allow_pickle=False) as arrays:  # the form of the file that was hashed first
        parts = [(name, arrays[name]) for name in sorted(arrays.files)]
    return found | {"network.npz": _hash(*(part for name, array in parts for part in (name.encode(), *_parts(array))))}


def recorded() -> dict[str, dict[str, Hashes]]:
    """Key -> run -> file -> hash."""
    return json.loads(FILE.read_text(encoding="utf-8")) if FILE.exists() else {}


def _hash(*parts: bytes) -> str:
    return hashlib.sha256(b"".join(parts)).hexdigest()[:16]


def _parts(array: np.ndarray) -> tuple[bytes, bytes]:
    return f"{array.dtype.str} {array.shape}".encode(), array.tobytes()


def _functions() -> str:
    """The hash of what NumPy's functions of float32 that make initial weights give."""
    x = np.random.default_rng(0).random(4096, np.float32)
    x[0] = np.float32(2**-24)
    results = (np.log(x), np.sqrt(x), np.sin(np.float32(2 * np.pi) * x), np.cos(np.float32(2 * np.pi) * x))
    return _hash(*(result.tobytes() for result in results))[:8]


def _products() -> str:
    """The hash of matrix products as the NumPy backend makes them, and of tanh."""
    rng = np.random.default_rng(0)
    results = [np.tanh(8 * rng.random(4096, np.float32) - 4)]
    for n_in, n_out in ((3, 32), (32, 32), (64, 64), (128, 128), (128, 3)):
        w, x, one = (rng.random(shape, np.float32) for shape in ((n_in, n_out), (64, n_in), (1, n_in)))
        y = x @ w
        results += [y, one @ w, one[0] @ w, x.T @ y, y @ w.T]
    return _hash(*(result.tobytes() for result in results))[:8]


def _compiler() -> str:
    core = Path(cpu.__file__).read_bytes()
    return next((name for name, mark in (("clang", b"clang version"), ("gcc", b"GCC: (")) if mark in core), "cc")


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("runs", nargs="*", choices=[*RUNS, []], metavar="RUN", help="of the six; all if none is named")
    parser.add_argument("--replace", action="store_true", help="where other hashes are kept; otherwise an error")
    arguments = parser.parse_args()
    kept = recorded()
    with tempfile.TemporaryDirectory() as scratch:
        for run in arguments.runs or RUNS:
            for target in TARGETS[run]:
                found = hashes(run, target, Path(scratch) / f"{run}-{target}")
                of_key = kept.setdefault(key(target), {})
                if of_key.get(run, found) != found and not arguments.replace:
                    sys.exit(f"{run} on {key(target)}: other bits than are kept; --replace is for results that changed")
                of_key[run] = found
                print(f"{run} on {key(target)}")
    FILE.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
