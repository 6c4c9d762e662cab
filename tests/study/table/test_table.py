"""Queries. Oracle: the arrays themselves, and shorter runs of `nasdqn_fast.train`."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from nasdqn_fast import Table, train
from nasdqn_fast.errors import InputError, OutOfRange, UnknownName
from nasdqn_fast.metrics import area_under_curve, run_metrics
from nasdqn_fast.study.table import METRICS, CostMeter
from nasdqn_fast.study.table.plan import Cell

SEEDS = (0, 1, 1000, 1001)
RETURNS = arrays(np.int16, (3, 4, 6), elements=st.integers(-500, 500))


@given(returns=RETURNS, episodes=st.integers(1, 6), a=st.integers(0, 2), s=st.integers(0, 3))
def test_scores_are_those_of_the_first_episodes(invented, returns, episodes, a, s):
    table = invented(returns, SEEDS, scale=0.02)
    run = returns[a, s, :episodes] * 0.02
    name, seed = table.space[a], SEEDS[s]
    final = table.query(name, "task", seed, episodes)
    np.testing.assert_allclose(final.returns, run)
    assert final.score == pytest.approx(run_metrics(run).final_mean, abs=1e-9)
    assert table.query(name, "task", seed, episodes, metric="area").score == pytest.approx(area_under_curve(run))
    if episodes >= 2:
        evaluation = returns[a, s, 1 if episodes < 4 else 3] + 0.5
        assert table.query(name, "task", seed, episodes, metric="greedy").score == evaluation


def test_the_final_score_is_of_the_last_hundred_episodes(invented):
    returns = np.arange(2 * 2 * 150).reshape(2, 2, 150)
    table = invented(returns, (0, 1000))
    assert table.query("1x2-relu", "task", 0).score == returns[1, 0, 50:].mean()
    assert table.query("1x2-relu", "task", 0, 120).score == returns[1, 0, 20:120].mean()


@given(returns=RETURNS, metric=st.sampled_from(METRICS), episodes=st.integers(2, 6))
def test_regret_is_the_distance_to_the_best_on_the_final_seeds(invented, returns, metric, episodes):
    table = invented(returns, SEEDS)
    about = {"metric": metric, "episodes": episodes}
    scores = [
        np.mean([table.query(name, "task", seed, **about).score for seed in (1000, 1001)]) for name in table.space
    ]
    best, highest = table.optimum("task", **about)
    assert highest == pytest.approx(max(scores))
    regrets = [table.regret(name, "task", **about) for name in table.space]
    assert min(regrets) == 0 == table.regret(best, "task", **about)
    np.testing.assert_allclose(regrets, max(scores) - np.array(scores), atol=1e-9)


@given(seed=st.integers(0, 2**32))
def test_a_seed_that_is_not_given_is_one_of_the_searchs_by_one_draw(invented, seed):
    table = invented(np.zeros((2, 4, 3)), SEEDS)
    rng, other = np.random.default_rng(seed), np.random.default_rng(seed)
    assert table.query("1x1-relu", "task", rng=rng).seed == (0, 1)[other.integers(2)]
    assert rng.bit_generator.state == other.bit_generator.state


@pytest.mark.parametrize("episodes", [1, 3, 12])
@pytest.mark.parametrize("task", ["cartpole", "upright-sgd"])
def test_the_cost_of_a_part_is_that_of_a_shorter_run(small_plan, small_table, task, episodes):
    """Those of cartpole that are short end before the first update; oracle: the run itself."""
    config = small_plan.config(Cell(task, "5,3-tanh", 1))
    run = train(config=config, episodes=episodes)
    answer = Table.load(small_table).query("5,3-tanh", task, 1, episodes)
    assert answer.cost == run.segments[0].cost
    np.testing.assert_allclose(answer.returns, run.episodes.returns, atol=0.011)


def test_the_meter_adds_up_what_the_queries_stand_for(small_table):
    table, meter = Table.load(small_table), CostMeter()
    answers = [table.query("1x4-relu", "cartpole", seed, 7, meter=meter) for seed in (0, 0, 1)]
    assert (meter.queries, meter.episodes) == (3, 21)
    for name in ("steps", "updates", "flop"):
        assert getattr(meter, name) == sum(getattr(answer.cost, name) for answer in answers) > 0
    assert meter.steps == 2 * answers[0].cost.steps + answers[2].cost.steps


def test_what_is_missing_is_an_error(small_table):
    table = Table.load(small_table)
    with pytest.raises(InputError, match="the table has no architecture 3x64-relu; it has 1x4-relu, 5,3-tanh"):
        table.query("3x64-relu", "cartpole", 0)
    with pytest.raises(InputError, match="no run of cartpole, 1x4-relu, seed 2; seeds of this task: 0, 1, 1000, 1001"):
        table.query("1x4-relu", "cartpole", 2)
    with pytest.raises(UnknownName, match="unknown task 'cartpol': did you mean 'cartpole'"):
        table.optimum("cartpol")
    with pytest.raises(OutOfRange, match="episodes must be an integer from 1 to 12; got 13"):
        table.query("1x4-relu", "cartpole", 0, 13)
    with pytest.raises(OutOfRange, match="episodes must be at least 5, the first evaluation, for greedy; got 4"):
        table.query("1x4-relu", "cartpole", 0, 4, metric="greedy")
    with pytest.raises(UnknownName, match="unknown metric 'last'"):
        table.query("1x4-relu", "cartpole", 0, metric="last")
    with pytest.raises(TypeError, match=r"rng must be a numpy\.random\.Generator where no seed is given; got NoneType"):
        table.query("1x4-relu", "cartpole")


def test_a_hole_in_a_table_is_an_error_in_every_mean(invented):
    table = invented(np.zeros((2, 4, 3)), SEEDS)
    del table._rows[Cell("task", "1x2-relu", 1001)]
    for ask in (table.regret, table.final_score):
        with pytest.raises(InputError, match="no run of task, 1x2-relu, seed 1001"):
            ask("1x2-relu", "task")
    with pytest.raises(InputError, match="no run of task, 1x2-relu, seed 1001"):
        table.optimum("task")


def test_a_table_is_found_by_path_directory_or_name(small_table, tmp_path):
    by_path = Table.load(small_table)
    by_directory = Table.load(small_table.parent)
    assert by_path.tasks == by_directory.tasks == ("cartpole", "upright-sgd")
    assert by_path.settings("upright-sgd")["env"]["start"] == "upright"
    with pytest.raises(InputError, match=r"no table is called 'nothing': .* tabulate --out DIR makes one"):
        Table.load("nothing")
