"""Copying layers of equal shape. Observations have 3 numbers, actions are 2."""

import numpy as np
import pytest

from nasdqn_fast.space import Architecture
from nasdqn_fast.testing.transfers import make_switch, trained_network
from nasdqn_fast.transfers.fresh import fresh
from nasdqn_fast.transfers.matching import matching

# Old, new, {layer of new: layer of old that it is a copy of}; the head is the last layer.
CASES = [
    ("2x64-relu", "2x64-relu", {0: 0, 1: 1, 2: 2}),
    ("2x64-relu", "2x64-tanh", {0: 0, 1: 1, 2: 2}),
    ("2x64-relu", "4x64-relu", {0: 0, 1: 1, 4: 2}),
    ("4x64-relu", "2x64-relu", {0: 0, 1: 1, 2: 4}),
    ("3x64-relu", "3x128-relu", {}),
    ("64,32-relu", "64,17-relu", {0: 0}),
    ("64,32-relu", "100,32-relu", {2: 2}),
    ("64,32-relu", "64,16,32-relu", {0: 0, 3: 2}),
    # Layers 1 and 2 of the new network are 3 x 3 as layer 0 of the old, but not in its place.
    ("1x3-relu", "3x3-relu", {0: 0, 3: 1}),
    # The head is a head, even where a hidden layer would have its shape: 64 x 2.
    ("1x64-relu", "64,2-relu", {0: 0}),
]


@pytest.mark.parametrize(("before", "after", "copies"), CASES)
def test_layers_of_equal_shape_and_place_are_copied_and_the_others_are_new(backend, before, after, copies):
    """Oracle: the table above, and the initial weights that the same generator gives."""
    old, architecture = trained_network(backend, before), Architecture.parse(after)
    new = matching(make_switch(old, after, 8)).network
    initial = fresh(make_switch(old, after, 8)).network
    for layer in range(architecture.depth + 1):
        source, index = (old, copies[layer]) if layer in copies else (initial, layer)
        np.testing.assert_array_equal(new.weights[layer], source.weights[index])
        np.testing.assert_array_equal(new.biases[layer], source.biases[index])
        assert np.any(new.weights[layer] != initial.weights[layer]) == (layer in copies)
