"""bench/curves.py on a tiny budget."""

import csv
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[2] / "bench" / "curves.py"


@pytest.mark.quick_only(clock=["--processor-time"])
@pytest.mark.parametrize("clock", [[], ["--processor-time"]], ids=["wall", "processor"])
def test_it_writes_a_row_a_network_and_ends_with_the_table(tmp_path, clock):
    options = ["--widths", "4,5", "--depths", "1,2", "--seconds", "0", "--out", "here/curves", *clock]
    finished = subprocess.run(
        [sys.executable, SCRIPT, *options], cwd=tmp_path, capture_output=True, text=True, check=True
    )
    *notes, last = finished.stdout.splitlines()
    assert Path(last) == Path("here/curves.csv")
    rows = list(csv.DictReader((tmp_path / last).read_text().splitlines()))
    assert [(row["depth"], row["width"]) for row in rows] == [("1", "4"), ("1", "5"), ("2", "4"), ("2", "5")]
    assert all(float(row["steps_per_second"]) > 0 and float(row["roofline_share"]) > 0 for row in rows)
    # A figure, or where matplotlib is not installed, a note.
    assert (tmp_path / "here" / "curves.png").exists() != bool(notes)
