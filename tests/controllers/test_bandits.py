"""Bandits and clustered UCB; oracles: the formulas, over the whole history."""

import math
from collections import Counter

import numpy as np
import pytest

from nasdqn_fast.controllers import base
from nasdqn_fast.controllers._arms import Arms
from nasdqn_fast.controllers._scale import RunningScale
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.testing.controllers import result

SPACE = SearchSpace.paper()
HISTORY = [(0, 3.0), (2, 5.0), (0, 4.0), (1, -2.0), (2, 6.0), (0, 1.0)]


def make(name, seed=0, space=SPACE, **options):
    return base.make(name, space, np.random.default_rng(seed), options)


def known(discount=1.0, n=3):
    arms, scale = Arms(n, discount), RunningScale()
    for arm, score in HISTORY:
        arms.play([arm], score)
        scale.add(score)
    return arms, scale


@pytest.mark.parametrize("discount", [1.0, 0.8])
def test_bounds_are_those_of_ucb1_and_of_its_discounted_form(discount):
    arms, scale = known(discount)
    scores = [score for _, score in HISTORY]
    weights = [discount**age for age in reversed(range(len(HISTORY)))]
    total = sum(weights)
    expected = []
    for arm in range(3):
        plays = sum(w for w, (played, _) in zip(weights, HISTORY, strict=True) if played == arm)
        mean = sum(w * score for w, (played, score) in zip(weights, HISTORY, strict=True) if played == arm) / plays
        z = (mean - np.mean(scores)) / np.std(scores)
        expected.append(z + 1.3 * math.sqrt(2 * math.log(total) / plays))
    assert arms.bounds([0, 1, 2], 1.3, scale) == pytest.approx(expected)


def test_an_arm_that_was_never_played_comes_first():
    arms, scale = known(n=4)
    assert np.argmax(arms.bounds([0, 1, 2, 3], 0.0, scale)) == 3


def test_thompsons_draws_have_the_posteriors_mean_and_deviation():
    """Oracle: a standard normal prior and n scores of variance 1; five standard errors."""
    arms, scale = known()
    rng, n = np.random.default_rng(0), 20_000
    draws = np.array([arms.draws([0, 1, 2], scale, rng) for _ in range(n)])
    z = {arm: [scale.z(score) for played, score in HISTORY if played == arm] for arm in range(3)}
    for arm in range(3):
        deviation = 1 / math.sqrt(len(z[arm]) + 1)
        assert draws[:, arm].mean() == pytest.approx(sum(z[arm]) * deviation**2, abs=5 * deviation / math.sqrt(n))
        assert draws[:, arm].std() == pytest.approx(deviation, rel=5 / math.sqrt(2 * n))


@pytest.mark.parametrize("rule", ["ucb1", "discounted-ucb"])
def test_flat_ucb_tries_every_architecture_once_first(rule):
    controller, tried = make("bandit", rule=rule, arms="flat"), []
    for segment in range(len(SPACE)):
        tried.append(controller.ask())
        controller.tell(result(tried[-1], float(segment)))
    assert {proposal.architecture for proposal in tried} == set(SPACE)


def test_factored_ucb_tries_every_value_once_first():
    controller, tried = make("bandit", rule="ucb1", startup=0), []
    for segment in range(3):
        tried.append(controller.ask().architecture)
        controller.tell(result(controller.pending, float(segment)))
    for value in (lambda a: a.depth, lambda a: a.widths[0], lambda a: a.activation):
        assert len(set(map(value, tried))) == 3


def test_factored_ucb_without_random_draws_would_keep_first_combinations_together():
    """Why `startup` is there: the three bandits see the same scores, and choose alike."""
    for startup, most in [(0, 3), (6, 27)]:
        controller = make("bandit", rule="ucb1", startup=startup)
        seen = Counter()
        for _ in range(100):
            proposal = controller.ask()
            seen[proposal.architecture] += 1
            controller.tell(result(proposal, float(SPACE.index(proposal.architecture) ** 2 % 10)))
        assert (len(seen) <= 3) == (most == 3)


def test_discounting_forgets_what_was_long_ago():
    """Two arms that change places: after as many plays the discounted bandit plays the new best more."""
    space, late = SearchSpace(["1x4-relu", "1x8-relu"]), {}
    for rule in ("ucb1", "discounted-ucb"):
        controller, played = make("bandit", space=space, rule=rule, arms="flat", discount=0.9), []
        for segment in range(300):
            proposal = controller.ask()
            best = space[segment >= 150]
            played.append(proposal.architecture == best)
            controller.tell(result(proposal, 10.0 * played[-1]))
        late[rule] = np.mean(played[160:200])
    assert late["discounted-ucb"] > late["ucb1"] + 0.1


def test_clustered_ucb_changes_one_field_at_a_time():
    controller, before, reasons = make("ucb"), None, []
    for segment in range(60):
        proposal = controller.ask()
        now = (proposal.architecture.depth, proposal.architecture.widths[0], proposal.architecture.activation)
        if before is not None:
            field = ("depth", "width", "activation").index(proposal.reason)
            assert all(now[other] == before[other] for other in range(3) if other != field)
        before = now
        reasons.append(proposal.reason)
        controller.tell(result(proposal, float(segment % 7)))
    assert reasons[0] == "first"
    assert set(reasons[1:4]) == {"depth", "width", "activation"}  # each cluster once, before any twice


def test_clustered_ucb_says_in_one_word_what_it_changed_in_whichever_layer():
    controller, reasons = make("ucb", space=SearchSpace(["4,4-relu", "4,8-relu", "8,8-relu", "4,4-tanh"])), set()
    for segment in range(20):
        proposal = controller.ask()
        reasons.add(proposal.reason)
        controller.tell(result(proposal, float(segment % 7)))
    assert reasons == {"first", "width", "activation"}


def test_clustered_ucb_takes_the_largest_bounds_of_the_window():
    """Oracle: both bounds by the formula, from the last five scores."""
    controller, told = make("ucb", window=5, c=0.7), []
    values = {"depth": lambda a: a.depth, "width": lambda a: a.widths[0], "activation": lambda a: a.activation}
    for segment in range(40):
        proposal = controller.ask()
        window = told[-5:]
        if segment > 5:
            scores = [score for _, _, score in window]
            deviation = np.std(scores) or 1.0

            def bounds(played, scores=scores, deviation=deviation):
                """Arm -> bound, of plays (arm, score)."""
                arms = {arm: [score for other, score in played if other == arm] for arm, _ in played}
                width = 2 * math.log(len(played))
                return {
                    arm: (np.mean(own) - np.mean(scores)) / deviation + 0.7 * math.sqrt(width / len(own))
                    for arm, own in arms.items()
                }

            clusters = bounds([(cluster, score) for cluster, _, score in window if cluster != "first"])
            if len(clusters) == 3:
                assert clusters[proposal.reason] == pytest.approx(max(clusters.values()))
            else:
                assert proposal.reason not in clusters
            value = values[proposal.reason]
            arms = bounds([(value(architecture), score) for _, architecture, score in window])
            if len(arms) == 3:
                assert arms[value(proposal.architecture)] == pytest.approx(max(arms.values()))
            else:
                assert value(proposal.architecture) not in arms
        score = float(segment * 7 % 11)
        told.append((proposal.reason, proposal.architecture, score))
        controller.tell(result(proposal, score))
