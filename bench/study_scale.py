"""What a trial of a study costs beside its training: many trials of two episodes, in threads, shards and on Dask.

    python bench/study_scale.py --trials 10000

Prints one row for each way: milliseconds of wall time and of processor time a trial, of it training, peak memory of the
process that hands out the trials after a tenth of them and at the end, and files and bytes a trial. docs/scale.md holds
what it printed. Every way is a process of its own; --folder says on which file system.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import nasdqn_fast
from nasdqn_fast.study.study import Study

SETTINGS: dict[str, Any] = {
    "methods": ["random-nas"],
    "tasks": ["cartpole"],
    "episodes": 2,
    "switch_every": 1,
    "warm_up": 10,
    "batch_size": 4,
    "architectures": ("1x8-relu", "1x16-tanh"),
}
WAYS = ("threads", "shards", "dask")


def peak() -> float:
    """Peak memory of this process, MB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def one(out: Path, trials: int, **how: Any) -> dict[str, float]:
    """Runs a study in this process; seconds, and peak memory after a tenth and at the end."""
    early: list[float] = []

    def look(progress: Any) -> None:
        if not early and progress.ended >= progress.trials / 10:
            early.append(peak())

    started, used = time.perf_counter(), time.process_time()
    nasdqn_fast.experiment(**SETTINGS, seeds=trials, out=out, progress=look, **how)
    seconds = {"seconds": time.perf_counter() - started, "processor": time.process_time() - used}
    return seconds | {"early": early[0] if early else peak(), "peak": peak()}


def apart(out: Path, trials: int, **how: Any) -> subprocess.Popen[str]:
    """The same in a process of its own, which prints it."""
    arguments = json.dumps({"out": str(out), "trials": trials, **how})
    return subprocess.Popen([sys.executable, __file__, "--one", arguments], stdout=subprocess.PIPE, text=True)


def measured(process: subprocess.Popen[str]) -> dict[str, float]:
    """What such a process printed."""
    text, _ = process.communicate()
    if process.returncode:
        raise SystemExit(process.returncode)
    result: dict[str, float] = json.loads(text.splitlines()[-1])
    return result


def run(way: str, out: Path, trials: int) -> dict[str, float]:
    """Runs a study that way."""
    if way == "threads":
        return measured(apart(out, trials))
    if way == "shards":
        shards = len(os.sched_getaffinity(0))
        started = time.perf_counter()
        ended = [measured(p) for p in [apart(out, trials, threads=1, shard=f"{k + 1}/{shards}") for k in range(shards)]]
        whole = {key: max(shard[key] for shard in ended) for key in ("early", "peak")}
        processor = sum(shard["processor"] for shard in ended)
        return whole | {"seconds": time.perf_counter() - started, "processor": processor}
    import distributed

    with distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=":0") as cluster:
        used = time.process_time()  # the scheduler's, which is in this process
        found = measured(apart(out, trials, scheduler=cluster.scheduler_address))
        print(f"scheduler: {(time.process_time() - used) / trials * 1000:.2f} ms a trial", file=sys.stderr)
        return found


def row(way: str, out: Path, trials: int) -> str:
    """A row of the table in docs/scale.md."""
    found = run(way, out, trials)
    study = Study.open(out)
    assert study.is_complete
    training = sum(study.summary(trial)["seconds"]["train"] for trial in study.trials())
    files = [path.stat() for path in (out / "trials").rglob("*") if path.is_file()]
    per = 1000 / trials
    return (
        f"| {way} | {found['seconds'] * per:.1f} ms | {found['processor'] * per:.1f} ms | {training * per:.2f} ms "
        f"| {found['early']:.0f} MB, {found['peak']:.0f} MB | {len(files) / trials:.0f} files, "
        f"{sum(file.st_size for file in files) / trials / 1024:.1f} kB |"
    )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--trials", type=int, default=10_000)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=WAYS)
    parser.add_argument("--folder", type=Path, help="where to write; a temporary folder if not given")
    parser.add_argument("--one", help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.one:
        arguments = json.loads(given.one)
        print(json.dumps(one(Path(arguments.pop("out")), arguments.pop("trials"), **arguments)))
        return
    print("| way | wall time | processor time | of it training | memory after a tenth, at the end | on the disk |")
    print("|---|---|---|---|---|---|")
    for way in given.ways:
        folder = Path(tempfile.mkdtemp(dir=given.folder))
        try:
            print(row(way, folder / "study", given.trials), flush=True)
        finally:
            shutil.rmtree(folder)


if __name__ == "__main__":
    main()
