"""Making a table. Oracle: `nasdqn_fast.train` with the settings that the plan and the file say."""

import os
import shutil
import signal
from dataclasses import replace

import numpy as np
import pytest

from nasdqn_fast import Table, train
from nasdqn_fast.errors import InputError, OutOfRange
from nasdqn_fast.run import api
from nasdqn_fast.study.table import tabulate as module
from nasdqn_fast.study.table.plan import Cell, Plan
from nasdqn_fast.study.table.rows import RowFiles
from nasdqn_fast.study.table.tabulate import tabulate


@pytest.mark.parametrize(
    ("cell", "env"),
    [
        (Cell("cartpole", "5,3-tanh", 1001), {"env": "cartpole", "optimizer": "adam"}),
        (
            Cell("upright-sgd", "1x4-relu", 0),
            {"env": "inverted-pendulum", "start": "upright", "max_episode_steps": 200, "optimizer": "sgd"},
        ),
    ],
    ids=str,
)
def test_a_row_is_what_train_gives(small_plan, small_table, cell, env):
    """Spelled out, not by `Plan.config`: another default would be another table."""
    run = train(
        "fixed",
        architecture=cell.architecture,
        seed=cell.seed,
        episodes=12,
        evaluate_every=5,
        evaluate_episodes=2,
        evaluate_seed=0,
        horizon_is="truncated",
        policy_epsilon_decay=0.985,
        **env,
        **small_plan.learner,
    )
    table = Table.load(small_table)
    row = table.trajectory(cell.architecture, cell.task, cell.seed)
    unit = 1.0 if cell.task == "cartpole" else 0.02
    np.testing.assert_allclose(row.returns, run.episodes.returns, rtol=0, atol=unit / 2 + 1e-9)
    if unit == 1.0:
        np.testing.assert_array_equal(row.returns, run.episodes.returns)
    np.testing.assert_array_equal(row.lengths, run.episodes.lengths)
    assert row.evaluated_after.tolist() == [evaluation.episode for evaluation in run.evaluations] == [5, 10]
    np.testing.assert_allclose(row.evaluations, [evaluation.mean for evaluation in run.evaluations], rtol=1e-6)
    assert table.query(cell.architecture, cell.task, cell.seed).cost == run.segments[0].cost
    assert len(set(row.returns)) > 3, "a run that varies"


def test_the_usual_plan_is_the_one_that_the_docs_describe():
    plan = Plan()
    assert len(plan.cells()) == 27 * 8 * 16
    assert plan.tasks[-2:] == ("uniform-sgd", "hanging-sgd")
    agent, env = plan.settings("hanging")["agent"], plan.settings("hanging")["env"]
    assert (agent["optimizer"], agent["horizon_is"], agent["policy_epsilon_decay"]) == ("adam", "truncated", 0.985)
    assert plan.config(Cell("hanging", "3x64-relu", 0)).agent.resolved_learning_rate == 2.5e-4
    assert (env["start"], env["max_episode_steps"]) == ("hanging", 400)
    assert plan.settings("uniform-sgd")["agent"]["optimizer"] == "sgd"
    assert sorted(plan.all_seeds()) == [*range(8), *range(1000, 1008)]


@pytest.mark.parametrize("of", [1, 2, 3, 7])
def test_shards_share_all_rows_and_none_twice(of):
    plan = Plan(tasks=("cartpole", "acrobot"), seeds=4)
    shards = [plan.shard(number, of) for number in range(of)]
    assert sorted(cell for shard in shards for cell in shard) == sorted(plan.cells())
    assert max(map(len, shards)) - min(map(len, shards)) <= 1
    large = [sum("x128" in cell.architecture for cell in shard) / len(shard) for shard in shards]
    assert max(large) < 0.6, "large networks are a third of all, and no shard has most of them"


def test_shards_made_apart_and_in_any_order_give_the_same_file(tmp_path, small_plan, small_table):
    together = tmp_path / "together"
    for number in (3, 1, 2):
        made = tabulate(tmp_path / str(number), small_plan, shard=f"{number}/3", threads=2)
        assert made.table is None
        assert made.missing == 16 - len(small_plan.shard(number - 1, 3))
        shutil.copytree(tmp_path / str(number) / "rows", together / "rows", dirs_exist_ok=True)
    told = []
    made = tabulate(together, small_plan, progress=told.append)
    assert (made.missing, told) == (0, []), "nothing is computed again"
    assert made.table.read_bytes() == small_table.read_bytes()


def test_the_last_of_several_shards_on_one_directory_writes_the_table(tmp_path, small_plan, small_table):
    plan = replace(small_plan, tasks=("cartpole",))
    assert tabulate(tmp_path, plan, shard="2/2").table is None
    made = tabulate(tmp_path, plan, shard="1/2")
    assert made.table == tmp_path / "table.npz"
    assert Table.load(made.table).query("1x4-relu", "cartpole", 0).score == (
        Table.load(small_table).query("1x4-relu", "cartpole", 0).score
    )


def test_an_interrupted_table_continues_to_the_same_file(tmp_path, small_plan, small_table):
    def interrupt(progress):
        if progress.done == 3:
            os.kill(os.getpid(), signal.SIGINT)

    with pytest.raises(KeyboardInterrupt, match=r"interrupted; [3-5] of 16 rows are saved"):
        tabulate(tmp_path, small_plan, threads=2, progress=interrupt)
    saved = sorted((tmp_path / "rows").iterdir())
    assert 3 <= len(saved) <= 5
    assert not (tmp_path / "table.npz").exists()
    told = []
    made = tabulate(tmp_path, small_plan, progress=told.append)
    assert [told[0].done, told[-1].done] == [len(saved), 16], made
    assert made.table.read_bytes() == small_table.read_bytes()


def test_a_damaged_row_is_computed_again(tmp_path, small_plan, small_table):
    shutil.copytree(small_table.parent, tmp_path, dirs_exist_ok=True)
    path = RowFiles(tmp_path, small_plan).path(Cell("cartpole", "1x4-relu", 0))
    path.write_bytes(path.read_bytes()[:-100])
    told = []
    made = tabulate(tmp_path, small_plan, progress=told.append)
    assert [progress.done for progress in told] == [15, 16]
    assert made.table.read_bytes() == small_table.read_bytes()


def test_a_table_grows_by_what_is_new(tmp_path, small_plan, small_table):
    shutil.copytree(small_table.parent, tmp_path, dirs_exist_ok=True)
    told = []
    plan = replace(small_plan, tasks=("cartpole",), seeds=6)
    made = tabulate(tmp_path, plan, progress=told.append)
    assert [told[0].done, told[0].rows] == [8, 12]
    assert Table.load(made.table).search_seeds("cartpole") == (0, 1, 2)


def test_rows_of_other_settings_are_refused(tmp_path, small_plan, small_table):
    shutil.copytree(small_table.parent, tmp_path, dirs_exist_ok=True)
    other = replace(small_plan, learner={**small_plan.learner, "gamma": 0.9})
    with pytest.raises(InputError, match=r"was made with gamma = 0.99 in place of 0.9; give the settings"):
        tabulate(tmp_path, other)


def test_a_run_that_fails_is_reported_and_the_others_go_on(tmp_path, small_plan):
    """SGD without a bound of the gradient diverges at such a rate; Adam's steps are bounded."""
    wild = {**small_plan.learner, "learning_rate": 1e20, "gradient_clip_by": "none", "loss": "mse"}
    plan = replace(small_plan, tasks=("cartpole-sgd",), seeds=2, learner=wild)
    made = tabulate(tmp_path, plan)
    assert made.table is None
    assert set(made.failures) == set(plan.cells())
    assert all(why.startswith("NonFiniteError: non-finite") for why in made.failures.values())


def test_a_full_disk_ends_it(tmp_path, small_plan, monkeypatch):
    def save(path, state):
        raise OSError(28, "No space left on device", str(path))

    monkeypatch.setattr("nasdqn_fast.storage.state_file.save", save)
    with pytest.raises(OSError, match="No space left"):
        tabulate(tmp_path, small_plan)


def test_an_error_of_the_progress_function_is_the_callers(tmp_path, small_plan):
    def progress(told):
        if told.done:
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        tabulate(tmp_path, small_plan, threads=1, progress=progress)
    assert len(list((tmp_path / "rows").iterdir())) == 1, "the row itself is saved"


def test_time_left_is_that_of_the_rows_left(tmp_path, small_plan, monkeypatch):
    """Oracle: rows that all take the same time, by a clock that moves with the rows."""
    now = [0.0]

    def slow(*args, **kwargs):
        now[0] += 10.0
        return api.train(*args, **kwargs)

    monkeypatch.setattr(module, "train", slow)
    monkeypatch.setattr(module, "monotonic", lambda: now[0])
    plan = replace(small_plan, tasks=("cartpole",), architectures=("1x4-relu",))
    told = []
    tabulate(tmp_path, plan, threads=1, progress=told.append)
    assert [progress.seconds_left for progress in told] == [None, 30.0, 20.0, 10.0, 0.0]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"seeds": 3}, OutOfRange, "seeds must be an even number; got 3"),
        ({"tasks": ()}, InputError, "at least one task"),
        ({"tasks": ("uprigth",)}, InputError, "unknown task 'uprigth': did you mean 'upright'"),
        ({"tasks": ("-sgd",)}, InputError, "names no environment"),
        ({"tasks": ("cartpole-adam",)}, InputError, "is called 'cartpole'"),
        ({"learner": {"optimizer": "sgd"}}, InputError, "plan sets optimizer itself"),
        ({"learner": {"stop_at_threshold": True}}, InputError, "plan sets stop_at_threshold itself"),
        ({"learner": {"gama": 0.9}}, InputError, "unknown option 'gama'"),
        ({"evaluate_every": 13}, OutOfRange, "evaluate_every must be an integer from 1 to 12"),
        ({"architectures": ("1y4",)}, ValueError, "malformed architecture"),
    ],
    ids=str,
)
def test_a_wrong_plan_is_refused_at_once(small_plan, change, error, message):
    with pytest.raises(error, match=message):
        replace(small_plan, **change)
