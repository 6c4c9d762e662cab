"""Searches that choose how to train, too. Oracles: agents with these settings, and the states around a switch."""

import numpy as np
import pytest
from online_runs import Scripted, trainer_of

from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Asked, Played, Told, Transferred
from nasdqn_fast.space import Architecture, Setup, parse_setup
from nasdqn_fast.transfers.base import Carried
from nasdqn_fast.transfers.fresh import fresh
from nasdqn_fast.types import Proposal

ADAM = {"optimizer": "adam", "learning_rate": 0.01}


def scripted(*texts):
    return Scripted([Proposal(parse_setup(text), "scripted") for text in texts])


def optimizer_of(trainer):
    about = trainer.agent.optimizer.settings
    return about.kind, about.resolved_learning_rate


def switched(*texts, **options):
    """The trainer, and what network, target and optimizer were just before the switch and just after it."""
    trainer, snapshots = trainer_of(scripted(*texts), **options), []
    for event in trainer.run():
        if isinstance(event, (Told, Asked)):
            agent = trainer.agent
            parts = agent.network.parameters.copy(), agent.target.parameters.copy(), agent.optimizer.get_state()
            snapshots.append((type(event), optimizer_of(trainer), *parts))
    told = next(i for i, snapshot in enumerate(snapshots) if snapshot[0] is Told)
    return trainer, snapshots[told][1:], snapshots[told + 1][1:]


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_a_setup_that_never_changes_is_an_agent_with_these_settings(backend):
    by_search = trainer_of(scripted(*["1x4-relu+adam+lr=0.01"] * 3), backend=backend)
    by_settings = trainer_of(scripted(*["1x4-relu"] * 3), backend=backend, agent=ADAM)
    played = [
        np.concatenate([event.episodes.losses for event in trainer.run() if isinstance(event, Played)])
        for trainer in (by_search, by_settings)
    ]
    np.testing.assert_array_equal(*played)
    np.testing.assert_array_equal(by_search.agent.network.parameters, by_settings.agent.network.parameters)
    assert by_search.agent.settings == by_settings.agent.settings
    assert by_search.agent.network.architecture == Architecture.parse("1x4-relu")


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_another_learning_rate_keeps_network_target_and_moments(backend):
    _, before, after = switched("1x4-relu+adam+lr=0.01", "1x4-relu+adam+lr=0.001", backend=backend, episodes=4)
    assert (before[0], after[0]) == (("adam", 0.01), ("adam", 0.001))
    assert before[3]["steps"] > 0
    np.testing.assert_equal(after[1:], before[1:])


@pytest.mark.parametrize("backend", ["native", "numpy"])
def test_another_optimizer_keeps_network_and_target_and_begins_anew(backend):
    _, before, after = switched("1x4-relu+adam", "1x4-relu+sgd", backend=backend, episodes=4)
    assert (before[0], after[0]) == (("adam", 2.5e-4), ("sgd", 1e-3))
    np.testing.assert_equal(after[1:3], before[1:3])
    assert (after[3]["kind"], after[3]["steps"], len(after[3]["m"])) == ("sgd", 0, 0)


@pytest.mark.parametrize(("second", "steps"), [("2x4-relu+adam+lr=0.1", "carried"), ("2x4-relu+sgd+lr=0.1", "none")])
def test_what_a_transfer_carries_lasts_if_the_optimizer_stays(second, steps):
    trainer, before, after = switched("1x4-relu+adam+lr=0.01", second, transfer="net2net", episodes=4)
    assert after[0] == (parse_setup(second).optimizer, 0.1)
    assert after[3]["steps"] == (before[3]["steps"] if steps == "carried" else 0)
    assert trainer.in_use == parse_setup(second)


def test_what_the_transfer_learns_beside_training_is_learned_with_the_new_settings():
    seen = []

    def learning(switch):
        network = switch.old.like(switch.architecture, switch.rng)
        state = switch.learn(network, 3)
        seen.append((switch.settings.optimizer, switch.settings.learning_rate, state["kind"], switch.architecture))
        return Carried(network, state)

    trainer = trainer_of(scripted("1x4-relu+sgd+lr=0.01", "1x5-leaky_relu+adam+lr=0.1"), transfer=learning, episodes=4)
    list(trainer.run())
    assert seen == [("adam", 0.1, "adam", Architecture.parse("1x5-leaky_relu"))]
    assert trainer.agent.optimizer.get_state()["steps"] > 3, "it continues from there"


def test_a_refused_switch_changes_nothing_and_is_told_as_what_was_trained():
    def refusing(switch):
        return Carried(switch.old, accepted=False)

    controller = scripted("1x4-relu+adam+lr=0.01", "1x5-leaky_relu+sgd+lr=0.1")
    trainer = trainer_of(controller, transfer=refusing, episodes=4)
    events = list(trainer.run())
    assert optimizer_of(trainer) == ("adam", 0.01)
    first, second = controller.told
    assert second.architecture == first.architecture == Setup((4,), "relu", "adam", 0.01)
    assert not second.accepted
    (crossing,) = (event for event in events if isinstance(event, Transferred))
    assert (crossing.old, crossing.new) == (first.architecture, first.architecture)


def test_a_fresh_proposal_begins_with_a_new_optimizer_of_the_setup():
    again = Proposal(Setup((4,), "relu", "adam", 0.01), "again", fresh=True)
    first = Proposal(Setup((4,), "relu", "adam", 0.1), "first")
    trainer = trainer_of(Scripted([first, again]), transfer=fresh, episodes=4, agent={"warm_up": 10_000})
    list(trainer.run())
    assert optimizer_of(trainer) == ("adam", 0.01)
    assert trainer.agent.optimizer.get_state()["steps"] == 0


@pytest.mark.parametrize(
    ("setup", "complaint"),
    [
        (Setup((4,), "relu", "adamw"), "unknown optimizer 'adamw': did you mean 'adam'"),
        (Setup((4,), "relu", None, -1.0), "learning_rate must be a finite number > 0"),
    ],
    ids=str,
)
def test_a_setup_that_cannot_be_is_refused_in_a_line(setup, complaint):
    with pytest.raises(InputError, match=f"Scripted asks for .*: {complaint}"):
        trainer_of(Scripted([Proposal(setup, "wrong")]))


def test_episodes_and_results_name_the_setup():
    texts = ["1x4-relu+adam", "1x4-relu+sgd", "2x3-tanh+sgd"]
    controller = scripted(*texts)
    events = list(trainer_of(controller).run())
    played = [str(event.architecture) for event in events if isinstance(event, Played)]
    assert played == [text for text in texts for _ in range(2)]
    assert [str(result.architecture) for result in controller.told] == texts
    assert all(result.accepted for result in controller.told)
    assert len([event for event in events if isinstance(event, Transferred)]) == 1, "layers have changed once"
