"""The transfer that carries nothing over."""

import numpy as np

from nasdqn_fast.engine import backends
from nasdqn_fast.testing.transfers import N_ACTIONS, OBSERVATION_SIZE, make_switch, trained_network
from nasdqn_fast.transfers.fresh import fresh


def test_all_weights_are_the_initial_ones_of_the_generator(backend):
    new = fresh(make_switch(trained_network(backend, "2x32-relu"), "2x32-relu", 8)).network
    initial = backends.find(backend).QNetwork("2x32-relu", OBSERVATION_SIZE, N_ACTIONS, np.random.default_rng(8))
    np.testing.assert_array_equal(new.parameters, initial.parameters)
