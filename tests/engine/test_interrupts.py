"""Ctrl-C and other signals stop the compiled loop at once, and the run goes on as if nothing had been.

A test that fails here ends all the same: what is endless to a test's patience is a few seconds' work.
"""

import gc
import os
import signal
import threading
import time

import numpy as np
import pytest

from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.seeding import Streams

LONG = 20_000_000  # steps, some seconds without learning
LEARNING = 200_000  # steps, half a second with it
NEVER_LEARNING = {"warm_up": 2**60}


@pytest.fixture(autouse=True)
def no_collection():
    """Hypothesis has a callback in the garbage collector, where what a signal's handler raises is swallowed."""
    gc.disable()
    yield
    gc.enable()


@pytest.fixture
def ctrl_c():
    """Presses Ctrl-C after so many seconds, of which an agent's begin with its next step."""
    threads = []

    def press(after, agent=None):
        begun = agent.steps if agent else None

        def wait_and_press():
            given_up = time.monotonic() + 60
            while agent and agent.steps == begun and time.monotonic() < given_up:
                time.sleep(1e-3)
            time.sleep(after)
            os.kill(os.getpid(), signal.SIGINT)

        threads.append(threading.Thread(target=wait_and_press))
        threads[-1].start()

    yield press
    for thread in threads:
        thread.join()


@pytest.mark.parametrize("num_envs", [1, 3])
@pytest.mark.parametrize("method", ["run_episodes", "play_episodes"])
def test_ctrl_c_stops_a_long_episode_within_a_second(scripted, ctrl_c, at_once, method, num_envs):
    agent = DQNAgent(
        scripted(fault_rate=1, fault="endless", limit=LONG), "2x8-relu", num_envs=num_envs, **NEVER_LEARNING
    )
    with at_once(1.1):
        ctrl_c(0.1)
        with pytest.raises(KeyboardInterrupt):
            getattr(agent, method)(1)


def test_ctrl_c_costs_no_episode_that_has_ended_and_the_agent_goes_on(scripted, ctrl_c, episodes_before_fault):
    ended = episodes_before_fault(Streams(24).env, 4, 0.2)
    environment = scripted(length=4, fault_rate=0.2, fault="endless", limit=LONG)
    agent = DQNAgent(environment, "2x8-relu", rng=24, **NEVER_LEARNING)
    ctrl_c(0.1, agent)
    with pytest.raises(KeyboardInterrupt):
        agent.run_episodes(ended + 1)
    assert agent.episodes == ended
    assert agent.run_episodes(ended - 1).lengths.tolist() == [4] * (ended - 1)
    assert agent.run_episodes(1).lengths.tolist() == [4]
    steps = agent.steps
    ctrl_c(0.0, agent)
    with pytest.raises(KeyboardInterrupt):
        agent.run_episodes(1)
    assert agent.steps > steps
    assert np.isfinite(agent.learn())
    assert agent.act(np.zeros(3, np.float32)) in (0, 1, 2)


def test_an_interrupted_run_goes_on_to_the_same_bits(scripted, ctrl_c, assert_equal_runs):
    """Many thousand steps of learning in one episode, whole and stopped twice on the way."""
    environment = scripted(fault_rate=1, fault="endless", limit=LEARNING)
    whole, stopped = (DQNAgent(environment, "1x8-tanh", batch_size=64, optimizer="adam") for _ in range(2))
    whole.run_episodes(1)
    for _ in range(2):
        ctrl_c(0.02, stopped)
        with pytest.raises(KeyboardInterrupt):
            stopped.run_episodes(1)
        assert 0 < stopped.steps < LEARNING
    stopped.run_episodes(1)
    assert_equal_runs(stopped, whole)


def test_what_a_signal_handler_raises_comes_out(scripted):
    agent = DQNAgent(scripted(fault_rate=1, fault="endless", limit=LONG), "2x8-relu", **NEVER_LEARNING)

    def handler(number, frame):
        raise TimeoutError("enough")

    before = signal.signal(signal.SIGALRM, handler)
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.1)
        with pytest.raises(TimeoutError, match="enough"):
            agent.run_episodes(1)
    finally:
        signal.signal(signal.SIGALRM, before)


def test_a_signal_handler_that_returns_stops_nothing(scripted):
    agent = DQNAgent(scripted(fault_rate=1, fault="endless", limit=2_000_000), "2x8-relu", **NEVER_LEARNING)
    calls = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: calls.append(agent.steps))
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        assert agent.run_episodes(1).lengths.tolist() == [2_000_000]
    finally:
        signal.signal(signal.SIGALRM, before)
    assert len(calls) == 1
    assert 0 < calls[0] < 2_000_000


def test_ctrl_c_in_a_loop_of_short_calls_leaves_the_agent_usable_and_counts_every_episode(scripted):
    """Signals that come while no call is long enough to look for them fire when a call returns."""
    agent = DQNAgent(scripted(length=50), "2x8-relu", **NEVER_LEARNING)
    returned = interrupts = 0
    before = signal.signal(signal.SIGALRM, signal.default_int_handler)
    try:
        while interrupts < 20:
            try:
                signal.setitimer(signal.ITIMER_REAL, 0.003)
                while True:
                    returned += len(agent.run_episodes(1))
            except KeyboardInterrupt:
                interrupts += 1
                returned += len(agent.run_episodes(1))  # within the handler, where the traceback is alive
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    # A signal may still fall between the return of a call and the count of what it returned: on a free machine one in
    # thirty does. If a call that is interrupted dropped what had ended in it, most of them would cost an episode.
    assert 0 <= agent.episodes - returned <= interrupts / 2
    assert agent.streams.env.random() < 1  # nobody holds the generator
