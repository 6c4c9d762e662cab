"""Q-learning and SARSA on small decision processes that are solved exactly.

The processes are the two forms over eight architectures, whose scores are known and without noise. Q-learning is held
to the optimal values, by value iteration; SARSA to those of the policy that it follows, epsilon-greedy in its own
values.
"""

from collections import Counter

import numpy as np
import pytest

from nasdqn_fast.controllers import base
from nasdqn_fast.controllers._decisions import Tree
from nasdqn_fast.controllers._forms import SingleShot
from nasdqn_fast.controllers._growth import Growth
from nasdqn_fast.controllers._scale import RunningScale
from nasdqn_fast.controllers._values import greedy_probabilities
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.testing.controllers import result

SPACE = SearchSpace.grid((1, 2), (4, 8), ("relu", "tanh"))
WORTH = dict(zip(SPACE, [0.0, 1.0, 3.0, -1.0, 2.0, 2.5, 0.5, 4.0], strict=True))


class Unscaled(RunningScale):
    """Leaves rewards as they are."""

    def add(self, score):
        pass


def learned(name, episodes, **options):
    controller = base.make(name, SPACE, np.random.default_rng(0), options)
    controller.scale = Unscaled()
    go_on(controller, episodes)
    return controller


def go_on(controller, episodes):
    until = controller.trajectories + episodes
    while controller.trajectories < until:
        proposal = controller.ask()
        controller.tell(result(proposal, WORTH[proposal.architecture]))


def transitions(form):
    """(state, action) -> reward and next state (None: the end), of either form."""
    found = {}
    if isinstance(form, SingleShot):
        for decision in Tree(SPACE).decisions:
            for action, outcome in zip(decision.actions, decision.outcomes, strict=True):
                last = isinstance(outcome, Architecture)
                found[decision.number, action] = (WORTH[outcome], None) if last else (0.0, outcome.number)
        return found
    growth = Growth(SPACE)
    for state, architecture in enumerate(SPACE):
        for move, target in growth.moves[architecture].items():
            gain = (0.0, None) if target is None else (WORTH[target] - WORTH[architecture], SPACE.index(target))
            found[state, growth.names.index(move)] = gain
    return found


def solved(form, value):
    """Q by iteration: r + value(Q(s', .)), until nothing moves."""
    q = np.where(form.allowed, 0.0, -np.inf)
    steps = transitions(form)
    assert len(steps) == form.allowed.sum()
    for _ in range(1_000):
        before = q.copy()
        for (state, action), (reward, following) in steps.items():
            q[state, action] = reward + (0.0 if following is None else value(before[following]))
        if np.abs(q[form.allowed] - before[form.allowed]).max() < 1e-12:
            return q
    raise AssertionError("no fixed point")


def errors(controller, right):
    """What was learned less what is right, of every state and action."""
    allowed = controller.form.allowed
    return controller.values(range(len(allowed)))[allowed] - right[allowed]


def mean_under_policy(epsilon):
    def value(row):
        p = greedy_probabilities(row[None], epsilon)[0]
        return float(p @ np.where(np.isfinite(row), row, 0.0))

    return value


ALWAYS = {"epsilon_start": 1.0, "epsilon_min": 1.0}


@pytest.mark.parametrize("form", ["single-shot", "progressive"])
def test_q_learning_finds_the_optimal_values_while_it_acts_at_random(form):
    """Off-policy: what is done does not matter, as long as all is tried."""
    controller = learned("q-learning", 300, form=form, max_moves=100, learning_rate=0.5, replays=8, **ALWAYS)
    assert np.abs(errors(controller, solved(controller.form, max))).max() < 1e-3


def test_q_learning_of_a_network_finds_the_optimal_values():
    controller = learned("q-learning", 1_500, policy="mlp", replays=16, **ALWAYS)
    assert np.abs(errors(controller, solved(controller.form, max))).max() < 0.15


@pytest.mark.quick_only(form="progressive", epsilon=0.6)
@pytest.mark.parametrize("expected", [False, True])
@pytest.mark.parametrize("epsilon", [0.6, 1.0])
@pytest.mark.parametrize("form", ["single-shot", "progressive"])
def test_sarsa_finds_the_values_of_the_policy_that_it_follows(form, epsilon, expected):
    """Of the values while it goes on learning, the mean: single ones have the noise of the actions taken."""
    always = {"epsilon_start": epsilon, "epsilon_min": epsilon, "epsilon_decay": 1.0, "expected": expected}
    controller = learned("sarsa", 1_500, form=form, max_moves=100, learning_rate=0.1, **always)
    right, off = solved(controller.form, mean_under_policy(epsilon)), []
    for _ in range(100):
        go_on(controller, 20)
        off.append(errors(controller, right))
    assert np.abs(np.mean(off, axis=0)).max() < 0.25


def test_on_policy_and_optimal_values_differ():
    """Or the tests above could not tell SARSA from Q-learning."""
    for form in ("single-shot", "progressive"):
        form = learned("sarsa", 1, form=form).form
        gap = solved(form, max)[form.allowed] - solved(form, mean_under_policy(1.0))[form.allowed]
        assert gap.max() > 1.0


def test_expected_sarsa_takes_the_policys_mean_in_place_of_the_action_taken():
    """One step back from the end, by hand: values 2 and -1, of which epsilon-greedy takes 2 with probability 0.75."""
    for expected, target in [(False, -1.0), (True, 0.75 * 2.0 - 0.25 * 1.0)]:
        options = {"expected": expected, "epsilon_start": 0.5, "epsilon_min": 0.5, "learning_rate": 1e-9}
        controller = base.make("sarsa", SPACE, np.random.default_rng(0), options)
        proposal = controller.ask()
        assert proposal.architecture in SPACE
        (before, last), (_, action) = controller.form.current.states[-2:], controller.form.current.actions[-2:]
        other = next(a for a in np.flatnonzero(controller.form.allowed[last]) if a != action)
        controller.q.values[last, action], controller.q.values[last, other] = -1.0, 2.0
        controller.rate = 1e-9
        controller.learn_steps([before, last], controller.form.current.actions[-2:], np.array([0.0, -1.0]))
        moved = controller.q.values[before].sum() / 1e-9
        assert moved == pytest.approx(target, abs=1e-6)


@pytest.mark.parametrize("name", ["q-learning", "sarsa"])
def test_epsilon_falls_from_trajectory_to_trajectory_down_to_its_minimum(name):
    controller, epsilons = base.make(name, SPACE, np.random.default_rng(0), {}), []
    for _ in range(100):
        epsilons.append(controller.epsilon)
        controller.tell(result(controller.ask(), 1.0))
    assert epsilons == pytest.approx([max(0.05, 0.95**k) for k in range(100)])


@pytest.mark.parametrize("epsilon", [0.0, 0.4, 1.0])
def test_epsilon_greedy_choices_have_their_probabilities(epsilon):
    """Oracle: `greedy_probabilities`; five standard deviations of a binomial."""
    options = {"epsilon_start": epsilon, "epsilon_min": epsilon, "epsilon_decay": 1.0}
    controller = base.make("sarsa", SPACE, np.random.default_rng(0), options)
    state, draws = 0, 2_000
    (allowed,) = np.nonzero(controller.form.allowed[state])
    controller.q.values[state, allowed] = [1.0, 0.0]
    p = greedy_probabilities(controller.values([state]), epsilon)[0]
    counts = Counter(controller.choose(state) for _ in range(draws))
    for action in allowed:
        assert abs(counts[action] - draws * p[action]) <= 5 * np.sqrt(draws * p[action] * (1 - p[action]))


def test_q_learning_replays_earlier_trajectories():
    """With replays, what one trial was worth is learned again and again: the table moves further."""
    few, many = (learned("q-learning", 40, replays=replays) for replays in (0, 64))
    assert np.abs(errors(many, solved(many.form, max))).mean() < np.abs(errors(few, solved(few.form, max))).mean() / 2


def test_an_epsilon_that_would_rise_is_refused():
    with pytest.raises(ValueError, match=r"epsilon_min must be at most epsilon_start \(0.01\); got 0.05"):
        base.make("sarsa", SPACE, np.random.default_rng(0), {"epsilon_start": 0.01})
