"""Whole runs: what one has in memory at most, and two at once in threads beside two in processes."""

from nasdqn_fast.benchmarking.groups import memory, threads

from .common import session

ARCHITECTURES = {capacity: architecture for architecture, capacity in memory.RUNS}


class Run:
    params = (list(ARCHITECTURES),)
    param_names = ("replay_capacity",)

    def track_peak_memory(self, replay_capacity: int) -> float:
        return memory.figure(ARCHITECTURES[replay_capacity], replay_capacity).value

    track_peak_memory.unit = "MB"


class TwoAtOnce:
    def track_threads_to_processes(self) -> float:
        found = threads.figures(session(seconds=2))
        return found[-1].value if found else float("nan")  # asv's way to say that there is none

    track_threads_to_processes.unit = "steps/s of threads : processes"
