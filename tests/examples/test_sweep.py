"""examples/sweep.py on a tiny budget: both pools give what the main process would."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

import nasdqn_fast

SCRIPT = Path(__file__).parents[2] / "examples" / "sweep.py"


@pytest.mark.quick_only(pool=[])
@pytest.mark.parametrize("pool", [[], ["--pool"]], ids=["executor", "pool"])
def test_it_trains_the_grid_in_worker_processes(pool):
    command = [sys.executable, str(SCRIPT), "--rates", "1e-3", "1e-2", "--seeds", "1", "--episodes", "8", *pool]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.findall(r"learning_rate (\S+): (\S+) ±", finished.stdout) == [
        (f"{rate:g}", f"{here(rate):.1f}") for rate in (1e-3, 1e-2)
    ]


def here(rate):
    result = nasdqn_fast.train("fixed-small", env="cartpole", episodes=8, learning_rate=rate, warm_up=100)
    return result.episodes.returns.mean()


def test_bad_input_is_one_line():
    command = [sys.executable, str(SCRIPT), "--seeds", "0"]
    finished = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (2, "sweep.py: seeds must be an integer >= 1; got 0\n")
