"""Textbook arithmetic, counted by hand."""

import pytest

from nasdqn_fast.flop import forward_flop, macs, update_flop
from nasdqn_fast.space import Architecture


def test_multiply_adds_of_unequal_layers():
    assert macs(Architecture.parse("5,7-tanh"), 3, 2) == 3 * 5 + 5 * 7 + 7 * 2


def test_a_forward_pass_is_two_operations_a_multiply_add_and_row():
    assert forward_flop(Architecture.parse("5,7-tanh"), 3, 2, rows=10) == 2 * 10 * 64


def test_an_update_is_three_passes_forward_and_two_gradients():
    """The gradient of inputs skips layer 1: nobody asks how the loss depends on the observation."""
    forward, weights, inputs = 3 * 64, 64, 64 - 3 * 5
    assert update_flop(Architecture.parse("5,7-tanh"), 3, 2, batch=10) == 2 * 10 * (forward + weights + inputs)


def test_without_double_dqn_an_update_is_a_pass_less():
    architecture = Architecture.parse("5,7-tanh")
    difference = update_flop(architecture, 3, 2, 10) - update_flop(architecture, 3, 2, 10, double=False)
    assert difference == forward_flop(architecture, 3, 2, rows=10)


@pytest.mark.parametrize(("architecture", "mflop"), [("2x32-relu", 0.77), ("3x64-relu", 5.5), ("4x128-relu", 31.9)])
def test_the_papers_agents_need_this_much_an_update(architecture, mflop):
    """From L and U: 2 N (5 (3U + (L - 1) U^2 + 3U) - 3U) operations, N = 64."""
    assert update_flop(Architecture.parse(architecture), 3, 3, 64) / 1e6 == pytest.approx(mflop, rel=0.01)
