"""The search loop, on a tiny CartPole with the compiled engine."""

import math

import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.controllers.random import plugin as RandomSearch
from nasdqn_fast.engine import backends
from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.events import Asked, Played, Pruned, Told, Transferred
from nasdqn_fast.search.online import Trainer
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.transfers.matching import plugin as matching
from nasdqn_fast.types import WHOLE_RUN, Proposal

SPACE = SearchSpace(["1x4-relu", "2x3-tanh", "1x5-leaky_relu"])
CARTPOLE = envs.make("cartpole", max_episode_steps=20)
SMALL = {"batch_size": 4, "warm_up": 10, "replay_capacity": 500}


class Scripted(Controller):
    """Proposes what it was given, one after the other, and keeps what it is told."""

    def __init__(self, proposals):
        super().__init__(SPACE, np.random.default_rng(0))
        self.proposals = iter(proposals)
        self.told = []

    def propose(self):
        return next(self.proposals)

    def learn(self, result):
        self.told.append(result)


def scripted(*texts, budget=None):
    return Scripted([Proposal(Architecture.parse(text), "scripted", budget) for text in texts])


def trainer_of(controller, streams=None, transfer=matching, **options):
    streams = streams or Streams(0)
    settings = {"episodes": 6, "switch_every": 2, "replay_keep": 0.25, "replay_keep_which": "newest"} | options
    agent_options = SMALL | {"num_envs": settings.pop("num_envs", 1)}
    return Trainer(
        lambda first: DQNAgent(CARTPOLE, first, rng=streams, **agent_options),
        controller,
        transfer,
        streams.transfer,
        **settings,
    )


def segment_lengths(events):
    lengths = []
    for event in events:
        match event:
            case Asked():
                lengths.append(0)
            case Played():
                lengths[-1] += len(event.episodes)
    return lengths


def test_a_run_is_the_algorithm_written_out():
    """Oracle: SPEC section 3's pseudocode by hand, whole segments in one call of the engine."""
    trainer = trainer_of(RandomSearch(SPACE, Streams(7).controller), Streams(7), episodes=9, switch_every=4)
    events = list(trainer.run())

    streams = Streams(7)
    architectures = [SPACE.sample(streams.controller)]
    agent = DQNAgent(CARTPOLE, architectures[0], rng=streams, **SMALL)
    returns = []
    for segment, episodes in enumerate([4, 4, 1]):
        if segment > 0:
            architectures.append(SPACE.sample(streams.controller))
            if architectures[-1] != architectures[-2]:
                agent.switch_network(matching(agent.network, architectures[-1], streams.transfer))
            agent.replay.prune(0.25, "newest")
        returns.append(agent.run_episodes(episodes).returns)

    assert [event.result.architecture for event in events if isinstance(event, Told)] == architectures
    played = [event.episodes.returns for event in events if isinstance(event, Played)]
    np.testing.assert_array_equal(np.concatenate(played), np.concatenate(returns))
    np.testing.assert_array_equal(trainer.agent.network.parameters, agent.network.parameters)
    scores = [event.result.score for event in events if isinstance(event, Told)]
    assert scores == [np.mean(segment) for segment in returns]


def test_events_come_in_the_order_of_the_algorithm():
    trainer = trainer_of(scripted("1x4-relu", "2x3-tanh"), episodes=2, switch_every=1)
    kinds = [type(event) for event in trainer.run()]
    assert kinds == [Asked, Played, Told, Asked, Transferred, Pruned, Played, Told]


@pytest.mark.parametrize(
    ("budget", "episodes", "expected"),
    [
        (None, 6, [2, 2, 2]),
        (None, 5, [2, 2, 1]),
        (None, 1, [1]),
        (3, 5, [3, 2]),
        (WHOLE_RUN, 6, [6]),
    ],
)
def test_a_segment_lasts_its_budget_or_what_is_left(budget, episodes, expected):
    trainer = trainer_of(scripted(*["1x4-relu"] * 3, budget=budget), episodes=episodes)
    assert segment_lengths(trainer.run()) == expected


def test_a_switch_to_itself_keeps_the_network_but_prunes():
    trainer = trainer_of(scripted("1x4-relu", "1x4-relu"), episodes=4)
    networks, pruned = [], None
    for event in trainer.run():
        assert not isinstance(event, Transferred)
        if isinstance(event, Played):
            networks.append(trainer.agent.network)
        if isinstance(event, Pruned):
            pruned = event
    assert all(network is networks[0] for network in networks)
    assert pruned.after == math.ceil(pruned.before / 4)


def test_an_architecture_may_be_proposed_as_text():
    controller = Scripted([Proposal("1x4-relu", "text"), Proposal("1x4-relu", "text")])
    assert not any(isinstance(event, Transferred) for event in trainer_of(controller, episodes=4).run())
    assert [result.accepted for result in controller.told] == [True, True]


def test_the_controller_is_told_what_the_segment_was():
    controller = scripted("1x4-relu", "2x3-tanh", "1x5-leaky_relu")
    played = [event.episodes for event in trainer_of(controller).run() if isinstance(event, Played)]
    for segment, result in enumerate(controller.told):
        episodes = played[2 * segment : 2 * segment + 2]
        np.testing.assert_array_equal(result.returns, np.concatenate([e.returns for e in episodes]))
        assert result.cost == sum(int(e.lengths.sum()) for e in episodes)
        assert result.architecture == result.proposal.architecture
        assert result.accepted


def test_a_transfer_that_alters_the_architecture_is_told_as_what_it_was():
    def stubborn(old, architecture, rng):
        return type(old)("1x7-relu", old.observation_size, old.n_actions, rng)

    controller = scripted("1x4-relu", "2x3-tanh")
    list(trainer_of(controller, transfer=stubborn, episodes=4).run())
    altered = controller.told[1]
    assert (str(altered.architecture), altered.accepted) == ("1x7-relu", False)


def test_the_score_is_the_mean_of_the_last_hundred_at_most():
    controller = scripted("1x4-relu")
    trainer = trainer_of(controller, episodes=150, switch_every=150)
    list(trainer.run())
    (result,) = controller.told
    assert result.score == np.mean(result.returns[-100:])


def test_random_pruning_draws_from_the_transfers_stream_only():
    names = ("controller", "transfer", "evaluation")
    streams = Streams(3)
    before = {name: getattr(streams, name).bit_generator.state for name in names}
    list(trainer_of(scripted("1x4-relu", "1x4-relu"), streams, episodes=4, replay_keep_which="random").run())
    changed = {name for name in names if getattr(streams, name).bit_generator.state != before[name]}
    assert changed == {"transfer"}


def test_several_environments_fill_segments_exactly():
    trainer = trainer_of(scripted("1x4-relu", "2x3-tanh", "1x4-relu"), num_envs=3, episodes=15, switch_every=5)
    assert segment_lengths(trainer.run()) == [5, 5, 5]


@pytest.mark.parametrize("backend", backends.NAMES)
def test_an_episode_bears_the_architecture_that_was_in_use_when_it_ended(backend):
    """Oracle: the vector steps by hand. Eight environments in step end eight episodes at once, segments have 3: of
    the first eight the third brings a switch, the sixth another one, and all eight were played by the first network.
    """
    pendulum = envs.make("inverted-pendulum", max_episode_steps=5)  # which ends at its time limit only
    streams = Streams(0)
    trainer = Trainer(
        lambda first: backends.find(backend).DQNAgent(pendulum, first, rng=streams, num_envs=8, **SMALL),
        scripted(*(f"1x{segment}-relu" for segment in range(1, 8))),
        matching,
        streams.transfer,
        episodes=20,
        switch_every=3,
        replay_keep=1.0,
        replay_keep_which="newest",
    )
    events = list(trainer.run())
    # The ninth episode is the first to be played in segment 3, the seventeenth in segment 6.
    expected = ["1x1-relu"] * 8 + ["1x3-relu"] * 8 + ["1x6-relu"] * 4
    assert [str(event.architecture) for event in events if isinstance(event, Played)] == expected
    assert segment_lengths(events) == [3, 3, 3, 3, 3, 3, 2]


def test_the_clock_knows_all_four_purposes():
    trainer = trainer_of(scripted("1x4-relu", "2x3-tanh"), episodes=4)
    list(trainer.run())
    assert set(trainer.clock.seconds) == {"controller", "train", "transfer", "prune"}
    assert all(seconds > 0 for seconds in trainer.clock.seconds.values())


def test_a_budget_of_numpys_is_pythons():
    """It is natural to draw one, and the log is JSON."""
    controller = scripted("1x4-relu", "2x3-tanh", budget=np.int64(3))
    events = list(trainer_of(controller).run())
    budgets = [event.proposal.budget for event in events if isinstance(event, Asked)]
    assert budgets == [3, 3]
    assert {type(budget) for budget in budgets} == {int}
