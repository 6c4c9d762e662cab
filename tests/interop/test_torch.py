"""Networks as PyTorch modules and back: the same Q-values, and nothing taken for a network that is none."""

import copy
import re

import numpy as np
import pytest

torch = pytest.importorskip("torch", reason="torch is not installed")

from nasdqn_fast import QNetwork  # noqa: E402
from nasdqn_fast.engine import backends  # noqa: E402
from nasdqn_fast.errors import InputError  # noqa: E402
from nasdqn_fast.interop.torch import Normalize, from_module, to_module  # noqa: E402

nn = torch.nn
OBSERVATIONS = np.random.default_rng(0).normal(size=(100, 4)).astype(np.float32)
STATE = {"count": 12.5, "mean": np.array([0.1, -2, 0, 1e-40]), "variance": np.array([4, 0.01, 0, 1.0])}


def made(engine, architecture="17,8-relu", *, normalizing=False):
    network = engine.QNetwork(architecture, 4, 3, rng=1)
    for biases in network.biases:
        biases[:] = np.linspace(-1, 1, len(biases))
    network.set_normalizer_state(STATE if normalizing else None)
    return network


@pytest.mark.parametrize("normalizing", [False, True])
@pytest.mark.parametrize("architecture", ["1x1-relu", "17,8-leaky_relu", "4x128-tanh"])
@pytest.mark.parametrize("backend", backends.NAMES)
def test_a_module_gives_the_same_q_values(backend, architecture, normalizing):
    network = made(backends.find(backend), architecture, normalizing=normalizing)
    module = to_module(network)
    with torch.no_grad():
        q = module(torch.from_numpy(OBSERVATIONS)).numpy()
    assert q.dtype == np.float32
    np.testing.assert_allclose(q, network.forward(OBSERVATIONS), rtol=1e-5, atol=1e-5)
    assert isinstance(module[0], Normalize) == normalizing
    kinds = {type(part) for part in module} - {Normalize, nn.Linear}
    assert kinds == {{"relu": nn.ReLU, "tanh": nn.Tanh, "leaky_relu": nn.LeakyReLU}[network.architecture.activation]}


@pytest.mark.parametrize("normalizing", [False, True])
def test_a_network_comes_back_to_the_bit(normalizing):
    network = made(backends.find("native"), normalizing=normalizing)
    back = from_module(to_module(network))
    assert back.architecture == network.architecture
    assert back.parameters.tobytes() == network.parameters.tobytes()
    if normalizing:
        np.testing.assert_equal(back.normalizer.get_state(), STATE)
    else:
        assert back.normalizer is None


def test_the_module_can_learn_and_the_network_does_not_change():
    network = made(backends.find("native"), normalizing=True)
    before = network.parameters
    module = to_module(network)
    assert len(list(module.parameters())) == 6, "the statistics are buffers"
    loss = module(torch.from_numpy(OBSERVATIONS)).square().mean()
    loss.backward()
    torch.optim.SGD(module.parameters(), 0.1).step()
    assert network.parameters.tobytes() == before.tobytes()
    assert from_module(module).parameters.tobytes() != before.tobytes()


def test_the_modules_state_is_saved_and_loaded():
    network = made(backends.find("native"), normalizing=True)
    other = to_module(made(backends.find("native"), normalizing=True))
    for value in other.state_dict().values():
        value.zero_()
    other.load_state_dict(copy.deepcopy(to_module(network).state_dict()))
    assert from_module(other).forward(OBSERVATIONS).tobytes() == network.forward(OBSERVATIONS).tobytes()


def test_a_module_of_others_becomes_a_network():
    """As Stable-Baselines3's: Sequential within Sequential; and a layer without a bias."""
    module = nn.Sequential(
        nn.Sequential(nn.Linear(4, 5, bias=False), nn.Tanh()), nn.Linear(5, 6), nn.Tanh(), nn.Linear(6, 2)
    )
    network = from_module(module)
    assert (str(network.architecture), network.observation_size, network.n_actions) == ("5,6-tanh", 4, 2)
    with torch.no_grad():
        expected = module(torch.from_numpy(OBSERVATIONS)).numpy()
    np.testing.assert_allclose(network.forward(OBSERVATIONS), expected, rtol=1e-5, atol=1e-6)


def test_making_a_module_draws_no_random_numbers():
    before = torch.get_rng_state()
    to_module(QNetwork("2x8-relu", 3, 2))
    assert torch.equal(before, torch.get_rng_state())


@pytest.mark.parametrize(
    ("module", "reason"),
    [
        (nn.Linear(2, 2), "got Linear"),
        (nn.Sequential(), "got nothing"),
        (nn.Sequential(nn.Linear(2, 2)), "got Linear"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU()), "got Linear ReLU"),
        (nn.Sequential(nn.Linear(2, 2), nn.Linear(2, 2), nn.ReLU()), "got ReLU() where a layer should be"),
        (nn.Sequential(nn.Linear(2, 2), nn.GELU(), nn.Linear(2, 2)), "got GELU(approximate='none') where an"),
        (nn.Sequential(nn.Linear(2, 2), nn.LeakyReLU(0.2), nn.Linear(2, 2)), "got LeakyReLU(negative_slope=0.2) where"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(3, 2)), "a layer of 2 outputs before one of 3 inputs"),
        (nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2)).double(), "got weights of torch.float64"),
        (nn.Sequential(nn.Conv1d(2, 2, 1), nn.ReLU(), nn.Linear(2, 2)), "got Conv1d(2, 2, kernel_size=(1,), stride"),
        (
            nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2), nn.Tanh(), nn.Linear(2, 2)),
            "got relu and tanh in one network",
        ),
    ],
)  # fmt: skip
def test_what_is_no_such_module_is_refused_in_one_line(module, reason):
    with pytest.raises(InputError, match=re.escape(reason)) as caught:
        from_module(module)
    assert str(caught.value).startswith("module must be an nn.Sequential of nn.Linear with one kind of")
    assert "\n" not in str(caught.value)
