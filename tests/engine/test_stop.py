"""A stop token ends a call between two steps or two updates, and the agent runs on to the same bits."""

import threading
import time

import numpy as np
import pytest

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine import backends
from nasdqn_fast.errors import Stopped

LANES, UPDATES = 500, 1_024  # half a million updates a step, some seconds
LONG = 20_000_000  # steps, some seconds without learning
STEPS = {"native": 100_000, "numpy": 1_000}  # of learning, half a second


@pytest.fixture
def stop_after():
    """A token that another thread sets after so many seconds."""
    timers = []

    def make(seconds):
        token = StopToken()
        timers.append(threading.Timer(seconds, token.set))
        timers[-1].start()
        return token

    yield make
    for timer in timers:
        timer.join()


@pytest.fixture
def stop_in_updates():
    """A token that another thread sets when an agent has made its next update."""
    threads = []

    def make(agent):
        token, updates = StopToken(), agent.updates

        def wait_and_set():
            given_up = time.monotonic() + 60
            while agent.updates == updates and time.monotonic() < given_up:
                time.sleep(1e-3)
            token.set()

        threads.append(threading.Thread(target=wait_and_set))
        threads[-1].start()
        return token

    yield make
    for thread in threads:
        thread.join()


def test_a_token_says_why():
    token = StopToken()
    assert token.reason == 0
    token.set()
    assert token.reason == -1
    token.set(15)
    assert token.reason == 15
    token.clear()
    assert token.reason == 0
    with pytest.raises(ValueError, match="call clear"):
        token.set(0)


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("method", ["run_episodes", "play_episodes"])
def test_a_call_in_any_thread_is_stopped_at_once(engine, scripted, stop_after, at_once, method, num_envs):
    endless = scripted(fault_rate=1, fault="endless", limit=LONG)
    agent = engine.DQNAgent(endless, "2x8-relu", num_envs=num_envs, warm_up=2**60)
    token, ended = stop_after(0.1), []

    def play():
        with pytest.raises(Stopped):
            getattr(agent, method)(1, stop=token)
        ended.append(True)

    thread = threading.Thread(target=play)
    with at_once(1):
        thread.start()
        thread.join()
    assert ended


def test_a_token_that_is_set_stops_at_the_first_step_and_costs_no_episode(engine, scripted, assert_equal_runs):
    stopped, whole = (engine.DQNAgent(scripted(length=4), "2x8-relu", num_envs=3, batch_size=8) for _ in range(2))
    token = StopToken()
    token.set()
    for _ in range(3):
        with pytest.raises(Stopped):
            stopped.run_episodes(1, stop=token)
    assert stopped.steps == 0
    whole.run_episodes(1)
    stopped.run_episodes(1)  # and two more have ended
    with pytest.raises(Stopped):
        stopped.run_episodes(2, stop=token)
    assert stopped.run_episodes(2).lengths.tolist() == whole.run_episodes(2).lengths.tolist() == [4, 4]
    assert_equal_runs(stopped, whole)


@pytest.mark.quick_only(backend="native", num_envs=3)
@pytest.mark.quick_only(updates_per_step=50, num_envs=3)
@pytest.mark.parametrize("updates_per_step", [1, 50])
@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("backend", backends.NAMES)
def test_a_run_that_was_stopped_and_saved_is_the_run_left_alone(
    backend, scripted, stop_after, assert_equal_runs, num_envs, updates_per_step
):
    """Stopped at any time, and each time continued by a fresh agent from its state."""
    engine = backends.find(backend)
    steps = STEPS[backend] // updates_per_step // num_envs
    endless = scripted(fault_rate=1, fault="endless", limit=steps)
    settings = {"num_envs": num_envs, "updates_per_step": updates_per_step, "warm_up": 7, "target_every": 11}

    def agent():
        return engine.DQNAgent(endless, "1x8-tanh", batch_size=8, optimizer="adam", **settings)

    whole, stopped, stops = agent(), agent(), 0
    expected = whole.run_episodes(num_envs)
    while True:
        try:
            found = stopped.run_episodes(num_envs, stop=stop_after(0.02))
            break
        except Stopped:
            state, stopped, stops = stopped.get_state(), agent(), stops + 1
            stopped.set_state(state)
    np.testing.assert_array_equal(found.losses, expected.losses)
    assert_equal_runs(stopped, whole)
    assert stops > 1


@pytest.mark.parametrize("backend", backends.NAMES)
def test_a_step_of_many_updates_is_stopped_between_two_of_them_and_saved_there(
    backend, scripted, stop_in_updates, at_once
):
    engine, other = backends.find(backend), backends.find(*set(backends.NAMES) - {backend})
    settings = {"warm_up": 1, "updates_per_step": UPDATES, "num_envs": LANES}
    agents = [x.DQNAgent(scripted(), "1x8-relu", **settings) for x in (engine, other)]
    with at_once(1), pytest.raises(Stopped):
        agents[0].run_episodes(1, stop=stop_in_updates(agents[0]))
    assert agents[0].steps == LANES
    state = agents[0].get_state()
    assert state["loop"]["step_updates"] == agents[0].updates > 0
    agents[1].set_state(state)  # of the other backend
    with pytest.raises(Stopped):
        agents[1].run_episodes(1, stop=stop_in_updates(agents[1]))
    assert agents[1].steps == LANES
    assert agents[1].updates > agents[0].updates


def test_a_memory_that_was_emptied_after_a_stop_ends_the_step(engine, scripted, stop_in_updates):
    agent = engine.DQNAgent(scripted(length=4), "1x8-relu", warm_up=1, updates_per_step=UPDATES, num_envs=LANES)
    empty = agent.replay.get_state()
    with pytest.raises(Stopped):
        agent.run_episodes(1, stop=stop_in_updates(agent))
    agent.replay.set_state(empty)
    with pytest.raises(Stopped):  # in the updates of the next step
        agent.run_episodes(1, stop=stop_in_updates(agent))
    assert agent.steps == 2 * LANES
