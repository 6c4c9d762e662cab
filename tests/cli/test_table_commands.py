"""`tabulate` and `search --on-table`. Oracle: the functions of Python that they call, tested in tests/study."""

import contextlib
import io
import json
import re
import shutil
from pathlib import Path

import pytest

from nasdqn_fast import Table, search_table
from nasdqn_fast.cli import main
from nasdqn_fast.study.table.league import league_methods

TINY = ["--architectures", "1x4-relu,5,3-tanh", "--seeds", "2", "--episodes", "6", "--evaluate-every", "3"]
TINY += ["--evaluate-episodes", "2", "--warm-up", "20", "--batch-size", "4", "--tasks", "cartpole,cartpole-sgd"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A directory that the command has made, and what it said."""
    out = tmp_path_factory.mktemp("made")
    with contextlib.redirect_stdout(io.StringIO()) as said:
        assert main(["tabulate", "--out", str(out), *TINY]) == 0
    return out, said.getvalue()


@pytest.fixture
def table(run, made):
    """A tiny table in the folder ``t``."""
    shutil.copytree(made[0], "t")
    return Table.load("t")


def test_progress_and_the_table_are_shown(made):
    assert re.search(r"^row 8 of 8 \| 0:00:00 left \| cartpole", made[1], re.MULTILINE)
    assert re.search(r"^table of 8 rows: .*table.npz$", made[1], re.MULTILINE)


def test_the_same_command_again_shows_the_table_and_computes_nothing(run, table):
    code, out, _ = run("tabulate", "--out", "t", *TINY)
    assert code == 0
    assert "row " not in out
    code, shown, _ = run("tabulate", "--summary", "t/table.npz")
    assert shown in out
    assert re.search(r"^cartpole-sgd +area +\d", shown, re.MULTILINE)
    assert max(map(len, shown.splitlines())) <= 80


def test_settings_reach_the_rows(table):
    agent = table.settings("cartpole")["agent"]
    assert (agent["warm_up"], agent["batch_size"], agent["horizon_is"]) == (20, 4, "truncated")
    assert table.settings("cartpole-sgd")["agent"]["optimizer"] == "sgd"


def test_shards_say_what_is_missing_and_the_last_writes_the_table(run):
    code, out, _ = run("tabulate", "--out", "t", "--shard", "1/2", *TINY)
    assert code == 0
    assert "4 of 8 rows are other shards'; the table is written when all are there" in out
    code, out, _ = run("tabulate", "--out", "t", "--shard", "2/2", *TINY)
    assert "table of 8 rows" in out


def test_failed_rows_are_reported(run):
    wild = ["--learning-rate", "1e20", "--gradient-clip-by", "none", "--loss", "mse", "--tasks", "cartpole-sgd"]
    code, out, _ = run("tabulate", "--out", "t", *TINY, *wild)
    assert code == 1
    assert len(re.findall(r"^failed: cartpole-sgd, .*NonFiniteError", out, re.MULTILINE)) == 4


def test_search_prints_and_writes_what_search_table_finds(run, table):
    args = ["--on-table", "cartpole", "--table", "t", "--trials", "8", "--seed", "5", "--out", "found"]
    code, out, _ = run("search", *args, "--method", "nas-dqn", "--controller-option", "temperature=0.1")
    found = search_table(table, "cartpole", "nas-dqn", trials=8, seed=5, controller_options={"temperature": 0.1})
    assert code == 0
    assert f"{found.final_score:.1f}" in out
    (search,) = json.loads(Path("found/summary.json").read_text())["methods"]["nas-dqn"]["searches"]
    assert (search["best"], search["regret"]) == (str(found.best), found.regret)


def test_several_methods_and_seeds_are_shown_with_intervals(run, table):
    code, out, _ = run(
        "search", "--on-table", "cartpole", "--table", "t", "--method", "nas-dqn,random-nas", "--seeds", "5"
    )
    assert code == 0
    assert len(re.findall(r"(nas-dqn|random-nas).*\[\d+\.\d, \d+\.\d\]", out)) == 2


def test_all_methods_are_a_league(run, table):
    args = ["search", "--on-table", "cartpole", "--table", "t", "--trials", "5", "--seeds", "2", "--out", "found"]
    code, out, _ = run(*args, "--method", "all")
    assert code == 0
    rows = {row.split(",")[0] for row in Path("found/league.csv").read_text().splitlines()[1:]}
    assert rows == {*league_methods(), "expert", "every run"}
    assert all(len(re.findall(rf"^\W*{re.escape(method)} ", out, re.MULTILINE)) == 2 for method in league_methods())
    assert re.search(r"^\W*expert +(\W* *\d+\.\d)+", out, re.MULTILINE)


def test_all_searches_of_a_command_have_one_table_of_latencies(run, table):
    """The files hold it: the same command with that file finds the same."""
    args = ["search", "--on-table", "cartpole", "--table", "t", "--method", "nas-dqn,random-nas", "--seeds", "2"]
    args += ["--reward-cost", "latency", "--reward-range=0,20", "--trials", "6"]
    assert run(*args, "--out", "first")[0] == 0
    assert set(json.loads(Path("first/latencies.json").read_text())) == {"1x4-relu", "5,3-tanh"}
    assert run(*args, "--out", "second", "--reward-latencies", "first/latencies.json")[0] == 0
    for name in ("summary.json", "trials.csv", "latencies.json"):
        assert Path("first", name).read_bytes() == Path("second", name).read_bytes()


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["tabulate"], "give --out DIR to make a table, or --summary TABLE"),
        (["tabulate", "--out", "x", "--summary", "t"], "give --out DIR to make a table, or --summary TABLE"),
        (["tabulate", "--out", "x", "--seeds", "5"], "--seeds must be an even number; got 5"),
        (["tabulate", "--out", "x", "--shard", "3/2"], "shard must be K/N with K from 1 to N, as 3/40; got '3/2'"),
        (["tabulate", "--out", "x", "--threads", "0"], "--threads must be an integer >= 1; got 0"),
        (["tabulate", "--out", "x", "--learning-rate", "-1"], "--learning-rate must be a finite number > 0"),
        (["tabulate", "--out", "x", "--tasks", "uprigth"], "unknown task 'uprigth': did you mean 'upright'"),
        (["tabulate", "--out", "t", *TINY, "--gamma", "0.5"], "was made with gamma = 0.99 in place of 0.5"),
        (["tabulate", "--summary", "x.npz"], "cannot read the table 'x.npz': No such file or directory"),
        (["search", "--on-table", "upright", "--table", "nothing"], "tabulate --out DIR makes one"),
        (["search", "--on-table", "upright", "--table", "t"], "unknown task 'upright': valid: cartpole, cartpole-sgd"),
        (["search", "--on-table", "cartpole", "--table", "t", "--metric", "x"], "unknown --metric 'x'"),
        (["search", "--on-table", "cartpole", "--table", "t", "--method", "x"], "unknown --method 'x'"),
        (
            ["search", "--on-table", "cartpole", "--table", "t", "--max-parameters", "9"],
            "--max-parameters must be at least 30",
        ),
        (
            ["search", "--on-table", "cartpole", "--table", "t", "--reward-cost", "flop"],
            "--reward-weight must be given",
        ),
        (["search", "--on-table", "cartpole", "--table", "t", "--out", "t"], "'t' exists and is not empty"),
    ],
    ids=str,
)
def test_a_wrong_command_is_one_line(run, table, args, message):
    code, _, err = run(*args)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1
