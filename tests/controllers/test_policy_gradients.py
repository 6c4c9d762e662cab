"""REINFORCE, actor-critic and PPO, against derivatives of what they climb."""

import itertools

import numpy as np
import pytest

from nasdqn_fast.controllers import base
from nasdqn_fast.controllers._forms import SingleShot, Trajectory
from nasdqn_fast.controllers._gradients import generalized_advantages, returns_to_go
from nasdqn_fast.controllers.ppo import clipped_weights
from nasdqn_fast.controllers.reinforce import Reinforce
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.testing.controllers import result

SPACE = SearchSpace.grid((1, 2), (4, 8, 16), ("relu", "tanh"))
WORTH = dict(zip(SPACE, np.random.default_rng(0).normal(size=len(SPACE)), strict=True))
STEP = 1e-6


def make(name="reinforce", **options):
    return base.make(name, SPACE, np.random.default_rng(0), options)


def trajectories(form):
    """Every trajectory of the single-shot form, and the architecture it leads to."""
    for actions in itertools.product(range(3), repeat=3):
        plan, trajectory = iter(actions), Trajectory()

        def choose(state, plan=plan, trajectory=trajectory):
            allowed = np.flatnonzero(form.allowed[state])
            place = next(plan)
            action = int(allowed[place]) if place < len(allowed) else -1
            trajectory.states.append(state)
            trajectory.actions.append(action)
            if action < 0:
                raise LookupError
            return action

        try:
            proposal, _ = form.propose(choose)
        except LookupError:
            continue
        yield trajectory, proposal.architecture


def expected_worth(controller):
    """The mean of WORTH over what the policy generates, summed over all architectures."""
    total = 0.0
    for trajectory, architecture in trajectories(SingleShot(SPACE)):
        p = controller.policy(trajectory.states)[range(len(trajectory.states)), trajectory.actions]
        total += p.prod() * WORTH[architecture]
    return total


@pytest.mark.quick_only(baseline=0.7)
@pytest.mark.parametrize("baseline", [0.0, 0.7])
@pytest.mark.parametrize("policy", ["table", "mlp"])
def test_the_mean_gradient_is_that_of_the_expected_score(policy, baseline):
    """Whatever the baseline: over all trajectories, weighted by their probabilities, it cancels."""
    controller = make(policy=policy)
    actor = controller.actor
    parameters = actor.parameters if policy == "mlp" else actor.values
    parameters[...] = np.random.default_rng(1).normal(size=parameters.shape)
    expected = np.empty_like(parameters)
    for place in range(parameters.size):
        before = parameters.flat[place]
        parameters.flat[place] = before + STEP
        above = expected_worth(controller)
        parameters.flat[place] = before - STEP
        expected.flat[place] = (above - expected_worth(controller)) / (2 * STEP)
        parameters.flat[place] = before
    found, count = np.zeros_like(parameters), 0
    for trajectory, architecture in trajectories(SingleShot(SPACE)):
        count += 1
        p = controller.policy(trajectory.states)[range(len(trajectory.states)), trajectory.actions].prod()
        advantages = np.full(len(trajectory.states), WORTH[architecture] - baseline)
        gradient = p * controller.gradient(trajectory, advantages, entropy=0.0)
        if policy == "mlp":
            actor.ascend(trajectory.states, gradient, rate=0.0)
            found += actor.gradient
        else:
            np.add.at(found, trajectory.states, gradient)
    assert count == len(SPACE)
    assert found == pytest.approx(expected, abs=1e-7)
    assert np.abs(expected).max() > 0.01  # there is something to compare


def test_a_step_of_reinforce_is_rate_times_advantage_times_gradient():
    """Oracle: the formula, by hand, for the second trial, whose baseline is the first one's reward."""
    controller = make(entropy=0.0, learning_rate=0.5)
    controller.tell(result(controller.ask(), 10.0))
    proposal, before = controller.ask(), controller.actor.values.copy()
    steps = list(zip(controller.form.current.states, controller.form.current.actions, strict=True))
    assert controller.baseline == 0.0  # one score: its z-score is 0
    p = controller.policy([state for state, _ in steps])
    controller.tell(result(proposal, 30.0))  # mean 20, deviation 10: its z-score is 1
    for (state, action), probabilities in zip(steps, p, strict=True):
        before[state] -= 0.5 * probabilities
        before[state, action] += 0.5
    assert controller.actor.values == pytest.approx(before)
    assert controller.baseline == pytest.approx((0.1 * 1.0 + 0.9 * 0.1 * 0.0) / (0.1 + 0.9 * 0.1))


def test_the_baseline_is_the_average_of_earlier_rewards_without_its_bias():
    controller = Reinforce(SPACE, np.random.default_rng(0), Reinforce.Options(baseline_decay=0.5))
    controller.scale.z = lambda score: score  # rewards are the scores
    for score in (2.0, 4.0, 8.0):
        controller.tell(result(controller.ask(), score))
    assert controller.baseline == pytest.approx((8 + 4 / 2 + 2 / 4) / (1 + 1 / 2 + 1 / 4))


REWARDS, VALUES = np.array([0.3, -1.0, 2.0, 0.5]), np.array([0.1, 0.4, -0.2, 1.0])


def test_returns_to_go_are_sums_of_what_follows():
    assert returns_to_go(REWARDS) == pytest.approx([REWARDS[t:].sum() for t in range(4)])


def test_advantages_between_the_one_step_error_and_the_whole_return():
    errors = REWARDS + np.array([*VALUES[1:], 0.0]) - VALUES
    assert generalized_advantages(REWARDS, VALUES, 0.0) == pytest.approx(errors)
    assert generalized_advantages(REWARDS, VALUES, 1.0) == pytest.approx(returns_to_go(REWARDS) - VALUES)
    mixed = [sum(0.6**k * errors[t + k] for k in range(4 - t)) for t in range(4)]
    assert generalized_advantages(REWARDS, VALUES, 0.6) == pytest.approx(mixed)


def test_the_critic_learns_the_policys_mean_score():
    """Oracle: the mean over the space, as a policy that does not move draws uniformly."""
    controller = make("actor-critic", learning_rate=1e-9, critic_rate=1e7, trace=1.0)
    controller.scale.z = lambda score: score
    values = []
    for _ in range(3_000):
        proposal = controller.ask()
        root = controller.form.current.states[0]
        controller.tell(result(proposal, WORTH[proposal.architecture]))
        values.append(controller.critic.outputs([root])[0, 0])
    scores = np.array(list(WORTH.values()))
    assert np.mean(values[500:]) == pytest.approx(scores.mean(), abs=5 * scores.std() / np.sqrt(2_500))


def test_clipped_weights_are_derivatives_of_the_clipped_objective():
    """By the log-probability; oracle: central differences, away from the kinks."""
    logs, advantages, clip = np.linspace(-1, 1, 41) + 0.003, np.array([[1.5], [-0.7]]), 0.2

    def objective(logs):
        ratios = np.exp(logs)
        return np.minimum(ratios * advantages, np.clip(ratios, 1 - clip, 1 + clip) * advantages)

    expected = (objective(logs + STEP) - objective(logs - STEP)) / (2 * STEP)
    found = clipped_weights(np.broadcast_to(np.exp(logs), expected.shape), advantages, clip)
    assert found == pytest.approx(expected, abs=1e-6)


def test_ppo_learns_once_a_batch():
    controller = make("ppo", batch=3)
    moved = []
    for _ in range(9):
        before = controller.actor.values.copy()
        proposal = controller.ask()
        controller.tell(result(proposal, WORTH[proposal.architecture]))
        moved.append(bool((controller.actor.values != before).any()))
    assert moved == [False, False, True] * 3


def test_ppo_with_one_step_is_the_unclipped_gradient_of_the_batch():
    """Oracle: the mean over trajectories of advantage times gradient, at the policy that drew them."""
    controller = make("ppo", batch=2, epochs=1, entropy=0.0, learning_rate=0.3)
    drawn = []
    for score in (1.0, 3.0):
        proposal = controller.ask()
        drawn.append(controller.form.current)
        if len(drawn) < 2:
            controller.tell(result(proposal, score))
    expected = np.zeros_like(controller.actor.values)
    for trajectory, z in zip(drawn, (-1.0, 1.0), strict=True):
        advantages = generalized_advantages(np.array([0, 0, z]), np.zeros(3), 0.95)
        np.add.at(expected, trajectory.states, 0.15 * controller.gradient(trajectory, advantages, 0.0))
    controller.tell(result(proposal, 3.0))
    assert controller.actor.values == pytest.approx(expected)
