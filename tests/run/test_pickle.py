"""Runs come back from worker processes, however these were started; records of a run can be pickled and copied."""

import copy
import importlib
import multiprocessing
import pickle
import sys
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

import nasdqn_fast
from nasdqn_fast import events
from nasdqn_fast.config import Config
from nasdqn_fast.engine import DQNAgent
from nasdqn_fast.interop.gymnasium import KernelEnv
from nasdqn_fast.space import Architecture, SearchSpace

COPIES = {"pickle": lambda thing: pickle.loads(pickle.dumps(thing)), "copy": copy.copy, "deepcopy": copy.deepcopy}
SETTINGS = {"episodes": 8, "switch_every": 4, "warm_up": 20, "batch_size": 8, "replay_capacity": 500}


# What the processes run: a module that they can import, as those of the tests are not.
WORK = """
import nasdqn_fast

SETTINGS = {settings!r}

def train_one(seed):
    return nasdqn_fast.train("random-nas", env="cartpole", seed=seed, **SETTINGS)

def train_on(agent):
    agent.run_episodes(5)
    return agent
"""


@pytest.fixture
def work(tmp_path, monkeypatch):
    (tmp_path / "work_of_processes.py").write_text(WORK.replace("{settings!r}", repr(SETTINGS)))
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("work_of_processes")
    del sys.modules["work_of_processes"]


@pytest.mark.quick_only(start={"fork", "spawn"})
@pytest.mark.parametrize("start", ["fork", "spawn", "forkserver"])
def test_runs_and_agents_cross_processes(work, start):
    agent = DQNAgent("cartpole", "16-relu", rng=1, replay_capacity=200, batch_size=8, warm_up=20)
    agent.run_episodes(5)
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context(start)) as pool:
        results = list(pool.map(work.train_one, range(2)))
        there = pool.submit(work.train_on, agent).result()
    for seed, result in enumerate(results):
        same(result, work.train_one(seed))
    assert pickle.dumps(there.get_state()) == pickle.dumps(work.train_on(agent).get_state())


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_a_result_is_the_same_one(copied, backend):
    result = nasdqn_fast.train("random-nas", env="cartpole", backend=backend, **SETTINGS)
    same(copied(result), result)


def same(result, expected):
    assert result.config == expected.config
    assert result.environment.fingerprint() == expected.environment.fingerprint()
    assert (result.status, result.segments, result.metrics) == (expected.status, expected.segments, expected.metrics)
    assert result.network.parameters.tobytes() == expected.network.parameters.tobytes()
    for name, array in vars(expected.episodes).items():
        np.testing.assert_array_equal(getattr(result.episodes, name), array)


@pytest.mark.parametrize("copied", COPIES.values(), ids=COPIES)
@pytest.mark.parametrize(
    "record",
    [Config(), Architecture.parse("3x64-relu"), SearchSpace.grid((1, 2), (8,), ("relu",))],
    ids=lambda record: type(record).__name__,
)
def test_records_are_equal(copied, record):
    twin = copied(record)
    assert repr(twin) == repr(record)
    if isinstance(record, SearchSpace):
        assert list(twin) == list(record)
    else:
        assert twin == record


def test_every_event_can_be_pickled_and_copied():
    told = []
    nasdqn_fast.train("random-nas", env="cartpole", progress=told.append, **SETTINGS)
    assert {events.Asked, events.Played, events.Told, events.Transferred, events.Pruned} <= {*map(type, told)}
    for copied in COPIES.values():
        assert [repr(copied(event)) for event in told] == [repr(event) for event in told]


@pytest.mark.parametrize("copied", [COPIES["pickle"], copy.deepcopy], ids=["pickle", "deepcopy"])
def test_a_gymnasium_environment_in_the_middle_of_an_episode(copied):
    env = KernelEnv("cartpole")
    env.reset(seed=3)
    env.step(1)
    twin = copied(env)
    for _ in range(3):
        np.testing.assert_array_equal(twin.step(0)[0], env.step(0)[0])
