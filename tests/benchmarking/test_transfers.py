"""bench/transfers.py on a tiny budget."""

import csv
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

BENCH = Path(__file__).parents[2] / "bench"
sys.path.insert(0, str(BENCH))
from switching import afterwards  # noqa: E402
from switching.sources import CLASSES, pairs  # noqa: E402


def measure(folder, *options):
    command = [sys.executable, BENCH / "transfers.py", "--jobs", "1", "--out", folder, *options]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def rows(folder, name):
    return list(csv.DictReader((folder / f"transfers_{name}.csv").read_text().splitlines()))


def test_every_pair_of_the_space_belongs_to_one_class():
    assert Counter(change for change, _, _ in pairs()) == {
        **dict.fromkeys(("widen", "deepen", "narrow", "shorten"), 27),
        "activation": 54,
        "mixed": 702 - 4 * 27 - 54,
    }


@pytest.mark.parametrize("rounds", [1, 3])
def test_each_round_gives_twenty_pairs_of_each_class_one_source_run_and_uses_ten_seeds(rounds):
    layout = afterwards.layout(rounds)
    switches = [(change, old, new, seed) for (old, seed), to in layout.items() for change, new in to]
    assert len(set(switches)) == len(switches) == 20 * len(CLASSES) * rounds
    assert Counter(change for change, *_ in switches) == dict.fromkeys(CLASSES, 20 * rounds)
    assert {seed for *_, seed in switches} == set(range(10))


def test_a_source_run_is_followed_by_each_transfer_to_each_target_and_by_each_reference():
    source, wider = next((old, new) for change, old, new in pairs() if change == "widen")
    transfers = ["none", "pruned", "scratch", "net2net", "fresh", "inject"]
    wanted = [(name, "", source) if name in afterwards.WITHOUT_SWITCH else (name, "widen", wider) for name in transfers]
    found = afterwards.rows("upright", 2, 0, source, wanted, 3)
    assert [(row["transfer"], row["target"]) for row in found] == [
        ("none", source),
        ("pruned", source),
        *((transfer, wider) for transfer in transfers[2:]),
    ]
    by_name = {row["transfer"]: row for row in found}
    for name in ("net2net", "inject"):  # a wider rectifier network is exact, a sum always
        assert by_name[name]["after"] == by_name[name]["before"]


def test_more_rounds_add_the_switches_that_are_missing(tmp_path, monkeypatch):
    monkeypatch.setattr(afterwards, "PAIRS", 1)
    path, given = tmp_path / "after.csv", {"task": "upright", "trained": 1, "transfers": ["none", "fresh"], "after": 1}
    afterwards.measure(path, **given, rounds=1, jobs=1)
    first = path.read_text().splitlines()
    assert sum(",fresh," in line for line in first) == len(CLASSES)
    afterwards.measure(path, **given, rounds=2, jobs=1)
    second = path.read_text().splitlines()
    assert sum(",fresh," in line for line in second) == 2 * len(CLASSES)
    assert set(first) <= set(second)  # times included: nothing was measured again


@pytest.mark.slow
def test_chains_and_runs_are_continued_and_reported(tmp_path):
    chains = ["chains", "--seeds", "1", "--trained", "2", "--between", "1", "--transfers"]
    runs = ["runs", "--seeds", "1", "--episodes", "2", "--widths", "4"]
    measure(tmp_path, *chains, "none")
    measure(tmp_path, *runs)
    first = rows(tmp_path, "chains"), rows(tmp_path, "runs")
    measure(tmp_path, *chains, "none,fresh")
    measure(tmp_path, *runs)
    assert rows(tmp_path, "runs") == first[1]  # times included: nothing was measured again
    assert [row for row in rows(tmp_path, "chains") if row["transfer"] == "none"] == first[0]
    assert len(rows(tmp_path, "chains")) == 2
    assert {(row["method"], row["transfer"]) for row in first[1]} == {
        ("random-nas", "distill"),
        ("nas-dqn", "distill"),
        ("random-nas", "matching"),
        ("fixed", ""),
    }
    printed = measure(tmp_path, "report")
    assert "| upright | 1 | `fresh` | 1 |" in printed
