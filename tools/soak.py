"""A thousand short runs in one process: does memory stay flat, is every file closed?

    python tools/soak.py                          # docs/figures/soak.csv and .png
    python tools/soak.py --runs 60 --out /tmp/soak

Runs alternate over methods, environments, transfers, optimizers and backends, without a run directory, with one, and
interrupted and resumed. Every 10 runs, after a garbage collection and with the heap's free pages given back, the
resident memory and the open descriptors are noted. Memory is flat if the median of the last tenth of the notes is less
than 1 MB above that of the tenth after the first fifth, in which caches fill and the heap finds its size. The exit code
is 0 if it is, and if no descriptor was left open. Takes about a minute.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import ctypes
import gc
import itertools
import math
import os
import resource
import shutil
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import nasdqn_fast
from nasdqn_fast.events import Event, Played

OUT = Path(__file__).parents[1] / "docs" / "figures" / "soak"
EVERY = 10  # runs between two notes
FLAT = 1_000_000  # bytes
SMALL: dict[str, Any] = {
    "episodes": 8,
    "switch_every": 3,
    "warm_up": 50,
    "batch_size": 16,
    "replay_capacity": 500,
    "max_episode_steps": 40,
    "checkpoint_every": "4",
}
# Every combination of these once in PERIOD runs; with transfers and directories, all comes round in three times that.
WAYS: dict[str, Sequence[Any]] = {
    "method": ("random-nas", "nas-dqn", "fixed-small"),
    "env": ("cartpole", "inverted-pendulum"),
    "optimizer": ("sgd", "adam"),
    "num_envs": (1, 2),
}
PERIOD = math.prod(map(len, WAYS.values()))
TRANSFERS = ("matching", "fresh", "overlap")

Note = tuple[int, int, int]  # runs, resident bytes, open descriptors


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--runs", type=int, default=1_000)
    parser.add_argument("--out", type=Path, default=OUT, help="name without .csv and .png")
    options = parser.parse_args(arguments)

    notes = list(soak(options.runs))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    with options.out.with_suffix(".csv").open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows([("runs", "resident_bytes", "descriptors"), *notes])
    draw(options.out.with_suffix(".png"), notes)
    growth, left = growth_of(notes), notes[-1][2] - notes[0][2]
    print(f"{options.runs} runs: memory grew by {growth / 1e6:.3f} MB, {left} descriptors were left open")
    return int(growth >= FLAT or left != 0)


def soak(runs: int) -> Iterator[Note]:
    """Runs, and notes what the process holds."""
    ways = itertools.cycle(dict(zip(WAYS, way, strict=True)) for way in itertools.product(*WAYS.values()))
    with tempfile.TemporaryDirectory() as folder:
        for n, way in zip(range(1, runs + 1), ways, strict=False):
            turn = n // PERIOD
            # The NumPy twin is slow: one run in each turn is enough to see a leak of it.
            backend = "numpy" if n % PERIOD == 7 else "native"
            transfer = TRANSFERS[(n + turn) % len(TRANSFERS)]
            settings = SMALL | way | {"seed": n, "transfer": transfer, "backend": backend}
            out = Path(folder, "run")
            if turn % 3 == 0:
                nasdqn_fast.train(**settings)
            elif turn % 3 == 1:
                nasdqn_fast.train(**settings, out=out)
            else:
                interrupt_and_resume(settings, out)
            shutil.rmtree(out, ignore_errors=True)
            if n == 3 * PERIOD:  # everything has been imported and compiled
                turn_over_interned_strings()
            if n % EVERY == 0:
                gc.collect()
                give_back()
                yield n, resident_bytes(), len(os.listdir("/dev/fd"))


def interrupt_and_resume(settings: dict[str, Any], out: Path) -> None:
    def stop(event: Event) -> None:
        if isinstance(event, Played):
            raise KeyboardInterrupt

    try:
        nasdqn_fast.train(**settings, out=out, progress=stop)
    except KeyboardInterrupt:
        nasdqn_fast.resume(out)


def turn_over_interned_strings() -> None:
    """Lets Python's table of interned strings double, by a megabyte, as it will do once anyway.

    pathlib interns the names of files. Names that come and go use up the table, and it then takes three times the room
    of the strings that live, which stays enough.
    """
    for i in range(100_000):
        sys.intern(f"soak {i}")


def give_back() -> None:
    """Returns to the system what is free in the heap, of which glibc keeps now more and now less, a megabyte or two."""
    with contextlib.suppress(AttributeError):  # another C library
        ctypes.CDLL(None).malloc_trim(0)


def resident_bytes() -> int:
    """Of this process, now; where the system does not tell, the most so far."""
    if sys.platform != "linux":
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1]) * os.sysconf("SC_PAGE_SIZE")


def growth_of(notes: Sequence[Note]) -> float:
    """Bytes by which the last tenth lies above the tenth after the first fifth."""
    resident, tenth = [note[1] for note in notes], max(1, len(notes) // 10)
    settled = max(len(notes) // 5, 3 * PERIOD // EVERY + 1)  # by then all has been imported and compiled
    return statistics.median(resident[-tenth:]) - statistics.median(resident[settled : settled + tenth])


def draw(path: Path, notes: Sequence[Note]) -> None:
    """Memory and descriptors over the runs."""
    try:
        import matplotlib.figure
    except ModuleNotFoundError:
        print("no figure: pip install 'nasdqn-fast[report]' for matplotlib")
        return
    runs, resident, descriptors = zip(*notes, strict=True)
    figure = matplotlib.figure.Figure(figsize=(8, 4), layout="constrained")
    memory, files = figure.subplots(2, 1, sharex=True, height_ratios=(3, 1))
    memory.plot(runs, [size / 1e6 for size in resident], marker=".")
    settled = statistics.median(resident[len(notes) // 5 :]) / 1e6
    memory.axhspan(settled - 0.5, settled + 0.5, alpha=0.2, label="1 MB around the median")
    memory.set(ylabel="resident memory, MB")
    memory.legend()
    files.plot(runs, descriptors, marker=".")
    files.set(xlabel="runs", ylabel="descriptors", ylim=(0, max(descriptors) + 2))
    for axes in (memory, files):
        axes.grid(alpha=0.3)
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    sys.exit(main())
