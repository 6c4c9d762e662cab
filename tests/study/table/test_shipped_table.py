"""The table that ships with the package."""

import json

import numpy as np

from nasdqn_fast import Table, train
from nasdqn_fast.run.provenance import build_facts
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.study.table import file as table_file
from nasdqn_fast.study.table.lookup import DATA
from nasdqn_fast.study.table.plan import Cell, Plan

TASKS = ("uniform", "hanging", "cartpole")


def test_it_has_the_papers_space_with_the_settings_of_the_plan():
    table, plan = Table.load(), Plan(TASKS)
    assert list(table.tasks) == list(TASKS)
    assert list(table.space) == list(SearchSpace.grid((2, 3, 4), (32, 64, 128), ("relu", "tanh", "leaky_relu")))
    for task in TASKS:
        assert len(table.search_seeds(task)) == len(table.final_seeds(task)) == 3
        assert table.settings(task) == plan.settings(task)


def test_training_repeats_a_row():
    """To the bit with the instructions and the NumPy that made it; everywhere until the first update."""
    cell = Cell("cartpole", "2x32-relu", 1001)
    row = Table.load().trajectory(cell.architecture, cell.task, cell.seed)
    result = train(config=Plan(TASKS).config(cell))
    returns = result.episodes.returns
    before = int(np.searchsorted(np.cumsum(result.episodes.lengths), 1_000))
    assert before > 20
    np.testing.assert_array_equal(returns[:before], row.returns[:before])
    made_by, here = json.loads(str(table_file.load(DATA / "paper.npz")["builds"][0])), build_facts()
    if all(here[name] == made_by[name] for name in ("cpu_target", "numpy", "numpy_simd")):
        np.testing.assert_array_equal(returns, row.returns)
        np.testing.assert_array_equal(result.episodes.lengths, row.lengths)
