"""The low-level functions; oracles: their NumPy twin, and the engine's objects."""

import inspect
import threading

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import nasdqn_fast
from nasdqn_fast import lowlevel
from nasdqn_fast.envs.kernel import ERROR, EnvKernel
from nasdqn_fast.errors import StepError
from nasdqn_fast.interop.gymnasium import KernelEnv
from nasdqn_fast.reference import lowlevel as twin
from nasdqn_fast.space import ACTIVATIONS, Architecture
from nasdqn_fast.types import Batch

FIELDS = ("observations", "actions", "rewards", "next_observations", "terminated", "truncated")
architectures = st.builds(
    Architecture, st.lists(st.integers(1, 40), min_size=1, max_size=3).map(tuple), st.sampled_from(ACTIVATIONS)
)
sizes = st.integers(1, 20)


def problem(architecture, size, n_actions, n, seed):
    """Parameters, observations, actions and targets."""
    rng = np.random.default_rng(seed)
    count = architecture.parameter_count(size, n_actions)
    return (
        (rng.normal(size=count) / 3).astype(np.float32),
        rng.normal(size=(n, size)).astype(np.float32),
        rng.integers(0, n_actions, n),
        rng.normal(size=n).astype(np.float32),
    )


def memory(size, n, seed, follows=1):
    """A replay buffer of n transitions in a ring, episodes of about 5 steps; and its state."""
    rng = np.random.default_rng(seed)
    replay = nasdqn_fast.ReplayBuffer(n, size, rng=0)
    for _ in range(n + int(rng.integers(0, n))):
        replay.add(
            rng.normal(size=size).astype(np.float32),
            int(rng.integers(0, 5)),
            float(rng.normal()),
            rng.normal(size=size).astype(np.float32),
            bool(rng.random() < 0.1),
            bool(rng.random() < 0.1),
            follows,
        )
    return replay, replay.get_state()


def packed(module, state):
    batch = Batch(*(state[name] for name in FIELDS))
    return module.replay_pack(batch, state["successors"], oldest=state["next"])


def assert_equal(ours, theirs):
    for name in FIELDS:
        assert getattr(ours, name).dtype == getattr(theirs, name).dtype
        np.testing.assert_array_equal(getattr(ours, name), getattr(theirs, name), err_msg=name)


def test_the_twin_has_the_same_functions_and_signatures():
    assert lowlevel.__all__ == twin.__all__
    for name in lowlevel.__all__:
        assert inspect.signature(getattr(lowlevel, name)) == inspect.signature(getattr(twin, name)), name


@settings(max_examples=40, deadline=None)
@given(architectures, sizes, st.integers(1, 9), st.integers(0, 70), st.integers(0, 2**32 - 1))
def test_forward_is_the_twins_and_the_networks(architecture, size, n_actions, n, seed):
    parameters, observations, *_ = problem(architecture, size, n_actions, n, seed)
    q = lowlevel.forward(parameters, architecture, observations)
    np.testing.assert_allclose(q, twin.forward(parameters, architecture, observations), rtol=1e-4, atol=1e-4)
    network = nasdqn_fast.QNetwork(architecture, size, n_actions, rng=None)
    network.parameters = parameters
    np.testing.assert_array_equal(q, network.forward(observations))


@settings(max_examples=40, deadline=None)
@given(architectures, sizes, st.integers(1, 9), st.integers(1, 70), st.integers(0, 2**32 - 1), st.booleans())
def test_loss_and_gradient_are_the_twins_and_the_networks(architecture, size, n_actions, n, seed, huber):
    arguments = problem(architecture, size, n_actions, n, seed)
    options = {"loss": "huber", "huber_delta": 0.5} if huber else {"loss": "mse"}
    loss, gradient = lowlevel.loss_and_gradient(arguments[0], architecture, *arguments[1:], **options)
    expected, expected_gradient = twin.loss_and_gradient(arguments[0], architecture, *arguments[1:], **options)
    assert loss == pytest.approx(expected, rel=1e-3, abs=1e-5)
    # A unit whose input is next to 0 may be on for the one and off for the other: few entries may differ by more.
    np.testing.assert_allclose(gradient, expected_gradient, rtol=1e-2, atol=1e-3)
    network = nasdqn_fast.QNetwork(architecture, size, n_actions, rng=None)
    network.parameters = arguments[0]
    of_network, of_block = network.loss_and_gradient(*arguments[1:], **options)
    assert loss == of_network
    np.testing.assert_array_equal(gradient, of_block.parameters)


def test_networks_of_different_parameters_do_not_mix():
    """The calls share a workspace: what one leaves there the next must not see, infinities least of all."""
    architecture = Architecture.parse("2x17-relu")
    first, observations, actions, targets = problem(architecture, 3, 2, 33, 0)
    second = problem(architecture, 3, 2, 1, 1)[0]
    expected = lowlevel.forward(first, architecture, observations)
    gradient = lowlevel.loss_and_gradient(first, architecture, observations, actions, targets)[1]
    lowlevel.forward(second, architecture, np.full((40, 3), np.inf, np.float32))
    lowlevel.loss_and_gradient(second * np.float32(np.nan), architecture, observations, actions, targets)
    np.testing.assert_array_equal(lowlevel.forward(first, architecture, observations), expected)
    np.testing.assert_array_equal(
        lowlevel.loss_and_gradient(first, architecture, observations, actions, targets)[1], gradient
    )


def test_threads_do_not_disturb_each_other():
    architecture = Architecture.parse("2x64-tanh")
    problems = [problem(architecture, 4, 2, 64, seed)[:2] for seed in range(4)]
    expected = [lowlevel.forward(parameters, architecture, x) for parameters, x in problems]
    wrong = []

    def work(k):
        parameters, x = problems[k]
        for _ in range(100):
            if not np.array_equal(lowlevel.forward(parameters, architecture, x), expected[k]):
                wrong.append(k)

    threads = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not wrong


@pytest.mark.parametrize("name", ["inverted-pendulum", "cartpole", "acrobot", "mountain-car"])
@pytest.mark.parametrize("n", [0, 1, 70])
def test_environment_steps_are_the_twins_and_change_no_argument(name, n):
    environment, rng = nasdqn_fast.make(name), np.random.default_rng(0)
    kernel = environment.kernel
    uniforms = rng.random((n, kernel.reset_uniforms))
    states, observations = lowlevel.environment_reset(environment, uniforms)
    expected = twin.environment_reset(environment, uniforms)
    np.testing.assert_allclose(states, expected[0], rtol=1e-12, atol=1e-12)
    np.testing.assert_allclose(observations, expected[1], rtol=1e-6, atol=1e-6)
    for _ in range(5):
        actions, uniforms = rng.integers(0, kernel.n_actions, n), rng.random((n, kernel.step_uniforms))
        before = states.copy()
        step = lowlevel.environment_step(environment, states, actions, uniforms)
        np.testing.assert_array_equal(states, before)
        expected = twin.environment_step(environment, states, actions, uniforms)
        for name_of, ours, theirs in zip(step._fields, step, expected, strict=True):
            assert ours.dtype == theirs.dtype
            assert ours.shape == theirs.shape
            np.testing.assert_allclose(ours, theirs, rtol=1e-6, atol=1e-6, err_msg=name_of)
        states = step.states


def test_environment_steps_are_the_gymnasium_environments():
    environment, env = nasdqn_fast.make("cartpole"), KernelEnv("cartpole")
    first, _ = env.reset(seed=3)
    env.reset(seed=3)
    uniforms = np.random.default_rng(3).random((1, environment.kernel.reset_uniforms))
    states, observations = lowlevel.environment_reset(environment, uniforms)
    np.testing.assert_array_equal(observations[0], first)
    for action in (0, 1, 1, 0, 1):
        observation, reward, terminated, *_ = env.step(action)
        states, observations, rewards, ended = lowlevel.environment_step(
            environment, states, np.array([action]), np.empty((1, 0))
        )
        np.testing.assert_array_equal(observations[0], observation)
        assert (rewards[0], ended[0]) == (reward, terminated)


@settings(max_examples=40, deadline=None)
@given(sizes, st.integers(1, 60), st.integers(0, 2**32 - 1), st.integers(1, 3))
def test_rows_are_the_twins_and_are_unpacked_again(size, n, seed, follows):
    _, state = memory(size, n, seed, follows)
    rows = packed(lowlevel, state)
    np.testing.assert_array_equal(rows.view(np.int32), packed(twin, state).view(np.int32))
    for module in (lowlevel, twin):
        batch, successors = module.replay_unpack(rows, size)
        assert_equal(batch, Batch(*(state[name] for name in FIELDS)))
        np.testing.assert_array_equal(successors, state["successors"])
        assert successors.dtype == np.int32


@settings(max_examples=40, deadline=None)
@given(sizes, st.integers(1, 60), st.integers(1, 100), st.integers(1, 12), st.integers(0, 2**32 - 1))
def test_samples_are_the_twins_and_the_buffers(size, capacity, n, n_step, seed):
    replay, state = memory(size, capacity, seed)
    rows, gamma = packed(lowlevel, state), 0.9
    draws = [np.random.default_rng(seed) for _ in range(2)]
    replay.rng.bit_generator.state = draws[0].bit_generator.state
    for _ in range(2):
        ours = lowlevel.replay_sample(rows, n, draws[0], observation_size=size)
        assert_equal(ours, twin.replay_sample(rows, n, draws[1], observation_size=size))
        assert_equal(ours, replay.sample(n))
        options = {"observation_size": size, "n_step": n_step, "gamma": gamma}
        ours, discounts = lowlevel.replay_sample_n_step(rows, n, draws[0], **options)
        for theirs, expected in (
            twin.replay_sample_n_step(rows, n, draws[1], **options),
            replay.sample_n_step(n, n_step, gamma),
        ):
            assert_equal(ours, theirs)
            np.testing.assert_array_equal(discounts, expected)
    assert draws[0].bit_generator.state == draws[1].bit_generator.state == replay.rng.bit_generator.state


def test_an_empty_memory_is_packed_but_not_drawn_from():
    empty = nasdqn_fast.ReplayBuffer(4, 3).transitions()
    for module in (lowlevel, twin):
        rows = module.replay_pack(empty)
        assert rows.shape == (0, lowlevel.replay_stride(3))
        assert len(module.replay_unpack(rows, 3)[0]) == 0
        with pytest.raises(ValueError, match="rows must be 1 to 2\\^32 - 1 of them to draw from; got 0"):
            module.replay_sample(rows, 2, np.random.default_rng(0), observation_size=3)


@pytest.mark.parametrize("module", [lowlevel, twin], ids=["compiled", "twin"])
@pytest.mark.parametrize("successor", [-1, 4, 2**31 - 1, -(2**31)])
def test_a_successor_outside_of_the_rows_is_not_followed(module, successor):
    _, state = memory(2, 4, 0)
    state["terminated"][:] = state["truncated"][:] = False
    state["successors"][:] = 0
    rows = packed(module, state)
    rows.view(np.int32)[:, 2 * 2 + 3] = successor
    options = {"observation_size": 2, "gamma": 1.0}
    module.replay_sample_n_step(rows, 8, np.random.default_rng(0), n_step=1, **options)
    with pytest.raises(ValueError, match=r"the successor of row \d must be in \[0, 4\)"):
        module.replay_sample_n_step(rows, 8, np.random.default_rng(0), n_step=2, **options)


X, P = np.zeros((2, 3), np.float32), np.zeros(Architecture.parse("1x4-relu").parameter_count(3, 2), np.float32)
PENDULUM = nasdqn_fast.make("inverted-pendulum")
BATCH = Batch(X, np.zeros(2, int), X[:, 0], X, np.zeros(2, bool), np.zeros(2, bool))


@pytest.mark.parametrize("module", [lowlevel, twin], ids=["compiled", "twin"])
@pytest.mark.parametrize(
    ("call", "error", "message"),
    [
        (lambda m: m.forward(P[:-1], "1x4-relu", X), ValueError, "must be 16 \\+ 5 n_actions numbers; got 25"),
        (lambda m: m.forward(P[:16], "1x4-relu", X), ValueError, "must be 16 \\+ 5 n_actions numbers; got 16"),
        (lambda m: m.forward(P.astype(float), "1x4-relu", X), TypeError, "parameters must be float32"),
        (lambda m: m.forward(P, "1x4-relu", X[0]), ValueError, "observations must be float32 of shape"),
        (lambda m: m.forward(P, "1x4-relu", X[:, :0]), ValueError, "at least 1 number in a row"),
        (lambda m: m.forward(P, "4-swish", X), ValueError, "unknown activation"),
        (
            lambda m: m.loss_and_gradient(P, "1x4-relu", X[:0], np.zeros(0, int), X[:0, 0]),
            ValueError,
            "at least 1 row",
        ),
        (
            lambda m: m.loss_and_gradient(P, "1x4-relu", X, np.array([0, 2]), X[:, 0]),
            ValueError,
            r"actions must be in \[0, 2\)",
        ),
        (
            lambda m: m.loss_and_gradient(P, "1x4-relu", X, np.array([0, 1]), X[:, 0], loss="l1"),
            ValueError,
            "unknown loss",
        ),
        (lambda m: m.environment_reset("cartpole", np.zeros((1, 4))), TypeError, r"pass nasdqn_fast.make\(...\)"),
        (lambda m: m.environment_reset(PENDULUM, np.zeros((1, 99))), ValueError, "uniforms must be"),
        (
            lambda m: m.environment_step(PENDULUM, np.zeros((2, 4)), np.array([0, 99]), np.zeros((2, 0))),
            ValueError,
            "actions must be in",
        ),
        (
            lambda m: m.environment_step(PENDULUM, np.zeros((2, 9)), np.array([0, 0]), np.zeros((2, 0))),
            ValueError,
            "states must be float64",
        ),
        (lambda m: m.replay_pack(BATCH, np.array([2, 0], np.int32)), ValueError, "successors must be"),
        (lambda m: m.replay_pack(BATCH, oldest=2), ValueError, "oldest must be"),
        (lambda m: m.replay_unpack(X, 3), ValueError, r"rows must be float32 of shape \(m, 16\)"),
        (
            lambda m: m.replay_sample(m.replay_pack(BATCH), 0, np.random.default_rng(0), observation_size=3),
            ValueError,
            "n must be",
        ),
        (lambda m: m.replay_stride(0), ValueError, "observation_size must be"),
    ],
)
def test_wrong_arguments_are_refused_by_both(module, call, error, message):
    with pytest.raises(error, match=message):
        call(module)


def failing_reset(params, uniforms, state, obs):
    obs[0] = state[0]


def failing_step(params, uniforms, state, action, obs, reward):
    obs[0] = state[0]
    if action == 1:
        return ERROR
    return 0


def test_an_error_of_the_environment_names_the_row():
    kernel = EnvKernel(
        failing_reset,
        failing_step,
        {},
        state_size=1,
        observation_size=1,
        n_actions=2,
        observation_low=[0],
        observation_high=[1],
        max_episode_steps=5,
    )
    environment = kernel.bind()
    for module in (lowlevel, twin):
        with pytest.raises(StepError, match="in row 1"):
            module.environment_step(environment, np.zeros((3, 1)), np.array([0, 1, 1]), np.empty((3, 0)))


@pytest.mark.parametrize("module", [lowlevel, twin], ids=["native", "numpy"])
def test_nothing_follows_the_end_of_an_episode(module):
    """Whatever its row says of a successor."""
    batch = Batch(
        np.zeros((1, 2), np.float32), np.zeros(1, np.int64), np.ones(1, np.float32), np.ones((1, 2), np.float32),
        np.ones(1, bool), np.zeros(1, bool),
    )  # fmt: skip
    rows = module.replay_pack(batch, np.zeros(1, np.int32))
    rows.view(np.int32)[0, 2 * 2 + 3] = 1_000
    drawn, discounts = module.replay_sample_n_step(
        rows, 4, np.random.default_rng(0), observation_size=2, n_step=3, gamma=0.5
    )
    np.testing.assert_array_equal(drawn.rewards, 1)
    np.testing.assert_array_equal(discounts, 0.5)
