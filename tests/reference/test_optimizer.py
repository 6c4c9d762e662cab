"""The NumPy optimisers against the formulas, one parameter at a time in Python's own numbers."""

import math

import numpy as np
import pytest

from nasdqn_fast.reference import Optimizer

GRADIENTS = [[0.5, -3.0, 1e-9], [-0.25, 2.0, 0.0], [1.0, -1.0, -1e-3]]


def test_sgd_subtracts_the_clipped_gradient():
    parameters = np.array([1.0, 2.0, 3.0])
    Optimizer("sgd", learning_rate=0.1, clip=0.4).step(parameters, np.array([0.5, -3.0, 0.25]))
    np.testing.assert_allclose(parameters, [1 - 0.04, 2 + 0.04, 3 - 0.025], rtol=1e-15)


def test_adam_is_algorithm_1_of_kingma_and_ba():
    optimizer = Optimizer("adam", learning_rate=0.1, clip=1.5, beta1=0.8, beta2=0.9, epsilon=1e-3)
    parameters = np.array([1.0, 2.0, 3.0])
    expected = [1.0, 2.0, 3.0]
    m, v = [0.0] * 3, [0.0] * 3
    for t, gradient in enumerate(GRADIENTS, start=1):
        optimizer.step(parameters, np.array(gradient))
        for i, g in enumerate(min(max(g, -1.5), 1.5) for g in gradient):
            m[i] = 0.8 * m[i] + 0.2 * g
            v[i] = 0.9 * v[i] + 0.1 * g * g
            expected[i] -= 0.1 * (m[i] / (1 - 0.8**t)) / (math.sqrt(v[i] / (1 - 0.9**t)) + 1e-3)
    np.testing.assert_allclose(parameters, expected, rtol=1e-13)
    assert optimizer.steps == 3


def test_adams_first_step_has_the_learning_rates_length():
    """m_hat / sqrt(v_hat) = sign(g) at t = 1, whatever the gradient's size."""
    parameters = np.zeros(2, np.float32)
    Optimizer("adam").step(parameters, np.array([0.9, -1e-3], np.float32))
    np.testing.assert_allclose(parameters, [-2.5e-4, 2.5e-4], rtol=1e-4)
    assert parameters.dtype == np.float32


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_a_state_taken_and_given_back_goes_on_as_if_never_stopped(kind):
    whole, resumed = Optimizer(kind), Optimizer(kind)
    a = np.ones(3)
    for gradient in GRADIENTS[:2]:
        whole.step(a, np.array(gradient))
    b = a.copy()
    resumed.set_state(whole.get_state())
    whole.step(a, np.array(GRADIENTS[2]))
    resumed.step(b, np.array(GRADIENTS[2]))
    assert a.tobytes() == b.tobytes()
    assert resumed.steps == 3


def test_a_state_of_another_kind_is_refused():
    with pytest.raises(ValueError, match="the state is that of 'adam', this optimizer is 'sgd'"):
        Optimizer("sgd").set_state(Optimizer("adam").get_state())


def test_adam_does_not_follow_another_network_until_reset():
    optimizer = Optimizer("adam")
    optimizer.step(np.ones(3), np.ones(3))
    with pytest.raises(ValueError, match=r"the optimizer has followed 3 parameters; got 4; call reset\(\)"):
        optimizer.step(np.ones(4), np.ones(4))
    optimizer.reset()
    optimizer.step(np.ones(4), np.ones(4))
    assert optimizer.steps == 1
