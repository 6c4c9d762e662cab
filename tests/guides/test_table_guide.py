"""docs/table.md: its Python runs on a small table, and its table of arrays is that of the file."""

import re
from pathlib import Path

import numpy as np
import pytest

from nasdqn_fast.study.table.plan import Plan
from nasdqn_fast.study.table.tabulate import tabulate

PAGE = (Path(__file__).parents[2] / "docs" / "table.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A folder with a table of the guide's task and architecture, and another one."""
    folder = tmp_path_factory.mktemp("guide")
    plan = Plan(("hanging",), ("2x32-relu", "3x64-relu"), 2, episodes=3, evaluate_every=1, evaluate_episodes=1)
    tabulate(folder / "table", plan)
    return folder


def test_ten_lines_of_numpy_read_what_the_package_reads(folder, monkeypatch, capsys):
    (reader,) = [block for block in BLOCKS if "np.load" in block]
    assert len([line for line in reader.splitlines() if line]) <= 10
    monkeypatch.chdir(folder)
    exec(compile(reader, "table.md", "exec"), {})
    from nasdqn_fast import Table

    table = Table.load("table")
    lines = [line.split() for line in capsys.readouterr().out.splitlines()]
    assert [(int(seed), float(score)) for seed, score in lines] == [
        (seed, pytest.approx(table.query("3x64-relu", "hanging", seed).score)) for seed in (0, 1000)
    ]


def test_searching_and_queries_run_in_turn_on_the_table_that_ships(capsys):
    names = {}
    search, queries = (block for block in BLOCKS if "search_table" in block or "CostMeter" in block)
    for block in (search, queries):
        exec(compile(block, "table.md", "exec"), names)
    assert names["meter"].steps == 600 * 400
    printed = capsys.readouterr().out
    assert printed.startswith(f"{names['found'].best} {names['found'].final_score} ")
    assert str(names["table"].optimum("hanging")) in printed


def test_other_libraries_run(folder, monkeypatch, capsys):
    pytest.importorskip("optuna").logging.set_verbosity(40)
    pytest.importorskip("ConfigSpace")
    monkeypatch.chdir(folder)
    (others,) = [block for block in BLOCKS if "optuna" in block]
    exec(compile('import nasdqn_fast\ntable = nasdqn_fast.Table.load("table")\n' + others, "table.md", "exec"), {})
    assert "x" in capsys.readouterr().out


def test_every_array_is_described(folder):
    described = re.findall(r"^\| (`.*?) \|", PAGE.partition("| array |")[2], re.MULTILINE)
    names = {name for cell in described for name in re.findall(r"`(\w+)`", cell)}
    with np.load(folder / "table" / "table.npz") as file:
        assert set(file.files) <= names
        assert {str(file[name].dtype) for name in ("returns", "lengths", "evaluations")} == {
            "int16",
            "uint16",
            "float32",
        }
