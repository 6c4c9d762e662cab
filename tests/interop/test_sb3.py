"""SB3's own buffer is the oracle: the same draws, the same tensors, and in the end the same weights."""

# ruff: noqa: NPY002, SB3 draws from the legacy generator

import copy
import pickle

import numpy as np
import pytest
from gymnasium import spaces

from nasdqn_fast import plugins
from nasdqn_fast.interop.gymnasium import KernelEnv

torch = pytest.importorskip("torch", reason="PyTorch is not installed: pip install 'nasdqn-fast[sb3]'")
pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed: pip install 'nasdqn-fast[sb3]'")

from stable_baselines3 import DQN  # noqa: E402
from stable_baselines3.common import buffers  # noqa: E402
from stable_baselines3.common.env_checker import check_env  # noqa: E402
from stable_baselines3.common.evaluation import evaluate_policy  # noqa: E402
from stable_baselines3.common.vec_env import DummyVecEnv, VecNormalize  # noqa: E402

from nasdqn_fast.errors import InputError  # noqa: E402
from nasdqn_fast.interop.sb3 import ReplayBuffer  # noqa: E402


@pytest.fixture(autouse=True)
def one_thread():
    """PyTorch's threads spin for one another on a busy machine; the networks are too small to gain by them."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


OBSERVATIONS = {
    "vector": spaces.Box(-1, 1, (4,), np.float32),
    "one number": spaces.Box(-1, 1, (1,), np.float64),
    "half": spaces.Box(-1, 1, (3, 5), np.float16),
    "image": spaces.Box(0, 255, (12, 12, 3), np.uint8),
    "wide": spaces.Box(0, 100, (7,), np.int64),
    "discrete": spaces.Discrete(6),
    "binary": spaces.MultiBinary(5),
}
ACTIONS = {
    "discrete": spaces.Discrete(3),
    "box": spaces.Box(-1, 1, (2,), np.float32),
    "float64 box": spaces.Box(-1, 1, (2,), np.float64),
    "many": spaces.MultiDiscrete([3, 4]),
}


def pair(observation_space, action_space, size=20, *, n_steps=None, **kwargs):
    """Ours and theirs."""
    n_step = {} if n_steps is None else {"n_steps": n_steps, "gamma": 0.9}
    theirs = buffers.ReplayBuffer if n_steps is None else buffers.NStepReplayBuffer
    args = (size, observation_space, action_space, "cpu")
    return ReplayBuffer(*args, **n_step, **kwargs), theirs(*args, **n_step, **kwargs)


def fill(many, steps, seed=0):
    """Adds the same transitions to each buffer, as SB3's algorithms pass them."""
    rng = np.random.default_rng(seed)
    n, space, actions = many[0].n_envs, many[0].observation_space, many[0].action_space
    space.seed(seed), actions.seed(seed)

    def sampled(space):
        return np.array([space.sample() for _ in range(n)])

    for _ in range(steps):
        done = rng.random(n) < 0.2
        infos = [{"TimeLimit.truncated": bool(rng.random() < 0.5)} if end else {} for end in done]
        step = sampled(space), sampled(space), sampled(actions), rng.normal(size=n).astype(np.float32), done, infos
        for buffer in many:
            buffer.add(*step)


def assert_same_samples(ours, theirs, n=64, env=None):
    """Bits, types and shapes, and the same place in NumPy's global stream afterwards."""
    drawn, after = [], []
    for buffer in (ours, theirs):
        np.random.seed(5)
        drawn.append([buffer.sample(n, env=env), buffer.sample(3, env=env)])
        after.append(np.random.random())
    assert after[0] == after[1]
    for mine, reference in zip(*drawn, strict=True):
        assert type(mine) is type(reference)
        for a, b in zip(mine, reference, strict=True):
            assert (a is None) == (b is None)
            if a is not None:
                assert (a.dtype, a.shape, a.stride(), a.device) == (b.dtype, b.shape, b.stride(), b.device)
                np.testing.assert_array_equal(a.numpy(), b.numpy())
                assert a.numpy().tobytes() == b.numpy().tobytes()  # the signs of zeros and NaN, too


@pytest.mark.parametrize("action_space", ACTIONS.values(), ids=ACTIONS)
@pytest.mark.parametrize("observation_space", OBSERVATIONS.values(), ids=OBSERVATIONS)
@pytest.mark.parametrize("n_envs", [1, 3])
def test_it_samples_what_theirs_samples(observation_space, action_space, n_envs):
    many = pair(observation_space, action_space, n_envs=n_envs)
    for steps in (4, 30):  # not full, and over the oldest
        fill(many, steps)
        assert_same_samples(*many)


@pytest.mark.parametrize("n_envs", [1, 3])
@pytest.mark.parametrize(
    "kwargs",
    [
        {"handle_timeout_termination": False},
        {"handle_timeout_termination": False, "optimize_memory_usage": True},
        {"n_steps": 1},
        {"n_steps": 3},
        {"n_steps": 11, "handle_timeout_termination": False},
    ],
    ids=str,
)
def test_every_variant_samples_what_theirs_samples(kwargs, n_envs):
    many = pair(OBSERVATIONS["vector"], ACTIONS["discrete"], 24, n_envs=n_envs, **kwargs)
    for steps in (3, 30, 1):
        fill(many, steps)
        assert_same_samples(*many)


# NumPy adds eight and more in another order than fewer, and more than 128 in halves.
@pytest.mark.parametrize("n_steps", [2, 7, 8, 9, 17, 128, 131])
@pytest.mark.parametrize("n_envs", [1, 3])
def test_long_returns_have_the_bits_of_theirs(n_steps, n_envs):
    many = pair(OBSERVATIONS["vector"], ACTIONS["discrete"], 150 * n_envs, n_steps=n_steps, n_envs=n_envs)
    for steps in (20, 180):
        fill(many, steps)
        for buffer in many:
            buffer.dones[: len(buffer.dones) // 2 : 2] = 0  # some episodes are long
            buffer.dones[len(buffer.dones) // 2 :] = 0
        for n in (1, 2, 97):
            assert_same_samples(*many, n=n)


# Infinity times zero, which both meet beyond the end of an episode.
@pytest.mark.filterwarnings("ignore:invalid value encountered in multiply")
@pytest.mark.parametrize(
    "newest", [(0, 0), (1, 0), (0, 1), (1, 1), (0, 0.5), (0.5, 0.5), (np.nan, 0), (2, -0.0)], ids=str
)
def test_returns_of_what_users_write_are_theirs(newest):
    many = pair(OBSERVATIONS["vector"], ACTIONS["discrete"], 12, n_steps=4)
    fill(many, 17)
    rng = np.random.default_rng(1)
    rewards = rng.choice(np.float32([0, -0.0, 1, -1, np.inf, -np.inf, np.nan, 1e-42, 3e38]), many[0].rewards.shape)
    for buffer in many:
        buffer.rewards[:] = rewards
        buffer.dones[buffer.pos - 1], buffer.timeouts[buffer.pos - 1] = newest
    assert_same_samples(*many, n=200)


@pytest.mark.parametrize("name", ["rewards", "dones", "timeouts"])
@pytest.mark.parametrize("dtype", [np.float64, np.int32])
def test_returns_of_arrays_of_other_types_are_theirs(name, dtype):
    many = pair(OBSERVATIONS["vector"], ACTIONS["discrete"], 12, n_steps=3)
    fill(many, 17)
    for buffer in many:
        setattr(buffer, name, getattr(buffer, name).astype(dtype))
    assert_same_samples(*many)


def test_changed_settings_of_returns_act_as_theirs():
    many = pair(OBSERVATIONS["vector"], ACTIONS["discrete"], 40, n_steps=3)
    fill(many, 30)
    for n_steps, gamma in [(5, 0.5), (1, 1), (4, np.float64(0.9)), (3, np.float32(0.9)), (50, 0.99)]:
        for buffer in many:
            buffer.n_steps, buffer.gamma = n_steps, gamma
        assert_same_samples(*many)


def test_returns_of_given_places_are_theirs_or_refused_as_theirs_are():
    many = pair(OBSERVATIONS["vector"], ACTIONS["discrete"], 12, n_steps=3)
    fill(many, 17)
    for steps in (np.array([3, -1, 11, -12]), np.array([0, 4], np.int32), np.arange(10)[::3]):
        drawn = [buffer._get_samples(steps) for buffer in many]
        for a, b in zip(*drawn, strict=True):
            assert torch.equal(a, b)
    for steps in ([12], [-13], [2**40]):
        for buffer in many:
            with pytest.raises(IndexError, match="out of bounds"):
                buffer._get_samples(np.array(steps))
    for buffer in many:
        buffer.n_steps = 0
        with pytest.raises(ValueError, match="empty sequence"):
            buffer.sample(4)


def test_normalization_is_theirs():
    env = VecNormalize(DummyVecEnv([lambda: KernelEnv("cartpole")]))
    env.reset()
    for _ in range(30):
        env.step(np.array([1]))
    for n_steps in (None, 3):
        many = pair(env.observation_space, env.action_space, n_steps=n_steps)
        fill(many, 25)
        assert_same_samples(*many, env=env)


def test_the_attributes_are_the_contents():
    """SB3's algorithms and users write to the arrays: `learn` marks the last transition as done."""
    many = pair(OBSERVATIONS["vector"], ACTIONS["discrete"], n_envs=2)
    fill(many, 12)
    for buffer in many:
        buffer.dones[buffer.pos - 1] = True
        buffer.observations[3] = 7
        buffer.rewards = buffer.rewards * 2
        buffer.actions = np.asfortranarray(buffer.actions)
    assert_same_samples(*many)
    for name in ("observations", "next_observations", "actions", "rewards", "dones", "timeouts"):
        np.testing.assert_array_equal(getattr(many[0], name), getattr(many[1], name))


@pytest.mark.parametrize("n_steps", [None, 3])
@pytest.mark.parametrize("duplicate", [copy.deepcopy, lambda buffer: pickle.loads(pickle.dumps(buffer))])
def test_copies_are_independent_and_equal(duplicate, n_steps):
    many = pair(OBSERVATIONS["vector"], ACTIONS["discrete"], n_envs=2, n_steps=n_steps)
    fill(many, 13)
    other = duplicate(many[0])
    assert_same_samples(other, many[1])
    fill([other, many[1]], 9, seed=1)
    assert_same_samples(other, many[1])
    assert many[0].pos != other.pos


def test_add_takes_what_theirs_takes():
    """Other types, views with gaps, and values that NumPy broadcasts."""
    many = pair(OBSERVATIONS["vector"], ACTIONS["discrete"], n_envs=2)
    for buffer in many:
        wide = np.arange(16.0).reshape(2, 8)
        action, reward, done = np.array([[1], [2]], np.int8), np.array([1, 2]), np.array([0.0, 1.0])
        buffer.add(wide[:, ::2], wide[:, :4], action, reward, done, [{}, {}])
        buffer.add(np.float32(3), np.ones(4, np.float32), np.array([0, 1]), np.float64(4), True, [{}, {}])
    assert_same_samples(*many)


def test_a_truncation_may_be_an_array_of_one():
    many = pair(OBSERVATIONS["vector"], ACTIONS["discrete"])
    for buffer in many:
        info = {"TimeLimit.truncated": np.array([True])}
        buffer.add(np.ones((1, 4)), np.ones((1, 4)), np.array([1]), np.array([1.0]), np.array([True]), [info])
    assert_same_samples(*many)


def test_extend_and_reset_are_theirs():
    many = pair(OBSERVATIONS["vector"], ACTIONS["discrete"])
    rng = np.random.default_rng(0)
    batch = [rng.random((5, 1, 4), np.float32), rng.random((5, 1, 4), np.float32), np.ones((5, 1, 1), np.int64)]
    for buffer in many:
        buffer.extend(*batch, np.ones((5, 1)), np.zeros((5, 1)), [[{}]] * 5)
    assert_same_samples(*many)
    many[0].reset()
    assert many[0].size() == 0


@pytest.mark.parametrize("kwargs", [{}, {"optimize_memory_usage": True, "handle_timeout_termination": False}])
def test_an_empty_buffer_is_refused_as_theirs_is(kwargs):
    for buffer in pair(OBSERVATIONS["vector"], ACTIONS["discrete"], **kwargs):
        with pytest.raises(ValueError, match=r"low >= high|high <= 0"):
            buffer.sample(4)


def test_what_theirs_refuses_is_refused():
    with pytest.raises(ValueError, match="optimize_memory_usage = True and handle_timeout_termination = True"):
        ReplayBuffer(5, OBSERVATIONS["vector"], ACTIONS["discrete"], optimize_memory_usage=True)
    both = {"optimize_memory_usage": True, "handle_timeout_termination": False, "n_steps": 3}
    with pytest.raises(NotImplementedError, match="optimize_memory_usage=True"):
        ReplayBuffer(5, OBSERVATIONS["vector"], ACTIONS["discrete"], **both)
    with pytest.raises(InputError, match="leave replay_buffer_class out"):
        ReplayBuffer(5, spaces.Dict({"a": OBSERVATIONS["vector"]}), ACTIONS["discrete"])


def trained(env_id, steps, buffer_class, *, n_envs=1, path=None, **kwargs):
    """SB3's DQN after twice so many steps on our environment; its buffer went through a file, if a path is given."""
    env = DummyVecEnv([lambda: KernelEnv(env_id) for _ in range(n_envs)])
    settings = {"learning_starts": 50, "train_freq": 2, "buffer_size": 300, "target_update_interval": 100}
    model = DQN("MlpPolicy", env, replay_buffer_class=buffer_class, seed=3, device="cpu", **{**settings, **kwargs})
    model.learn(steps)
    if path is not None:
        model.save_replay_buffer(path)
        model.load_replay_buffer(path)
    model.learn(steps, reset_num_timesteps=path is None)
    return model


def weights(model):
    return {name: value.numpy().copy() for name, value in model.policy.state_dict().items()}


@pytest.mark.parametrize("env_id", ["cartpole", "inverted-pendulum"])
@pytest.mark.parametrize(
    "kwargs",
    [
        {},
        {"n_envs": 3},
        {"replay_buffer_kwargs": {"n_steps": 3, "gamma": 0.95}},
        {"optimize_memory_usage": True, "replay_buffer_kwargs": {"handle_timeout_termination": False}},
    ],
    ids=str,
)
# SB3 marks the last transition as done when a buffer of one array is continued, and says so.
@pytest.mark.filterwarnings("ignore:The last trajectory in the replay buffer will be truncated")
def test_dqn_learns_the_very_same_weights(env_id, kwargs):
    n_step = "n_steps" in kwargs.get("replay_buffer_kwargs", {})
    theirs = trained(env_id, 250, buffers.NStepReplayBuffer if n_step else buffers.ReplayBuffer, **kwargs)
    ours = trained(env_id, 250, ReplayBuffer, **kwargs)
    assert type(ours.replay_buffer) is ReplayBuffer
    before, after = weights(theirs), weights(ours)
    assert ours._n_updates == theirs._n_updates > 50
    for name, value in before.items():
        np.testing.assert_array_equal(after[name], value, err_msg=name)


def test_dqn_goes_on_with_a_buffer_from_a_file(tmp_path):
    theirs = weights(trained("cartpole", 200, buffers.ReplayBuffer, path=tmp_path / "theirs.pkl"))
    ours = trained("cartpole", 200, ReplayBuffer, path=tmp_path / "ours.pkl")
    assert type(ours.replay_buffer) is ReplayBuffer
    for name, value in weights(ours).items():
        np.testing.assert_array_equal(value, theirs[name], err_msg=name)


@pytest.mark.parametrize("name", plugins.names("environments"))
# CartPole's velocities have no bound, in Gymnasium's own either.
@pytest.mark.filterwarnings("ignore:.*We recommend you to use a symmetric and normalized Box action space")
def test_sb3s_checker_accepts_every_environment(name):
    check_env(KernelEnv(name), skip_render_check=True)


@pytest.mark.slow
@pytest.mark.parametrize(
    ("name", "steps", "good"),
    [
        ("cartpole", 50_000, 195),  # of 500; the first version of CartPole counted as solved at 195
        ("inverted-pendulum", 30_000, 150),  # of 200; the paper's threshold
    ],
)
def test_dqn_learns_on_our_environment_and_buffer(name, steps, good):
    """With RL Baselines3 Zoo's settings for CartPole."""
    settings = {
        "learning_rate": 2.3e-3,
        "batch_size": 64,
        "buffer_size": 100_000,
        "learning_starts": 1000,
        "target_update_interval": 10,
        "train_freq": 256,
        "gradient_steps": 128,
        "exploration_fraction": 0.16,
        "exploration_final_eps": 0.04,
        "policy_kwargs": {"net_arch": [256, 256]},
    }
    env = DummyVecEnv([lambda: KernelEnv(name)])
    model = DQN("MlpPolicy", env, replay_buffer_class=ReplayBuffer, seed=1, device="cpu", **settings)
    model.learn(steps)
    mean, _ = evaluate_policy(model, DummyVecEnv([lambda: KernelEnv(name)]), 20, warn=False)
    assert mean > good
