"""The search loop, on a tiny CartPole with the compiled engine."""

import math

import numpy as np
import pytest
from online_runs import CARTPOLE, SMALL, SPACE, Scripted, scripted, trainer_of

from nasdqn_fast import envs
from nasdqn_fast.controllers.random import plugin as RandomSearch
from nasdqn_fast.engine import backends
from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.errors import InputError
from nasdqn_fast.estimators import base as estimators
from nasdqn_fast.events import Asked, Played, Pruned, Told, Transferred
from nasdqn_fast.search.online import Trainer
from nasdqn_fast.seeding import Streams
from nasdqn_fast.testing.transfers import make_switch
from nasdqn_fast.transfers import base as transfers
from nasdqn_fast.transfers.base import Carried
from nasdqn_fast.transfers.matching import matching
from nasdqn_fast.types import WHOLE_RUN, Episodes, Proposal


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
                agent.switch_network(matching(make_switch(agent.network, architectures[-1], streams.transfer)).network)
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
        assert result.cost.steps == sum(int(e.lengths.sum()) for e in episodes)
        assert result.architecture == result.proposal.architecture
        assert result.accepted


def test_a_transfer_that_alters_the_architecture_is_told_as_what_it_was():
    def stubborn(switch):
        return Carried(switch.old.like("1x7-relu", switch.rng))

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
    controller = scripted("1x4-relu", "2x3-tanh", "1x4-relu")
    trainer = trainer_of(controller, agent={"num_envs": 3}, episodes=15, switch_every=5)
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
        transfers.make(matching),
        estimators.make("mean-return"),
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


def test_the_clock_knows_all_five_purposes():
    trainer = trainer_of(scripted("1x4-relu", "2x3-tanh"), episodes=4)
    list(trainer.run())
    assert set(trainer.clock.seconds) == {"controller", "train", "transfer", "prune", "estimator"}
    assert all(seconds > 0 for seconds in trainer.clock.seconds.values())


def test_a_budget_of_numpys_is_pythons():
    """It is natural to draw one, and the log is JSON."""
    controller = scripted("1x4-relu", "2x3-tanh", budget=np.int64(3))
    events = list(trainer_of(controller).run())
    budgets = [event.proposal.budget for event in events if isinstance(event, Asked)]
    assert budgets == [3, 3]
    assert {type(budget) for budget in budgets} == {int}


def test_a_source_is_refused_in_one_line_before_anything_is_trained():
    controller = Scripted([Proposal("1x4-relu", "halving", source=2)])
    with pytest.raises(
        InputError, match=r"controller .*Scripted: .* no other trial; got a proposal with source 2"
    ) as e:
        trainer_of(controller)
    assert "\n" not in str(e.value)


@pytest.mark.parametrize("num_envs", [1, 3])
def test_the_cost_is_counted(num_envs):
    """Oracle: by hand. A step is a forward pass of 2 x 4 x 8 + 2 x 8 x 2 operations; an update, of 4 rows, 5 times the
    multiply-adds but for the inputs' gradient of the first layer. The first 10 steps have no update but the tenth.
    """
    controller = scripted("1x8-relu", "1x8-relu")
    trainer = trainer_of(controller, agent={"num_envs": num_envs, "updates_per_step": 2}, episodes=12, switch_every=6)
    list(trainer.run())
    first, second = (result.cost for result in controller.told)
    begin = math.ceil(10 / num_envs) * num_envs - num_envs  # steps of the vector steps before the first update
    assert first.updates + second.updates == 2 * (trainer.agent.steps - begin)
    beside = first.steps + second.steps - trainer.agent.steps  # what was played on for the scores
    assert beside == 0 if num_envs == 1 else 0 < beside <= 2 * (num_envs - 1) * 20
    if num_envs == 1:
        assert first.updates == 2 * (first.steps - begin)
        assert second.updates == 2 * second.steps
    macs, inputs = 4 * 8 + 8 * 2, 4 * 8
    for cost in (first, second):
        assert cost.parameters == 4 * 8 + 8 + 8 * 2 + 2
        assert cost.flop == cost.steps * 2 * macs + cost.updates * 2 * 4 * (5 * macs - inputs)


ADDED = ("first_update", "transfer_steps", "transfer_updates", "starts")


@pytest.mark.parametrize("lacking", [(), ADDED], ids=["of this version", "of an earlier version"])
@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("warm_up", [0, 10, 60])
@pytest.mark.parametrize("after", [1, 3, 4, 7])
def test_a_trainer_continues_from_its_state_with_the_same_results(lacking, num_envs, warm_up, after):
    """Oracle: the trainer left alone. An earlier version saved no counts of updates; they follow from the steps."""
    scripts, agent = ["1x4-relu", "2x3-tanh", "1x5-leaky_relu"], {"num_envs": num_envs, "warm_up": warm_up}

    def make():
        return trainer_of(scripted(*scripts), agent=agent, episodes=9, switch_every=3, estimator="improvement")

    whole, left, restored = make(), make(), make()
    list(whole.run())
    played = []
    for event in left.run():
        if isinstance(event, Played):
            played.append(event.episodes)
        if len(played) == after and isinstance(event, Played):
            break
    state = {key: value for key, value in left.get_state().items() if key not in lacking}
    columns = {name: np.concatenate([getattr(e, name) for e in played]) for name in vars(played[0])}
    for _ in range(left.segment - 1):
        restored.controller.propose()  # the script continues where it was
    restored.set_state(state, Episodes(**columns))
    list(restored.run())
    np.testing.assert_equal(restored.agent.get_state(), whole.agent.get_state())
    assert restored.controller.told
    for told, expected in zip(restored.controller.told[::-1], whole.controller.told[::-1], strict=False):
        assert told.cost == expected.cost
        np.testing.assert_array_equal(told.returns, expected.returns)
        if not lacking:
            assert told.score == expected.score


@pytest.mark.parametrize(("event_type", "before"), [(Played, 2), (Told, 4)])
def test_a_state_of_an_earlier_version_counts_the_episodes_that_had_ended_before_the_segment(event_type, before):
    """Of the second segment, in its middle and when it has been told: in several environments, by order of ending."""
    seen, played = [], []

    def make():
        return trainer_of(
            scripted(*["1x4-relu"] * 3), agent={"num_envs": 3}, estimator=lambda s: seen.append(s) or 1.0, episodes=6
        )

    left, restored = make(), make()
    for event in left.run():
        if isinstance(event, Played):
            played.append(event.episodes)
        if isinstance(event, event_type) and left.segment == 2:
            break
    columns = {name: np.concatenate([getattr(e, name) for e in played]) for name in vars(played[0])}
    for _ in range(left.segment - 1):
        restored.controller.propose()
    restored.set_state(
        {key: value for key, value in left.get_state().items() if key not in ("counted", "began")}, Episodes(**columns)
    )
    seen.clear()
    list(restored.run())
    np.testing.assert_array_equal(seen[0].curve[:before], columns["returns"][:before])
    assert len(seen[0].curve) == before + len(seen[0].returns)


def test_an_estimator_sees_the_segment_and_the_whole_curve():
    seen = []
    trainer = trainer_of(scripted(*["1x4-relu"] * 3), estimator=lambda s: seen.append(s) or 1.0, episodes=5)
    played = [event.episodes for event in trainer.run() if isinstance(event, Played)]
    returns = np.concatenate([episodes.returns for episodes in played])
    lengths = np.concatenate([episodes.lengths for episodes in played])
    assert [segment.starts for segment in seen] == [(0,), (0, 2), (0, 2, 4)]
    for segment, (first, last) in zip(seen, [(0, 2), (2, 4), (4, 5)], strict=True):
        np.testing.assert_array_equal(segment.curve, returns[:last])
        np.testing.assert_array_equal(segment.returns, returns[first:last])
        np.testing.assert_array_equal(segment.lengths, lengths[first:last])
        assert (segment.switch_every, str(segment.architecture)) == (2, "1x4-relu")
    assert [result.score for result in trainer.controller.told] == [1.0] * 3


@pytest.mark.parametrize("num_envs", [1, 3])
def test_a_run_of_so_many_steps_ends_with_the_last_of_them(num_envs):
    """Its last segment is shorter, and told if an episode has ended in it; one that has not is not told."""
    controller = RandomSearch(SPACE, np.random.default_rng(1))
    trainer = trainer_of(controller, agent={"steps": 150, "num_envs": num_envs}, episodes=WHOLE_RUN)
    events = list(trainer.run())
    returns = [r for event in events if isinstance(event, Played) for r in event.episodes.returns]
    told = [r for event in events if isinstance(event, Told) for r in event.result.returns]
    assert trainer.agent.steps == 150
    assert trainer.episodes_done == trainer.agent.episodes == len(returns)
    # Of several environments, an episode that has begun is played to its end for the score (search/begun.py).
    assert told == returns if num_envs == 1 else len(told) >= len(returns)
    assert 150 - 20 * num_envs < sum(returns) <= 150  # a step of CartPole is worth 1


def test_a_run_whose_steps_end_in_its_first_episode_tells_nothing():
    trainer = trainer_of(scripted("1x4-relu"), agent={"steps": 3})
    assert [type(event) for event in trainer.run()] == [Asked]
