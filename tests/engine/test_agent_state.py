"""Runs that are interrupted by saving, by playing or by other runs beside them go on to the same bits."""

import json
import threading

import numpy as np
import pytest

from nasdqn_fast import engine as native
from nasdqn_fast import envs
from nasdqn_fast.seeding import Streams


def agent_on(engine, environment, network="2x7-relu", **settings):
    small = {"batch_size": 8, "replay_capacity": 300, "warm_up": 20, "target_every": 30, "rng": 3}
    return engine.DQNAgent(environment, network, **(small | settings))


def as_file(state):
    """The state as a file would give it back: JSON, and arrays beside it."""
    arrays = {}

    def default(value):
        arrays[str(len(arrays))] = value.copy()
        return {"array": str(len(arrays) - 1)}

    text = json.dumps(state, default=default)
    return json.loads(text, object_hook=lambda x: arrays[x["array"]] if x.keys() == {"array"} else x)


@pytest.mark.quick_only(engine="native")
@pytest.mark.quick_only(name="cartpole", optimizer="adam", num_envs=3)
@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("name", ["inverted-pendulum", "cartpole"])
def test_a_resumed_run_is_the_run_to_the_bit(engine, name, optimizer, num_envs, assert_equal_runs):
    """Two routes to one state: 9 episodes at once, or 4, a state through JSON, and 5 by a fresh agent."""
    settings, environment = {"num_envs": num_envs, "optimizer": optimizer}, envs.make(name, max_episode_steps=40)
    whole, first = (agent_on(engine, environment, **settings) for _ in range(2))
    expected = whole.run_episodes(9)
    early = first.run_episodes(4)
    resumed = agent_on(engine, environment, "1x3-tanh", **settings | {"rng": 77})
    resumed.set_state(as_file(first.get_state()))
    late = resumed.run_episodes(5)
    for column in ("returns", "lengths", "losses", "epsilons"):
        both = np.concatenate([getattr(early, column), getattr(late, column)])
        np.testing.assert_array_equal(both, getattr(expected, column))
    assert_equal_runs(resumed, whole)


@pytest.mark.parametrize("num_envs", [1, 3])
def test_a_resumed_run_of_any_options_is_the_run_to_the_bit(engine, num_envs, assert_equal_runs):
    """Schedules, phases and targets depend on what is saved: taken to another agent after every episode or two."""
    settings, environment = (
        {
            "num_envs": num_envs,
            "optimizer": "adam",
            "double": False,
            "normalize_observations": True,
            "gradient_clip_by": "norm",
            "target_tau": 0.3,
            "target_unit": "steps",
            "target_every": 7,
            "train_every": 4,
            "updates_per_train": 3,
            "n_step": 3,
            "policy_epsilon_schedule": "linear",
            "learning_rate_schedule": "linear",
            "replay_sampling": "prioritized",
            "steps": 300,
        },
        envs.make("cartpole", max_episode_steps=40),
    )
    whole, resumed = (agent_on(engine, environment, **settings) for _ in range(2))
    expected, parts = whole.run_episodes(9), []
    for n in (1, 2, 1, 3, 2):
        other = agent_on(engine, environment, "1x3-tanh", **settings | {"rng": 77})
        other.set_state(as_file(resumed.get_state()))
        resumed = other
        parts.append(resumed.run_episodes(n))
    for column in ("returns", "lengths", "losses", "epsilons"):
        both = np.concatenate([getattr(part, column) for part in parts])
        np.testing.assert_array_equal(both, getattr(expected, column))
    assert_equal_runs(resumed, whole)
    assert whole.learn() == resumed.learn()
    assert_equal_runs(resumed, whole)


def test_a_state_does_not_follow_the_agent_it_was_taken_from(engine, assert_equal_runs):
    agent, other = (agent_on(engine, "cartpole", optimizer="adam") for _ in range(2))
    agent.run_episodes(5)
    other.run_episodes(5)
    state = agent.get_state()
    agent.run_episodes(5)
    agent.set_state(state)
    assert_equal_runs(agent, other)


def test_episodes_that_wait_are_saved(engine, scripted):
    agent, resumed = (agent_on(engine, scripted(length=3), num_envs=3) for _ in range(2))
    agent.run_episodes(1)
    resumed.set_state(agent.get_state())
    assert resumed.run_episodes(2).lengths.tolist() == [3, 3]
    assert resumed.steps == 9


def test_a_state_of_other_lanes_is_refused(scripted):
    state = agent_on(native, scripted(), num_envs=2).get_state()
    with pytest.raises(ValueError, match=r"states must be float64 of shape \(3, 2\)"):
        agent_on(native, scripted(), num_envs=3).set_state(state)


@pytest.mark.parametrize("num_envs", [1, 3])
def test_playing_between_two_calls_changes_nothing_in_training(engine, scripted, num_envs, assert_equal_runs):
    played, plain = (agent_on(engine, scripted(length=9), num_envs=num_envs) for _ in range(2))
    for agent in (played, plain):
        agent.run_episodes(4)
    episodes = played.play_episodes(5, epsilon=0.5)
    assert episodes.lengths.tolist() == [9] * 5
    assert episodes.epsilons.tolist() == [0.5] * 5
    assert np.isnan(episodes.losses).all()
    played.streams.evaluation = Streams(3).evaluation
    assert_equal_runs(played, plain)
    np.testing.assert_array_equal(played.run_episodes(4).losses, plain.run_episodes(4).losses)
    played.streams.evaluation = Streams(3).evaluation
    assert_equal_runs(played, plain)


def test_playing_draws_all_from_one_generator(engine, scripted):
    """Reset, uniform and action, step; and no start after the last episode."""
    agent = agent_on(engine, scripted(length=2, reward_of_step=0, reward_of_action=1))
    rng, model = np.random.default_rng(8), np.random.default_rng(8)
    returns = agent.play_episodes(3, epsilon=1.0, rng=rng).returns
    expected = []
    for _ in range(3):
        model.random(2)
        expected.append(sum((model.random(), int(model.integers(3)), model.random())[1] for _ in range(2)))
    assert returns.tolist() == expected
    assert rng.bit_generator.state == model.bit_generator.state


def test_many_plays_are_one_play(engine):
    once, often = (agent_on(engine, "cartpole") for _ in range(2))
    expected = once.play_episodes(6, epsilon=0.3).returns
    found = np.concatenate([often.play_episodes(n, epsilon=0.3).returns for n in (1, 2, 3)])
    np.testing.assert_array_equal(found, expected)
    assert once.streams.get_state() == often.streams.get_state()


def test_runs_in_threads_have_the_bits_of_runs_alone(assert_equal_runs):
    """Two architectures, optimizers and environments side by side, each twice the length of a thread's turn."""
    kinds = [
        {"environment": "inverted-pendulum", "network": "3x64-relu", "optimizer": "sgd"},
        {"environment": "cartpole", "network": "2x32-tanh", "optimizer": "adam", "num_envs": 3},
    ]
    agents = [agent_on(native, batch_size=64, **kind) for kind in kinds]
    together = threading.Barrier(2)

    def run(agent):
        together.wait()
        for _ in range(20):
            agent.run_episodes(1)

    threads = [threading.Thread(target=run, args=(agent,)) for agent in agents]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for kind, agent in zip(kinds, agents, strict=True):
        alone = agent_on(native, batch_size=64, **kind)
        alone.run_episodes(20)
        assert_equal_runs(agent, alone)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"lane_length": np.zeros(2, np.int64)}, "lane_length must be int64 of shape"),
        ({"lane_flags": np.zeros(2, np.int32)}, "lane_flags must be int32 of shape"),
        ({"step_updates": -2}, "step_updates must be an integer >= -1"),
        ({"lane_epsilon": np.zeros(2)}, "lane_epsilon must be float64 of shape"),
        ({"observations": np.zeros((1, 3))}, "observations must be float32"),
        ({"steps": -1}, "steps must be an integer >= 0"),
        ({"started": 1}, "started must be"),
        ({"ended_length": np.zeros(1, np.int64)}, "ended_length must be int64 of shape"),
    ],
)
def test_what_is_no_state_of_these_lanes_is_refused(engine, scripted, changes, error):
    agent = agent_on(engine, scripted(length=7, limit=7), batch_size=4)
    agent.run_episodes(2)
    state = agent.get_state()
    state["loop"] |= changes
    with pytest.raises((TypeError, ValueError), match=error):
        agent.set_state(state)


def test_a_state_of_the_first_checkpoint_format_is_taken(engine, scripted):
    agent = agent_on(engine, scripted(length=7, limit=7), batch_size=4)
    agent.run_episodes(2)
    state = agent.get_state()
    del state["loop"]["step_updates"], state["loop"]["lane_flags"]
    agent.set_state(state)
    assert len(agent.run_episodes(1)) == 1


def test_moments_that_have_overflowed_are_taken(engine, scripted):
    agent = agent_on(engine, scripted(), optimizer="adam")
    agent.run_episodes(5)
    state = agent.get_state()
    state["optimizer"]["v"] = np.full_like(state["optimizer"]["v"], np.inf)
    agent.set_state(state)
    state["optimizer"]["v"] = np.full_like(state["optimizer"]["v"], np.nan)
    with pytest.raises(ValueError, match="v holds NaN"):
        agent.set_state(state)
