"""The native engine against its NumPy twin, on every CPU target.

Sums are rounded in another order, so the two part in the end; until then they play the same steps,
and from one saved state they always make the same update.
"""

import functools

import numpy as np
import pytest

from nasdqn_fast import backends, engine, reference
from nasdqn_fast.space import ACTIVATIONS
from nasdqn_fast.types import Batch

ARCHITECTURES = ("2x32-relu", "3x64-tanh", "4x128-leaky_relu", "17,1,100-relu")
WARM_UP = 100
# Learning steps until an action differed, the least of 6 seeds x 2 environments x 10 networks and
# optimizers on AVX-512 (OpenBLAS 0.3 on the other side): more than the 700 that were run with SGD;
# 109 with Adam, whose division by the root of a tiny moment magnifies rounding.
K = {"sgd": 300, "adam": 50}
# Episodes of a run after which an update is recomputed: early, at the first target copies, late.
CHECKPOINTS = (1, 2, 6, 11, 40)


def agent(backend, architecture, env="inverted-pendulum", **settings):
    settings = {"warm_up": WARM_UP, "batch_size": 32, "target_every": 150, "policy_epsilon_decay": 0.8} | settings
    return backends.find(backend).DQNAgent(env, architecture, rng=settings.pop("rng", 1), **settings)


def assert_same_transitions(one: Batch, other: Batch, n: int) -> None:
    for name, values in vars(one).items():
        np.testing.assert_array_equal(values[:n], getattr(other, name)[:n], err_msg=name)


@functools.cache
def numpy_run(architecture, optimizer):
    """Two pendulum episodes, 300 learning steps: transitions, generators' states and the next sample."""
    twin = agent("numpy", architecture, optimizer=optimizer)
    twin.run_episodes(2)
    return twin.replay.transitions(), twin.streams.get_state(), twin.replay.sample(64)


@pytest.mark.usefixtures("cpu_target")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_the_first_learning_steps_are_the_same(architecture, optimizer):
    native = agent("native", architecture, optimizer=optimizer)
    native.run_episodes(2)
    transitions, streams, sample = numpy_run(architecture, optimizer)
    assert_same_transitions(native.replay.transitions(), transitions, WARM_UP + K[optimizer])
    # As many draws of each stream: which are drawn depends on the counts, not on the values learned.
    assert native.streams.get_state() == streams
    np.testing.assert_array_equal(native.replay.sample(64).truncated, sample.truncated)


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("horizon_is", ["terminal", "truncated"])
def test_episodes_that_terminate_and_lanes_agree(num_envs, horizon_is):
    settings = {"env": "cartpole", "num_envs": num_envs, "horizon_is": horizon_is, "updates_per_step": 2}
    native, twin = (agent(backend, "2x32-relu", **settings) for backend in backends.NAMES)
    for n in (1, 5, 8):
        ours, theirs = native.run_episodes(n), twin.run_episodes(n)
        np.testing.assert_array_equal(ours.lengths, theirs.lengths)
        np.testing.assert_array_equal(ours.returns, theirs.returns)
        np.testing.assert_array_equal(ours.epsilons, theirs.epsilons)
        np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-4)
    assert (native.steps, native.updates, native.episodes) == (twin.steps, twin.updates, twin.episodes)
    assert native.updates > 100
    assert native.streams.get_state() == twin.streams.get_state()


@pytest.mark.usefixtures("cpu_target")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_an_update_from_a_saved_state_agrees_anywhere_in_a_run(architecture, optimizer):
    native = agent("native", architecture, optimizer=optimizer)
    twin = agent("numpy", architecture, optimizer=optimizer, rng=2)
    for episodes in np.diff(CHECKPOINTS, prepend=0).tolist():
        native.run_episodes(episodes)
        twin.set_state(native.get_state())
        # Q-values reach 50, where one unit in the last place is 4e-6; losses differed by 1e-6 at most.
        assert native.learn() == pytest.approx(twin.learn(), abs=1e-5)
        # Ten times closer than promised: an update moves parameters by 1e-4 to 1e-3, so that 1e-5 of
        # the parameters would let a wrong one pass. They differed by 2e-7 at most.
        np.testing.assert_allclose(native.network.parameters, twin.network.parameters, rtol=0, atol=1e-6)
        np.testing.assert_allclose(native.target.parameters, twin.target.parameters, rtol=0, atol=1e-6)
        for moment in ("m", "v"):
            ours, theirs = (one.optimizer.get_state()[moment] for one in (native, twin))
            np.testing.assert_allclose(ours, theirs, rtol=0, atol=1e-5)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_either_backend_goes_on_from_the_others_state(optimizer):
    """There and back: NumPy plays, native goes on with its state, and what both play next is the same."""
    settings = {"env": "cartpole", "optimizer": optimizer, "num_envs": 2}
    twin, native = agent("numpy", "2x32-relu", **settings), agent("native", "3x7-tanh", rng=9, **settings)
    twin.run_episodes(9)
    native.set_state(twin.get_state())
    np.testing.assert_array_equal(native.run_episodes(3).returns, twin.run_episodes(3).returns)
    assert native.get_state()["loop"].keys() == twin.get_state()["loop"].keys()
    assert native.get_state()["optimizer"].keys() == twin.get_state()["optimizer"].keys()
    assert native.get_state()["replay"].keys() == twin.get_state()["replay"].keys()


def test_played_episodes_agree():
    native, twin = (agent(backend, "2x32-relu") for backend in backends.NAMES)
    for epsilon in (0.0, 0.3):
        ours, theirs = native.play_episodes(4, epsilon, rng=5), twin.play_episodes(4, epsilon, rng=5)
        np.testing.assert_array_equal(ours.returns, theirs.returns)
    np.testing.assert_array_equal(native.play_episodes(2).returns, twin.play_episodes(2).returns)
