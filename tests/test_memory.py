"""More memory than there is: one warning with both numbers, from the machine's figures and its control groups'."""

import gc
import re
import warnings

import numpy as np
import pytest

from nasdqn_fast import memory
from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError

GIB = 2**30
MEMINFO = "MemTotal:       8388608 kB\nMemFree:        1 kB\nMemAvailable:   4194304 kB\n"


@pytest.fixture(params=backends.NAMES)
def engine(request):
    return backends.find(request.param)


@pytest.fixture
def has(monkeypatch):
    """Sets what this process can have."""
    gc.collect()

    def set_to(n_bytes):
        monkeypatch.setattr(memory, "available", lambda: n_bytes)
        monkeypatch.setattr(memory, "resident", lambda: 0)

    return set_to


def rows_of(engine, n_bytes):
    """Transitions of one number each that take about so many bytes."""
    return n_bytes // (32 if engine.__name__ == "nasdqn_fast.engine" else 26)


def test_what_fits_says_nothing(engine, has):
    has(memory.promised() + GIB)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        engine.ReplayBuffer(rows_of(engine, GIB // 2), 1)


@pytest.mark.quick_only(engine="native")
def test_what_does_not_fit_says_so_with_both_numbers(engine, has):
    has(GIB // 2)
    before = memory.promised()
    with pytest.warns(UserWarning, match="0.5 GiB of memory are available") as caught:
        replay = engine.ReplayBuffer(rows_of(engine, GIB), 1)
    assert len(caught) == 1
    (taken,) = re.findall(r"take (\S+) GiB", str(caught[0].message))
    assert float(taken) == pytest.approx(1 + before / GIB, rel=0.02)
    assert len(replay) == 0
    del replay
    gc.collect()
    assert memory.promised() == before


def test_agents_are_added_up(engine, has):
    """Three, of which each by itself would fit."""
    has(memory.promised() + GIB)
    settings = {"replay_capacity": GIB // 4 // 64, "batch_size": 8}
    agents = []
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        agents.append(engine.DQNAgent("cartpole", "4-relu", **settings))
    settings["replay_capacity"] *= 6
    with pytest.warns(UserWarning, match="lower replay_capacity") as caught:
        agents.append(engine.DQNAgent("cartpole", "4-relu", **settings))
    assert len(caught) == 1


def test_an_agents_own_tables_are_counted(has):
    """Its memory fits, but not with the cache of the target's values beside it."""
    native = backends.find("native")
    has(memory.promised() + GIB // 2)
    replay = native.ReplayBuffer(GIB // 2 // 64 - 1000, 4)
    with pytest.warns(UserWarning, match="lower replay_capacity") as caught:
        native.DQNAgent("cartpole", "4-relu", replay=replay)
    assert len(caught) == 1


def test_only_the_impossible_is_refused(engine):
    with pytest.raises(InputError, match="GiB of memory are needed"):
        engine.ReplayBuffer(2**31, 2**20)


def machine(root, groups, files):
    (root / "proc/self").mkdir(parents=True)
    (root / "proc/meminfo").write_text(MEMINFO)
    (root / "proc/self/cgroup").write_text(groups)
    for name, text in files.items():
        (root / "sys/fs/cgroup" / name).parent.mkdir(parents=True, exist_ok=True)
        (root / "sys/fs/cgroup" / name).write_text(text)
    return root


V2 = {"memory.max": str(3 * GIB), "memory.current": str(2 * GIB), "memory.stat": f"anon 1\ninactive_file {GIB}\n"}


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {}, 4 * GIB),
        ("0::/\n", V2, 2 * GIB),
        ("0::/a/b\n", {f"a/{name}": text for name, text in V2.items()}, 2 * GIB),
        ("0::/a\n", {"a/memory.max": "max\n", "a/memory.current": "5\n"}, 4 * GIB),
        ("0::/a\n", {"a/memory.max": f"{GIB}\n", "a/memory.current": f"{2 * GIB}\n"}, 0),
        (
            "5:cpu:/\n4:memory:/a\n0::/\n",
            {"memory/a/memory.limit_in_bytes": f"{GIB}\n", "memory/a/memory.usage_in_bytes": f"{GIB // 4}\n"},
            GIB * 3 // 4,
        ),
        (
            "4:memory:/\n",
            {"memory/memory.limit_in_bytes": "9223372036854771712\n", "memory/memory.usage_in_bytes": "1\n"},
            4 * GIB,
        ),
    ],
)
def test_the_smallest_of_all_limits_counts(tmp_path, groups, files, expected):
    assert memory.available(machine(tmp_path, groups, files)) == expected


def test_a_system_without_these_files_is_not_asked(tmp_path):
    assert memory.available(tmp_path) is None


def test_a_block_counts_as_long_as_it_exists():
    before, block = memory.promised(), np.zeros(2)
    memory.promise(block, 3 * memory.LARGE)
    memory.promise(block, memory.LARGE - 1)
    assert memory.promised() == before + 3 * memory.LARGE
    del block
    assert memory.promised() == before
