"""Searches on a table. Oracle: a loop of ask and tell written here, and a table whose best is known."""

import csv
import json

import numpy as np
import pytest

from nasdqn_fast import Table, search_table
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.controllers.nas_dqn import NASDQN
from nasdqn_fast.errors import InputError
from nasdqn_fast.seeding import Streams
from nasdqn_fast.study.table import search_files
from nasdqn_fast.types import Proposal, Result

SEEDS = (0, 1, 1000, 1001)


@pytest.fixture(scope="module")
def ladder(invented):
    """1x4 is the best by 30, each seed adds its own; in the final half the second best is the best of all."""
    rng = np.random.default_rng(0)
    returns = np.arange(5)[:, None, None] * 30 + rng.integers(-5, 6, (5, 4, 6))
    returns[4] -= 100
    return invented(returns, SEEDS)


class Source(Controller):
    """Begins an architecture with two episodes, and continues it for three."""

    def propose(self):
        first, *_ = self.space
        return Proposal(first, "more", 3, source=self.count) if self.count else Proposal(first, "begin", 2)

    count = 0

    def learn(self, result):
        self.count += 1


def test_it_is_ask_and_tell_with_runs_of_the_table(ladder):
    """Spelled out: which stream draws what, and what is told."""
    found = search_table(ladder, "task", "nas-dqn", trials=30, seed=3, controller_epsilon_start=0.5)
    streams = Streams(3)
    controller = NASDQN(ladder.space, streams.controller, NASDQN.Options(epsilon_start=0.5))
    for result, seed in zip(found.trials, found.seeds, strict=True):
        proposal = controller.ask()
        answer = ladder.query(proposal.architecture, "task", rng=streams.estimator)
        assert (result.proposal, result.score, seed) == (proposal, answer.score, answer.seed)
        assert result.cost == answer.cost
        controller.tell(Result(proposal, proposal.architecture, answer.score, answer.returns, answer.cost))
    assert found.cost.queries == 30
    assert found.cost.steps == sum(result.cost.steps for result in found.trials)
    assert set(found.seeds) == {0, 1}, "seeds of the final score are not looked at"


def test_the_best_is_chosen_by_its_trials_and_judged_by_other_seeds(ladder):
    found = search_table(ladder, "task", trials=60, seed=0)
    assert str(found.best) == "1x4-relu"
    assert found.final_score == np.mean([ladder.query("1x4-relu", "task", seed).score for seed in (1000, 1001)])
    assert found.regret == found.regrets[-1] == 0
    assert found.regrets[0] == ladder.regret(found.trials[0].architecture, "task")
    assert (found.regrets >= 0).all()


def test_one_seed_gives_one_search(ladder):
    first, second, other = (search_table(ladder, "task", seed=seed, trials=20) for seed in (1, 1, 2))
    asked = [[result.proposal.architecture for result in found.trials] for found in (first, second, other)]
    assert asked[0] == asked[1] != asked[2]
    assert first.seeds == second.seeds


def test_a_budget_is_the_episodes_seen_and_a_source_is_continued(ladder):
    found = search_table(ladder, "task", Source, trials=2)
    assert [len(result.returns) for result in found.trials] == [2, 3]
    assert found.seeds[0] == found.seeds[1]
    whole = ladder.query("1x1-relu", "task", found.seeds[0], 5)
    np.testing.assert_array_equal(np.concatenate([result.returns for result in found.trials]), whole.returns)
    assert found.cost.steps == whole.cost.steps, "what was trained before is not paid again"
    assert (found.cost.updates, found.cost.flop) == (whole.cost.updates, whole.cost.flop)
    with pytest.raises(InputError, match="continues trial 3, which is as long as the table's runs"):
        search_table(ladder, "task", Source, trials=4)


def test_a_fixed_agent_is_a_search_without_a_choice(ladder):
    found = search_table(ladder, "task", "fixed", architecture="1x2-relu", trials=3)
    assert {str(result.architecture) for result in found.trials} == {"1x2-relu"}
    assert all(len(result.returns) == 6 for result in found.trials), "the whole run"


@pytest.mark.parametrize(
    ("about", "message"),
    [
        ({"method": "fixed-small"}, "the table has no architecture 2x32-relu"),
        ({"method": "nas-dqm"}, "unknown method 'nas-dqm': did you mean 'nas-dqn'"),
        ({"task": "tusk"}, "unknown task 'tusk'"),
        ({"trials": 0}, "trials must be an integer >= 1"),
        ({"learning_rate": 0.1}, "a search on a table has no setting 'learning_rate'"),
        ({"method": "nas-dqn", "controller_options": {"tempo": 1}}, "tempo"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused(ladder, about, message):
    with pytest.raises(ValueError, match=message):
        search_table(ladder, **{"task": "task", **about})


def test_the_files_hold_what_was_found(ladder, tmp_path):
    found = {"random-nas": [search_table(ladder, "task", trials=4, seed=seed) for seed in range(3)]}
    out = search_files.check_free(tmp_path / "out")
    search_files.write(out, {"task": "task"}, found)
    summary = json.loads((out / "summary.json").read_text())
    method = summary["methods"]["random-nas"]
    regrets = [search.regret for search in found["random-nas"]]
    assert summary["format"] == 1
    assert method["regret"] == pytest.approx(np.mean(regrets))
    assert method["regret_interval"][0] <= method["regret"] <= method["regret_interval"][1]
    assert [search["best"] for search in method["searches"]] == [str(s.best) for s in found["random-nas"]]
    with (out / "trials.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == 12
    last = found["random-nas"][2]
    assert float(rows[-1]["score"]) == last.trials[-1].score
    assert rows[-1]["architecture"] == str(last.trials[-1].architecture)
    assert float(rows[-1]["regret"]) == last.regret
    with pytest.raises(InputError, match="is not empty; choose another"):
        search_files.check_free(out)


def test_a_real_table_serves(small_table):
    assert search_table(Table.load(small_table), "upright-sgd", "nas-dqn", trials=9, metric="greedy").regret >= 0


@pytest.mark.parametrize("form", ["additive", "multiplicative", "absolute"])
def test_a_reward_is_what_the_controller_is_told_and_what_regret_is_of(ladder, form):
    """Spelled out: 1x4 is the best of returns; the reward of each is the form's, of 14, 21, ... parameters."""
    about = {"reward_cost": "parameters", "reward_form": form, "reward_range": (0.0, 100.0), "reward_weight": 0.9}
    found = search_table(ladder, "task", trials=40, seed=1, reward_target=20.0, **about)
    worth = {
        "additive": lambda q, c: q - 0.9 * c,
        "multiplicative": lambda q, c: q * c ** (-0.9 if q >= 0 else 0.9),
        "absolute": lambda q, c: q - 0.9 * abs(c - 1),
    }[form]

    def reward(name, score):
        return 100 * worth(score / 100, name.parameter_count(4, 2) / 20)

    plain = search_table(ladder, "task", trials=40, seed=1)
    assert [result.estimate for result in found.trials] == [result.score for result in plain.trials]
    for result in found.trials:
        assert result.score == pytest.approx(reward(result.architecture, result.estimate))
    finals = {name: reward(name, ladder.final_score(name, "task")) for name in ladder.space}
    assert found.optimum == pytest.approx(max(finals.values()))
    assert found.regret == pytest.approx(max(finals.values()) - finals[found.best])
    assert plain.optimum == ladder.optimum("task")[1]


def test_a_limit_leaves_what_is_larger_out_of_search_and_optimum(ladder):
    found = search_table(ladder, "task", trials=30, seed=1, max_parameters=16)
    assert {str(result.architecture) for result in found.trials} == {"1x1-relu", "1x2-relu"}
    assert found.optimum == max(ladder.final_score(name, "task") for name in ("1x1-relu", "1x2-relu"))
    with pytest.raises(InputError, match="method 'fixed' asks for 1x4-relu, which has 30 parameters"):
        search_table(ladder, "task", "fixed", architecture="1x4-relu", trials=3, max_parameters=16)


def test_latencies_that_are_given_are_used_and_others_are_measured_and_returned(ladder):
    about = {"reward_cost": "latency", "reward_weight": 50.0, "trials": 10, "seed": 1}
    measured = search_table(ladder, "task", **about)
    assert set(measured.latencies) == set(map(str, ladder.space))
    given = {str(name): 1e-6 * number for number, name in enumerate(ladder.space, start=1)}
    found = search_table(ladder, "task", **about, reward_latencies=given)
    assert found.latencies == given
    for result in found.trials:
        assert result.score == pytest.approx(result.estimate - 50 * result.architecture.widths[0] / 5)
    assert search_table(ladder, "task", trials=1).latencies == {}
