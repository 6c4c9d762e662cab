"""A run that is killed at any instant, and resumed, is the run left alone: 20 of the script's 200."""

import re
import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.slow
def test_killed_runs_come_to_the_same_bits(tmp_path):
    command = [sys.executable, str(Path(__file__).parents[2] / "tools" / "kill_and_resume.py"), "--kills", "20"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stderr) == (0, "")
    assert re.search(r"^20 kills in \d+ runs; 0 runs differ from those left alone$", done.stdout, re.MULTILINE)
