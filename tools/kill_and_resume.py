"""Kills runs with SIGKILL at random instants and resumes them until they end.

    python tools/kill_and_resume.py --kills 200

Every run is compared, byte for byte, with one of the same settings that was left alone. Instants are uniform over
the time that a run takes from its first statement to its last, so that they meet the making of the directory,
training, switches, checkpoints (one an episode, to meet many) and the final files. A run that was resumed may be
killed again. Takes about half a second a kill; the last line says how many there were, and the exit code is 0 if no
run differed.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import multiprocessing
import os
import random
import shutil
import sys
import tempfile
import time
import warnings
from pathlib import Path
from typing import Any

import nasdqn_fast
from nasdqn_fast.errors import InputError

SMALL = {
    "episodes": 24,
    "switch_every": 5,
    "warm_up": 200,
    "batch_size": 16,
    "max_episode_steps": 60,
    "replay_capacity": 2_000,
    "checkpoint_every": "1",
}
KINDS: list[dict[str, Any]] = [
    {"method": "random-nas", "env": "inverted-pendulum"},
    {"method": "nas-dqn", "env": "cartpole", "optimizer": "adam", "num_envs": 3, "estimator": "greedy"},
    {"method": "nas-dqn", "env": "inverted-pendulum", "transfer": "overlap", "replay_keep_which": "random"},
    {"method": "fixed-medium", "env": "cartpole"},
]
# Forked: a process of its own that has imported everything, so that the instants fall into the run.
FORK = multiprocessing.get_context("fork")


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--kills", type=int, default=200)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    instants, stages = random.Random(arguments.seed), collections.Counter[str]()
    runs = different = 0
    with tempfile.TemporaryDirectory() as folder:
        wholes = [Whole(Path(folder, f"whole-{i}"), SMALL | kind) for i, kind in enumerate(KINDS)]
        while stages.total() < arguments.kills:
            whole, out = wholes[runs % len(wholes)], Path(folder, f"run-{runs}")
            stages.update(kill_until_finished(whole, out, instants, arguments.kills - stages.total()))
            runs += 1
            if contents(out) != contents(whole.out):
                different += 1
                print(f"run {runs} ({whole.settings}) differs from the one left alone", file=sys.stderr)
            shutil.rmtree(out)
    print(", ".join(f"{count} {stage}" for stage, count in sorted(stages.items())))
    print(f"{stages.total()} kills in {runs} runs; {different} runs differ from those left alone")
    return int(different > 0)


class Whole:
    """A run left alone, and how long it takes."""

    def __init__(self, out: Path, settings: dict[str, Any]) -> None:
        self.out, self.settings = out, settings
        nasdqn_fast.train(**settings)  # compiles, and computes the optimum
        started = time.monotonic()
        nasdqn_fast.train(**settings, out=out)
        self.seconds = time.monotonic() - started


def kill_until_finished(whole: Whole, out: Path, instants: random.Random, most: int) -> collections.Counter[str]:
    """Begins a run, kills it at most so many times, and counts what there was to find after each kill."""
    stages: collections.Counter[str] = collections.Counter()
    while True:
        process = FORK.Process(target=go_on, args=(whole.settings, out))
        process.start()
        # No end if nothing is left to kill: the process is waited for.
        process.join(instants.uniform(0, whole.seconds) if stages.total() < most else None)
        if process.exitcode is None:
            process.kill()
            process.join()
            stages[stage(out)] += 1
        elif process.exitcode == 0:
            return stages
        else:
            raise SystemExit(f"a resumed run ended with exit code {process.exitcode}")


def go_on(settings: dict[str, Any], out: Path) -> None:
    """What a user does after a crash: resumes, or begins where there is nothing yet to resume."""
    warnings.simplefilter("ignore")  # that it starts over
    try:
        if (out / "config.toml").exists():
            nasdqn_fast.resume(out)
        else:
            nasdqn_fast.train(**settings, out=out)
    except InputError as error:
        print(error, file=sys.stderr)
        os._exit(2)


def stage(out: Path) -> str:
    """How far a run had come."""
    with contextlib.suppress(OSError, ValueError, KeyError):
        if json.loads((out / "summary.json").read_text())["status"] == "finished":
            return "after the summary"
    if any((out / "checkpoints").glob("*.npz")):
        return "between or in checkpoints"
    return "before the first checkpoint" if (out / "config.toml").exists() else "before the config"


def contents(run: Path) -> dict[str, Any]:
    """All files, but for checkpoints and the times in the summary."""
    files: dict[str, Any] = {path.name: path.read_bytes() for path in run.iterdir() if path.is_file()}
    summary = json.loads(files["summary.json"])
    del summary["seconds"], summary["search_share"]
    return files | {"summary.json": summary}


if __name__ == "__main__":
    sys.exit(main())
