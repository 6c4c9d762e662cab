"""One idea of a valid transition at every door of a memory, and nothing that is saved but cannot be loaded."""

import copy

import numpy as np
import pytest

from nasdqn_fast.errors import NonFiniteError

SIZE = 3
BAD = [np.nan, np.inf, -np.inf]


def good(n=4):
    return {
        "observations": np.zeros((n, SIZE), np.float32),
        "actions": np.zeros(n, np.int64),
        "rewards": np.zeros(n, np.float32),
        "next_observations": np.zeros((n, SIZE), np.float32),
        "terminated": np.zeros(n, bool),
        "truncated": np.zeros(n, bool),
    }


def add(replay, arrays):
    for i in range(len(arrays["actions"])):
        row = [array[i] for array in arrays.values()]
        replay.add(row[0], int(row[1]), float(row[2]), row[3], bool(row[4]), bool(row[5]))


def add_slowly(replay, arrays):
    """What is not of the plain types takes another way."""
    for i in range(len(arrays["actions"])):
        row = [array[i] for array in arrays.values()]
        replay.add(np.repeat(row[0], 2)[::2], row[1], row[2], row[3], row[4], row[5])


def set_state(replay, arrays):
    n = len(arrays["actions"])
    replay.set_state({"capacity": replay.capacity, "next": n, "rng": replay.get_state()["rng"], **arrays})


DOORS = {"add": add, "add-slowly": add_slowly, "add_batch": lambda r, arrays: r.add_batch(**arrays), "state": set_state}


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize("bad", BAD)
@pytest.mark.parametrize("name", ["observations", "rewards", "next_observations"])
def test_every_door_refuses_numbers_that_are_not_finite(engine, door, name, bad):
    replay = engine.ReplayBuffer(9, SIZE)
    arrays = good(1)
    arrays[name][..., -1] = bad
    with pytest.raises(ValueError, match=rf"{name[:-1]}s? must be (a )?finite.*got {bad}"):
        door(replay, arrays)
    assert len(replay) == 0
    door(replay, good(1))
    assert len(replay) == 1


@pytest.mark.parametrize("door", DOORS.values(), ids=DOORS)
@pytest.mark.parametrize("action", [-1, 2**31])
def test_every_door_refuses_the_same_actions(engine, door, action):
    replay = engine.ReplayBuffer(9, SIZE)
    arrays = good(1)
    arrays["actions"][0] = action
    with pytest.raises(ValueError, match=r"actions? must be .*2147483647"):
        door(replay, arrays)
    assert len(replay) == 0


@pytest.mark.parametrize("reward", [1e39, -1e39])
def test_a_reward_beyond_float32_is_refused(engine, reward):
    replay, zeros = engine.ReplayBuffer(9, SIZE), np.zeros(SIZE, np.float32)
    with pytest.raises(ValueError, match="reward must be finite in float32"):
        replay.add(zeros, 0, reward, zeros, False, False)


def test_of_a_batch_with_one_bad_row_nothing_is_stored(engine):
    replay = engine.ReplayBuffer(9, SIZE)
    arrays = good()
    arrays["next_observations"][2, 1] = np.nan
    with pytest.raises(ValueError, match="next_observations must be finite; got nan"):
        replay.add_batch(**arrays)
    assert len(replay) == 0


@pytest.mark.parametrize("bad", BAD)
def test_acting_on_observations_that_are_not_finite_is_an_error(engine, scripted, bad):
    agent = engine.DQNAgent(scripted(), "4-relu", replay_capacity=9, batch_size=1)
    observations = np.zeros((5, SIZE), np.float32)
    observations[3, 1] = bad
    for given in (observations, observations[3]):
        with pytest.raises(ValueError, match=f"observations must be finite; got {bad}"):
            agent.act(given)


def test_acting_with_weights_that_are_not_finite_is_an_error(engine, scripted):
    agent = engine.DQNAgent(scripted(), "4-relu", replay_capacity=9, batch_size=1)
    agent.network.weights[0][:] = np.nan
    with pytest.raises(NonFiniteError, match="non-finite weights"):
        agent.act(np.ones(SIZE, np.float32))


@pytest.mark.parametrize("bad", BAD)
def test_what_load_refuses_save_refuses(engine, tmp_path, bad):
    network = engine.QNetwork("4-relu", SIZE, 2)
    network.save(tmp_path / "n.npz")
    before = (tmp_path / "n.npz").read_bytes()
    network.biases[0][2] = bad
    with pytest.raises(ValueError, match="biases_0 is not finite"):
        network.save(tmp_path / "n.npz")
    assert (tmp_path / "n.npz").read_bytes() == before
    assert [path.name for path in tmp_path.iterdir()] == ["n.npz"]


@pytest.mark.parametrize("held", ["network", "target"])
def test_a_state_that_set_state_would_refuse_is_not_given(engine, scripted, held):
    agent = engine.DQNAgent(scripted(), "4-relu", replay_capacity=9, batch_size=1)
    state = agent.get_state()
    getattr(agent, held).weights[1][0, 0] = np.nan
    with pytest.raises(ValueError, match=f"{held} must be finite; got nan"):
        agent.get_state()
    state[held] = getattr(agent, held).parameters
    with pytest.raises(ValueError, match=f"{held} must be finite; got nan"):
        agent.set_state(state)


def test_an_optimizers_state_that_set_state_would_refuse_is_not_given(engine):
    network, optimizer = engine.QNetwork("4-relu", SIZE, 2), engine.Optimizer("adam")
    x, actions, targets = np.ones((1, SIZE), np.float32), np.zeros(1, int), np.full(1, np.nan, np.float32)
    network.apply_gradient(network.loss_and_gradient(x, actions, targets)[1], optimizer)
    with pytest.raises(ValueError, match="m holds NaN"):
        optimizer.get_state()


def test_a_lane_cannot_be_put_where_no_environment_is(engine, scripted):
    """The loop would store its observation."""
    agent = engine.DQNAgent(scripted(), "4-relu", replay_capacity=9, batch_size=1)
    agent.run_episodes(1)
    state = copy.deepcopy(agent.get_state())
    state["loop"]["observations"][0, 1] = np.nan
    with pytest.raises(ValueError, match="observations must be finite; got nan"):
        agent.set_state(state)
