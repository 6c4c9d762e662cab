"""bench/parity.py: its learning curves, its settings against the profiles', and its commands."""

import importlib
import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import nasdqn_fast
from nasdqn_fast.config import resolve

BENCH = Path(__file__).parents[2] / "bench"
sys.path.append(str(BENCH))
originals, report, runs, statistics, summary = (
    importlib.import_module(f"learning_curves.{name}")
    for name in ("originals", "report", "runs", "statistics", "summary")
)
sys.path.remove(str(BENCH))

CASES = {case.name: case for case in runs.CASES}


def parity(*arguments):
    return subprocess.run(
        [sys.executable, BENCH / "parity.py", *map(str, arguments)], capture_output=True, text=True, check=False
    )


# Learning curves


def test_each_step_counts_with_the_return_of_its_episode():
    # Steps 1 to 3 are of the first episode, 4 and 5 of the second; 6 to 8 are of one that did not end.
    ends, returns = np.array([3, 5]), np.array([2.0, -1.0])
    assert statistics.curve(ends, returns, 8, bins=8).tolist() == [2, 2, 2, -1, -1, -1, -1, -1]
    assert statistics.curve(ends, returns, 8, bins=4).tolist() == [2, 0.5, -1, -1]


@pytest.mark.parametrize("bins", [1, 10, 50])
def test_the_mean_of_a_curve_is_the_area_under_it(bins):
    rng = np.random.default_rng(0)
    lengths, returns = rng.integers(1, 30, size=60), rng.normal(size=60)
    ends = lengths.cumsum()
    steps = int(-(-ends[-1] // 50) * 50)
    by_step = np.append(np.repeat(returns, lengths), np.full(steps - ends[-1], returns[-1]))
    assert statistics.curve(ends, returns, steps, bins).mean() == pytest.approx(by_step.mean(), abs=1e-12)


def test_steps_after_the_runs_are_left_out():
    ends, returns = np.array([3, 9, 12]), np.array([2.0, -1.0, 7.0])
    assert statistics.curve(ends, returns, 8, bins=8).tolist() == [2, 2, 2, -1, -1, -1, -1, -1]


@pytest.mark.parametrize(("ends", "steps"), [([], 100), ([50], 99)])
def test_a_curve_needs_an_episode_and_whole_parts(ends, steps):
    with pytest.raises(ValueError, match=r"expected an episode|multiple of 10"):
        statistics.curve(np.array(ends), np.ones(len(ends)), steps, bins=10)


# Settings


THEIR_NAMES = {
    "learning_rate": "learning_rate",
    "batch_size": "batch_size",
    "buffer_size": "replay_capacity",
    "learning_starts": "random_steps",
    "gamma": "gamma",
    "target_update_interval": "target_every",
    "train_freq": "train_every",
    "exploration_fraction": "exploration_fraction",
    "exploration_final_eps": "policy_epsilon_end",
}


@pytest.mark.parametrize("task", originals.ZOO)
def test_the_zoos_originals_have_the_profiles_settings(task):
    agent = resolve(None, {"profile": "zoo", "env": runs.OURS[task]}).agent
    theirs = dict(originals.ZOO[task])
    steps_a_phase = theirs.pop("gradient_steps")
    assert agent.updates_per_train == (None if steps_a_phase == -1 else steps_a_phase)
    assert theirs.pop("policy_kwargs") == {"net_arch": [256, 256]}
    assert {THEIR_NAMES[name]: value for name, value in theirs.items()} == {
        name: getattr(agent, name) for name in THEIR_NAMES.values()
    }
    assert agent.warm_up == theirs["learning_starts"] + 1
    assert agent.steps == CASES[f"zoo-{task}"].steps


# Files and commands


def run_of(seed, cpu=2.0):
    rng = np.random.default_rng(seed)
    lengths = rng.integers(1, 400, size=300).cumsum()
    ends = lengths[lengths <= 50_000]
    return runs.Run(ends, rng.normal(100, 30, len(ends)), rng.normal(480, 9, 100), 3.0, cpu, {"numpy": "2"})


@pytest.fixture
def folders(tmp_path):
    """Runs of one case by both, the originals' taking ten times as long."""
    theirs, ours = tmp_path / "originals", tmp_path / "ours"
    for folder, seeds, cpu in ((theirs, range(3), 20.0), (ours, range(10, 15), 2.0)):
        folder.mkdir()
        for seed in seeds:
            run_of(seed, cpu).save(runs.path(folder, CASES["sb3-CartPole-v1"], seed))
    return theirs, ours


def test_a_run_is_read_as_it_was_saved(tmp_path):
    run = run_of(0)
    run.save(tmp_path / "a.npz")
    read = runs.Run.load(tmp_path / "a.npz")
    for name in ("steps", "returns", "greedy"):
        np.testing.assert_array_equal(getattr(read, name), getattr(run, name))
    assert (read.wall, read.cpu, read.about) == (run.wall, run.cpu, run.about)
    assert [path.name for path in tmp_path.iterdir()] == ["a.npz"]


@pytest.mark.slow
def test_compare_refreshes_the_tables_and_needs_only_them(folders, tmp_path):
    theirs, ours = folders
    options = ["--data", tmp_path / "data", "--figure", tmp_path / "curves.png"]
    first = parity("compare", "--originals", theirs, "--ours", ours, *options)
    assert first.returncode == 0, first.stderr
    assert (tmp_path / "curves.png").exists() == bool(importlib.util.find_spec("matplotlib"))
    rows = [line for line in first.stdout.splitlines() if line.startswith("| sb3, CartPole-v1 ")]
    assert len(rows) == 3
    assert "| 3 / 5 |" in rows[0]
    assert "| 100% (44% to 100%) | 100% (57% to 100%) | yes |" in rows[1]
    assert rows[2] == "| sb3, CartPole-v1 | 20.0 | 2.00 | 10 |"
    read = summary.read(tmp_path / "data", "ours", CASES["sb3-CartPole-v1"])
    exact = summary.summarize(ours, CASES["sb3-CartPole-v1"])
    np.testing.assert_allclose(read.curves, exact.curves, atol=0.005)
    again = parity("compare", *options)
    assert again.stdout == first.stdout


@pytest.mark.slow
def test_ours_keeps_the_runs_that_are_there(tmp_path):
    there = runs.path(tmp_path, CASES["sb3-CartPole-v1"], 0)
    there.write_bytes(b"kept")
    done = parity("ours", "--cases", "sb3-CartPole-v1", "--seeds", 2, "--workers", 1, "--out", tmp_path)
    assert done.returncode == 0, done.stderr
    assert there.read_bytes() == b"kept"
    run = runs.Run.load(runs.path(tmp_path, CASES["sb3-CartPole-v1"], 1))
    assert run.steps[-1] <= 50_000
    assert np.diff(run.steps, prepend=0).tolist() == run.returns.tolist()  # a reward of 1 a step
    assert run.greedy.shape == (100,)


def test_draws_are_those_of_a_run_under_the_profile(tmp_path):
    file = tmp_path / "draws.json"
    done = parity("draws", file, "--seed", 3, "--steps", 2_000)
    assert done.returncode == 0, done.stderr
    draws = json.loads(file.read_text())
    result = nasdqn_fast.train(profile="cleanrl", env="cartpole", seed=3, steps=2_000)
    assert draws["lengths"] == result.episodes.lengths.tolist()
    assert done.stdout == f"{file}: {len(result.episodes)} episodes\n"
    before = nasdqn_fast.DQNAgent("cartpole", "120,84-relu", rng=3, init="torch").network
    for layer, weights, biases in zip(draws["layers"], before.weights, before.biases, strict=True):
        assert (layer["weights"], layer["biases"]) == (weights.tolist(), biases.tolist())


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["replay", "nothing.json", "--cleanrl", "."], "no file nothing.json"),
        (["ours"], "--out"),
        (["ours", "--out", "x", "--seeds", "0"], "expected a whole number from 1, got '0'"),
        (["ours", "--out", "x", "--cases", "dqn"], "invalid choice: 'dqn'"),
        (["record", "--out", "x", "--cleanrl", "nowhere"], "no cleanrl/dqn.py in nowhere"),
        (["compare", "--ours", "nowhere"], "no runs in nowhere"),
        (["compare", "--data", "nowhere"], "nothing to compare in nowhere"),
    ],
)
def test_bad_input_is_refused_in_a_line(arguments, message, tmp_path):
    done = subprocess.run(
        [sys.executable, BENCH / "parity.py", *arguments], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert message in done.stderr.splitlines()[-1]
    assert not list(tmp_path.iterdir())


def test_the_guide_has_the_tables_of_the_data():
    guide = (BENCH.parent / "docs" / "parity.md").read_text(encoding="utf-8")
    for table in report.tables(BENCH / "parity_data").split("\n\n"):
        assert table in guide
