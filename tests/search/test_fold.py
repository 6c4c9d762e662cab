"""A sum is folded into one network within its segment, or at its end, counted, recorded and resumed."""

import numpy as np
import pytest
from online_runs import relayed, scripted, trainer_of

from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError, Stopped
from nasdqn_fast.events import Folded, Played, Told, Transferred
from nasdqn_fast.flop import forward_flop, update_flop
from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers.base import Carried
from nasdqn_fast.transfers.inject import Inject

SCRIPT = ["1x4-relu", "2x3-tanh", "1x5-leaky_relu"]
KEEPING = {"episodes": 9, "switch_every": 3, "replay_keep": 1.0}


def folding(fold_after):
    """Arguments of a trainer whose transfer injects."""
    return {"transfer": "inject", "transfer_options": {"fold_after": fold_after, "steps": 5}} | KEEPING


def watched(trainer):
    """The events, and after each the networks that were added to the one in use."""
    for event in trainer.run():
        yield event, len(trainer.agent.network.base)


@pytest.mark.parametrize("backend", backends.NAMES)
def test_a_sum_is_folded_when_its_steps_are_made(backend):
    trainer = trainer_of(scripted(*SCRIPT), **folding(1), backend=backend)
    kinds = [
        (type(event), base) for event, base in watched(trainer) if type(event) in (Transferred, Folded, Played, Told)
    ]
    segment = [(Transferred, 2), (Played, 2), (Folded, 0), (Played, 0), (Played, 0), (Told, 0)]
    assert kinds == [(Played, 0)] * 3 + [(Told, 0)] + segment + segment


@pytest.mark.parametrize("backend", backends.NAMES)
def test_it_is_folded_at_the_end_of_the_segment_at_the_latest(backend):
    """Before the segment is scored: what is told, and left at the end, has the parameters of its architecture alone."""
    trainer = trainer_of(scripted(*SCRIPT), **folding(10**6), backend=backend)
    kinds = [
        (type(event), base) for event, base in watched(trainer) if type(event) in (Transferred, Folded, Played, Told)
    ]
    segment = [(Transferred, 2), (Played, 2), (Played, 2), (Played, 2), (Folded, 0), (Told, 0)]
    assert kinds == [(Played, 0)] * 3 + [(Told, 0)] + segment + segment
    assert str(trainer.agent.network.architecture) == SCRIPT[-1]
    assert trainer.agent.target.base == ()


def test_the_report_of_the_switch_says_that_q_stays_and_that_of_the_fold_how_far_it_moves():
    trainer = trainer_of(scripted(*SCRIPT), **folding(1))
    events = list(trainer.run())
    for event in (event for event in events if isinstance(event, Transferred)):
        assert event.report.q_change_max <= 1e-6
        assert (event.report.steps, event.report.updates) == (0, 0)
    folds = [event for event in events if isinstance(event, Folded)]
    assert [(fold.segment, fold.episode, str(fold.architecture)) for fold in folds] == [
        (2, 4, SCRIPT[1]),
        (3, 7, SCRIPT[2]),
    ]
    assert all(fold.report.q_change_max > 0 and fold.report.updates == 5 for fold in folds)


@pytest.mark.parametrize("double", [True, False])
def test_frozen_networks_are_counted_while_they_are_in_use(double):
    """Oracle: the operations of each network, where it goes forward: in acting, and thrice or twice in an update."""
    agent = {"double": double}
    trainer = trainer_of(scripted(*SCRIPT[:2]), agent=agent, **folding(1) | {"episodes": 6})
    at = {}
    for event in trainer.run():
        at[type(event)] = trainer.agent.steps, trainer.agent.updates
        if isinstance(event, Folded):
            break
        if isinstance(event, Transferred):
            begin = at[Transferred]
    steps, updates = (now - then for now, then in zip(at[Folded], begin, strict=True))
    list(trainer.run())
    cost = trainer.controller.told[1].cost
    new, old = Architecture.parse(SCRIPT[1]), Architecture.parse(SCRIPT[0])
    forward = {one: forward_flop(one, 4, 2, rows=steps + updates * 4 * (3 if double else 2)) for one in (new, old)}
    own = forward_flop(new, 4, 2, rows=cost.steps) + cost.updates * update_flop(new, 4, 2, batch=4, double=double)
    assert cost.flop == own + forward[new] + forward[old]
    assert cost.parameters == new.parameter_count(4, 2)
    assert cost.updates == trainer.agent.updates - begin[1] + 5


def refusing(switch):
    """A sum, whose fold is refused."""
    if switch.old.base:
        return Carried(switch.old, accepted=False, note="not yet")
    new = switch.old.like(switch.architecture, switch.rng)
    return Carried(new.plus([(new, -1), (switch.old, 1)]), fold_after=1)


def test_a_fold_that_is_refused_is_tried_once_a_segment():
    trainer = trainer_of(scripted(SCRIPT[0], SCRIPT[1], SCRIPT[1]), transfer=refusing, **KEEPING)
    folds = [(event.segment, event.report.accepted) for event, base in watched(trainer) if isinstance(event, Folded)]
    assert folds == [(2, False), (3, False)]
    assert len(trainer.agent.network.base) == 2
    assert all(result.accepted for result in trainer.controller.told)


@pytest.mark.parametrize("fold_after", [0, 1.5, True])
def test_a_fold_at_no_valid_step_is_refused_with_the_transfers_name(fold_after):
    def careless(switch):
        return Carried(switch.old.like(switch.architecture, switch.rng), fold_after=fold_after)

    with pytest.raises(InputError, match=r"careless' must return a valid Carried: fold_after must be an integer >= 1"):
        list(trainer_of(scripted(*SCRIPT), transfer=careless).run())


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("fold_after", [1, 30, 10**6])
def test_a_state_from_before_or_after_a_fold_continues_to_the_bit(num_envs, fold_after):
    """Oracle: the run that is left alone."""
    agent = {"num_envs": num_envs, "optimizer": "adam"}

    def make():
        return trainer_of(scripted(*SCRIPT), **folding(fold_after), agent=agent)

    whole = make()
    list(whole.run())
    events, trainers = zip(*relayed(make), strict=True)
    assert sum(isinstance(event, Folded) for event in events) == 2
    assert len(set(map(id, trainers))) > 10
    np.testing.assert_equal(trainers[-1].agent.get_state(), whole.agent.get_state())


def test_a_fold_that_is_stopped_is_begun_again():
    """Oracle: the run that is left alone."""
    calls = []

    class Interrupted(Inject):
        def __call__(self, switch):
            calls.append(switch.rng.random())
            if len(calls) == 2:
                raise Stopped
            return super().__call__(switch)

    trainer = trainer_of(scripted(*SCRIPT), **folding(1) | {"transfer": Interrupted})
    with pytest.raises(Stopped):
        list(trainer.run())
    assert len(trainer.agent.network.base) == 2
    list(trainer.run())
    calls.append(0)  # which is not interrupted any more
    calls.append(0)
    alone = trainer_of(scripted(*SCRIPT), **folding(1) | {"transfer": Interrupted})
    list(alone.run())
    assert calls[1] == calls[2]
    np.testing.assert_equal(trainer.agent.get_state(), alone.agent.get_state())
