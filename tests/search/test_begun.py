"""What a segment is worth when several environments are played at once: the episodes that began in it."""

import itertools

import numpy as np
import pytest

from nasdqn_fast import envs, train
from nasdqn_fast.engine import backends
from nasdqn_fast.search.begun import BegunEpisodes

RANDOM = {
    "method": "random-nas",
    "env": "cartpole",
    "architectures": ["1x4-relu", "5,3-tanh"],
    "warm_up": 10**9,
    "policy_epsilon_end": 1.0,  # every action is random: the network makes no difference
    "switch_every": 64,
    "episodes": 64 * 4,
}


@pytest.fixture(scope="module")
def expected():
    """Mean return of the random policy, and its standard error."""
    returns = train(**RANDOM | {"episodes": 20_000, "switch_every": 20_000}).episodes.returns
    return returns.mean(), returns.std() / np.sqrt(len(returns))


@pytest.mark.quick_only(num_envs=64, switch_every=20)
@pytest.mark.parametrize("num_envs", [1, 7, 64])
@pytest.mark.parametrize("switch_every", [20, 64])
def test_scores_are_unbiased(expected, num_envs, switch_every):
    """Oracle: with one policy throughout, every segment's score has the policy's mean return as its expectation.

    By order of ending, the first segment of 64 environments would score 15.5 instead of 22.3.
    """
    options = RANDOM | {"switch_every": switch_every, "episodes": 4 * switch_every, "num_envs": num_envs}
    scores = np.array([[segment.score for segment in train(**options, seed=s).segments] for s in range(40)])
    error = np.hypot(scores.std(axis=0, ddof=1) / np.sqrt(len(scores)), expected[1])
    assert np.all(np.abs(scores.mean(axis=0) - expected[0]) < 3.5 * error), scores.mean(axis=0)


@pytest.mark.quick_only(num_envs=4)
@pytest.mark.parametrize("num_envs", [4, 64])
def test_the_last_episodes_alone_are_unbiased_too(expected, num_envs):
    options = RANDOM | {"num_envs": num_envs, "estimator_options": {"episodes": 20}}
    scores = np.array([[segment.score for segment in train(**options, seed=s).segments] for s in range(40)])
    error = np.hypot(scores.std(axis=0, ddof=1) / np.sqrt(len(scores)), expected[1])
    assert np.all(np.abs(scores.mean(axis=0) - expected[0]) < 3.5 * error), scores.mean(axis=0)


@pytest.mark.parametrize("backend", backends.NAMES)
def test_episodes_are_played_on_from_where_they_are_and_the_agent_stays_as_it_is(backend):
    """Oracle: episodes of 20 steps at most that begin at known steps; each is counted once, none is shorter."""
    cartpole = envs.make("cartpole", max_episode_steps=20)
    agent = backends.find(backend).DQNAgent(cartpole, "1x4-relu", num_envs=5, warm_up=10**6, rng=3)
    begun, ended = BegunEpisodes(), []
    for _ in range(7):
        episodes = agent.run_episodes(1)
        begun.append(agent, episodes)
        ended.append((episodes.returns[0], episodes.lengths[0]))
    before = agent.get_state()
    arrays = np.array([r for r, _ in ended]), np.array([n for _, n in ended])
    generators = [lambda i: np.random.default_rng(i)] * 2
    first, second = (begun.returns_and_lengths(agent, arrays, 0, start) for start in generators)
    np.testing.assert_array_equal(first[0], second[0])
    after = agent.get_state()
    for name, value in before["loop"].items():
        np.testing.assert_array_equal(after["loop"][name], value)
    assert after["streams"] == before["streams"]
    loop = before["loop"]
    unfinished = loop["lane_length"] > 0
    returns, lengths, steps = first
    assert len(returns) == 7 + len(loop["ended_length"]) + unfinished.sum()
    np.testing.assert_array_equal(returns, lengths)  # CartPole pays 1 a step
    assert steps == lengths.sum() - arrays[1].sum() - loop["ended_length"].sum() - loop["lane_length"].sum()
    assert steps > 0
    assert lengths.max() <= 20
    # Those before the segment's first step do not count.
    later = begun.returns_and_lengths(agent, arrays, 5 * 3, generators[0])
    assert len(later[0]) == len(returns) - 5


def test_one_environment_counts_what_ended():
    result = train(**RANDOM | {"episodes": 128})
    for segment in result.segments:
        assert segment.score == result.episodes.returns[segment.first - 1 : segment.last].mean()
    assert sum(segment.cost.steps for segment in result.segments) == result.episodes.lengths.sum()


def test_environments_in_step_count_what_ended():
    """The pendulum's episodes are equally long: nothing is unfinished when a segment ends."""
    result = train("random-nas", num_envs=4, episodes=16, switch_every=8, max_episode_steps=10)
    for segment, (first, last) in zip(result.segments, itertools.pairwise([0, 8, 16]), strict=True):
        assert segment.score == result.episodes.returns[first:last].mean()
    assert sum(segment.cost.steps for segment in result.segments) == 160
