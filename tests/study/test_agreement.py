"""Rank agreement. Oracles: tables whose order is known, SciPy's tau, and `train`."""

import json
from pathlib import Path

import numpy as np
import pytest

import nasdqn_fast
from nasdqn_fast import Table, rank_agreement
from nasdqn_fast.errors import InputError
from nasdqn_fast.study.agreement import built_in
from nasdqn_fast.study.table.plan import Plan
from nasdqn_fast.study.table.search import NotInTable
from nasdqn_fast.study.table.tabulate import tabulate
from nasdqn_fast.trial_estimators.base import make

SEEDS = (0, 1, 2, 1000, 1001)
SPACE = ("1x4-relu", "5,3-tanh", "2x8-relu")
LEARNER = {"warm_up": 10, "batch_size": 4, "replay_capacity": 500}


@pytest.fixture(scope="module")
def crossing(invented):
    """Six architectures; the higher the number, the lower the curve begins and the higher it ends."""
    rng = np.random.default_rng(0)
    number, t = np.arange(6)[:, None, None], np.arange(8)[None, None]
    return invented(10 * number * (t - 3) + rng.integers(-2, 3, (6, 5, 8)), SEEDS)


@pytest.fixture(scope="module")
def real(tmp_path_factory):
    """A table of three architectures of CartPole: 12 rows of 16 episodes."""
    plan = Plan(("cartpole",), SPACE, 4, episodes=16, evaluate_every=8, evaluate_episodes=1, learner=LEARNER)
    return Table.load(tabulate(tmp_path_factory.mktemp("table"), plan, threads=1).table)


def first_episode(trial):
    return trial.train(1, None).score


def test_full_training_ranks_as_full_training_and_what_is_too_short_does_not(crossing):
    """Means of all eight episodes rise with the number; the first episode's returns fall."""
    full = rank_agreement(crossing, "task", "full-training")
    assert full.tau == 1.0
    assert full.interval() == (1.0, 1.0)
    assert (full.steps, full.full_steps) == (56, 56)
    early = rank_agreement(crossing, "task", f"{__name__}:first_episode", episodes=8)
    assert early.tau == pytest.approx(-1.0)
    assert early.steps == 7


def test_tau_and_its_interval_are_those_of_scipy(real):
    stats = pytest.importorskip("scipy.stats")
    found = rank_agreement(real, "cartpole", "low-fidelity", {"episodes": 5}, repeats=3)
    assert found.estimates.shape == (3, 3)
    truth = np.array([[real.query(name, "cartpole", seed).score for name in SPACE] for seed in (1000, 1001)])
    np.testing.assert_array_equal(found.truth, truth)
    taus = [stats.kendalltau(estimate, truth.mean(axis=0)).statistic for estimate in found.estimates]
    assert found.tau == pytest.approx(np.mean(taus))

    rng = np.random.default_rng(1)
    drawn = []
    for _ in range(1000):
        means = truth[rng.integers(2, size=2)].mean(axis=0)
        chosen = found.estimates[rng.integers(3, size=3)]
        drawn.append(np.mean([stats.kendalltau(estimate, means).statistic for estimate in chosen]))
    assert found.interval() == pytest.approx(np.quantile(drawn, [0.025, 0.975]), abs=0.25)


def test_every_estimate_is_one_of_the_tables_runs(real):
    found = rank_agreement(real, "cartpole", "low-fidelity", {"episodes": 5})
    for i, name in enumerate(SPACE):
        scores = {real.query(name, "cartpole", seed, 5).score for seed in (0, 1)}
        assert set(found.estimates[:, i]) <= scores


@pytest.mark.parametrize("name", [name for name in built_in() if name != "inherit"])
def test_the_table_answers_every_other_estimator(real, name):
    if name in ("surrogate", "learning-curve"):
        pytest.importorskip("sklearn")
    options = {"trials": 2} if name == "surrogate" else {}
    found = rank_agreement(real, "cartpole", name, options)
    assert -1 <= found.tau <= 1
    low, high = found.interval(200)
    assert low <= high
    if hasattr(make(name).options, "draws") or name in ("parameters", "flop"):
        assert found.updates == 0
        assert found.steps < found.full_steps


def test_zero_cost_scores_are_those_of_networks_as_they_are_drawn(real):
    found = rank_agreement(real, "cartpole", "parameters")
    counts = [nasdqn_fast.Architecture.parse(name).parameter_count(4, 2) for name in SPACE]
    np.testing.assert_allclose(found.estimates, [np.log(counts)] * 2)


def test_weights_are_inherited_in_real_runs_with_the_tables_settings(real, tmp_path):
    with pytest.raises(NotInTable, match="a table holds no run that begins with another's weights"):
        rank_agreement(real, "cartpole", "inherit")
    options = {"episodes": 4}
    found = rank_agreement(real, "cartpole", "inherit", options, repeats=1, out=tmp_path / "runs", threads=1)
    (path,) = (tmp_path / "runs").glob("searches/*/*/0/trials.jsonl")
    records = [json.loads(line) for line in path.read_text().splitlines()]
    assert sorted(record["architecture"] for record in records) == sorted(SPACE)
    assert [bool(record["parent"]) for record in records] == [False, True, True]
    assert found.steps == np.mean([record["cost"]["steps"] for record in records])
    first = records[0]
    run = nasdqn_fast.train(
        "fixed",
        "cartpole",
        first["seed"],
        architecture=first["architecture"],
        episodes=4,
        horizon_is="truncated",
        optimizer="adam",
        policy_epsilon_decay=0.985,
        max_episode_steps=500,
        **LEARNER,
    )
    assert first["score"] == run.segments[0].score
    again = rank_agreement(real, "cartpole", "inherit", options, repeats=1, out=tmp_path / "runs", threads=1)
    np.testing.assert_array_equal(again.estimates, found.estimates)
    assert not Path(tmp_path / "runs" / "final").exists()


def test_bad_input_is_one_line(real, invented):
    with pytest.raises(InputError, match="unknown task 'x'"):
        rank_agreement(real, "x", "low-fidelity")
    with pytest.raises(InputError, match="unknown trial estimator 'x'"):
        rank_agreement(real, "cartpole", "x")
    with pytest.raises(InputError, match="the table has one architecture"):
        rank_agreement(invented(np.zeros((1, 2, 3)), (0, 1000)), "task", "low-fidelity")
