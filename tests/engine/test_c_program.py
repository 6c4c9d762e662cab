"""The compiled core without Python: the program of tests/c, which .ci/sanitize runs under sanitizers, by itself."""

import subprocess
import sys
from pathlib import Path

import pytest

from nasdqn_fast._core import cpu

BUILD = Path(__file__).resolve().parents[1] / "c" / "build.py"


@pytest.mark.slow
def test_every_claim_of_the_c_program_holds_and_no_guard_is_touched(tmp_path):
    """Oracle: the textbook's network and optimizers in double precision, and two ways to one result of the loop."""
    program = tmp_path / "program"
    subprocess.run([sys.executable, BUILD, program, "-O1"], check=True)
    run = subprocess.run([program, "--guards"], capture_output=True, text=True)
    assert (run.returncode, run.stderr) == (0, "")
    assert run.stdout.endswith(f"2 threads, 2 agents; {' '.join(cpu.available())}; guards intact\n")
