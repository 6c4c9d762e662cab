"""Copying the overlapping leading block of every layer. Observations have 3 numbers, actions are 2."""

import numpy as np
import pytest

from nasdqn_fast.space import Architecture
from nasdqn_fast.testing.transfers import make_switch, trained_network
from nasdqn_fast.transfers.fresh import fresh
from nasdqn_fast.transfers.overlap import overlap

# Old, new, {layer of new: layer of old that has the same place}; the head is the last layer.
CASES = [
    ("2x8-relu", "2x8-relu", {0: 0, 1: 1, 2: 2}),
    ("2x8-relu", "2x17-tanh", {0: 0, 1: 1, 2: 2}),
    ("2x17-relu", "2x8-relu", {0: 0, 1: 1, 2: 2}),
    ("2x8-relu", "4x5-relu", {0: 0, 1: 1, 4: 2}),
    ("4x5-relu", "2x8-relu", {0: 0, 1: 1, 2: 4}),
    ("9,4-relu", "4,9-relu", {0: 0, 1: 1, 2: 2}),
    ("1x1-relu", "1x6-relu", {0: 0, 1: 1}),
]


@pytest.mark.parametrize(("before", "after", "places"), CASES)
def test_what_the_old_layer_has_is_copied_and_the_rest_is_new(backend, before, after, places):
    """Oracle: element by element, the old layer's if it reaches so far, else the generator's initial weight."""
    old, architecture = trained_network(backend, before), Architecture.parse(after)
    new = overlap(make_switch(old, after, 8)).network
    initial = fresh(make_switch(old, after, 8)).network
    for layer in range(architecture.depth + 1):
        for kind in ("weights", "biases"):
            carried = getattr(new, kind)[layer]
            rest = getattr(initial, kind)[layer]
            source = getattr(old, kind)[places[layer]] if layer in places else np.empty((0,) * rest.ndim)
            for index in np.ndindex(carried.shape):
                reaches = all(i < n for i, n in zip(index, source.shape, strict=True))
                assert carried[index] == (source if reaches else rest)[index]


def test_the_rest_is_not_zero():
    """Of a wider network's weights, those without a predecessor are initial ones, drawn for its own width."""
    new = overlap(make_switch(trained_network("numpy", "1x8-relu"), "1x100-relu")).network
    assert np.std(new.weights[0][:, 8:]) == pytest.approx(np.sqrt(2 / 3), rel=0.2)
    assert np.std(new.weights[1][8:]) == pytest.approx(np.sqrt(2 / 100), rel=0.2)
