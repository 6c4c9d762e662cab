"""The expert and the league. Oracles: every policy of a tiny table, by dynamic programming; means written out here."""

import csv
import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nasdqn_fast import search_table
from nasdqn_fast.study.table import league
from nasdqn_fast.study.table.expert import expert_scores
from nasdqn_fast.study.table.league import (
    ALL,
    EXPERT,
    UNIFORM,
    exhaustive_regret,
    expanded,
    expert_regrets,
    league_methods,
    standing,
)

SEEDS = (0, 1, 1000, 1001)


def best_policy(rows, finals, trials):
    """The expected final score of the best of all policies: the names of the rows are shuffled, the rows are known.

    Args:
        rows: of each architecture its scores, one of which a trial shows, each as likely.
        finals: of each architecture.
        trials: how many; the answer is one of those tried.
    """
    names = range(len(rows))

    def value(beliefs, tried, left):
        """beliefs: (row of each name) -> probability of it and of what was seen; the result is weighted by it, too."""
        answers = [sum(p * finals[order[name]] for order, p in beliefs.items()) for name in tried]
        if not left:
            return max(answers)
        worth = []
        for name in names:
            total = 0.0
            for score in {score for row in rows for score in row}:
                seen = {
                    order: p * rows[order[name]].count(score) / len(rows[order[name]])
                    for order, p in beliefs.items()
                    if score in rows[order[name]]
                }
                total += value(seen, tried | {name}, left - 1) if seen else 0.0
            worth.append(total)
        return max(worth)

    orders = list(itertools.permutations(names))
    return value(dict.fromkeys(orders, 1 / len(orders)), frozenset(), trials)


@settings(max_examples=20, deadline=None)
@given(finals=st.lists(st.integers(-9, 9), min_size=2, max_size=4), trials=st.integers(1, 3))
def test_the_expert_is_the_best_policy_where_scores_tell_rows_apart(finals, trials):
    rows = [[10 * k, 10 * k + 1] for k in range(len(finals))]
    trials = min(trials, len(finals))
    assert expert_scores(np.array(finals), trials)[-1] == pytest.approx(best_policy(rows, finals, trials))


def test_where_scores_are_shared_no_policy_exceeds_it():
    rows, finals = [[0, 1], [1, 2], [2, 0]], [0.0, 5.0, 9.0]
    for trials in (2, 3):
        assert best_policy(rows, finals, trials) < expert_scores(np.array(finals), trials)[-1]


@given(finals=st.lists(st.floats(-100, 100), min_size=1, max_size=7), trials=st.integers(1, 9))
def test_it_is_the_best_of_so_many_drawn_without_replacement(finals, trials):
    found = expert_scores(np.array(finals), trials)
    for n in range(1, trials + 1):
        drawn = itertools.combinations(finals, min(n, len(finals)))
        assert found[n - 1] == pytest.approx(np.mean([max(one) for one in drawn]), abs=1e-9)


@pytest.mark.quick_only(method={"random-nas", "nas-dqn"})
@pytest.mark.parametrize("method", ["random-nas", "nas-dqn", "bandit", "evolution", "q-learning"])
def test_over_all_shuffles_of_the_names_no_controller_does_better(invented, method):
    """Each of the six tables is as likely; a controller that does well on one does badly on another."""
    rng = np.random.default_rng(3)
    levels = np.array([0, 40, 100])[:, None, None] + rng.integers(-9, 10, (3, 4, 5))
    tables = [invented(levels[list(order)], SEEDS) for order in itertools.permutations(range(3))]
    found = [[search_table(table, "task", method, trials=4, seed=seed) for seed in range(15)] for table in tables]
    regrets = np.mean([[search.regrets for search in searches] for searches in found], axis=0)  # (seeds, trials)
    expert = expert_regrets({method: found[0]})
    assert expert[-1] == 0, "after three trials it has seen all"
    error = 2.5 * regrets.std(axis=0) / np.sqrt(len(regrets))
    assert (regrets.mean(axis=0) >= expert - error - 1e-9).all()
    assert regrets[:, 0].mean() == pytest.approx(expert[0]), "the first trial says nothing, whoever makes it"


def test_who_has_seen_every_run_answers_with_what_looks_best_there(invented):
    """By the seeds for searching it is the second, by the others the third: the patient one is 8 below the optimum."""
    levels = np.array([[0, 0, 0, 0], [60, 60, 20, 24], [50, 50, 30, 30]])
    table = invented(np.repeat(levels[:, :, None], 5, axis=2), SEEDS)
    found = {UNIFORM: [search_table(table, "task", trials=60, seed=0)]}
    assert exhaustive_regret(found) == 30 - 22
    assert found[UNIFORM][0].regret == 8, "as uniform draws come to in the end"


@pytest.fixture(scope="module")
def found(invented):
    """The ladder of five, on which each seed adds its own: three methods, ten searches each."""
    rng = np.random.default_rng(0)
    returns = np.arange(5)[:, None, None] * 30 + rng.integers(-30, 31, (5, 4, 6))
    table = invented(returns, SEEDS)
    return {
        method: [search_table(table, "task", method, trials=20, seed=seed) for seed in range(10)]
        for method in (UNIFORM, "bandit", "nas-dqn")
    }


def test_standings_are_means_over_searches_and_gains_are_seed_by_seed(found):
    one = standing("bandit", 5, found)
    regrets, uniform = ([search.regrets[4] for search in found[name]] for name in ("bandit", UNIFORM))
    assert one.regret == pytest.approx(np.mean(regrets))
    assert one.gain == pytest.approx(np.mean(uniform) - np.mean(regrets))
    assert one.interval[0] <= one.regret <= one.interval[1]
    assert one.gain_interval[0] <= one.gain <= one.gain_interval[1]
    itself = standing(UNIFORM, 5, found)
    assert (itself.gain, itself.verdict) == (0.0, "")
    alone = standing("bandit", 5, {"bandit": found["bandit"]})
    assert np.isnan(alone.gain)
    assert alone.verdict == ""


def test_a_verdict_needs_an_interval_on_one_side(found):
    def after(shift):
        others = [type(s)(**{**vars(s), "regrets": s.regrets + shift}) for s in found[UNIFORM]]
        return standing("other", 20, {UNIFORM: found[UNIFORM], "other": others}).verdict

    assert [after(shift) for shift in (-1.0, 0.0, 1.0)] == ["better", "", "worse"]


def test_the_league_is_in_order_of_regret(found):
    rows = league.league(found)
    finals = [row[-1].regret for row in rows]
    assert finals == sorted(finals)
    assert [[one.trial for one in row] for row in rows] == [[4, 10, 20]] * 3
    assert league.milestones(1) == (1,)


def test_all_stands_for_every_method_that_searches():
    methods = league_methods()
    assert {"random-nas", "nas-dqn", "bandit", "halving", "sarsa", "ppo"} <= set(methods)
    assert not {"fixed", "fixed-small", "adadqn", "supernet", "gradient", "prune-only", "reset-only"} & set(methods)
    assert expanded(["nas-dqn", ALL]) == ["nas-dqn", *(name for name in methods if name != "nas-dqn")]


def test_the_file_holds_every_trial_and_the_expert(found, tmp_path):
    league.write(tmp_path, found)
    with (tmp_path / "league.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 5 * 20
    assert float(rows[25]["regret"]) == standing("bandit", 6, found).regret
    last = [row for row in rows if row["method"] == EXPERT]
    assert [float(row["regret"]) for row in last] == expert_regrets(found).tolist()
    assert float(last[-1]["regret"]) == 0
