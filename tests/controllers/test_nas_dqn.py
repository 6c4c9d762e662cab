"""NAS-DQN, against section 2.3.2 of Rahmani et al. 2025 and what it leaves open (docs/controllers.md)."""

import math
import statistics
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast.controllers.nas_dqn import NASDQN, softmax_of_z_scores
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.testing.controllers import play, result

SPACE = SearchSpace.paper()
VISITS = st.lists(st.tuples(st.integers(0, 26), st.integers(-300, 200)), unique_by=lambda visit: visit[1], max_size=40)


def make(seed=0, **options):
    return NASDQN(SPACE, np.random.default_rng(seed), NASDQN.Options(**options))


def visit(controller, index, score):
    """One segment, in which architecture number `index` was trained, whatever had been proposed."""
    controller.tell(replace(result(controller.ask(), float(score)), architecture=SPACE[index]))


def closed_form(scores, temperature):
    """The paper's P(c), term by term; its small constant in the denominator is below the tolerance."""
    mean, deviation = statistics.fmean(scores), statistics.pstdev(scores)
    terms = [math.exp((score - mean) / deviation / temperature) for score in scores]
    return [term / sum(terms) for term in terms]


# The distribution over the best buffer


@pytest.mark.parametrize("temperature", [0.2, 1.5, 10.0])
@pytest.mark.parametrize("scores", [[150.0, 160.0], [190.0, 30.0, 188.0], [-200.0, -199.0, 50.0, 60.0, 196.0]])
def test_probabilities_are_the_papers(scores, temperature):
    assert softmax_of_z_scores(scores, temperature) == pytest.approx(closed_form(scores, temperature), abs=1e-7)


@given(st.floats(-1e9, 1e9), st.integers(1, 30))
def test_equal_scores_are_equally_likely(score, n):
    assert softmax_of_z_scores([score] * n, 1.5) == pytest.approx([1 / n] * n, rel=1e-15)


@given(st.lists(st.floats(-1e9, 1e9), min_size=1, max_size=30), st.floats(1e-3, 1e3))
def test_probabilities_are_probabilities_and_ordered_as_the_scores(scores, temperature):
    p = softmax_of_z_scores(scores, temperature)
    assert p.sum() == pytest.approx(1.0)
    assert (np.diff(p[np.argsort(scores)]) >= 0).all()


def test_choices_have_the_frequencies_of_the_closed_form():
    """Oracle: the closed form; the tolerance is five standard deviations of a binomial."""
    controller, draws = make(seed=4, epsilon_start=0.0, epsilon_min=0.0), 4_000
    scores = [150.0, 190.0, 20.0, 185.0, 100.0]
    for index, score in enumerate(scores):
        visit(controller, index, score)
    state, counts = controller.get_state(), Counter()
    for _ in range(draws):
        controller.set_state(state)
        proposal = controller.ask()
        assert proposal.reason == "exploit"
        counts[proposal.architecture] += 1
    for index, p in enumerate(closed_form(scores, 1.5)):
        assert abs(counts[SPACE[index]] - draws * p) < 5 * math.sqrt(draws * p * (1 - p))


# Exploration


def test_the_first_draw_is_uniform_and_uses_up_no_epsilon():
    controller = make(epsilon_start=0.7)
    assert controller.ask().reason == "first"
    assert controller.epsilon == 0.7


def test_epsilon_may_vanish_after_the_first_switch_but_not_rise():
    assert make(epsilon_decay=0.0).options.epsilon_decay == 0.0
    with pytest.raises(ValueError, match=r"epsilon_min must be at most epsilon_start \(0.05\); got 0.1"):
        make(epsilon_start=0.05)


def test_epsilon_decays_from_switch_to_switch_down_to_its_minimum():
    controller, epsilons = make(), []
    play(controller, segments=1)
    for _ in range(60):
        epsilons.append(controller.epsilon)
        play(controller, segments=1)
    assert epsilons == pytest.approx([max(0.1, 0.95**k) for k in range(60)])
    # Over the nine switches of the paper's 2,000 episodes: 82 % of the choices are Random-NAS's.
    assert np.mean(epsilons[:9]) == pytest.approx(0.82, abs=0.005)


@pytest.mark.parametrize("epsilon", [0.0, 0.3, 1.0])
def test_a_switch_explores_with_probability_epsilon(epsilon):
    draws = 2_000
    reasons = Counter(
        play(make(seed=seed, epsilon_start=epsilon, epsilon_min=0.0), segments=2)[1].reason for seed in range(draws)
    )
    assert reasons["explore"] + reasons["exploit"] == draws
    assert abs(reasons["explore"] - draws * epsilon) <= 5 * math.sqrt(draws * epsilon * (1 - epsilon))


def test_exploring_reaches_the_whole_space():
    proposals = play(make(epsilon_decay=1.0), segments=1_000)
    assert {proposal.architecture for proposal in proposals[1:]} == set(SPACE)
    assert {proposal.reason for proposal in proposals[1:]} == {"explore"}


def test_without_exploring_only_the_best_buffer_is_drawn_from():
    controller = make(epsilon_start=0.0, epsilon_min=0.0, buffer_size=3)
    for index, score in enumerate([10.0, 50.0, 20.0, 40.0, 30.0]):
        visit(controller, index, score)
    # None of these tells a score that would enter the buffer.
    drawn = {proposal.architecture for proposal in play(controller, lambda _: 0.0, segments=200)}
    assert drawn == {SPACE[1], SPACE[3], SPACE[4]}


# The best buffer


@given(VISITS, st.integers(1, 6))
def test_best_keeps_the_best_score_of_the_best_architectures(visits, size):
    """Oracle: the ranking made afresh from the whole history."""
    controller, history = make(buffer_size=size), {}
    for index, score in visits:
        visit(controller, index, score)
        history[SPACE[index]] = max(score, history.get(SPACE[index], score))
    assert controller.best == sorted(history.items(), key=lambda entry: -entry[1])[:size]


@given(VISITS, st.integers(1, 6))
def test_every_visit_keeps_the_best_segments(visits, size):
    controller = make(buffer_size=size, score_kept="every-visit")
    for index, score in visits:
        visit(controller, index, score)
    history = [(SPACE[index], score) for index, score in visits]
    assert controller.best == sorted(history, key=lambda entry: -entry[1])[:size]


def test_of_equal_scores_the_older_stays():
    controller = make(buffer_size=2)
    for index in (0, 1, 2):
        visit(controller, index, 100.0)
    assert [architecture for architecture, _ in controller.best] == [SPACE[0], SPACE[1]]


def test_the_score_belongs_to_what_was_really_trained():
    controller = make()
    proposal = controller.ask()
    trained = next(architecture for architecture in SPACE if architecture != proposal.architecture)
    controller.tell(replace(result(proposal, 180.0), architecture=trained, accepted=False))
    assert controller.best == [(trained, 180.0)]


# Options


@pytest.mark.parametrize(
    ("option", "value", "error"),
    [
        ("epsilon_start", 1.5, ValueError),
        ("epsilon_start", -0.1, ValueError),
        ("epsilon_decay", 1.01, ValueError),
        ("epsilon_min", np.nan, ValueError),
        ("temperature", 0.0, ValueError),
        ("temperature", np.inf, ValueError),
        ("temperature", "warm", TypeError),
        ("buffer_size", 0, ValueError),
        ("buffer_size", 2.5, TypeError),
        ("score_kept", "bset", ValueError),
    ],
)
def test_a_wrong_option_is_named(option, value, error):
    with pytest.raises(error, match=option):
        make(**{option: value})
