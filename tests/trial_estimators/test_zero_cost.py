"""Scores of networks that have not been trained. Oracles: finite differences, and sums written out."""

import itertools

import numpy as np
import pytest

from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.space import Architecture
from nasdqn_fast.testing.trial_estimators import SIZES, SPACE, make_trial
from nasdqn_fast.trial_estimators.base import apply, make
from nasdqn_fast.trial_estimators.naswot import codes, log_determinant
from nasdqn_fast.trial_estimators.synflow import log_flow

NAMES = ("parameters", "flop", "gradient-norm", "snip", "synflow", "naswot")


def loss_at(network, parameters, batch, targets):
    """Huber loss of chosen actions, written out."""
    moved = network.copy()
    moved.parameters = parameters
    q = moved.forward(batch.observations.astype(np.float64))[np.arange(len(batch)), batch.actions]
    size = np.abs(q - targets)
    return np.where(size <= 1, size**2 / 2, size - 0.5).mean()


@pytest.fixture
def differences():
    """Parameters of a small network, and its gradient by central differences."""
    trial = make_trial(SPACE[0])
    network, batch = trial.network(0), trial.transitions(16)
    following = network.forward(batch.next_observations.astype(np.float64)).max(axis=1)
    targets = batch.rewards + 0.99 * np.where(batch.terminated, 0, following)
    w, step = np.array(network.parameters), 1e-6
    gradient = []
    for i in range(len(w)):
        ends = [loss_at(network, w + side * step * (np.arange(len(w)) == i), batch, targets) for side in (1, -1)]
        gradient.append((ends[0] - ends[1]) / (2 * step))
    return w, np.array(gradient)


def score_of(name, **options):
    return apply(make(name, options), make_trial(SPACE[0]))


def test_the_gradients_norm_and_snip_are_those_of_finite_differences(differences):
    w, gradient = differences
    assert score_of("gradient-norm", draws=1, batch=16) == pytest.approx(np.linalg.norm(gradient), rel=1e-5)
    assert score_of("snip", draws=1, batch=16) == pytest.approx(np.abs(w * gradient).sum(), rel=1e-5)


def test_synaptic_flow_is_the_sum_over_all_paths_and_layers():
    network = QNetwork("3,2-relu", *SIZES, 1, dtype=np.float64)
    sizes = network.architecture.layer_sizes(*SIZES)
    flow = 0.0
    for path in itertools.product(*map(range, sizes)):
        flow += np.prod([abs(w[i, j]) for w, (i, j) in zip(network.weights, itertools.pairwise(path), strict=True)])
    assert log_flow(network) == pytest.approx(np.log(3 * flow))
    assert np.isfinite(log_flow(QNetwork("3-relu", *SIZES, None)))


def test_codes_say_which_units_are_active():
    network = QNetwork("2,1-relu", 1, 1, None, dtype=np.float64)
    network.weights[0][:] = [[1, -1]]
    network.weights[1][:] = [[1], [-1]]
    active = codes(network, np.array([[2.0], [-2.0], [3.0]], np.float32))
    assert active.tolist() == [[True, False, True], [False, True, False], [True, False, True]]
    # K + I: codes 1 and 3 agree in all three units, code 2 in none with either.
    assert log_determinant(active) == pytest.approx(np.log(np.linalg.det([[4, 0, 3], [0, 4, 0], [3, 0, 4]])))


def test_size_is_counted():
    architecture = Architecture.parse("2x8-tanh")
    trial = make_trial(architecture)
    assert apply(make("parameters"), trial) == pytest.approx(np.log(architecture.parameter_count(*SIZES)))
    assert apply(make("flop"), trial) == pytest.approx(np.log(2 * (3 * 8 + 8 * 8 + 8 * 2)))


@pytest.mark.parametrize("name", NAMES)
def test_nothing_is_trained(name):
    def refuse(*training):
        raise AssertionError

    apply(make(name), make_trial(SPACE[3], trained=refuse))


@pytest.mark.parametrize("name", ["gradient-norm", "snip", "synflow", "naswot"])
def test_several_draws_are_averaged(name):
    trial = make_trial(SPACE[3])
    single = []
    for draw in range(3):
        network = trial.network(draw)
        single.append(apply(make(name, {"draws": 1}), _with_network(trial, network)))
    assert apply(make(name, {"draws": 3}), trial) == pytest.approx(np.mean(single))


def _with_network(trial, network):
    from dataclasses import replace

    return replace(trial, network=lambda draw: network)
