"""What a transfer sees, carries over and refuses at a switch of the online search."""

import numpy as np
import pytest
from online_runs import CARTPOLE, scripted, trainer_of

from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Pruned, Told, Transferred
from nasdqn_fast.transfers.base import Carried
from nasdqn_fast.transfers.matching import matching

ADAM = {"optimizer": "adam", "target_every": 1}


def all_of_it(switch):
    """The old network and optimizer, as if there had been no switch."""
    return Carried(switch.old.copy(), switch.optimizer)


@pytest.mark.parametrize("backend", backends.NAMES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_a_carried_optimizer_continues(backend, optimizer):
    """Oracle: the run without a switch. The target, copied after each update anyway, makes no difference."""
    agent = {"optimizer": optimizer, "target_every": 1}
    keywords = {"backend": backend, "agent": agent, "episodes": 4, "replay_keep": 1.0}
    switched = trainer_of(scripted("1x4-relu", "2x3-tanh"), transfer=all_of_it, **keywords)
    unswitched = trainer_of(scripted("1x4-relu", "1x4-relu"), **keywords)
    kinds = [type(event) for event in switched.run()]
    assert Transferred in kinds
    list(unswitched.run())
    np.testing.assert_equal(switched.agent.get_state(), unswitched.agent.get_state())
    assert switched.agent.optimizer.steps == switched.agent.updates > 0


def test_a_carried_adam_differs_from_one_that_is_reset():
    """Otherwise the test above would not tell the two apart."""
    keywords = {"agent": ADAM, "episodes": 4, "replay_keep": 1.0}
    carrying = trainer_of(scripted("1x4-relu", "2x3-tanh"), transfer=all_of_it, **keywords)
    resetting = trainer_of(
        scripted("1x4-relu", "2x3-tanh"), transfer=lambda switch: Carried(switch.old.copy()), **keywords
    )
    list(carrying.run())
    list(resetting.run())
    assert resetting.agent.optimizer.steps < resetting.agent.updates
    assert np.any(carrying.agent.network.parameters != resetting.agent.network.parameters)


def test_the_next_step_of_a_carried_adam_is_kingma_and_bas():
    """Oracle: algorithm 1 of Kingma & Ba 2015 in float64, from moments that a transfer made up."""
    moments = np.random.default_rng(0).random((2, 30), np.float32)

    def made_up(switch):
        return Carried(
            switch.old.like(switch.architecture, switch.rng),
            {"kind": "adam", "steps": 7, "m": moments[0], "v": moments[1]},
        )

    trainer = trainer_of(scripted("1x3-relu", "1x4-relu"), transfer=made_up, agent=ADAM, episodes=4, replay_keep=1.0)
    before = None
    for event in trainer.run():
        if isinstance(event, Pruned):
            agent = trainer.agent
            before = agent.network.parameters.astype(np.float64)
            agent.learn()
            after, state = agent.network.parameters, agent.optimizer.get_state()
            break
    gradient = (state["m"] - 0.9 * moments[0].astype(np.float64)) / 0.1
    v = 0.999 * moments[1] + 0.001 * gradient**2
    step = 2.5e-4 * (state["m"] / (1 - 0.9**8)) / (np.sqrt(v / (1 - 0.999**8)) + 1e-8)
    assert state["steps"] == 8
    np.testing.assert_allclose(state["v"], v, rtol=1e-4)
    np.testing.assert_allclose(before - after, step, rtol=1e-3, atol=1e-7)


@pytest.mark.parametrize(
    ("state", "message"),
    [
        (
            {"kind": "adam", "steps": 1, "m": np.ones(3), "v": np.ones(3)},
            "the optimizer's state is not that of 2x3-tanh",
        ),
        ({"kind": "sgd", "steps": 1, "m": np.ones(0), "v": np.ones(0)}, "the state is that of 'sgd'"),
        ({"kind": "adam", "steps": 1, "v": np.ones(0)}, "KeyError: 'm'"),
    ],
)
@pytest.mark.parametrize("backend", backends.NAMES)
def test_an_optimizer_state_that_does_not_fit_is_refused_with_the_transfers_name(backend, state, message):
    def careless(switch):
        return Carried(switch.old.like(switch.architecture, switch.rng), state)

    trainer = trainer_of(scripted("1x4-relu", "2x3-tanh"), transfer=careless, backend=backend, agent=ADAM)
    with pytest.raises(InputError, match=rf"transfer '.*careless': no valid optimizer state: .*{message}"):
        list(trainer.run())
    assert str(trainer.agent.network.architecture) == "1x4-relu"


def refusing(switch):
    return Carried(switch.old.like(switch.architecture, switch.rng), accepted=False, updates=5, note="worse")


@pytest.mark.parametrize("backend", backends.NAMES)
def test_a_refused_switch_is_a_switch_to_itself(backend):
    """Oracle: the run whose controller proposes the architecture in use, but for the transfer's own draws."""
    keywords = {"backend": backend, "agent": {"optimizer": "adam"}, "episodes": 4}
    refused = trainer_of(scripted("1x4-relu", "2x3-tanh"), transfer=refusing, **keywords)
    itself = trainer_of(scripted("1x4-relu", "1x4-relu"), **keywords)
    events = list(refused.run())
    list(itself.run())
    states = [trainer.agent.get_state() for trainer in (refused, itself)]
    for state in states:
        del state["streams"]["transfer"]
    np.testing.assert_equal(*states)
    (transferred,) = [event for event in events if isinstance(event, Transferred)]
    assert (str(transferred.old), str(transferred.new)) == ("1x4-relu", "1x4-relu")
    assert (transferred.report.accepted, transferred.report.note) == (False, "worse")
    told = refused.controller.told[1]
    assert (str(told.architecture), told.accepted) == ("1x4-relu", False)
    assert str(told.proposal.architecture) == "2x3-tanh"
    assert told.cost.updates == itself.controller.told[1].cost.updates + 5


@pytest.mark.parametrize("backend", backends.NAMES)
def test_a_transfer_sees_what_the_learner_has(backend):
    seen = []

    def looking(switch):
        agent = trainer.agent
        seen.append(switch.settings == agent.settings)
        seen.append(switch.old is agent.network and switch.target is agent.target and switch.replay is agent.replay)
        seen.append(switch.rng is trainer.rng)
        np.testing.assert_equal(switch.optimizer, agent.optimizer.get_state())
        return matching(switch)

    trainer = trainer_of(scripted("1x4-relu", "2x3-tanh"), transfer=looking, backend=backend, agent=ADAM, episodes=4)
    list(trainer.run())
    assert seen == [True, True, True]


def greedy_return(network, rng):
    """One greedy episode by the environment's plain functions: the return on CartPole is the number of steps."""
    kernel = CARTPOLE.kernel
    state, observation, reward = np.empty(kernel.state_size), np.empty(4, np.float32), np.empty(1)
    kernel.reset(CARTPOLE.params, rng.random(kernel.reset_uniforms), state, observation)
    for step in range(1, 21):
        action = int(np.argmax(network.forward(observation[None])[0]))
        if kernel.step(CARTPOLE.params, np.empty(0), state, action, observation, reward):
            return step
    return 20


def starts(*key):
    """Generators of held-out episodes of seed 0, by NumPy alone."""
    for episode in range(5):
        yield np.random.Generator(np.random.PCG64(np.random.SeedSequence(0, spawn_key=(*key, episode))))


@pytest.mark.parametrize("backend", backends.NAMES)
def test_greedy_scores_are_those_of_the_same_starts_played_by_hand(backend):
    """Oracle: the environment's plain functions. Stream 8 is the estimator's; no segment has starts of its own."""

    def five(segment):
        return segment.evaluate(5)

    controller = scripted("1x4-relu", "2x3-tanh", "1x5-leaky_relu")
    trainer = trainer_of(controller, estimator=five, backend=backend)
    without = trainer_of(scripted("1x4-relu", "2x3-tanh", "1x5-leaky_relu"), backend=backend)
    list(without.run())
    for event in trainer.run():
        if isinstance(event, Told):
            played = [greedy_return(trainer.agent.network, rng) for rng in starts(8)]
            assert event.result.score == np.mean(played)
            # Training is not touched; its environment steps and these are the cost.
            other = without.controller.told[event.segment - 1]
            np.testing.assert_array_equal(event.result.returns, other.returns)
            assert event.result.cost.steps == other.cost.steps + sum(played)
            assert event.result.cost.updates == other.cost.updates


def test_a_guard_compares_networks_on_the_same_starts_which_are_new_at_each_switch():
    """Oracle: the environment's plain functions. Stream 7 is the guard's."""
    played = []

    def guarding(switch):
        new = matching(switch).network
        for network in (switch.old, new, switch.old):
            returns = switch.play(network, 5).returns
            segment = 2 + len(played) // 3
            assert returns.tolist() == [greedy_return(network, rng) for rng in starts(7, segment)]
            played.append(int(returns.sum()))
        return Carried(new, steps=1000)

    scripts = ["1x4-relu", "2x3-tanh", "1x5-leaky_relu"]
    trainer, without = trainer_of(scripted(*scripts), transfer=guarding), trainer_of(scripted(*scripts))
    events = list(trainer.run())
    list(without.run())
    reports = [event.report for event in events if isinstance(event, Transferred)]
    assert [report.steps for report in reports] == [1000 + sum(played[:3]), 1000 + sum(played[3:])]
    assert played[0] == played[2]
    costs = [[result.cost.steps for result in t.controller.told] for t in (trainer, without)]
    assert costs[0] == [costs[1][0], costs[1][1] + reports[0].steps, costs[1][2] + reports[1].steps]
    np.testing.assert_array_equal(trainer.agent.network.parameters, without.agent.network.parameters)
