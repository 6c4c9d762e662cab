"""bench/transfers.py on a tiny budget."""

import csv
import importlib.util
import subprocess
import sys
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "bench" / "transfers.py"
SWITCHES = ["--sources", "2x32-relu", "--transfers", "matching,net2net", "--train", "2", "--after", "1"]
RUNS = ["--episodes", "2", "--widths", "4", "--settings", "adam"]


def measure(folder, *options):
    command = [sys.executable, SCRIPT, "--seeds", "1", "--jobs", "1", "--out", "here/transfers", *options]
    finished = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    assert finished.stdout.splitlines()[-1] == str(Path("here/transfers"))
    tables = ((folder / "here" / f"transfers_{name}.csv").read_text().splitlines() for name in ("switch", "runs"))
    return [list(csv.DictReader(table)) for table in tables]


def test_it_writes_a_row_a_switch_and_a_row_a_run_and_measures_neither_again(tmp_path):
    switches, runs = measure(tmp_path, *SWITCHES, *RUNS, "--parts", "switch,runs,figure")
    assert len(switches) == 4 * 2  # four changes of this source, two transfers
    grown = [row for row in switches if row["transfer"] == "net2net" and row["change"] in ("widen", "deepen")]
    assert all(row["before"] == row["after"] for row in grown)
    assert {(row["method"], row["transfer"]) for row in runs} == {
        ("random-nas", "distill"),
        ("nas-dqn", "distill"),
        ("random-nas", "matching"),
        ("fixed", ""),
    }
    assert all(len(row["curve"].split()) == 2 for row in runs)
    assert (tmp_path / "here" / "transfers.png").exists() == bool(importlib.util.find_spec("matplotlib"))
    assert measure(tmp_path, *SWITCHES, *RUNS, "--parts", "switch,runs") == [switches, runs]
    more = [*SWITCHES[:2], "--transfers", "net2net,fresh", *SWITCHES[4:]]
    again, _ = measure(tmp_path, *more, "--parts", "switch")
    assert [row for row in again if row["transfer"] != "fresh"] == switches  # times included: none was measured again
    assert len([row for row in again if row["transfer"] == "fresh"]) == 4
