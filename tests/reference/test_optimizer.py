"""The NumPy optimisers in float64, to the last digits of the formulas. What both backends share: tests/engine."""

import math

import numpy as np

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
