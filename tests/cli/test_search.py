"""`search` by trials, and `agreement`. Oracle: the functions of Python that they call, tested in tests/study."""

import json
import re
import shutil
from pathlib import Path

import pytest

from nasdqn_fast import Table, rank_agreement, search_runs, search_table
from nasdqn_fast.extras import optional
from nasdqn_fast.study import agreement
from nasdqn_fast.study.table.plan import Plan
from nasdqn_fast.study.table.tabulate import tabulate

TINY = {"max_episode_steps": 20, "warm_up": 10, "batch_size": 4, "architectures": ("1x4-relu", "5,3-tanh")}
ARGS = ["search", "--env", "cartpole", "--episodes", "12", "--trials", "3", "--final-seeds", "2", "--threads", "1"]
ARGS += ["--max-episode-steps", "20", "--warm-up", "10", "--batch-size", "4", "--architectures", "1x4-relu,5,3-tanh"]


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The file of a tiny table."""
    learner = {"warm_up": 10, "batch_size": 4}
    plan = Plan(("cartpole",), ("1x4-relu", "5,3-tanh"), 4, 6, evaluate_every=3, evaluate_episodes=1, learner=learner)
    return tabulate(tmp_path_factory.mktemp("made"), plan, threads=1).table


@pytest.fixture
def table(run, made):
    """That table, as ``t/table.npz``."""
    Path("t").mkdir()
    shutil.copy(made, "t")
    return Table.load("t")


def test_it_prints_and_writes_what_search_runs_finds(run):
    code, out, _ = run(*ARGS, "--method", "evolution", "--seed", "2", "--out", "s")
    (found,) = search_runs(
        ["evolution"], "cartpole", 3, episodes=12, final_seeds=2, seed=2, threads=1, out="again", **TINY
    )["evolution"]
    assert code == 0
    low, high = found.final_interval
    assert re.search(rf"evolution .* 2 .* {found.best} .* {found.final_score:.1f} \[{low:.1f}, {high:.1f}\]", out)
    (each,) = json.loads(Path("s/summary.json").read_text())["methods"]["evolution"]["each"]
    assert (each["best"], each["finals"]) == (str(found.best), found.finals.tolist())
    assert max(map(len, out.splitlines())) <= 110


def test_the_same_command_continues_and_another_is_told_what_differs(run):
    assert run(*ARGS, "--out", "s")[0] == 0
    code, _, _ = run(*ARGS, "--out", "s")
    assert code == 0
    code, _, err = run(*ARGS, "--out", "s", "--gamma", "0.5")
    assert code == 2
    assert "config.agent.gamma: 0.99 there, 0.5 here" in err
    assert len(err.splitlines()) == 1


def test_options_reach_controller_estimator_and_score(run):
    options = ["--method", "nas-dqn", "--controller-temperature", "0.3", "--controller-option", "epsilon_start=0.4"]
    options += ["--estimator", "learning-curve", "--estimator-option", "model=last-value", "--score", "greedy"]
    code, _, err = run(*ARGS, *options, "--out", "s", "--final-seeds", "0")
    assert (code, err) == (0, "")
    plan = json.loads(Path("s/search.json").read_text())
    assert plan["estimator_options"] == {"episodes": None, "model": "last-value", "window": 50}
    search = plan["config"]["search"]
    assert (search["controller_temperature"], search["controller_epsilon_start"]) == (0.3, 0.4)
    assert search["estimator"] == "greedy"


def test_trial_estimators_answer_on_a_table(run, table):
    args = ["search", "--on-table", "cartpole", "--table", "t", "--trials", "5", "--out", "found"]
    code, _, _ = run(*args, "--estimator", "low-fidelity", "--estimator-option", "episodes=2")
    options = {"estimator": "low-fidelity", "trial_estimator_options": {"episodes": 2}}
    found = search_table(table, "cartpole", trials=5, **options)
    assert code == 0
    (search,) = json.loads(Path("found/summary.json").read_text())["methods"]["random-nas"]["searches"]
    assert search["cost"] == vars(found.cost)
    assert found.cost.episodes == 10


def test_agreement_is_shown_and_written(run, table):
    code, out, _ = run(
        *("agreement", "--table", "t", "--task", "cartpole", "--out", "a"),
        *("--estimators", "low-fidelity+episodes=2,parameters"),
    )
    assert code == 0
    found = rank_agreement(table, "cartpole", "low-fidelity", {"episodes": 2})
    low, high = found.interval()
    assert re.search(rf"low-fidelity\+episodes=2 .* {found.tau:.2f} \[{low:.2f}, {high:.2f}\]", out)
    rows = json.loads(Path("a/agreement.json").read_text())["estimators"]
    assert rows["low-fidelity+episodes=2"]["estimates"] == found.estimates.tolist()
    assert rows["parameters"]["steps"] == 0


def test_estimators_whose_packages_are_missing_are_left_out_by_default(run, table, monkeypatch):
    ranking = agreement.rank_agreement

    def without(table, task, estimator, *rest, **options):
        if estimator == "surrogate":
            optional("no_such_package", "search")
        return ranking(table, task, estimator, *rest, **options)

    monkeypatch.setattr(agreement, "rank_agreement", without)
    code, out, err = run("agreement", "--table", "t", "--task", "cartpole", "--repeats", "1")
    assert code == 0
    assert "surrogate is left out: no_such_package is not installed, which this needs: pip install" in err
    assert "naswot" in out
    asked = ["agreement", "--table", "t", "--task", "cartpole", "--estimators", "surrogate"]
    code, _, err = run(*asked)
    assert code == 2
    assert "surrogate: no_such_package is not installed" in err
    assert err.count("\n") == 1


def test_estimators_without_rows_are_left_out_by_default_and_trained_on_demand(run, table):
    pytest.importorskip("sklearn")
    code, out, err = run("agreement", "--table", "t", "--task", "cartpole", "--repeats", "1")
    assert code == 0
    assert "inherit is left out: a table holds no run" in err
    assert "naswot" in out
    args = ["agreement", "--table", "t", "--task", "cartpole", "--repeats", "1", "--estimators", "inherit"]
    code, out, _ = run(*args, "--out", "a", "--threads", "1")
    assert code == 0
    (run_directory,) = Path("a/inherit/searches").glob("*/*/0/0001")
    for path in (run_directory / "summary.json", run_directory.parent / "trials.jsonl"):
        path.unlink()
    (run_directory / "config.toml").write_text("[agent]\ngamma = 0.5\n")
    code, _, err = run(*args, "--out", "a", "--threads", "1")
    assert code == 1
    assert re.fullmatch(r"nasdqn-fast: search cartpole/.* failed: .*config.toml' is not as the study has it.*\n", err)


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([*ARGS, "--trials", "0"], "--trials must be an integer >= 1; got 0"),
        ([*ARGS, "--final-seeds", "-1"], "--final-seeds must be an integer from 0"),
        ([*ARGS, "--threads", "0"], "--threads must be an integer >= 1; got 0"),
        ([*ARGS, "--method", ""], "--method must name at least one; got ''"),
        (["search", "--on-table", "cartpole", "--table", "t", "--method", ""], "--method must name at least one"),
        ([*ARGS, "--method", "nas-dqm"], "'nas-dqm': did you mean 'nas-dqn'"),
        ([*ARGS, "--method", "halving"], "method 'halving' says itself for how long a trial is trained"),
        ([*ARGS, "--estimator", "synflo"], "unknown trial estimator 'synflo': did you mean 'synflow'"),
        ([*ARGS, "--estimator-option", "episode=3"], "trial estimator 'low-fidelity': unknown option 'episode'"),
        ([*ARGS, "--estimator-option", "episodes=x"], "episodes must be an integer"),
        ([*ARGS, "--estimator-option", "episodes=0"], "'low-fidelity': episodes must be an integer >= 1; got 0"),
        ([*ARGS, "--metric", "final"], "--metric goes with --on-table"),
        (["search", "--scheduler", "nonsense"], "scheduler must be an address"),
        ([*ARGS, "--shard", "3/2"], "shard must be K/N with K from 1 to N"),
        (
            ["search", "--on-table", "cartpole", "--table", "t", "--threads", "2"],
            "--threads does not go with --on-table",
        ),
        (["search", "--on-table", "cartpole", "--table", "t", "--estimator", "inherit"], "train real trials"),
        (["agreement", "--table", "t", "--task", "x"], "unknown task 'x'"),
        (["agreement", "--table", "t", "--task", "cartpole", "--estimators", "inherit"], "give --out DIR"),
        (["agreement", "--table", "t", "--task", "cartpole", "--estimators", "snip+draws"], "must be OPTION=VALUE"),
        (["agreement", "--table", "t", "--task", "cartpole", "--repeats", "0"], "--repeats must be an integer >= 1"),
    ],
    ids=str,
)
def test_a_wrong_command_is_one_line(run, table, args, message):
    code, _, err = run(*args)
    assert code == 2
    assert message in err
    assert len(err.splitlines()) == 1
    assert not Path("search").exists()
