"""After an error an agent can be used again, and nothing of the error is left."""

import numpy as np
import pytest

from nasdqn_fast._core.environment import EnvironmentCore
from nasdqn_fast._core.learner import LearnerCore
from nasdqn_fast._core.loop import LoopCore
from nasdqn_fast._core.population import PopulationCore
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.engine.optimizer import Optimizer
from nasdqn_fast.engine.replay import ReplayBuffer
from nasdqn_fast.errors import NonFiniteError, StepError


def test_after_a_bad_reset_no_transition_of_it_is_stored(engine, scripted):
    agent = engine.DQNAgent(scripted(fault_rate=1, fault="reset"), "2x8-relu")
    for _ in range(3):
        with pytest.raises(NonFiniteError, match="non-finite observation in episode 1: the environment"):
            agent.run_episodes(1)
    assert len(agent.replay) == 0


def test_after_an_error_in_one_lane_all_lanes_begin_new_episodes(engine, scripted):
    """An episode of length 4 that goes on after its end would be longer."""
    agent = engine.DQNAgent(scripted(length=4, fault_rate=0.2, fault="error"), "2x8-relu", num_envs=4, rng=1)
    errors, lengths = 0, []
    for _ in range(30):
        try:
            lengths += agent.run_episodes(3).lengths.tolist()
        except StepError:
            errors += 1
    assert errors > 3
    assert set(lengths) == {4}


def test_play_finds_weights_that_are_not_finite(engine, scripted):
    agent = engine.DQNAgent(scripted(), "2x8-relu")
    agent.network.weights[0][...] = np.nan
    with pytest.raises(NonFiniteError, match="non-finite weights in episode 1"):
        agent.play_episodes(1)


def test_a_gradient_of_an_infinite_observation_leaves_the_padding_alone(cpu_target):
    network = QNetwork("17,3-relu", 3, 2)
    good = network.parameters
    _, gradient = network.loss_and_gradient(
        np.full((5, 3), np.inf, np.float32), np.zeros(5, np.int64), np.zeros(5, np.float32)
    )
    network.apply_gradient(gradient, Optimizer("adam"))
    network.parameters = good
    assert np.isfinite(network.block.array).all()


def test_moments_that_do_not_fit_are_refused_every_time():
    optimizer, network = Optimizer("adam"), QNetwork("2x8-relu", 3, 2)
    _, gradient = network.loss_and_gradient(np.ones((5, 3), np.float32), np.zeros(5, np.int64), np.zeros(5, np.float32))
    short = np.zeros(5, np.float32)
    optimizer.set_state({"kind": "adam", "steps": 1000, "m": short, "v": short})
    for _ in range(2):
        with pytest.raises(ValueError, match="parameters must be"):
            network.apply_gradient(gradient, optimizer)
    assert optimizer.steps == 1000


def test_what_is_no_gradient_is_refused():
    network = QNetwork("2x8-relu", 3, 2)
    with pytest.raises(TypeError, match="gradient"):
        network.apply_gradient(None)


def test_a_loop_without_a_network_is_refused(scripted):
    rng = np.random.default_rng(0)
    loop = LoopCore(EnvironmentCore(scripted()), AgentSettings(), rng, rng)
    with pytest.raises(RuntimeError, match="use"):
        loop.run(1)
    with pytest.raises(ValueError, match="wants"):
        loop.use(QNetwork("2x8-relu", 3, 3), QNetwork("2x8-relu", 3, 3))
    with pytest.raises(ValueError, match="network must map 3 numbers to 3"):
        loop.use(QNetwork("2x8-relu", 3, 4))


def test_a_learner_refuses_networks_that_do_not_fit_its_memory_or_each_other():
    replay = ReplayBuffer(10, 3)
    learner = LearnerCore(replay, AgentSettings(), 2)
    population = PopulationCore([learner])
    fits, optimizer = QNetwork("2x8-relu", 3, 2), Optimizer()
    for network, target in (
        (fits, QNetwork("2x9-relu", 3, 2)),
        (QNetwork("2x8-relu", 4, 2),) * 2,
        (QNetwork("2x8-relu", 3, 5),) * 2,
    ):
        with pytest.raises(ValueError, match="must map the memory's 3 numbers to 2 Q-values"):
            learner.use(network, target, optimizer)
    with pytest.raises(ValueError, match="empty"):
        population.update()
    replay.add(np.zeros(3, np.float32), 1, 0.0, np.zeros(3, np.float32), False, False)
    with pytest.raises(RuntimeError, match="use"):
        population.update()


def test_an_action_that_was_written_over_is_forgotten(scripted):
    from nasdqn_fast.engine.agent import DQNAgent

    agent = DQNAgent(scripted(), "2x8-relu", replay_capacity=2, batch_size=2)
    state = np.zeros(3, np.float32)
    agent.replay.add(state, 7, 0.0, state, False, False)
    with pytest.raises(ValueError, match="the replay buffer holds action 7"):
        agent.learn()
    for _ in range(2):
        agent.replay.add(state, 1, 0.0, state, False, False)
    assert np.isfinite(agent.learn())


@pytest.mark.parametrize("setting", ["huber_delta", "gradient_clip", "learning_rate"])
@pytest.mark.parametrize("value", [1e-50, 1e39])
def test_a_setting_that_float32_cannot_hold_is_refused(setting, value):
    with pytest.raises(ValueError, match="must be a number from 1e-37 to 3e38"):
        AgentSettings(**{setting: value})
