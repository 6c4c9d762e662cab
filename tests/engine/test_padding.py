"""The padding of the parameter block: no view shows it, and it stays zero whatever is learned."""

import itertools

import numpy as np
import pytest

from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.engine.optimizer import Optimizer

ARCHITECTURES = ["1x1-relu", "2x3-tanh", "1x16-relu", "3x17-leaky_relu", "17,1,100,3-tanh"]


def padding(block):
    """What is left of the block when everything that can be seen of it is zero."""
    seen = block.parameters
    block.parameters = np.zeros_like(seen)
    rest = block.array.copy()
    block.parameters = seen
    return rest


def padded_size(network):
    """Floats of the block: one row for each input and one for the bias, rows of whole sixteens."""
    sizes = network.block.sizes
    return sum((n_in + 1) * -(-n_out // 16) * 16 for n_in, n_out in itertools.pairwise(sizes))


@pytest.mark.parametrize("kind", ["sgd", "adam"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_padding_stays_zero_in_gradients_and_parameters(cpu_target, architecture, kind):
    network, rng = QNetwork(architecture, 3, 5), np.random.default_rng(0)
    optimizer = Optimizer(kind, learning_rate=0.5)
    assert network.block.length == padded_size(network)
    for n in (1, 65, 64):
        observations = rng.normal(size=(n, 3)).astype(np.float32)
        actions, targets = rng.integers(5, size=n), rng.normal(scale=9, size=n).astype(np.float32)
        gradient = network.loss_and_gradient(observations, actions, targets)[1]
        network.apply_gradient(gradient, optimizer)
        assert not padding(gradient).any()
        assert not padding(network.block).any()


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_padding_stays_zero_in_a_run(cpu_target, optimizer):
    agent = DQNAgent("cartpole", "2x17-tanh", optimizer=optimizer, learning_rate=0.1, warm_up=64, target_every=10)
    agent.run_episodes(20)
    assert agent.updates > 100
    assert not padding(agent.network.block).any()
    assert not padding(agent.target.block).any()


def test_blocks_lie_on_cache_lines():
    for architecture in ARCHITECTURES:
        assert QNetwork(architecture, 3, 5).block.array.ctypes.data % 64 == 0


def test_no_view_no_vector_and_no_file_has_more_numbers_than_the_network(tmp_path):
    network = QNetwork("3,17-relu", 2, 5)
    count = (2 + 1) * 3 + (3 + 1) * 17 + (17 + 1) * 5
    assert sum(view.size for view in network.weights + network.biases) == count
    assert network.parameters.size == count
    assert network.block.length > count
    network.save(tmp_path / "network.npz")
    with np.load(tmp_path / "network.npz") as file:
        arrays = [file[name] for name in file.files if name.startswith(("weights", "biases"))]
    assert sum(array.size for array in arrays) == count
