"""What one thread runs, no other may touch: every call says so, and none of them harms the run."""

import os
import signal
import threading
import time

import numpy as np
import pytest

from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.engine.optimizer import Optimizer

OBSERVATION = np.zeros(3, np.float32)
ROWS = OBSERVATION[None]
BATCH = ROWS, np.zeros(1, int), np.zeros(1, np.float32), ROWS, np.zeros(1, bool), np.zeros(1, bool)


def calls_on(agent):
    """Everything that uses what a run uses, by name."""
    state, replay = agent.get_state(), agent.replay
    network, target, optimizer = agent.network, agent.target, agent.optimizer
    other = QNetwork(network.architecture, 3, 3)
    gradient = network.loss_and_gradient(*BATCH[:3])[1]
    sharing = DQNAgent(agent.environment, "1x2-relu", replay=replay, batch_size=1)
    return {
        "run": lambda: agent.run_episodes(1),
        "play": lambda: agent.play_episodes(1),
        "learn": agent.learn,
        "act": lambda: agent.act(OBSERVATION),
        "act at random": lambda: agent.act(OBSERVATION, 1.0),
        "switch": lambda: agent.switch_network(other),
        "get state": agent.get_state,
        "set state": lambda: agent.set_state(state),
        "another agent with this memory": lambda: sharing.run_episodes(1),
        "forward": lambda: network.forward(ROWS),
        "gradient": lambda: network.loss_and_gradient(*BATCH[:3]),
        "apply": lambda: network.apply_gradient(gradient),
        "forward of the target": lambda: target.forward(ROWS),
        "another network with this optimizer": lambda: other.apply_gradient(gradient, optimizer),
        "reset": optimizer.reset,
        "set optimizer": lambda: optimizer.set_state(Optimizer("adam").get_state()),
        "add": lambda: replay.add(OBSERVATION, 0, 0.0, OBSERVATION, False, False),
        "add batch": lambda: replay.add_batch(*BATCH),
        "sample": lambda: replay.sample(1),
        "prune": replay.prune,
        "transitions": replay.transitions,
        "get replay": replay.get_state,
        "set replay": lambda: replay.set_state(state["replay"]),
    }


def outcome(call):
    try:
        return call()
    except RuntimeError as error:
        return str(error)


@pytest.fixture
def run_beside():
    """Runs an agent in this thread while `meanwhile` is called in another; Ctrl-C then ends the run."""

    def run(agent, meanwhile):
        def other_thread():
            steps = agent.steps
            while agent.steps == steps:
                time.sleep(1e-3)
            try:
                meanwhile()
            finally:
                os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=other_thread)
        thread.start()
        with pytest.raises(KeyboardInterrupt):
            agent.run_episodes(1_000)
        thread.join()

    return run


def test_a_second_thread_is_told_that_the_agent_and_its_parts_are_in_use(scripted, run_beside):
    environment = scripted(fault_rate=1, fault="endless", limit=100_000)
    agent = DQNAgent(environment, "2x8-relu", optimizer="adam", batch_size=8, warm_up=10)
    agent.replay.add_batch(*BATCH)
    calls, outcomes = calls_on(agent), {}
    network, target = agent.network, agent.target
    run_beside(agent, lambda: outcomes.update({name: outcome(call) for name, call in calls.items()}))
    assert outcomes.keys() == calls.keys()
    for name, message in outcomes.items():
        assert "in use by another thread; give each thread" in str(message), name
    assert (agent.network, agent.target) == (network, target)
    for name, call in calls.items():
        if not name.endswith("run"):
            call()


def test_attempts_from_another_thread_leave_no_trace_in_the_run(scripted, run_beside, assert_equal_runs):
    """Including that Ctrl-C is heard, which only the main thread's calls can do."""
    environment = scripted(fault_rate=1, fault="endless", limit=100_000)
    alone, disturbed = (DQNAgent(environment, "1x8-relu", batch_size=8, num_envs=2) for _ in range(2))

    def disturb():
        for name in ("run", "learn", "switch", "set state", "set replay", "prune"):
            outcome(calls[name])

    disturbed.replay.add_batch(*BATCH)
    alone.replay.add_batch(*BATCH)
    calls = calls_on(disturbed)
    run_beside(disturbed, disturb)
    disturbed.run_episodes(1)
    alone.run_episodes(disturbed.episodes - 1)
    assert_equal_runs(disturbed, alone)
