"""The supernet search and the gradient search on a tiny CartPole: what they cost, and how they are stopped."""

import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine import backends
from nasdqn_fast.engine.supernet_plan import SupernetPlan
from nasdqn_fast.errors import Stopped
from nasdqn_fast.events import Played, PolicyMoved, Ranked, Told
from nasdqn_fast.search.gradient import GradientTrainer
from nasdqn_fast.search.path_policy import PathPolicy
from nasdqn_fast.search.supernet import SupernetTrainer
from nasdqn_fast.seeding import Streams

CARTPOLE = envs.make("cartpole", max_episode_steps=20)
SMALL = {"batch_size": 4, "warm_up": 10, "replay_capacity": 500, "target_every": 15}
SPACE = ["1x4-relu", "1x2-relu", "1x3-relu"]


def supernet(backend="native", **plan):
    return backends.find(backend).DQNSupernet(CARTPOLE, SupernetPlan(SPACE, **plan), rng=Streams(3), **SMALL)


def gradient(backend="native"):
    agent = supernet(backend)
    steps = {"every": 2, "samples": 3, "step_episodes": 2}
    policy = PathPolicy(agent.plan.space, rate=0.5, entropy=0.01)
    return GradientTrainer(agent, policy, episodes=10, score_episodes=2, **steps)


def told(events, kind):
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize(
    ("plan", "macs_of_paths"),
    # Multiply-adds of 4-n-2: 24, 12 and 18; less those of the first layer's inputs: three passes but one of 4 n.
    [
        ({"paths": 3}, (3 * 24 - 16) + (3 * 12 - 8) + (3 * 18 - 12)),  # largest, smallest, and the mean of all three
        ({"paths": 1, "sampling": "uniform"}, 3 * 18 - 12),
    ],
)
def test_the_cost_counts_the_paths_by_hand(plan, macs_of_paths):
    """Oracle: targets by two passes of the largest, 24 multiply-adds each; the greedy episodes."""
    trainer = SupernetTrainer(supernet(**plan), episodes=12, score_episodes=2)
    events = list(trainer.run())
    (ranked,), (last,) = told(events, Ranked), told(events, Told)
    agent, cost = trainer.agent, last.result.cost
    assert (cost.steps, cost.updates) == (agent.steps + ranked.steps, agent.updates)
    assert cost.parameters == 4 * 4 + 4 + 4 * 2 + 2
    training = agent.updates * 2 * 4 * (2 * 24 + macs_of_paths) + agent.steps * 2 * 24
    assert training + ranked.steps * 2 * 12 < cost.flop < training + ranked.steps * 2 * 24


@pytest.mark.quick_only(backend="native")
@pytest.mark.parametrize("backend", backends.NAMES)
def test_a_stop_amid_greedy_episodes_changes_nothing(backend, monkeypatch):
    """Oracle: the run that was not stopped."""
    whole = gradient(backend)
    expected = list(whole.run())
    stopped, token, stops = gradient(backend), StopToken(), 0
    beside = stopped.agent.beside

    def stopping(*args, **keywords):
        nonlocal stops
        stops += 1
        if stops in (1, 3, 8, 9, 15, 22):
            token.set()
        return beside(*args, **keywords)

    monkeypatch.setattr(stopped.agent, "beside", stopping)
    found, caught = [], 0
    while not told(found, Told):
        try:
            found += stopped.run(token)
        except Stopped:
            caught += 1
            token.clear()
            assert stopped.resumable
    assert caught > 3
    assert [type(event) for event in told(found, PolicyMoved)] == [PolicyMoved] * 4
    np.testing.assert_array_equal(stopped.policy.logits, whole.policy.logits)
    assert told(found, Ranked)[0].ranking == told(expected, Ranked)[0].ranking
    assert told(found, Told)[0].result.cost == told(expected, Told)[0].result.cost
    ours, theirs = (np.concatenate([e.episodes.returns for e in told(events, Played)]) for events in (found, expected))
    np.testing.assert_array_equal(ours, theirs)


def test_paths_are_drawn_by_the_policy():
    trainer = gradient()
    for event in trainer.run():
        if isinstance(event, PolicyMoved):
            np.testing.assert_array_equal(trainer.agent.odds, trainer.policy.probabilities)
    assert len(set(trainer.agent.odds)) > 1
