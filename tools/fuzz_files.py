"""Damages every kind of file that the command reads, and demands that the command copes.

    python tools/fuzz_files.py --cases 2000 --seed 0

Each case is a command line in a process of its own, with one file damaged: cut, flipped, spliced, sizes in headers
blown up, numbers replaced, or, where a file has no digest, written anew with other contents. It must end in time and
within its memory, by no signal, with exit code 0, or 1 or 2 and one line on stderr, warnings apart. A run that a
damaged config made long may be ended by SIGTERM, with 143, but must end then. Prints what became of each kind of
file; the exit code is 0 if nothing was wrong.
A case is repeated by ``--only CASE`` with the same seed.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import multiprocessing
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import damage
import numpy as np

import nasdqn_fast
from nasdqn_fast.benchmarking import report
from nasdqn_fast.benchmarking.figure import Figure, Unit
from nasdqn_fast.cli import main as nasdqn_fast_command
from nasdqn_fast.events import Played
from nasdqn_fast.optimal import ceiling

PATIENCE, GRACE = 20.0, 10.0  # s until SIGTERM, and from then to SIGKILL; a sound case takes less than 0.1 s
BUSY = 10  # times as long is waited for a process that gets no processor
LONG = 1.0  # s until SIGTERM where a file may ask for a long run
MEMORY = 1 << 30  # bytes of address space that a case may take beyond what it starts with
RESIDENT = 300 << 10  # KiB by which the peak of a case may exceed that of the one undamaged
FORK = multiprocessing.get_context("fork")
SMALL = {
    "episodes": 8,
    "switch_every": 3,
    "architectures": ["1x4-relu", "5,3-tanh", "4,4-leaky_relu"],
    "warm_up": 10,
    "batch_size": 4,
    "target_every": 20,
    "replay_capacity": 150,
    "max_episode_steps": 20,
    "checkpoint_every": "1",
}
RUNS: list[dict[str, Any]] = [
    {"method": "nas-dqn", "env": "cartpole", "optimizer": "adam", "num_envs": 2, "controller_epsilon_start": 0.1},
    {"method": "random-nas", "env": "inverted-pendulum", "backend": "numpy", "optimizer": "adam"},
    {"method": "random-nas", "env": "inverted-pendulum", "transfer": "overlap"},
]


class Kind:
    """A kind of file.

    Args:
        pattern: of its name, below the folder of a case.
        command: of the command line; ``RUN`` stands for the run directory.
        alter: writes it anew with other contents; None for files with a digest, and for plain bytes.
        long: a damaged one may ask for a long run.
    """

    def __init__(
        self,
        pattern: str,
        command: str,
        alter: Callable[[bytes, random.Random], bytes] | None = None,
        *,
        long: bool = False,
    ) -> None:
        self.pattern, self.command, self.alter, self.long = pattern, command, alter, long

    def damaged(self, content: bytes, rng: random.Random) -> bytes:
        if self.alter is not None and rng.random() < 0.7:
            return self.alter(content, rng)
        return damage.damaged(content, rng)


KINDS = {
    "network": Kind("RUN/network.safetensors", "evaluate RUN --episodes 1", damage.altered_safetensors),
    "network of an earlier version": Kind("EARLIER/network.npz", "evaluate EARLIER --episodes 1", damage.altered_npz),
    "checkpoint": Kind("RUN/checkpoints/*.npz", "resume RUN"),
    "config of a new run": Kind(
        "RUN/config.toml", "train --config RUN/config.toml --out NEW", damage.renumber, long=True
    ),
    "config, resumed": Kind("RUN/config.toml", "resume RUN", damage.renumber, long=True),
    "config, evaluated": Kind("RUN/config.toml", "evaluate RUN --episodes 1", damage.renumber, long=True),
    "summary": Kind("RUN/summary.json", "resume RUN", damage.altered_json),
    "episodes": Kind("RUN/episodes.csv", "resume RUN"),
    "architectures": Kind("RUN/architectures.jsonl", "resume RUN"),
    "report": Kind("report.json", "bench --compare report.json other.json", damage.altered_json),
    "cache of the optimum": Kind("cache/optimal_*.json", "evaluate RUN --episodes 1", damage.altered_json),
    "cache of environments": Kind("cache/*.o", "evaluate RUN --episodes 1"),
    "Numba's cache": Kind("cache/**/*.nb?", "evaluate RUN --episodes 1"),
}


def prepare(folder: Path) -> list[Path]:
    """A folder for each run, with all that a command may read; fills the caches first."""
    folders = []
    for i, run in enumerate(RUNS):
        place = folder / f"sound-{i}"
        os.environ["NASDQN_FAST_CACHE_DIR"] = str(place / "cache")
        nasdqn_fast.envs._compiler.compile.forget()
        place.mkdir()
        left = 5

        def stop(event: Any) -> None:
            nonlocal left
            left -= isinstance(event, Played)
            if left == 0:
                raise KeyboardInterrupt

        with contextlib.suppress(KeyboardInterrupt):
            nasdqn_fast.train(**SMALL | run, out=place / "RUN", progress=stop)
        _newest, *older = sorted((place / "RUN" / "checkpoints").iterdir(), reverse=True)
        for path in older:
            path.unlink()  # nothing to fall back to
        (place / "EARLIER").mkdir()
        shutil.copy(place / "RUN" / "config.toml", place / "EARLIER")
        nasdqn_fast.QNetwork.load(place / "RUN" / "network.safetensors").save(place / "EARLIER" / "network.npz")
        rng = np.random.default_rng(i)
        for name in ("report.json", "other.json"):
            figures = tuple(
                Figure.of("forward", f"case {j}", unit, rng.random(9) + 1, repeats=10, disturbed=1, limit=0.5)
                for j, unit in enumerate(Unit)
            )
            report.save(place / name, report.Report({"processor": "x", "cpu_target": "y"}, 1e9, figures, ("busy",)))
        folders.append(place)
    return folders


class Ended:
    """How a command ended.

    Args:
        code: exit code; negative for a signal.
        errors: what it wrote to stderr.
        seconds: how long it took.
        peak: of its resident memory, KiB.
        terminated: it was sent SIGTERM.
    """

    def __init__(self, code: int, errors: str, seconds: float, peak: int, terminated: bool) -> None:
        self.code, self.errors, self.seconds, self.peak, self.terminated = code, errors, seconds, peak, terminated

    def complaint(self, long: bool, sound_peak: int) -> str | None:
        """What is wrong with that; None if nothing is."""
        lines = self.errors.splitlines()
        said = [line for line in lines if not line.startswith("nasdqn-fast: warning: ")]
        if self.code < 0:
            return f"killed by {signal.Signals(-self.code).name}" + (" for it had hung" if self.terminated else "")
        if self.terminated and not (long and self.code == 143):
            return f"took {self.seconds:.0f} s"
        if self.code not in (0, 1, 2, 143):
            return f"exit code {self.code}"
        if len(said) != (self.code != 0) or not all(line.startswith("nasdqn-fast: ") for line in said):
            return f"exit code {self.code} with {len(said)} lines on stderr"
        if self.peak > sound_peak + RESIDENT:
            return f"took {(self.peak - sound_peak) >> 10} MiB"
        return None

    def outcome(self) -> str:
        return {0: "went on", 1: "failed in one line", 2: "refused in one line", 143: "long, ended by SIGTERM"}[
            self.code
        ]


def run_command(arguments: list[str], folder: Path, wait: float) -> Ended:
    """Runs the command in a process of its own, forked so that nothing need be imported again."""
    started, terminated = time.monotonic(), False
    process = FORK.Process(target=_child, args=(arguments, folder))
    process.start()
    _join(process, wait)
    if process.exitcode is None:
        terminated = True
        process.terminate()
        _join(process, GRACE)
    if process.exitcode is None:
        process.kill()
        process.join()
    errors, peak = (folder / "stderr").read_text(errors="replace"), folder / "peak"
    return Ended(
        process.exitcode or 0,
        errors,
        time.monotonic() - started,
        int(peak.read_text()) if peak.exists() else 0,
        terminated,
    )


def _join(process: multiprocessing.process.BaseProcess, seconds: float) -> None:
    """Waits until it has ended, or so long has passed and it has had a processor for half of it."""
    started, before = time.monotonic(), _ran(process)
    while process.exitcode is None:
        waited = time.monotonic() - started
        if waited >= BUSY * seconds or (waited >= seconds and _ran(process) - before >= 0.5 * seconds):
            return
        process.join(min(0.1, seconds))


def _ran(process: multiprocessing.process.BaseProcess) -> float:
    """Processor time that it has had, s; where the system does not tell, the time that passes."""
    try:
        fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return time.monotonic()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _child(arguments: list[str], folder: Path) -> None:
    os.chdir(folder)
    for name, descriptor in (("stdout", 1), ("stderr", 2)):
        os.dup2(os.open(name, os.O_WRONLY | os.O_CREAT, 0o600), descriptor)
    sys.stdout, sys.stderr = open(1, "w", closefd=False), open(2, "w", closefd=False)  # noqa: SIM115
    os.environ["NASDQN_FAST_CACHE_DIR"] = str(folder / "cache")
    nasdqn_fast.envs._compiler.compile.forget()
    if sys.platform == "linux":
        now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
        resource.setrlimit(resource.RLIMIT_AS, (now + MEMORY, now + MEMORY))
    code = 70
    try:
        code = nasdqn_fast_command(arguments)
    except BaseException:
        traceback.print_exc()
    (folder / "peak").write_text(str(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss))
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(code)


class Fuzzer:
    """Cases over sound folders; each a copy of one with one damaged file.

    Args:
        folder: to work in.
        seed: a case depends on it and on its number only.
    """

    def __init__(self, folder: Path, seed: int) -> None:
        self.folder, self.seed = folder, seed
        self.sound = prepare(folder)
        self.peaks: dict[tuple[str, Path], int] = {}

    def case(self, number: int, name: str) -> tuple[Ended, str | None]:
        """How it ended, and what is wrong with that."""
        rng, kind = random.Random(f"{self.seed} {number}"), KINDS[name]
        sound = rng.choice([place for place in self.sound if any(place.glob(kind.pattern))])
        place = self.folder / "case"
        shutil.copytree(sound, place)
        victim = rng.choice(sorted(place.glob(kind.pattern)))
        victim.write_bytes(kind.damaged(victim.read_bytes(), rng))
        ended = run_command(kind.command.split(), place, LONG if kind.long else PATIENCE)
        shutil.rmtree(place)
        return ended, ended.complaint(kind.long, self._peak(kind.command, sound))

    def _peak(self, command: str, sound: Path) -> int:
        """Of the command with nothing damaged; which must go well."""
        if (command, sound) not in self.peaks:
            place = self.folder / "whole"
            shutil.copytree(sound, place)
            ended = run_command(command.split(), place, PATIENCE)
            if ended.code != 0:
                raise SystemExit(f"{command} of sound files ended with {ended.code}: {ended.errors}")
            shutil.rmtree(place)
            self.peaks[command, sound] = ended.peak
        return self.peaks[command, sound]


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cases", type=int, default=2000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", type=int, help="run this case alone, and show what it says")
    parser.add_argument("--kind", choices=KINDS, help="damage this kind of file alone")
    arguments = parser.parse_args()
    # The finest grid takes seconds; that a damaged cache is computed again shows on any.
    ceiling.POINTS, ceiling.COARSE_POINTS, ceiling.ROLLOUTS = (24, 15), (12, 9), 10
    names = [arguments.kind] if arguments.kind else list(KINDS)
    outcomes: dict[str, collections.Counter[str]] = {name: collections.Counter() for name in names}
    wrong = 0
    with tempfile.TemporaryDirectory() as folder:
        fuzzer = Fuzzer(Path(folder), arguments.seed)
        for case in range(arguments.cases) if arguments.only is None else [arguments.only]:
            name = names[case % len(names)]
            ended, complaint = fuzzer.case(case, name)
            outcomes[name]["WRONG" if complaint else ended.outcome()] += 1
            if complaint or arguments.only is not None:
                wrong += complaint is not None
                print(f"case {case} ({name}): {complaint or ended.outcome()}\n{ended.errors[-2000:]}", file=sys.stderr)
    for name, counts in outcomes.items():
        print(f"{name}: {', '.join(f'{count} {what}' for what, count in sorted(counts.items()))}")
    print(f"{sum(map(collections.Counter.total, outcomes.values()))} damaged files; {wrong} were not coped with")
    return int(wrong > 0)


if __name__ == "__main__":
    sys.exit(main())
