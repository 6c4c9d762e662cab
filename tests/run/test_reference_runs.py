"""Six whole runs come to the bits that are kept of them (tests/data/make_run_hashes.py), on every CPU target here.

On a machine whose NumPy, OpenBLAS or compiler rounds in a way of which nothing is kept, a run is made twice and has to
repeat itself; a warning in the summary says so.
"""

import importlib.util
import warnings
from pathlib import Path

import pytest

from nasdqn_fast._core import cpu

SCRIPT = Path(__file__).parents[1] / "data" / "make_run_hashes.py"
spec = importlib.util.spec_from_file_location("make_run_hashes", SCRIPT)
script = importlib.util.module_from_spec(spec)
spec.loader.exec_module(script)

QUICK = [(run, cpu.available()[-1]) for run in ("adam", "lanes", "overlap")]  # a second each
CASES = [
    pytest.param(run, target, marks=[] if (run, target) in QUICK else pytest.mark.slow, id=f"{run}-{target}")
    for run, targets in script.TARGETS.items()
    for target in targets
]


@pytest.mark.filterwarnings("default:nothing is kept")
@pytest.mark.parametrize(("run", "target"), CASES)
def test_a_run_comes_to_the_bits_that_are_kept(tmp_path, run, target):
    found = script.hashes(run, target, tmp_path / "run")
    expected = script.recorded().get(script.key(target), {}).get(run)
    if expected is None:
        warnings.warn(f"nothing is kept of {run} on {script.key(target)}: {SCRIPT.name} adds it", stacklevel=1)
        expected = script.hashes(run, target, tmp_path / "again")
    assert found == expected


def test_all_is_kept_of_a_machine_or_nothing():
    native = [run for run in script.RUNS if run != "numpy"]
    for key, runs in script.recorded().items():
        assert sorted(runs) == (["numpy"] if key.startswith("numpy backend") else sorted(native))
