"""monitor.csv: what Stable-Baselines3's reader makes of it, and one row an episode however often a run is resumed."""

import csv
import json
import time

import numpy as np
import pytest

import nasdqn_fast
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Played, Resumed
from nasdqn_fast.interop.monitor import Monitor
from nasdqn_fast.space import Architecture

SMALL = {"episodes": 12, "switch_every": 4, "max_episode_steps": 20, "checkpoint_every": "2"}
ARCHITECTURE = Architecture.parse("1x4-relu")


def rows(path):
    first, *lines = path.read_text().splitlines()
    return json.loads(first.removeprefix("#")), [
        (float(row["r"]), int(row["l"]), float(row["t"])) for row in csv.DictReader(lines)
    ]


def test_a_row_an_episode_and_a_comment_above(tmp_path):
    before = time.time()
    result = nasdqn_fast.train(
        "random-nas", "cartpole", **SMALL, num_envs=2, progress=Monitor(tmp_path / "a" / "monitor.csv", "cartpole")
    )
    header, found = rows(tmp_path / "a" / "monitor.csv")
    assert header["env_id"] == "cartpole"
    assert before <= header["t_start"] <= time.time()
    assert [r for r, _, _ in found] == result.episodes.returns.tolist()
    assert [length for _, length, _ in found] == result.episodes.lengths.tolist()
    times = [t for _, _, t in found]
    assert times == sorted(times)
    assert 0 <= times[-1] <= time.time() - before


def test_stable_baselines3_reads_it(tmp_path):
    monitor = pytest.importorskip("stable_baselines3.common.monitor", reason="stable-baselines3 is not installed")
    plotter = pytest.importorskip(
        "stable_baselines3.common.results_plotter", reason="pandas or matplotlib is not installed", exc_type=ImportError
    )
    result = nasdqn_fast.train("fixed-small", "cartpole", **SMALL, progress=Monitor(tmp_path / "monitor.csv"))
    table = monitor.load_results(str(tmp_path))
    np.testing.assert_array_equal(table["r"], result.episodes.returns)
    steps, returns = plotter.ts2xy(table, "timesteps")
    np.testing.assert_array_equal(steps, np.cumsum(result.episodes.lengths))
    np.testing.assert_array_equal(returns, result.episodes.returns)


@pytest.mark.parametrize("killed", [False, True])
def test_a_resumed_run_has_each_episode_once(killed, interrupt, tmp_path):
    """Oracle: the episodes of the run's result. Of a killed one, the last checkpoint is older than the last row."""
    run, path = tmp_path / "run", tmp_path / "monitor.csv"
    options = SMALL | ({"checkpoint_every": "5"} if killed else {})
    with pytest.raises(KeyboardInterrupt):
        nasdqn_fast.train("random-nas", "cartpole", **options, out=run, progress=[Monitor(path, "x"), interrupt])
    newest, *older = sorted((run / "checkpoints").iterdir(), reverse=True)
    if killed:
        assert older
        newest.unlink()  # as after a kill: the rows go beyond what the checkpoint knows
    header, before = rows(path)
    result = nasdqn_fast.resume(run, progress=Monitor(path, "x", resume=True))
    again, found = rows(path)
    assert again == header
    assert [(r, n) for r, n, _ in found] == list(zip(result.episodes.returns, result.episodes.lengths, strict=True))
    kept = 5 if killed else 7
    assert found[:kept] == before[:kept]
    assert found[kept][2] >= before[-1][2]


def test_rows_that_were_lost_are_written_when_the_run_is_resumed(episodes, tmp_path):
    path = tmp_path / "monitor.csv"
    path.write_text('#{"t_start": 5.0, "env_id": "e"}\nr,l,t\n1.0,1,0.5\n')
    listener = Monitor(path, "e", resume=True)
    listener(Resumed(1, ARCHITECTURE, episodes(1, 2)))
    listener(Played(ARCHITECTURE, episodes(3)))
    header, found = rows(path)
    assert header == {"t_start": 5.0, "env_id": "e"}
    assert [(r, n) for r, n, _ in found] == [(1.0, 1), (2.0, 2), (3.0, 3)]
    assert found[0][2] == 0.5


def test_a_run_that_starts_over_starts_the_file_over(episodes, tmp_path):
    path = tmp_path / "monitor.csv"
    path.write_text('#{"t_start": 5.0, "env_id": "e"}\nr,l,t\n1.0,1,0.5\n')
    Monitor(path, resume=True)(Played(ARCHITECTURE, episodes(3)))
    assert [(r, n) for r, n, _ in rows(path)[1]] == [(3.0, 3)]


@pytest.mark.parametrize(
    ("given", "written"),
    [("monitor.csv", "monitor.csv"), ("seed1.monitor.csv", "seed1.monitor.csv"), ("seed1", "seed1.monitor.csv"),
     (".", "monitor.csv")],
)  # fmt: skip
def test_names_are_as_stable_baselines3_has_them(given, written, tmp_path):
    assert Monitor(tmp_path / given).path == tmp_path / written


@pytest.mark.parametrize("content", ["", "r,l,t\n1,2,3\n", '#{"t_start": 1}\nx,y\n', '#{"t_start": 1}\nr,l,t\na,b,c\n'])
def test_files_that_are_there_are_not_replaced(content, tmp_path):
    path = tmp_path / "monitor.csv"
    path.write_text(content)
    with pytest.raises(InputError, match="exists; choose another file"):
        Monitor(path)
    with pytest.raises(InputError, match="is damaged or no monitor file"):
        Monitor(path, resume=True)
    assert path.read_text() == content
