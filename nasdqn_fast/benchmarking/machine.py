"""The machine a report comes from, and the quiet that can be had on it: one core, one thread."""

from __future__ import annotations

import contextlib
import functools
import os
import platform
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

from nasdqn_fast._core import cpu
from nasdqn_fast.run.provenance import build_facts

# Read by their libraries when these are loaded: too late to set once NumPy is imported.
ONE_THREAD = dict.fromkeys(
    ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "VECLIB_MAXIMUM_THREADS", "NUMBA_NUM_THREADS"), "1"
)
BUSY_LOAD = 0.5  # runnable processes a core, before we add ours


@contextlib.contextmanager
def one_thread() -> Iterator[None]:
    """Processes started within have `ONE_THREAD` in their environment."""
    before = {name: os.environ.get(name) for name in ONE_THREAD}
    os.environ |= ONE_THREAD
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@functools.cache
def cores() -> tuple[int, ...]:
    """The cores that this process was given, whatever `pin` has made of them since."""
    if hasattr(os, "sched_getaffinity"):
        return tuple(sorted(os.sched_getaffinity(0)))
    return tuple(range(os.cpu_count() or 1))


def pin() -> str:
    """Keeps this process, and what it starts, on the last core that it may use; says what was done."""
    if not hasattr(os, "sched_setaffinity"):
        return "not pinned: this system has no call for it"
    core = max(cores())
    os.sched_setaffinity(0, {core})
    return f"pinned to core {core}"


def describe(pinned: str) -> dict[str, str]:
    """Processor, CPU target, threads and versions.

    Args:
        pinned: what `pin` said.
    """
    threads = " ".join(f"{name}={os.environ.get(name, 'not set')}" for name in ONE_THREAD)
    cores = f"{cpu_name()}, {os.cpu_count()} cores, {pinned}"
    return {
        "processor": cores,
        "fma_units": fma_units(),
        "threads": threads,
        "load_before": f"{_load():.2f}",
    } | build_facts()


def fma_units() -> str:
    """What kind of core this is: the rate of multiply-adds in 512-bit vectors beside that in 256-bit ones."""
    if not {"avx2", "avx512"} <= set(cpu.available()):
        return "no AVX-512"
    before, rates = cpu.current(), {}
    try:
        for target in ("avx2", "avx512"):
            cpu.select(target)
            rates[target] = max(_flop_rate() for _ in range(20))
    finally:
        cpu.select(before)
    ratio = rates["avx512"] / rates["avx2"]
    return f"{'two' if ratio > 1.5 else 'one'} of 512 bits: {ratio:.2f} times the rate of 256-bit vectors"


def _flop_rate() -> float:
    started = time.perf_counter()
    flop = cpu.peak(20_000)
    return flop / (time.perf_counter() - started)


def busy_before() -> str | None:
    """A warning if others had much to do before we began."""
    load, cores = _load(), os.cpu_count() or 1
    if load <= BUSY_LOAD * cores:
        return None
    return f"the machine was busy before: load average {load:.1f} on {cores} cores"


def cpu_name() -> str:
    """As the system calls it."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return _mac_cpu_name() or platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.machine()


def _mac_cpu_name() -> str:
    try:
        asked = subprocess.run(["sysctl", "-n", "machdep.cpu.brand_string"], capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return ""
    return asked.stdout.strip()


def _load() -> float:
    """Runnable processes, mean of the last minute."""
    return os.getloadavg()[0]
