"""examples/five_agents.py on a tiny budget."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "five_agents.py"


@pytest.mark.slow
def test_it_runs_every_agent_and_ends_with_the_directory(tmp_path):
    command = [sys.executable, str(SCRIPT), "--seeds", "2", "--episodes", "60", "--out", "here"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    *table, last = finished.stdout.splitlines()
    assert last == "here"
    rows = [line for line in table if re.match(r"(fixed-\w+|random-nas|nas-dqn) ", line)]
    assert len(rows) == 5
    assert all("(0 of 2)" in row for row in rows)  # nobody learns to balance in 60 episodes
    runs = list((tmp_path / "here").glob("*/summary.json"))
    assert len(runs) == 10


@pytest.mark.quick_only(arguments=["--seeds", "0"])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--seeds", "0"], "seeds must be an integer >= 1; got 0"),
        (["--episodes", "-1"], "episodes must be an integer >= 1; got -1"),
        (["--out", "used"], "the output directory 'used' exists and is not empty; choose another"),
    ],
)
def test_bad_input_is_one_line(tmp_path, arguments, message):
    (tmp_path / "used").mkdir()
    (tmp_path / "used" / "mine").touch()
    command = [sys.executable, str(SCRIPT), *arguments]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (finished.returncode, finished.stderr) == (2, f"five_agents.py: {message}\n")
    assert [path.name for path in tmp_path.iterdir()] == ["used"]
