"""Verdicts on the paper's claims, of studies made up so that the truth is known."""

import math

import numpy as np
import pytest
from scipy import stats

from nasdqn_fast.study.claims import CLAIMS, verdicts
from nasdqn_fast.study.contrasts import Judgement
from nasdqn_fast.study.outcomes import Group, Outcome, Outcomes
from nasdqn_fast.study.plan import Look, Plan

BASELINES = ("random-nas", "fixed-small", "fixed-medium", "fixed-large")
TASK = "inverted-pendulum"


def summary_of(final=190.0, *, std=16.0, reached=260, seconds=10.0, search=0.02, segments=(), status="finished"):
    cost = {"steps": 40_000, "updates": 40_000, "parameters": 1_000, "flop": 1e9}
    return {
        "format": 1,
        "status": status,
        "episodes": 2_000,
        "steps": 400_000,
        "metrics": {"final_mean": final, "final_std": std, "episodes_to_threshold": reached, "best": 199.0},
        "threshold": 150.0,
        "mean_return": final - 20,
        "optimum": 196.0,
        "segments": [
            {"architecture": name, "reason": "uniform", "first": 200 * k + 1, "last": 200 * (k + 1), "score": score}
            | {"transfer": None, "cost": cost}
            for k, (name, score) in enumerate(segments)
        ],
        "seconds": {"total": seconds + 1, "train": seconds * (1 - search), "transfer": seconds * search},
    }


def study(trials, *, looks=1, profile="paper"):
    """A plan and the outcomes of made-up summaries: label -> one a seed, None for a trial that has not ended."""
    methods, groups, missing = {}, {}, 0
    for label, summaries in trials.items():
        method = label.partition("+")[0]
        methods.setdefault(method, []).append(label)
        found = enumerate(summaries, 1000)
        outcomes = tuple(Outcome.of_summary(seed, "", entry) for seed, entry in found if entry is not None)
        groups[TASK, label] = Group(TASK, method, label, outcomes, 150.0, 196.0)
        missing += summaries.count(None)
    times = tuple(Look(f"2026-01-0{k + 1}T00:00:00+00:00", {}) for k in range(looks))
    labels = {method: tuple(labels) for method, labels in methods.items()}
    plan = Plan((TASK,), labels, {}, profile, 2_000, 1000, times)
    return plan, Outcomes(groups, sum(map(len, trials.values())), {"missing": missing} if missing else {})


@pytest.fixture
def judged():
    """A function: what each agent's summaries hold, as functions of a generator -> the verdict on a claim."""

    def of(name, agents, *, n=20, more=(), **about):
        rng = np.random.default_rng(0)
        default = {agent: {} for agent in ("nas-dqn", *BASELINES)}
        trials = {
            agent: [summary_of(**{key: value(rng) for key, value in values.items()}) for _ in range(n)]
            for agent, values in (default | agents).items()
        }
        (verdict,) = (found for found in verdicts(*study(trials | dict(more), **about)) if found.claim.name == name)
        return verdict

    return of


def about(mean, sd=3.0):
    return lambda rng: float(rng.normal(mean, sd))


def finals(**means):
    return {agent.replace("_", "-"): {"final": about(mean)} for agent, mean in means.items()}


EQUAL = finals(nas_dqn=190, random_nas=190, fixed_small=190, fixed_medium=190, fixed_large=190)
BEST = EQUAL | finals(nas_dqn=200)
WORST = EQUAL | finals(nas_dqn=150)


def test_a_search_above_all_others_supports_c1(judged):
    verdict = judged("C1", BEST)
    assert verdict.judgement == Judgement.SUPPORTED
    assert [one.contrast.name for one in verdict.contrasts] == [f"nas-dqn minus {other}" for other in BASELINES]
    for one in verdict.contrasts:
        assert one.effect == pytest.approx(10, abs=3)
        assert one.interval[0] < one.effect < one.interval[1]
        assert one.contrast.n == 20
        assert one.contrast.paired


def test_a_search_below_one_other_contradicts_c1(judged):
    assert judged("C1", BEST | finals(fixed_large=215)).judgement == Judgement.CONTRADICTED
    assert judged("C1", WORST).judgement == Judgement.CONTRADICTED


def test_a_difference_within_five_contradicts(judged):
    verdict = judged("C1", EQUAL, n=60)
    assert verdict.judgement == Judgement.CONTRADICTED
    assert {one.judgement for one in verdict.contrasts} == {Judgement.CONTRADICTED}
    assert all(one.p_equivalent < 0.05 for one in verdict.contrasts)


def test_three_scattered_seeds_decide_nothing(judged):
    scattered = {agent: {"final": about(190, 30)} for agent in EQUAL}
    assert judged("C1", scattered | {"nas-dqn": {"final": about(205, 30)}}, n=3).judgement == Judgement.UNDECIDED


def test_a_contrast_is_scipys_paired_interval_at_holms_level(judged):
    verdict = judged("C1", EQUAL | finals(nas_dqn=192))
    rng = np.random.default_rng(0)
    values = {agent: rng.normal(192 if agent == "nas-dqn" else 190, 3, 20) for agent in ("nas-dqn", *BASELINES)}
    smallest = min(verdict.contrasts, key=lambda one: one.contrast.p)
    other = smallest.contrast.name.removeprefix("nas-dqn minus ")
    expected = stats.ttest_rel(values["nas-dqn"], values[other])
    assert smallest.contrast.p == pytest.approx(expected.pvalue)
    assert smallest.confidence == pytest.approx(1 - 0.05 / 4)
    assert smallest.interval == pytest.approx(tuple(expected.confidence_interval(1 - 0.05 / 4)))


def reached(**means):
    return {
        agent.replace("_", "-"): {"reached": lambda rng, m=mean: int(rng.normal(m, m / 20))}
        for agent, mean in means.items()
    }


def test_c2_needs_factors_nearer_to_three_and_ten_than_to_one(judged):
    paper = reached(nas_dqn=100, fixed_small=300, fixed_medium=300, fixed_large=300, random_nas=1_000)
    verdict = judged("C2", paper)
    assert verdict.judgement == Judgement.SUPPORTED
    assert [round(one.effect) for one in verdict.contrasts] == [3, 3, 3, 10]
    assert judged("C2", paper | reached(random_nas=250)).judgement == Judgement.CONTRADICTED
    assert judged("C2", reached(nas_dqn=250, random_nas=250)).judgement == Judgement.CONTRADICTED


def test_runs_that_never_reach_the_threshold_count_with_their_length(judged):
    never = {"random-nas": {"reached": lambda rng: None}}
    (*_, last) = judged("C2", reached(nas_dqn=100) | never).contrasts
    assert last.effect == pytest.approx(20, rel=0.05)


def test_c2_is_not_judged_where_no_run_gets_there(judged):
    nobody = {agent: {"reached": lambda rng: None} for agent in EQUAL}
    verdict = judged("C2", nobody)
    assert (verdict.judgement, verdict.reason) == (Judgement.NONE, "no run exceeded the threshold")


def test_two_methods_that_never_get_there_are_not_told_apart(judged):
    never = {agent: {"reached": lambda rng: None} for agent in ("nas-dqn", "random-nas")}
    verdict = judged("C2", reached(fixed_small=300) | never)
    assert verdict.contrasts[-1].judgement == Judgement.UNDECIDED
    # Those that fixed agents outdo are told all the same: nas-dqn counts with its length.
    assert verdict.contrasts[0].judgement == Judgement.CONTRADICTED


def test_ranks_are_tested_beside_means(judged):
    verdict = judged("C1", BEST)
    assert all(one.p_ranks < 0.001 for one in verdict.contrasts)
    three = judged("C1", BEST, n=3)
    assert min(one.contrast.p_ranks for one in three.contrasts) >= 0.25  # all that three pairs can show


def test_c3_wants_the_searchs_spread_below_all_others(judged):
    wide = {agent: {"std": about(40, 2)} for agent in BASELINES}
    assert judged("C3", wide | {"nas-dqn": {"std": about(20, 2)}}).judgement == Judgement.SUPPORTED
    assert judged("C3", wide | {"nas-dqn": {"std": about(60, 2)}}).judgement == Judgement.CONTRADICTED


def test_c4_wants_medium_above_small_above_large(judged):
    assert judged("C4", finals(fixed_small=180, fixed_medium=190, fixed_large=150)).judgement == Judgement.SUPPORTED
    assert judged("C4", finals(fixed_small=180, fixed_medium=180, fixed_large=190)).judgement == Judgement.CONTRADICTED


def seconds(share=0.01, **means):
    costs = {agent.replace("_", "-"): {"seconds": about(mean, 0.1)} for agent, mean in means.items()}
    costs["nas-dqn"]["search"] = lambda rng: float(rng.normal(share, share / 100))
    return costs


def test_c5_wants_large_alike_small_faster_and_no_overhead(judged):
    paper = seconds(nas_dqn=10, random_nas=10, fixed_large=11, fixed_medium=9, fixed_small=8)
    assert judged("C5", paper).judgement == Judgement.SUPPORTED
    assert judged("C5", paper | seconds(share=0.2, nas_dqn=10)).judgement == Judgement.CONTRADICTED
    assert judged("C5", paper | seconds(fixed_large=30, nas_dqn=10)).judgement == Judgement.CONTRADICTED


def test_c5_is_judged_under_the_papers_profile_only(judged):
    verdict = judged("C5", {}, profile="robust")
    assert verdict.judgement == Judgement.NONE
    assert "judged under profile paper" in verdict.reason


def walk(chosen, worths):
    def segments(rng):
        picks = ["a", *chosen(rng)]
        return [(name, worths[name] + 10 * k + rng.normal(0, 5)) for k, name in enumerate(picks)]

    return {"segments": segments}


WORTHS = {name: 10.0 * k for k, name in enumerate("abcde")}


def any_of(names):
    return lambda rng: rng.choice(list(names), 9).tolist()


def test_c6_is_about_where_the_search_goes_as_others_scored_it(judged):
    random = {"random-nas": walk(any_of("abcde"), WORTHS)}
    good, bad, same = (random | {"nas-dqn": walk(any_of(names), WORTHS)} for names in ("cde", "ab", "abcde"))
    verdict = judged("C6", good)
    assert verdict.judgement == Judgement.SUPPORTED
    # Means of c, d, e and of all five are 30 and 20.
    assert verdict.contrasts[0].effect == pytest.approx(10, abs=3)
    assert judged("C6", bad).judgement == Judgement.CONTRADICTED
    low, high = judged("C6", same).contrasts[0].interval
    assert low < 0 < high


def test_c6_does_not_reward_a_run_for_its_own_luck(judged):
    """Architectures of equal worth, scores of much noise: choosing what scored well gains nothing."""
    equal = dict.fromkeys("abcde", 0.0)

    def drawn(rng):
        return [(name, rng.normal(0, 50)) for name in ["a", *any_of("abcde")(rng)]]

    agents = {"random-nas": {"segments": drawn}, "nas-dqn": walk(any_of("abcde"), equal)}
    low, high = judged("C6", agents, n=60).contrasts[0].interval
    assert low < 0 < high
    # One architecture for all seeds, named beforehand: the error of its worth is shared, and in the interval.
    low, high = judged("C6", agents | {"nas-dqn": walk(lambda rng: ["e"] * 9, equal)}, n=60).contrasts[0].interval
    assert low < 0 < high


def test_c7_wants_both_searches_above_every_fixed_agent(judged):
    both = EQUAL | finals(nas_dqn=200, random_nas=200)
    assert judged("C7", both).judgement == Judgement.SUPPORTED
    assert judged("C7", both | finals(random_nas=180)).judgement == Judgement.CONTRADICTED


def test_an_unfinished_study_gets_no_verdicts(judged):
    trials = {agent: [summary_of(), None] for agent in ("nas-dqn", *BASELINES)}
    for claim in CLAIMS:
        verdict = judged(claim.name, {}, more=trials)
        assert verdict.judgement == Judgement.NONE
        assert verdict.reason == "unfinished: 5 of 10 trials have ended"
        assert not verdict.contrasts


def test_after_a_second_look_verdicts_are_exploratory(judged):
    verdict = judged("C1", BEST, looks=2)
    assert (verdict.judgement, verdict.by_rule) == (Judgement.EXPLORATORY, Judgement.SUPPORTED)
    assert "2 looks" in verdict.reason


def test_a_study_without_an_agent_gets_no_verdict():
    found = verdicts(*study({"nas-dqn": [summary_of()] * 3}))
    for verdict in found:
        assert verdict.judgement == Judgement.NONE
        assert verdict.reason.startswith("the study has no random-nas, fixed-small")


def test_settings_of_some_agents_make_no_variant():
    trials = {agent: [summary_of()] * 3 for agent in ("nas-dqn", *BASELINES)}
    more = {f"{agent}+agent.optimizer=adam": [summary_of()] * 3 for agent in BASELINES[1:]}
    assert {verdict.variant for verdict in verdicts(*study(trials | more))} == {""}


def test_each_point_of_a_grid_is_judged_by_itself():
    rng = np.random.default_rng(0)
    trials = {}
    for point, better in (("+agent.learning_rate=0.1", 20), ("+agent.learning_rate=0.2", -20)):
        for agent in ("nas-dqn", *BASELINES):
            mean = 190 + better * (agent == "nas-dqn")
            trials[agent + point] = [summary_of(rng.normal(mean, 3)) for _ in range(10)]
    found = verdicts(*study(trials))
    found = [verdict.judgement for verdict in found if verdict.claim.name == "C1"]
    assert found == [Judgement.SUPPORTED, Judgement.CONTRADICTED]


def test_seeds_that_only_one_method_has_are_not_paired():
    rng = np.random.default_rng(0)
    trials = {agent: [summary_of(rng.normal(190, 3)) for _ in range(20)] for agent in BASELINES}
    trials["nas-dqn"] = [summary_of(rng.normal(190, 3)) for _ in range(40)]
    found = verdicts(*study(trials))
    verdict = found[0]
    assert {one.contrast.n for one in verdict.contrasts} == {20}


def test_one_seed_decides_nothing(judged):
    verdict = judged("C1", BEST, n=1)
    assert verdict.judgement == Judgement.UNDECIDED
    assert verdict.contrasts[0].interval == (-math.inf, math.inf)


def test_of_one_seed_a_ratio_may_be_anything(judged):
    assert judged("C2", reached(nas_dqn=100), n=1).contrasts[0].interval == (0.0, math.inf)
