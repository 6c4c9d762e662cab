"""Learning curves of Stable-Baselines3, CleanRL and RL Zoo's settings beside ours, and whether they are the same.

    python bench/parity.py record --cleanrl CHECKOUT --out runs/originals   # hours; resumes where it was stopped
    python bench/parity.py ours --out runs/ours
    python bench/parity.py compare --originals runs/originals --ours runs/ours

`record` needs stable-baselines3, tyro, tensorboard and, for CleanRL's script, gymnasium==0.29.1.
"""

from __future__ import annotations

import argparse
import itertools
import os
import sys
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))
for _threads in ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"):
    os.environ.setdefault(_threads, "1")  # read when NumPy and torch are imported

from learning_curves import runs  # noqa: E402


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    commands = parser.add_subparsers(dest="command", required=True)

    record = commands.add_parser("record", help="train the originals")
    record.add_argument("--cleanrl", type=Path, help="a checkout of CleanRL; without it, its cases are left out")
    record.add_argument("--seeds", type=int, default=20, help="0 to one less")
    _shared(record)

    options = parser.parse_args(arguments)
    options.out.mkdir(parents=True, exist_ok=True)
    _train(options)


def _shared(parser: argparse.ArgumentParser) -> None:
    names = [case.name for case in runs.CASES]
    parser.add_argument("--cases", nargs="+", choices=names, default=names, metavar="CASE", help=", ".join(names))
    parser.add_argument("--workers", type=int, default=2, help="processes")
    parser.add_argument("--out", type=Path, required=True, help="folder for the runs; those in it are kept")


def _train(options: argparse.Namespace) -> None:
    cases = [case for case in runs.CASES if case.name in options.cases]
    if options.cleanrl is None:
        cases = [case for case in cases if case.profile != "cleanrl"]
    wanted = [
        (case, seed)
        for case, seed in itertools.product(cases, range(options.seeds))
        if not runs.path(options.out, case, seed).exists()
    ]
    with ProcessPoolExecutor(options.workers) as pool:
        done = [pool.submit(_original, case, seed, options.cleanrl, options.out) for case, seed in wanted]
        for future in done:
            print(future.result(), flush=True)


def _original(case: runs.Case, seed: int, cleanrl: Path | None, out: Path) -> str:
    from learning_curves import originals

    run = originals.train(case, seed, cleanrl)
    run.save(runs.path(out, case, seed))
    clock = time.strftime("%H:%M:%S")
    return f"{clock} {case.name} seed {seed}: greedy {run.greedy.mean():.1f}, {run.cpu:.1f} s of CPU time"


if __name__ == "__main__":
    main()
