"""The peers do the same training as the package, each by its own means."""

import importlib
import importlib.metadata
from pathlib import Path

import numpy as np
import pytest

from nasdqn_fast import QNetwork, envs, reference
from nasdqn_fast.benchmarking import peer_check
from nasdqn_fast.space import Architecture

FOLDER = Path(__file__).parents[2] / "bench" / "peers"
INSTALLED = {  # from here on, they can be imported
    name: module for name, module in peer_check.installed(FOLDER).items() if hasattr(module, "Training")
}
CHECKED = [name for name, module in INSTALLED.items() if hasattr(module.Training, "loss_and_gradient")]
_pendulum, _setting = (importlib.import_module(f"peers.{name}") for name in ("_pendulum", "_setting"))


def training(name, architecture="2x32-relu", seed=0, optimizer=None):
    make = INSTALLED[name].Training
    return make(Architecture.parse(architecture), seed, optimizer or make.optimizers[0])


def cases(architectures):
    """Those of (peer, architecture) that the peer can build, the slow ones marked."""
    return [
        pytest.param(name, text, marks=() if name == "numpy" else pytest.mark.slow)
        for name in CHECKED
        for text in architectures
        if INSTALLED[name].Training.supports(Architecture.parse(text))
    ]


def test_numpy_and_numba_are_there():
    assert {"numpy", "numba"} <= set(INSTALLED)


@pytest.mark.parametrize("name", INSTALLED)
def test_a_peers_version_is_that_of_its_library(name):
    package = {"rl-tools": "rltools", "sb3": "stable-baselines3"}.get(name, name.partition("-")[0])
    installed, told = importlib.metadata.version(package), INSTALLED[name].Training.version
    assert told.partition("+")[0] == installed.partition("+")[0]


@pytest.mark.parametrize("n", [1, 64])
@pytest.mark.parametrize(
    ("name", "architecture"), cases(["1x8-relu", "3x64-relu", "2x32-tanh", "4x17-tanh", "3x32-leaky_relu", "5,9-relu"])
)
def test_loss_and_gradient_are_ours(name, architecture, n):
    """Oracle: QNetwork, itself checked against finite differences. Both are float32: 1e-5 is a hundred roundings."""
    rng = np.random.default_rng(1)
    network = QNetwork(architecture, 3, 3, rng)
    network.parameters = rng.normal(scale=0.3, size=network.parameters.size).astype(np.float32)
    observations = rng.standard_normal((n, 3)).astype(np.float32)
    actions = rng.integers(0, 3, n)
    targets = rng.normal(scale=2, size=n).astype(np.float32)  # errors on both sides of Huber's delta
    loss, gradient = network.loss_and_gradient(observations, actions, targets)
    peer_loss, peer_gradient = training(name, architecture).loss_and_gradient(
        network.parameters, observations, actions, targets
    )
    assert peer_loss == pytest.approx(loss, abs=1e-5)
    assert peer_gradient.dtype == np.float32
    np.testing.assert_allclose(peer_gradient, gradient.parameters, rtol=0, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize(("name", "architecture"), cases(["2x32-relu"]))
def test_steps_of_the_optimizer_are_ours(name, architecture, optimizer):
    """Oracle: the twin's optimizer. Gradients on both sides of the clip; among them zeros, whose moments stay zero."""
    if optimizer not in INSTALLED[name].Training.optimizers:
        with pytest.raises(ValueError, match="the optimizers are adam"):
            training(name, architecture, optimizer=optimizer)
        return
    rng = np.random.default_rng(2)
    parameters = QNetwork(architecture, 3, 3, rng).parameters
    gradients = rng.normal(size=(4, parameters.size)).astype(np.float32)
    gradients[:, ::5] = 0
    expected, twin = parameters.copy(), reference.Optimizer(optimizer)
    for gradient in gradients:
        twin.step(expected, gradient)
    moved = training(name, architecture, optimizer=optimizer).take_steps(parameters, gradients)
    np.testing.assert_allclose(moved, expected, rtol=0, atol=5e-7)


def test_all_but_one_are_checked():
    """Stable-Baselines3 computes its loss inside of its own loop."""
    assert set(INSTALLED) - set(CHECKED) <= {"sb3"}


@pytest.mark.filterwarnings("ignore:.torch.jit.script_method. is deprecated:DeprecationWarning")  # Inductor's own
@pytest.mark.parametrize(
    ("name", "optimizer"),
    [
        pytest.param(name, optimizer, marks=() if name == "numpy" else pytest.mark.slow)
        for name, module in INSTALLED.items()
        for optimizer in module.Training.optimizers
    ],
)
def test_runs_past_an_episode_and_a_copy_of_the_target(name, optimizer):
    run = training(name, optimizer=optimizer)
    run.run(3)
    run.run(_setting.TARGET_EVERY)


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in ("numpy", "numba", "rl-tools") if name in INSTALLED])
def test_learns(name):
    """The random policy earns 80, the best possible 196 (dynamic programming); 150 is the paper's threshold.

    40,000 steps do not suffice at this learning rate, neither for the peers nor for the package.
    """
    run = training(name, seed=3)
    run.run(100_000)
    assert len(run.returns) == 500
    assert np.mean(run.returns[-100:]) > 150


def test_pendulum_is_the_environments():
    """Oracle: the built-in kernel's plain functions, over an episode of random actions."""
    environment = envs.make("inverted-pendulum")
    state, observation, reward = np.zeros(4), np.zeros(3, np.float32), np.zeros(1)
    rng = np.random.default_rng(3)
    uniforms = rng.random(2)
    environment.kernel.reset(environment.params, uniforms, state, observation)
    theta, omega = _pendulum.start(*uniforms)
    for action in rng.integers(0, 3, _setting.HORIZON).tolist():
        np.testing.assert_allclose(_pendulum.observe(theta, omega), observation, atol=1e-6)
        environment.kernel.step(environment.params, np.zeros(0), state, action, observation, reward)
        theta, omega, earned = _pendulum.step(theta, omega, action)
        assert earned == pytest.approx(reward[0], abs=1e-12)
        assert (theta, omega) == pytest.approx(state[:2].tolist(), abs=1e-9)


def test_memory_starts_with_whole_episodes_of_the_random_policy():
    filling = _setting.random_transitions(np.random.default_rng(0))
    assert np.flatnonzero(filling.discounts == 0).tolist() == list(range(199, 10_000, 200))
    assert np.unique(filling.actions).tolist() == [0, 1, 2]
    within = np.flatnonzero(filling.discounts[:-1])
    np.testing.assert_array_equal(filling.next_observations[within], filling.observations[within + 1])
    assert filling.rewards.sum() / 50 == pytest.approx(80, abs=15)  # per episode, SPEC: 80; 50 episodes
