"""examples/cleanrl_dqn.py runs as it is, long enough to update."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "examples" / "cleanrl_dqn.py"

pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'nasdqn-fast[sb3]'")
pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed: pip install 'nasdqn-fast[sb3]'")


@pytest.mark.parametrize("env_id", ["cartpole", "inverted-pendulum"])
def test_it_trains(env_id):
    command = [sys.executable, str(SCRIPT), "--env-id", env_id, "--total-timesteps", "5000"]
    finished = subprocess.run(command, capture_output=True, text=True, check=True)
    assert re.fullmatch(r"global_step=5000, episodic_return=-?[\d.]+\n", finished.stdout)
