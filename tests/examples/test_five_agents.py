"""examples/five_agents.py on a tiny budget."""

import re
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "examples" / "five_agents.py"


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
