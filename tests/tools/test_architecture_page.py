"""The page that answers which architecture to take: it is what the table's own choice says."""

import subprocess
import sys
from pathlib import Path

import pytest

from nasdqn_fast import Table
from nasdqn_fast.study.table.plan import Plan
from nasdqn_fast.study.table.spread import choice
from nasdqn_fast.study.table.tabulate import tabulate

TOOL = Path(__file__).parents[2] / "tools" / "architecture_page.py"


@pytest.mark.slow
def test_the_page_has_a_row_for_each_task_and_budget(tmp_path):
    plan = Plan(("cartpole",), ("1x4-relu", "1x8-tanh"), 2, 120, learner={"warm_up": 100})
    table = Table.load(tabulate(tmp_path, plan).table)
    written = subprocess.run([sys.executable, TOOL, tmp_path], capture_output=True, text=True, check=True).stdout
    for episodes in (100, 120):
        take = choice(table, "cartpole", episodes)
        assert f"| `cartpole` | {episodes} | {take.best} | {take.mean:.1f} ± {take.error:.1f} | {take.smallest} |" in (
            written
        )
    assert written.count("| `cartpole` |") == 2 + 3
