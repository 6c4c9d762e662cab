"""The parallel search on a tiny CartPole."""

import copy
import itertools

import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast.controllers.fixed import Fixed
from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError
from nasdqn_fast.estimators import base as estimators
from nasdqn_fast.events import Asked, Played, PopulationDrawn, Replaced, TargetChosen, Told
from nasdqn_fast.search.generation import CandidateSpace, inherited, replacements
from nasdqn_fast.search.online import Trainer
from nasdqn_fast.search.parallel import ParallelTrainer
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import SearchSpace
from nasdqn_fast.transfers import base as transfers
from nasdqn_fast.types import Episodes

SPACE = CandidateSpace(SearchSpace.grid((1, 2), (3, 4), ("relu", "tanh")))
CARTPOLE = envs.make("cartpole", max_episode_steps=20)
SMALL = {"batch_size": 4, "warm_up": 10, "replay_capacity": 500, "target_every": 15}


def trainer_of(seed=0, networks=4, space=SPACE, backend="native", agent=None, **options):
    streams, settings = Streams(seed), SMALL | (agent or {})
    return ParallelTrainer(
        lambda candidates: backends.find(backend).DQNPopulation(CARTPOLE, list(candidates), rng=streams, **settings),
        space,
        networks,
        streams.controller,
        streams.transfer,
        **{"episodes": 12, "replace_every": 2} | options,
    )


def told(events, kind):
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("backend", backends.NAMES)
def test_a_run_is_the_algorithm_written_out(backend):
    trainer = trainer_of(5, backend=backend)
    events = list(trainer.run())

    streams = Streams(5)
    drawn = [SPACE.sample(streams.controller) for _ in range(4)]
    several = backends.find(backend).DQNPopulation(CARTPOLE, drawn, rng=streams, **SMALL)
    returns, choices, gone = [], [], []
    while len(returns) < 12:
        if (choice := several.take_choice()) is None:
            returns += several.run_episodes(1).returns.tolist()
            continue
        choices.append((choice.updates, choice.chosen, *choice.losses))
        if len(choices) % 2 == 0:
            parents = {}
            for k, parent in replacements(choice.losses, streams.controller):
                source = several.members[parent]
                new = SPACE.changed(source.candidate, streams.controller)
                copies = parents.setdefault(parent, [])
                if new in copies:
                    network = source.network.like(new.trained(), streams.transfer)
                else:
                    network = inherited(source.network, new.trained(), streams.transfer)
                copies.append(new)
                several.replace(k, new, network)
                gone.append((choice.updates, k, parent, new))

    played = told(events, Played)
    np.testing.assert_array_equal(np.concatenate([event.episodes.returns for event in played]), returns)
    found = [(e.choice.updates, e.choice.chosen, *e.choice.losses) for e in told(events, TargetChosen)]
    assert found == choices
    assert len(choices) > 3
    assert [(e.updates, e.network, e.parent, e.new) for e in told(events, Replaced)] == gone
    assert len(gone) > 2
    np.testing.assert_array_equal(trainer.agent.network.parameters, several.network.parameters)
    assert told(events, PopulationDrawn) == [PopulationDrawn(1, tuple(drawn))]


def test_events_come_in_order_and_name_what_is_in_use():
    trainer = trainer_of(agent={"num_envs": 3})
    members, kinds = [], []
    for event in trainer.run():
        kinds.append(type(event))
        match event:
            case PopulationDrawn():
                members = list(event.candidates)
            case TargetChosen():
                assert event.architecture == members[event.choice.chosen]
            case Replaced():
                assert members[event.network] == event.old
                members[event.network] = event.new
            case Played():
                assert event.architecture in members
    assert kinds[:2] == [Asked, PopulationDrawn]
    assert kinds[-1] is Told
    assert kinds.count(Played) == 12
    for before, after in itertools.pairwise(kinds):
        assert after is not Replaced or before in (TargetChosen, Replaced)
    assert members == [member.candidate for member in trainer.agent.members]


@pytest.mark.parametrize("double", [True, False])
def test_of_one_network_the_cost_is_the_plain_agents(double):
    """Oracle: the online search with a fixed controller, and the same seed."""
    options = {"agent": {"double": double}, "space": CandidateSpace(SearchSpace(["2x4-relu"]))}
    one = told(trainer_of(3, networks=1, **options).run(), Told)[0].result
    streams = Streams(3)
    online = Trainer(
        lambda first: backends.find("native").DQNAgent(CARTPOLE, first, rng=streams, double=double, **SMALL),
        Fixed(options["space"].architectures, streams.controller, Fixed.Options("2x4-relu")),
        transfers.make("matching"),
        estimators.make("mean-return"),
        streams.transfer,
        episodes=12,
        switch_every=12,
        replay_keep=0.25,
        replay_keep_which="newest",
    )
    plain = told(online.run(), Told)[0].result
    assert (one.cost, one.score) == (plain.cost, plain.score)
    np.testing.assert_array_equal(one.returns, plain.returns)


def test_the_cost_counts_the_updates_of_all_networks():
    """Oracle: operations of three 1x4-relu by hand, 4-4-2."""
    trainer = trainer_of(networks=3, space=CandidateSpace(SearchSpace(["1x4-relu"])))
    cost = told(trainer.run(), Told)[0].result.cost
    macs, inputs, agent = 4 * 4 + 4 * 2, 4 * 4, trainer.agent
    assert (cost.steps, cost.updates) == (agent.steps, 3 * agent.updates)
    assert cost.parameters == 3 * (macs + 4 + 2)
    # Double DQN: Q of s and of s' and two gradients of each network, and the target's Q of s' once.
    assert cost.flop == agent.steps * 2 * macs + agent.updates * 2 * 4 * (3 * (4 * macs - inputs) + macs)


@pytest.mark.quick_only(backend="native")
@pytest.mark.parametrize("backend", backends.NAMES)
@pytest.mark.parametrize("num_envs", [1, 3])
def test_a_trainer_continues_from_its_state_wherever_it_is_whole(backend, num_envs):
    events = []
    whole = trainer_of(2, backend=backend, agent={"num_envs": num_envs})
    states = []
    for event in whole.run():
        if whole.resumable:
            states.append((len(events) + 1, copy.deepcopy(whole.get_state())))
        events.append(event)
    curve = [event.episodes for event in told(events, Played)]
    for at, state in states[:: max(1, len(states) // 6)]:
        before = curve[: len(told(events[:at], Played))]
        restored = trainer_of(7, backend=backend, agent={"num_envs": num_envs})
        arrays = {name: np.concatenate([getattr(e, name) for e in before] or [[]]) for name in vars(curve[0])}
        restored.set_state(state, Episodes(**arrays))
        rest = list(restored.run())
        assert [type(event) for event in rest] == [type(event) for event in events[at:]]
        for found, expected in zip(told(rest, Played), told(events[at:], Played), strict=True):
            assert found.architecture == expected.architecture
            np.testing.assert_array_equal(found.episodes.returns, expected.episodes.returns)
        if told(rest, Told):
            assert told(rest, Told)[0].result.cost == told(events, Told)[0].result.cost


def test_a_state_of_another_population_is_refused_in_one_line():
    trainer = trainer_of(networks=2)
    list(trainer.run())
    with pytest.raises(InputError, match=r"does not fit .*: the state is of 2 networks, this population has 4"):
        trainer_of().set_state(trainer.get_state(), None)


def test_equal_copies_of_one_parent_do_not_have_equal_weights():
    """In a space of two activations, all copies of one parent are of the other activation."""
    trainer = trainer_of(1, networks=6, space=CandidateSpace(SearchSpace(["1x4-relu", "1x4-tanh"])), replace_every=1)
    for event in trainer.run():
        if isinstance(event, Replaced) and trainer.resumable:
            members = trainer.agent.members
            assert len({(member.candidate, member.network.parameters.tobytes()) for member in members}) == 6
