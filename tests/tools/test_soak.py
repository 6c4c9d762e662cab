"""Many runs in one process: a short soak."""

import re
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "tools" / "soak.py"


@pytest.mark.slow
def test_memory_is_flat_and_every_file_closed(tmp_path):
    command = [sys.executable, str(SCRIPT), "--runs", "200", "--out", str(tmp_path / "soak")]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout + done.stderr
    assert re.search(
        r"^200 runs: memory grew by -?\d\.\d+ MB, 0 descriptors were left open$", done.stdout, re.MULTILINE
    )
    notes = (tmp_path / "soak.csv").read_text().splitlines()
    assert (notes[0], len(notes)) == ("runs,resident_bytes,descriptors", 21)
