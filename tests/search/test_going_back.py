"""`go_back`: after a clearly worse segment, the network of the best one is in use again."""

from types import SimpleNamespace

import numpy as np
import pytest
from online_runs import relayed, scripted, trainer_of

from nasdqn_fast.engine import backends
from nasdqn_fast.events import Told, Transferred, WentBack
from nasdqn_fast.search.incumbent import Incumbent
from nasdqn_fast.transfers.base import Carried
from nasdqn_fast.types import Episodes

GOOD, BAD = "1x4-relu", "2x3-tanh"
SCRIPT = ["1x5-leaky_relu", GOOD, BAD, GOOD, BAD]
# It acts greedily and learns too slowly to change what it does.
AGENT = {"optimizer": "adam", "learning_rate": 1e-7, "policy_epsilon_start": 0.0, "policy_epsilon_end": 0.0}


def good_or_bad(switch):
    """A network that balances the pole if it is to be `GOOD`, and one that always pushes left if not."""
    network = switch.old.like(switch.architecture)
    network.parameters = np.zeros_like(network.parameters)
    if str(switch.architecture) == GOOD:
        network.weights[0][2:, 0], network.weights[0][2:, 1] = 1, -1  # angle and its velocity
        network.weights[1][0, 1] = network.weights[1][1, 0] = 1
    else:
        network.biases[-1][0] = 1
    return Carried(network)


def trainer(backend="native", agent=AGENT, script=SCRIPT, **options):
    settings = {"episodes": 30, "switch_every": 6, "replay_keep": 1.0, "go_back": True} | options
    return trainer_of(scripted(*script), transfer=good_or_bad, backend=backend, agent=agent, **settings)


def state_of(agent):
    return {name: agent.get_state()[name] for name in ("architecture", "network", "optimizer")}


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("backend", backends.NAMES)
def test_the_best_network_comes_back_with_its_optimizer(backend, num_envs):
    run, at_end, happened = trainer(backend, AGENT | {"num_envs": num_envs}), {}, []
    for event in run.run():
        if isinstance(event, Told):
            at_end[event.segment] = event.result.returns.mean()
            if event.segment in (2, 4):
                best = state_of(run.agent)
                assert run.agent.optimizer.steps > 0
        if isinstance(event, WentBack):
            np.testing.assert_equal(state_of(run.agent), best)
            np.testing.assert_array_equal(run.agent.target.parameters, best["network"])
            assert (str(event.old), str(event.new)) == (BAD, GOOD)
            assert event.note.endswith(" instead of 20.0")
        if isinstance(event, (Transferred, WentBack)):
            happened.append((type(event), event.segment))
    # The fourth segment is a self-switch from the network that came back; the last comes back for the final network.
    assert happened == [(Transferred, 2), (Transferred, 3), (WentBack, 3), (Transferred, 5), (WentBack, 5)]
    assert at_end[4] > 15 > at_end[3]
    assert str(run.in_use) == GOOD


def test_the_setup_comes_back_too():
    script = ["1x5-leaky_relu", f"{GOOD}+lr=1e-06", BAD]
    run = trainer(script=script, episodes=18)
    assert isinstance(list(run.run())[-1], WentBack)
    assert str(run.in_use) == f"{GOOD}+lr=1e-06"
    assert run.agent.settings.learning_rate == 1e-6


def test_it_is_an_option():
    run = trainer(go_back=False)
    assert not any(isinstance(event, WentBack) for event in run.run())
    assert str(run.in_use) == BAD


@pytest.mark.parametrize("num_envs", [1, 3])
def test_a_state_from_any_time_continues_to_the_bit(num_envs):
    """Oracle: the run that is left alone."""

    def make():
        return trainer(agent=AGENT | {"num_envs": num_envs, "learning_rate": 1e-4})

    whole = make()
    expected = [type(event) for event in whole.run()]
    events, trainers = zip(*relayed(make), strict=True)
    assert [type(event) for event in events] == expected
    assert WentBack in expected
    assert len(set(map(id, trainers))) > 20
    np.testing.assert_equal(trainers[-1].get_state(), whole.get_state())


@pytest.mark.parametrize("greedy", ["worse", "as good"])
@pytest.mark.parametrize(
    ("best", "latest", "expected"),
    [
        # The standard error of either mean is 1, of their difference 1.41.
        ([10.0, 12.0], [6.0, 8.0], "compared"),  # 4 is 2.83 of these
        ([10.0, 12.0], [7.5, 9.5], "kept"),  # 2.5 is 1.77 of these
        ([10.0, 12.0], [10.0, 12.0], "succeeded"),
        ([10.0], [0.0, 0.0], "kept"),  # of a single return nothing is known
        ([0.0] * 50 + [10.0, 12.0] * 50, [6.0, 8.0] * 50, "compared"),  # only the last 100 count
    ],
)
def test_returns_and_then_greedy_episodes_decide(best, latest, expected, greedy):
    agent = trainer().agent
    network, played = agent.network.copy(), []

    def play(one, n):
        played.append(one)
        returns = np.full(n, 5.0 if one is network and greedy == "worse" else 8.0)
        return Episodes(returns, np.full(n, 3), returns, returns)

    incumbent = Incumbent.of(agent, agent.network.architecture, np.array(best))
    for one in (incumbent, Incumbent.restored(incumbent.get_state(agent), agent)):
        outcome, note = one.compare(network, np.array(latest), play)
        if expected == "compared":
            assert outcome == ("in use again" if greedy == "worse" else "succeeded")
            assert note == f"greedy return {5 if greedy == 'worse' else 8}.0 instead of 8.0"
        else:
            assert (outcome, note) == (expected, "")
    assert len(played) == (4 if expected == "compared" else 0)


def test_the_greedy_episodes_are_in_the_segments_cost():
    run, alone = trainer(episodes=18), trainer(episodes=18, go_back=False)
    list(run.run()), list(alone.run())
    spent = [[result.cost.steps for result in one.controller.told] for one in (run, alone)]
    good, bad = (one.agent.play_episodes(1).lengths[0] for one in (run, alone))
    assert good == 20 > bad
    assert spent[0][:2] == spent[1][:2]
    assert 10 * (20 + 8) <= spent[0][2] - spent[1][2] <= 10 * (20 + 11)


def test_what_random_actions_earned_does_not_bring_a_network_back():
    """On CartPole they earn more than a network that has learned nothing, which always pushes to one side."""
    exploring = {"policy_epsilon_start": 1.0, "policy_epsilon_decay": 0.95, "policy_epsilon_end": 0.0}
    script = [BAD, "3x3-tanh", "2x5-tanh"]
    run = trainer(agent=AGENT | exploring, script=script, episodes=60, switch_every=20)
    run.agent.switch_network(good_or_bad(SimpleNamespace(old=run.agent.network, architecture=BAD)).network)
    kinds = {type(event) for event in run.run()}
    incumbent_earned, *earned = (result.returns.mean() for result in run.controller.told)
    assert incumbent_earned > max(earned) + 2
    assert WentBack not in kinds
    assert run.controller.told[1].cost.steps > run.controller.told[1].returns.sum() + 100, "they were compared"
