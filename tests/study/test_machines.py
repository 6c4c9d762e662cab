"""Studies on several processes: what they write is what one process writes, bit for bit, whoever is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import pytest

import nasdqn_fast
from nasdqn_fast.study.study import Study

experiment = nasdqn_fast.experiment


@pytest.fixture
def longer(tiny):
    """Keywords of trials of a second or two, saved every 20 episodes."""
    long = {"episodes": 400, "switch_every": 50, "checkpoint_every": 20, "max_episode_steps": 500}
    return tiny | long | {"architectures": ("2x64-relu", "3x64-tanh"), "methods": ["random-nas", "fixed:2x64-relu"]}


def command(out, settings, *more):
    """The command of a study."""
    options = []
    for name, value in settings.items():
        text = ",".join(map(str, value)) if isinstance(value, (list, tuple)) else str(value)
        options += [f"--{name.replace('_', '-')}", text]
    return [sys.executable, "-P", "-m", "nasdqn_fast", "experiment", "--out", str(out), *options, *map(str, more)]


def start(*args):
    return subprocess.Popen(command(*args), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def wait_until(true, seconds=60):
    """Waits for a condition."""
    deadline = time.monotonic() + seconds
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_a_pool_of_processes_writes_the_same(tmp_path, tiny, files):
    experiment(**tiny, seeds=2, out=tmp_path / "threads")
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool:
        assert experiment(**tiny, seeds=2, out=tmp_path / "pool", executor=pool).is_complete
    assert files(tmp_path / "pool") == files(tmp_path / "threads")


@pytest.mark.slow
def test_an_interrupt_halts_a_pool_of_processes(tmp_path, longer, files):
    def interrupt(progress):
        if any(Path(tmp_path, "pool/trials").rglob("checkpoints/*.npz")):
            raise KeyboardInterrupt

    longer = longer | {"episodes": 1_200}
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as pool, pytest.raises(KeyboardInterrupt):
        experiment(**longer, seeds=1, out=tmp_path / "pool", executor=pool, progress=interrupt)
    assert {status for _, status in Study.open(tmp_path / "pool").statuses()} & {"interrupted"}
    assert experiment(**longer, seeds=1, out=tmp_path / "pool").is_complete
    experiment(**longer, seeds=1, out=tmp_path / "threads")
    assert files(tmp_path / "pool") == files(tmp_path / "threads")


def test_ctrl_c_is_answered_within_two_seconds_with_all_saved(tmp_path, longer, files, at_once):
    study = start(tmp_path / "study", longer | {"episodes": 5_000, "checkpoint_every": "never"}, "--seeds", 2)
    wait_until(lambda: len(list(tmp_path.rglob("episodes.csv"))) >= 2)
    time.sleep(0.3)
    with at_once(2):
        study.send_signal(signal.SIGINT)
        _, error = study.communicate()
    assert study.returncode == 130
    assert error == (
        "nasdqn-fast: interrupted after 0 of 4 trials, every other that had begun is saved; the same command goes on\n"
    )
    for trial, status in Study.open(tmp_path / "study").statuses():
        assert status in ("interrupted", "missing")
        assert status == "missing" or list(Path(trial.path, "checkpoints").iterdir())


@pytest.mark.slow
def test_three_shards_write_what_one_process_writes_though_one_is_killed(tmp_path, longer, files):
    shards = [start(tmp_path / "shards", longer, "--seeds", 3, "--threads", 1, "--shard", f"{k}/3") for k in (1, 2, 3)]

    def own_checkpoints(number):
        if not (tmp_path / "shards" / "study.json").exists():
            return []
        trials = [t for t in Study.open(tmp_path / "shards").trials() if t.shard(3) == number]
        return [path for t in trials for path in Path(t.path, "checkpoints").glob("*.npz")]

    victim = 0
    wait_until(lambda: own_checkpoints(victim))
    shards[victim].send_signal(signal.SIGKILL)
    for shard in shards:
        shard.communicate()
    assert [shard.returncode for shard in shards] == [-signal.SIGKILL, 0, 0]
    assert Study.open(tmp_path / "shards").is_complete
    experiment(**longer, seeds=3, out=tmp_path / "one")
    assert files(tmp_path / "shards") == files(tmp_path / "one")
    assert len(json.loads((tmp_path / "shards" / "study.json").read_text())["looks"]) == 1


@pytest.mark.slow
def test_dask_workers_write_what_one_process_writes_though_one_is_killed(tmp_path, longer, files):
    distributed = pytest.importorskip("distributed")
    with distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, dashboard_address=":0", local_directory=tmp_path / "dask"
    ) as cluster:
        workers = [worker.pid for worker in cluster.workers.values()]
        killed = []

        def kill(progress):
            if not killed and any(Path(tmp_path, "dask-study/trials").rglob("*.npz")):
                killed.append(workers[0])
                os.kill(workers[0], signal.SIGKILL)

        study = experiment(
            **longer, seeds=3, out=tmp_path / "dask-study", scheduler=cluster.scheduler_address, progress=kill
        )
    assert killed
    assert study.is_complete
    experiment(**longer, seeds=3, out=tmp_path / "one")
    assert files(tmp_path / "dask-study") == files(tmp_path / "one")
