"""Same bits: a row alone and in any batch, one row through the acting path, and two wide CPU targets."""

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasdqn_fast._core import cpu
from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.engine.optimizer import Optimizer
from nasdqn_fast.space import ACTIVATIONS

PROPERTY = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
# Targets with fused multiply-add; the baseline rounds twice where they round once.
FUSED = [target for target in cpu.available() if target != "baseline"] or cpu.available()
# With itself too: a machine that has one such target still tests that it repeats its bits.
PAIRS = [(target, FUSED[-1]) for target in FUSED]

# A layer that is multiplied by blocks, being too large for the second-level cache (dense.c, is_far); neither width is a
# whole number of blocks or tiles.
WIDE = "370,391"


def random_network(architecture, observation_size=3, n_actions=4, seed=0):
    rng = np.random.default_rng(seed)
    network = QNetwork(architecture, observation_size, n_actions, rng)
    for biases in network.biases:
        biases[:] = rng.normal(size=biases.shape)
    return network


@pytest.mark.parametrize("activation", ACTIVATIONS)
@pytest.mark.parametrize("widths", ["1x1", "3x17", "2x100", "17,1,100,3", WIDE])
def test_a_row_has_the_same_bits_alone_and_in_any_batch(cpu_target, widths, activation):
    network = random_network(f"{widths}-{activation}")
    x = np.random.default_rng(1).normal(size=(200, 3)).astype(np.float32)
    alone = np.concatenate([network.forward(x[i : i + 1]) for i in range(200)])
    for n in (2, 3, 15, 16, 17, 63, 64, 65, 200):
        assert network.forward(x[:n]).tobytes() == alone[:n].tobytes()
        assert network.forward(x[::-1][:n]).tobytes() == alone[::-1][:n].tobytes()


@PROPERTY
@given(
    widths=st.lists(st.integers(1, 150), min_size=1, max_size=3),
    activation=st.sampled_from(ACTIVATIONS),
    seed=st.integers(0, 2**32),
)
def test_acting_on_one_observation_computes_the_bits_of_a_batch(cpu_target, scripted, widths, activation, seed):
    """The loop has a path of its own for one row. Action 1 is given the constant value c: that action 0 is taken
    (the lowest of equals) says Q_0 >= c, that action 1 is taken for the next larger c says Q_0 <= c."""
    text = ",".join(map(str, widths))
    network = random_network(f"{text}-{activation}", n_actions=3, seed=seed)
    for head in (network.weights[-1], network.biases[-1]):
        head[..., 1] = 0
        head[..., 2] = head[..., 0]
    uniforms = np.random.default_rng(seed).random(2)
    observation = np.array([0, *uniforms], np.float32)
    environment = scripted(length=1, reward_of_step=0, reward_of_action=1)
    agent = DQNAgent(environment, network, batch_size=1, replay_capacity=1)
    value = network.forward(observation[None])[0, 0]
    for constant, action in ((value, 0), (np.nextafter(value, np.float32(np.inf)), 1)):
        network.biases[-1][1] = constant
        assert agent.play_episodes(1, rng=seed).returns == [action]


def one_run(target, architecture, optimizer):
    """Everything that a short training run computes."""
    cpu.select(target)
    agent = DQNAgent("inverted-pendulum", architecture, rng=3, optimizer=optimizer, warm_up=100, target_every=50)
    episodes = agent.run_episodes(4)
    return [agent.network.parameters.tobytes(), episodes.returns.tobytes(), episodes.losses.tobytes()]


@pytest.fixture
def selection():
    """Puts back the CPU target that a test has changed."""
    before = cpu.current()
    yield
    cpu.select(before)


@pytest.mark.usefixtures("selection")
@pytest.mark.parametrize("pair", PAIRS, ids="-".join)
class TestTargetsWithFusedMultiplyAdd:
    @pytest.mark.parametrize("activation", ACTIVATIONS)
    @pytest.mark.parametrize("widths", ["1x1", "3x17", "2x100", "4x64", "17,1,100,3", WIDE])
    def test_give_the_same_values_gradients_and_steps(self, pair, widths, activation):
        rng = np.random.default_rng(2)
        x = rng.normal(size=(200, 5)).astype(np.float32)
        actions, targets = rng.integers(7, size=200), rng.normal(size=200).astype(np.float32)
        results = []
        for target in pair:
            cpu.select(target)
            network = random_network(f"{widths}-{activation}", 5, 7)
            result = [network.forward(x).tobytes()]
            for kind in ("sgd", "adam"):
                optimizer = Optimizer(kind, learning_rate=0.1)
                for n in (1, 65, 200):
                    loss, gradient = network.loss_and_gradient(x[:n], actions[:n], targets[:n])
                    network.apply_gradient(gradient, optimizer)
                    result += [loss, gradient.parameters.tobytes(), network.parameters.tobytes()]
            results.append(result)
        assert results[0] == results[1]

    @pytest.mark.parametrize("optimizer", ["sgd", "adam"])
    @pytest.mark.parametrize("architecture", ["2x32-relu", "3x17-tanh", "2x64-leaky_relu"])
    def test_give_the_same_run(self, pair, architecture, optimizer):
        assert one_run(pair[0], architecture, optimizer) == one_run(pair[1], architecture, optimizer)
