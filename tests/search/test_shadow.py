"""A shadow: the network before the switch acts while the new one learns, until this one is no worse, or it is time."""

import itertools

import numpy as np
import pytest
from online_runs import SMALL, relayed, scripted, trainer_of

from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError, Stopped
from nasdqn_fast.events import Folded, Played, Told, TookOver, Transferred
from nasdqn_fast.search.greedy import GreedyEpisodes
from nasdqn_fast.transfers.base import Carried
from nasdqn_fast.transfers.matching import matching

SCRIPT = ["1x4-relu", "2x3-tanh", "1x5-leaky_relu"]
KEEPING = {"episodes": 18, "switch_every": 6, "replay_keep": 1.0}
# One that never learns, and is greedy.
STILL = {"warm_up": 10**6, "policy_epsilon_start": 0.0, "policy_epsilon_end": 0.0}


def shadowing(shadow, guard=0, transfer="distill", **options):
    """Arguments of a trainer whose transfer has a shadow."""
    chosen = {"shadow": shadow, "guard": guard, "steps": 3, **options}
    return {"transfer": transfer, "transfer_options": chosen} | KEEPING


def told(trainer, kinds=(Transferred, TookOver, Played, Told)):
    """What happened, in short."""
    for event in trainer.run():
        if isinstance(event, kinds):
            acting = event.architecture if isinstance(event, Played) else ""
            yield type(event), str(acting)


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("backend", backends.NAMES)
def test_the_old_network_acts_for_as_many_episodes(backend, num_envs):
    trainer = trainer_of(scripted(*SCRIPT), backend=backend, agent={"num_envs": num_envs}, **shadowing(4))
    happened = list(told(trainer))
    first = [(Played, SCRIPT[0])] * 6 + [(Told, "")]
    assert happened[:7] == first
    for i, (old, new) in enumerate(itertools.pairwise(SCRIPT)):
        segment = happened[7 + 9 * i : 16 + 9 * i]
        assert [kind for kind, _ in segment] == [Transferred, *[Played] * 4, TookOver, Played, Played, Told]
        played = [architecture for kind, architecture in segment if kind is Played]
        assert played[:4] == [old] * 4
        if num_envs == 1:  # of several, some may have ended beside the fourth, and are the old network's
            assert played[4:] == [new] * 2
    assert [str(result.architecture) for result in trainer.controller.told] == SCRIPT
    assert all(result.accepted for result in trainer.controller.told)


def test_its_actions_are_taken_until_then():
    """Oracle: Q-values of the network before the switch, of the observations in the memory."""
    trainer = trainer_of(scripted(*SCRIPT[:2]), agent=STILL, **shadowing(4, exact=False) | {"episodes": 12})
    begin = {}
    for event in trainer.run():
        if isinstance(event, Transferred):
            old, begin["old"] = trainer.agent.stand_in, trainer.agent.steps
        if isinstance(event, TookOver):
            begin["new"] = trainer.agent.steps
    batch, new = trainer.agent.replay.transitions(), trainer.agent.network
    for network, steps in ((old, slice(begin["old"], begin["new"])), (new, slice(begin["new"], None))):
        q = network.forward(batch.observations[steps])
        np.testing.assert_array_equal(q.argmax(axis=1), batch.actions[steps])


def test_it_takes_over_at_the_end_of_the_segment_at_the_latest():
    trainer = trainer_of(scripted(*SCRIPT[:2]), **shadowing(100) | {"episodes": 12})
    assert list(told(trainer))[-2:] == [(TookOver, ""), (Told, "")]
    assert trainer.agent.stand_in is None
    assert str(trainer.controller.told[1].architecture) == SCRIPT[1]


def test_the_new_network_learns_from_the_switch_on():
    trainer = trainer_of(scripted(*SCRIPT[:2]), **shadowing(4) | {"episodes": 12})
    for event in trainer.run():
        if isinstance(event, Transferred):
            start, updates = trainer.agent.network.parameters, trainer.agent.updates
        if isinstance(event, TookOver):
            assert trainer.agent.updates - updates == trainer.agent.steps - updates - SMALL["warm_up"] + 1
            assert np.abs(trainer.agent.network.parameters - start).max() > 0


def balancing(network):
    """Makes the network push to the side to which the pole leans, which balances it."""
    network.parameters = np.zeros_like(network.parameters)
    network.weights[0][2:, 0], network.weights[0][2:, 1] = 1, -1
    network.weights[1][:2, 1] = 1, -1


def compared(new_is_good):
    """A transfer that makes a network which always pushes to the left, or one that balances the pole."""

    def transfer(switch):
        network = switch.old.like(switch.architecture, None)
        network.biases[-1][...] = 1, 0
        if new_is_good:
            balancing(network)
        return Carried(network, shadow=15, shadow_guard=2)

    return transfer


@pytest.mark.parametrize("backend", backends.NAMES)
@pytest.mark.parametrize(("is_good", "comparisons", "acted"), [(True, 1, 3), (False, 4, 15)])
def test_it_takes_over_sooner_when_greedy_episodes_say_that_it_is_no_worse(backend, is_good, comparisons, acted):
    """After every third of 15 episodes; oracle: a policy that balances the pole, and one that lets it fall."""
    options = KEEPING | {"transfer": compared(is_good), "backend": backend, "agent": STILL}
    trainer = trainer_of(scripted("1x4-relu", "1x5-relu"), **options | {"episodes": 40, "switch_every": 20})
    balancing(trainer.agent.network)
    over = [event for event in trainer.run() if isinstance(event, TookOver)]
    assert [(event.episode, str(event.old), str(event.new)) for event in over] == [(20 + acted, "1x4-relu", "1x5-relu")]
    assert over[0].note == ("greedy return 20.0 instead of 20.0" if is_good else "its episodes are over")
    cost, lengths = trainer.controller.told[1].cost, trainer.controller.told[1].returns.sum()
    fell = 20 * 2 if is_good else _steps(trainer, [2, 23, 26, 29, 32])
    assert cost.steps == lengths + comparisons * 2 * 20 + fell


def _steps(trainer, key):
    """Environment steps of the new network in the comparisons: the return on CartPole is the number of steps."""
    first, *episodes = key
    streams, total = trainer.agent.streams, 0
    for episode in episodes:
        greedy = GreedyEpisodes(trainer.agent, lambda i, e=episode: streams.child("guard", 2, first, e, i))
        greedy.play(trainer.agent.network, 2)
        total += greedy.steps
    return total


def test_the_fold_of_a_sum_may_have_a_shadow():
    options = shadowing(3, transfer="inject", fold_after=1)
    trainer = trainer_of(scripted(*SCRIPT[:2]), **options | {"episodes": 12})
    kinds = [type(event) for event in trainer.run() if isinstance(event, (Folded, TookOver, Played))]
    assert kinds[6:] == [Played, Folded, Played, Played, Played, TookOver, Played, Played]


@pytest.mark.parametrize("name", ["shadow", "shadow_guard"])
def test_a_shadow_of_no_valid_length_is_refused_with_the_transfers_name(name):
    def careless(switch):
        return Carried(matching(switch).network, **{name: -1})

    with pytest.raises(InputError, match=rf"careless' must return a valid Carried: {name} must be an integer >= 0"):
        list(trainer_of(scripted(*SCRIPT), transfer=careless).run())


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("guard", [0, 2])
def test_a_state_from_any_time_of_a_shadow_continues_to_the_bit(num_envs, guard):
    """Oracle: the run that is left alone."""
    agent = {"num_envs": num_envs, "optimizer": "adam"}

    def make():
        return trainer_of(scripted(*SCRIPT), agent=agent, **shadowing(5, guard, exact=False))

    whole = make()
    expected = [type(event) for event in whole.run()]
    events, trainers = zip(*relayed(make), strict=True)
    assert [type(event) for event in events] == expected
    assert TookOver in expected
    assert len(set(map(id, trainers))) > 10
    np.testing.assert_equal(trainers[-1].agent.get_state(), whole.agent.get_state())
    costs = [event.result.cost for event in events if isinstance(event, Told)]
    assert costs == [result.cost for result in whole.controller.told]


def test_a_comparison_that_is_stopped_is_begun_again(monkeypatch):
    """Oracle: the run that is left alone."""
    play, calls = GreedyEpisodes.play, []

    def interrupted(self, network, n):
        calls.append(n)
        if len(calls) == 2:
            raise Stopped
        return play(self, network, n)

    options = shadowing(5, 2, exact=False)
    alone = trainer_of(scripted(*SCRIPT), **options)
    list(alone.run())
    monkeypatch.setattr(GreedyEpisodes, "play", interrupted)
    trainer = trainer_of(scripted(*SCRIPT), **options)
    with pytest.raises(Stopped):
        list(trainer.run())
    list(trainer.run())
    np.testing.assert_equal(trainer.agent.get_state(), alone.agent.get_state())
    assert trainer.controller.told[-1].cost == alone.controller.told[-1].cost
