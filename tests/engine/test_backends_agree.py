"""The native engine against its NumPy twin, on every CPU target.

Sums are rounded in another order, so the two part in the end; until then they play the same steps,
and from one saved state they always make the same update.
"""

import functools

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasdqn_fast import envs
from nasdqn_fast.engine import backends
from nasdqn_fast.engine.agent_settings import LOSSES, SAMPLINGS
from nasdqn_fast.engine.optimizer_settings import CLIPS
from nasdqn_fast.types import Batch

ARCHITECTURES = ("2x32-relu", "3x64-tanh", "4x128-leaky_relu", "17,1,100-relu")
WARM_UP = 100
# Learning steps until an action differed, one lane or three, the least of 6 seeds x 2 environments x 10 networks and
# optimizers on AVX-512 (OpenBLAS 0.3 on the other side): more than the 700 that were run with SGD;
# 109 with Adam, whose division by the root of a tiny moment magnifies rounding.
K = {"sgd": 300, "adam": 50}
# Episodes of a run after which an update is recomputed: early, at the first target copies, late.
CHECKPOINTS = (1, 2, 4, 10)


def agent(backend, architecture, env="inverted-pendulum", **settings):
    settings = {"warm_up": WARM_UP, "batch_size": 32, "target_every": 150, "policy_epsilon_decay": 0.8} | settings
    return backends.find(backend).DQNAgent(env, architecture, rng=settings.pop("rng", 1), **settings)


def assert_same_transitions(one: Batch, other: Batch, n: int) -> None:
    for name, values in vars(one).items():
        np.testing.assert_array_equal(values[:n], getattr(other, name)[:n], err_msg=name)


def assert_same_update(native, twin):
    """One update, from the native agent's state."""
    twin.set_state(native.get_state())
    # Some units in the last place of the largest Q-value, of which losses and gradients are differences: most are below
    # 25, but a batch of one can take them to 240, where a unit is 1.5e-5, and without Double DQN to thousands.
    largest = float(np.abs(twin.network.forward(twin.replay.transitions().observations)).max())
    slack = max(1.0, largest / 25)
    assert native.learn() == pytest.approx(twin.learn(), rel=1e-6, abs=1e-5 * slack)
    if native.settings.replay_sampling == "prioritized":  # with alpha 0.6 the slope at an error of 1e-5 is 60
        np.testing.assert_allclose(native.replay.priorities, twin.replay.priorities, rtol=1e-5, atol=1e-3 * slack)
    ours, theirs = native.optimizer.get_state(), twin.optimizer.get_state()
    # Ten times closer than promised: an update moves parameters by 1e-4 to 1e-3, so that 1e-5 of
    # the parameters would let a wrong one pass. They differed by 2e-7 at most.
    allowed = np.full(twin.network.parameters.shape, 1e-6 * slack)
    np.testing.assert_allclose(ours["m"], theirs["m"], rtol=1e-6, atol=1e-5 * slack)
    # A square: what a gradient is off by counts with the gradient. And the kernel's 1 - beta2 is that of float32, which
    # is a share of 1.3e-5 below the twin's.
    off = np.abs(ours["v"].astype(np.float64) - theirs["v"])
    assert np.all(off <= 1.4e-5 * theirs["v"] + 1e-5 * slack * (1 + np.sqrt(theirs["v"])))
    if len(theirs["v"]):
        # Adam divides by a root that may be as small as the rounding of its numerator.
        root = np.sqrt(theirs["v"] / (1 - 0.999 ** theirs["steps"]))
        allowed += native.settings.resolved_learning_rate * np.minimum(2e-5 * slack / np.maximum(root, 1e-9), 10)
    assert np.all(np.abs(native.network.parameters - twin.network.parameters) <= allowed)
    assert np.all(np.abs(native.target.parameters - twin.target.parameters) <= allowed)


def play_first_steps(backend, architecture, env, optimizer, num_envs):
    """K learning steps and the few to the end of an episode: transitions and states of the generators."""
    environment = envs.make(env, max_episode_steps=16)
    one = agent(backend, architecture, environment, optimizer=optimizer, num_envs=num_envs)
    while one.updates < K[optimizer]:
        one.run_episodes(1)
    return one.replay.transitions(), one.streams.get_state()


numpy_first_steps = functools.cache(functools.partial(play_first_steps, "numpy"))


@pytest.mark.quick_only(architecture={"2x32-relu", "17,1,100-relu"}, env="cartpole", num_envs=3)
@pytest.mark.usefixtures("cpu_target")
@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("env", ["inverted-pendulum", "cartpole"])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("architecture", ARCHITECTURES)
def test_the_first_learning_steps_are_the_same(architecture, env, optimizer, num_envs):
    run = architecture, env, optimizer, num_envs
    (ours, our_streams), (theirs, their_streams) = play_first_steps("native", *run), numpy_first_steps(*run)
    assert len(ours) == len(theirs) >= WARM_UP + K[optimizer] - num_envs
    assert_same_transitions(ours, theirs, len(ours))
    assert our_streams == their_streams


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize(
    ("horizon_is", "loss", "n_step"),
    [("terminal", "huber", 1), ("truncated", "huber", 1), ("terminal", "mse", 1), ("truncated", "huber", 3)],
)
def test_episodes_that_terminate_and_lanes_agree(num_envs, horizon_is, loss, n_step):
    settings = {"env": "cartpole", "num_envs": num_envs, "horizon_is": horizon_is, "updates_per_step": 2, "loss": loss}
    settings["n_step"] = n_step
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


@pytest.mark.parametrize("options", [{}, {"n_step": 3, "normalize_observations": True, "num_envs": 3}])
def test_prioritized_runs_agree(options):
    """Episodes, losses, draws and priorities of the first 300 updates."""
    settings = {"replay_sampling": "prioritized", "env": "cartpole", "steps": 2_100, "replay_capacity": 250, **options}
    native, twin = (agent(backend, "2x32-relu", **settings) for backend in backends.NAMES)
    while native.updates < 300:
        ours, theirs = native.run_episodes(1), twin.run_episodes(1)
        np.testing.assert_array_equal(ours.returns, theirs.returns)
        np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-4)
    np.testing.assert_allclose(native.replay.priorities, twin.replay.priorities, atol=1e-3)
    assert native.streams.get_state() == twin.streams.get_state()


@pytest.mark.quick_only(architecture={"3x64-tanh", "17,1,100-relu"})
@pytest.mark.usefixtures("cpu_target")
@pytest.mark.parametrize("architecture", ARCHITECTURES)
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_an_update_from_a_saved_state_agrees_anywhere_in_a_run(architecture, optimizer):
    native = agent("native", architecture, optimizer=optimizer)
    twin = agent("numpy", architecture, optimizer=optimizer, rng=2)
    for episodes in np.diff(CHECKPOINTS, prepend=0).tolist():
        native.run_episodes(episodes)
        assert_same_update(native, twin)


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    architecture=st.sampled_from(["1x1-relu", "2x17-tanh", "3x9-leaky_relu", "17,1,33-relu"]),
    optimizer=st.sampled_from(["sgd", "adam"]),
    env=st.sampled_from(["inverted-pendulum", "cartpole"]),
    horizon_is=st.sampled_from(["terminal", "truncated"]),
    num_envs=st.sampled_from([1, 3]),
    n_step=st.sampled_from([1, 2, 5]),
    double=st.booleans(),
    loss=st.sampled_from(LOSSES),
    gradient_clip_by=st.sampled_from(CLIPS),
    target_tau=st.sampled_from([0.05, 1.0]),
    learning_rate_schedule=st.sampled_from(["constant", "linear"]),
    policy_epsilon_schedule=st.sampled_from(["exponential", "linear"]),
    adam_epsilon=st.sampled_from([1e-8, 1e-3]),
    train_every=st.integers(1, 4),
    updates_per_train=st.sampled_from([None, 1, 5]),
    target_unit=st.sampled_from(["updates", "steps"]),
    normalize_observations=st.booleans(),
    batch_size=st.sampled_from([1, 32, 65]),
    replay_sampling=st.sampled_from(SAMPLINGS),
    priority_alpha=st.sampled_from([0.0, 0.6, 1.0]),
    episodes=st.integers(1, 20),
    more_updates=st.integers(0, 20),
    seed=st.integers(0, 1_000),
)
def test_an_update_from_any_saved_state_agrees(cpu_target, architecture, env, episodes, more_updates, seed, **options):
    environment = envs.make(env, max_episode_steps=50)
    run = {"warm_up": 20, "target_every": 7, "steps": 900, "exploration_fraction": 0.3, **options}
    if options["gradient_clip_by"] != "element":  # where a usual rate would have some of these runs diverge
        run["learning_rate"] = 1e-5
    native, twin = (agent(backend, architecture, environment, rng=seed, **run) for backend in backends.NAMES)
    native.run_episodes(episodes)
    for _ in range(more_updates):
        native.learn()
    assert_same_update(native, twin)


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_either_backend_goes_on_from_the_others_state(optimizer):
    """There and back: NumPy plays, native continues from its state, and both play the same next."""
    settings = {"env": "cartpole", "optimizer": optimizer, "num_envs": 2}
    twin, native = agent("numpy", "2x32-relu", **settings), agent("native", "3x7-tanh", rng=9, **settings)
    twin.run_episodes(9)
    native.set_state(twin.get_state())
    np.testing.assert_array_equal(native.run_episodes(3).returns, twin.run_episodes(3).returns)
    assert native.get_state()["loop"].keys() == twin.get_state()["loop"].keys()
    assert native.get_state()["optimizer"].keys() == twin.get_state()["optimizer"].keys()
    assert native.get_state()["replay"].keys() == twin.get_state()["replay"].keys()


@pytest.mark.quick_only(num_envs=1)
@pytest.mark.parametrize("num_envs", [1, 3])
def test_the_first_learning_steps_on_normalized_observations_are_the_same(num_envs):
    settings = {"env": "acrobot", "num_envs": num_envs, "normalize_observations": True}
    native, twin = (agent(backend, "2x32-relu", **settings) for backend in backends.NAMES)
    for one in (native, twin):
        one.run_episodes(1)
    assert native.updates > 300
    n = WARM_UP + K["sgd"]
    ours, theirs = (one.replay.transitions(np.arange(n)) for one in (native, twin))
    assert_same_transitions(ours, theirs, n)
    early = native.network.normalizer.get_state(), twin.network.normalizer.get_state()
    np.testing.assert_allclose(early[0]["mean"], early[1]["mean"], rtol=1e-12)
    np.testing.assert_allclose(early[0]["variance"], early[1]["variance"], rtol=1e-12)


def test_played_episodes_agree():
    native, twin = (agent(backend, "2x32-relu") for backend in backends.NAMES)
    for epsilon in (0.0, 0.3):
        ours, theirs = native.play_episodes(4, epsilon, rng=5), twin.play_episodes(4, epsilon, rng=5)
        np.testing.assert_array_equal(ours.returns, theirs.returns)
    np.testing.assert_array_equal(native.play_episodes(2).returns, twin.play_episodes(2).returns)
