"""The peers that other groups than ``peers`` show: PyTorch on wide networks, rejax on many seeds."""

import numpy as np
import pytest

from nasdqn_fast.benchmarking import peer_check, suite
from nasdqn_fast.benchmarking.groups import threads
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.space import Architecture

pytestmark = pytest.mark.slow


@pytest.fixture
def updates():
    pytest.importorskip("torch", reason="PyTorch is not installed")
    return peer_check.chosen("Updates", ("torch-sequential",))["torch-sequential"]


@pytest.fixture
def many_seeds():
    pytest.importorskip("rejax", reason="rejax is not installed")
    return peer_check.chosen("ManySeeds", ("rejax",))["rejax"]


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
@pytest.mark.parametrize("architecture", ["2x64-relu", "3x32-tanh", "5,9-leaky_relu"])
def test_pytorchs_updates_are_ours(updates, architecture, optimizer):
    """Oracle: our engine, by `peer_check`."""
    architecture = Architecture.parse(architecture)
    assert peer_check.disagreement(updates(architecture, 64, optimizer), architecture, optimizer) <= 1


@pytest.mark.parametrize("optimizer", ["sgd", "adam"])
def test_pytorchs_updates_come_nearer_to_a_target_that_stands_still(updates, optimizer):
    learner = updates(Architecture.parse("2x64-relu"), 256, optimizer)
    s, a, r, discounts, s_next = learner._memory

    def error():
        best = learner._online(s_next).argmax(1, keepdim=True)
        targets = r + discounts * learner._target(s_next).gather(1, best)
        return float((learner._online(s).gather(1, a) - targets).abs().mean().detach())

    before = error()
    learner.run(300)
    assert error() < 0.9 * before


def test_rejax_goes_on_from_call_to_call(many_seeds):
    runs = many_seeds(Architecture.parse("2x32-relu"), seeds=2, steps=50)
    assert runs.compiling > 0
    runs.run(1)
    runs.run(2)
    assert runs.steps == 150


def test_rejaxs_pendulum_is_the_environments(many_seeds):
    """Oracle: the peers' pendulum, itself checked against the built-in kernel; over an episode and its end."""
    import jax

    from peers import _pendulum, rejax_

    pendulum, key = rejax_.Pendulum(), jax.random.key(0)
    observation, state = pendulum.reset(key, pendulum.default_params)
    for step, action in enumerate(np.random.default_rng(0).integers(0, 3, 200)):
        theta, omega = float(state.theta), float(state.omega)
        np.testing.assert_allclose(observation, _pendulum.observe(theta, omega), atol=1e-6)
        observation, state, reward, done, _ = pendulum.step(key, state, action, pendulum.default_params)
        theta, omega, expected = _pendulum.step(theta, omega, int(action))
        assert float(reward) == pytest.approx(expected, abs=1e-6)
        assert bool(done) == (step == 199)
        if not done:
            assert (float(state.theta), float(state.omega)) == pytest.approx((theta, omega), abs=1e-5)
    assert int(state.length) == 0


def test_threads_show_rejax_beside_ours(many_seeds, monkeypatch):
    monkeypatch.setattr(threads, "EPISODES", 1)
    session = Session(suite.stopwatch(), seconds=0, peers=("rejax",))
    names = [figure.name for figure in threads.figures(session)]
    case = f"{threads.ARCHITECTURE}, 8 seeds, adam"
    assert names[-3:] == [f"{case}, ours in two threads", f"{case}, rejax", f"{case}, rejax: ours is faster by"]
    assert "compiled in" in session.facts["peer rejax"]
