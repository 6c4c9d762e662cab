"""10,000 trials of two episodes: under two minutes, and no more memory than their numbers need."""

import os
import resource
import subprocess
import sys
import time

import pytest

for library in ("matplotlib", "scipy"):
    pytest.importorskip(library, reason=f"{library} is not installed: pip install 'nasdqn-fast[report]'")

TRIALS = 10_000
REPORT = """
import resource, sys
from nasdqn_fast.report.page import report
report(sys.argv[1])
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


@pytest.mark.slow
def test_ten_thousand_trials_take_less_than_two_minutes(many):
    folder = many(TRIALS)
    started, used = time.monotonic(), resource.getrusage(resource.RUSAGE_CHILDREN)
    environment = os.environ | {"OMP_NUM_THREADS": "1"}
    finished = subprocess.run(
        [sys.executable, "-P", "-c", REPORT, folder], capture_output=True, text=True, check=True, env=environment
    )
    wall, now = time.monotonic() - started, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = now.ru_utime + now.ru_stime - used.ru_utime - used.ru_stime
    print(f"{TRIALS} trials: {wall:.1f} s, {cpu:.1f} s of CPU time, {int(finished.stdout) / 1024:.0f} MB")
    assert cpu < 120  # of one core, also where others use the machine
    assert int(finished.stdout) < 1024 * 1024  # KB
    with (folder / "episodes.csv").open() as file:
        assert sum(1 for _ in file) == 2 * TRIALS + 1
