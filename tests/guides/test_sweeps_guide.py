"""docs/sweeps.md: its example, run as a script."""

import re
import subprocess
import sys
from pathlib import Path

import nasdqn_fast

PAGE = Path(__file__).parents[2] / "docs" / "sweeps.md"


def test_the_example_prints_both_runs(tmp_path):
    (script,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    (tmp_path / "sweep.py").write_text(script)
    command = [sys.executable, "sweep.py"]
    finished = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    means = [nasdqn_fast.train("fixed-small", env="cartpole", seed=s, episodes=20).mean_return for s in range(2)]
    assert finished.stdout == f"0 {means[0]}\n1 {means[1]}\n"
