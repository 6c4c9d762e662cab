"""The optimizers of both backends against the formulas, one parameter at a time in Python's own numbers."""

import math

import numpy as np
import pytest

# Large and small, clipped and not, zero; as many as a 1x1 network from 1 to 1 has parameters.
GRADIENTS = [[0.5, -3.0, 1e-9, 0.25], [-0.25, 2.0, 0.0, -1.5], [1.0, -1.0, -1e-3, 1e6]]
START = [1.0, 2.0, 3.0, -4.0]


def follow(engine, optimizer, gradients, parameters=START):
    """The parameters after a step down each of these gradients."""
    network = engine.QNetwork("1x1-relu", 1, 1)
    network.parameters = np.array(parameters, np.float32)
    gradient = network.loss_and_gradient(np.zeros((1, 1), np.float32), np.zeros(1, int), np.zeros(1, np.float32))[1]
    for values in gradients:
        views = [view for layer in zip(gradient.weights, gradient.biases, strict=True) for view in layer]
        for view, value in zip(views, values, strict=True):
            view[...] = value
        network.apply_gradient(gradient, optimizer)
    return network.parameters


def test_sgd_subtracts_the_clipped_gradient(engine):
    optimizer = engine.Optimizer("sgd", learning_rate=0.1, clip=0.4)
    found = follow(engine, optimizer, [[0.5, -3.0, 0.25, 0.0]])
    np.testing.assert_allclose(found, [1 - 0.04, 2 + 0.04, 3 - 0.025, -4], rtol=1e-7)
    assert optimizer.steps == 1


def test_a_gradient_is_scaled_down_to_the_norm(engine, cpu_target):
    """As torch.nn.utils.clip_grad_norm_: by clip / (norm + 1e-6), where that is below 1; and the argument stays."""
    optimizer = engine.Optimizer("sgd", learning_rate=0.1, clip=2.5, clip_by="norm")
    found = follow(engine, optimizer, [[3.0, -4.0, 0.0, 0.0]], [0, 0, 0, 0])
    np.testing.assert_allclose(found, [-0.1 * 3 * 2.5 / 5.000001, 0.1 * 4 * 2.5 / 5.000001, 0, 0], rtol=2e-7)
    found = follow(engine, optimizer, [[1.2, -1.6, 0.0, 0.0]], [0, 0, 0, 0])
    np.testing.assert_allclose(found, [-0.12, 0.16, 0, 0], rtol=1.5e-7)
    assert optimizer.steps == 2


def test_adam_follows_the_gradient_that_was_scaled(engine, cpu_target):
    scaled = engine.Optimizer("adam", clip=2.5, clip_by="norm", epsilon=1.0)
    plain = engine.Optimizer("adam", clip_by="none", epsilon=1.0)
    found = follow(engine, scaled, [[3.0, -4.0, 0.0, 0.0]])
    expected = follow(engine, plain, [[3 * 2.5 / 5.000001, -4 * 2.5 / 5.000001, 0.0, 0.0]])
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_the_norm_of_a_large_gradient_does_not_overflow(engine, cpu_target):
    optimizer = engine.Optimizer("sgd", learning_rate=1.0, clip=5.0, clip_by="norm")
    found = follow(engine, optimizer, [[3e30, -4e30, 0.0, 0.0]], [0, 0, 0, 0])
    np.testing.assert_allclose(found, [-3, 4, 0, 0], rtol=1e-6)


def test_a_gradient_that_is_not_clipped_stays_as_it_is(engine, cpu_target):
    optimizer = engine.Optimizer("sgd", learning_rate=0.1, clip=0.4, clip_by="none")
    found = follow(engine, optimizer, [[0.5, -300.0, 1e6, 0.0]], [0, 0, 0, 0])
    np.testing.assert_allclose(found, [-0.05, 30, -1e5, 0], rtol=1e-6)


def test_without_an_optimizer_it_is_the_papers_clipped_descent(engine):
    """Learning rate 1e-3, clip 1."""
    found = follow(engine, None, [[0.5, -3.0, 50.0, 0.0]], [0, 0, 0, 0])
    np.testing.assert_allclose(found, [-5e-4, 1e-3, -1e-3, 0], rtol=1e-6)


@pytest.mark.parametrize("steps", [1, 3, 30])
def test_adam_is_algorithm_1_of_kingma_and_ba(engine, cpu_target, steps):
    optimizer = engine.Optimizer("adam", learning_rate=0.1, clip=1.5, beta1=0.8, beta2=0.9, epsilon=1e-3)
    gradients = (GRADIENTS * 10)[:steps]
    expected, m, v = [*START], [0.0] * 4, [0.0] * 4
    for t, gradient in enumerate(gradients, start=1):
        for i, g in enumerate(min(max(g, -1.5), 1.5) for g in gradient):
            m[i] = 0.8 * m[i] + 0.2 * g
            v[i] = 0.9 * v[i] + 0.1 * g * g
            expected[i] -= 0.1 * (m[i] / (1 - 0.8**t)) / (math.sqrt(v[i] / (1 - 0.9**t)) + 1e-3)
    found = follow(engine, optimizer, gradients)
    # A step is 0.1 with a rounding error of some 1e-7 of it, and float32 holds numbers below 8 to 2.4e-7.
    np.testing.assert_allclose(found, expected, rtol=0, atol=steps * 4e-7)
    assert optimizer.steps == steps


def test_moments_that_decay_become_zero_and_never_subnormal(engine, cpu_target):
    """A dead unit's gradient stays zero; subnormal moments would slow every later step down many times."""
    optimizer = engine.Optimizer("adam", beta1=0.8, beta2=0.9)
    tiny = np.finfo(np.float32).tiny
    parameters = follow(engine, optimizer, [[0.5, -3.0, 1e-9, 0.25]])
    for _ in range(40):
        parameters = follow(engine, optimizer, [[0.0] * 4] * 20, parameters)
        for moment in (optimizer.get_state()["m"], optimizer.get_state()["v"]):
            assert not ((moment != 0) & (np.abs(moment) < tiny)).any()
    assert not optimizer.get_state()["m"].any()
    assert not optimizer.get_state()["v"].any()
    np.testing.assert_array_equal(follow(engine, optimizer, [[0.0] * 4], parameters), parameters)


def test_a_moment_that_is_not_a_number_is_not_flushed(engine, cpu_target):
    optimizer = engine.Optimizer("adam")
    assert np.isnan(follow(engine, optimizer, [[np.nan, 0.0, 0.0, 0.0]])[0])


def test_adams_first_step_has_the_learning_rates_length(engine):
    """m_hat / sqrt(v_hat) = sign(g) at t = 1, whatever the gradient's size."""
    found = follow(engine, engine.Optimizer("adam"), [[0.9, -1e-3, 1e3, 0.0]], [0, 0, 0, 0])
    np.testing.assert_allclose(found, [-2.5e-4, 2.5e-4, -2.5e-4, 0], rtol=1e-4)


@pytest.mark.parametrize("kind", ["sgd", "adam"])
def test_a_state_taken_and_given_back_goes_on_as_if_never_stopped(engine, kind):
    whole, resumed = engine.Optimizer(kind), engine.Optimizer(kind)
    middle = follow(engine, whole, GRADIENTS[:2])
    resumed.set_state(whole.get_state())
    assert resumed.get_state()["steps"] == 2
    end = follow(engine, whole, GRADIENTS[2:], middle)
    assert follow(engine, resumed, GRADIENTS[2:], middle).tobytes() == end.tobytes()
    assert resumed.steps == 3


def test_a_state_that_was_given_and_not_used_yet_is_given_back(engine):
    optimizer, other = engine.Optimizer("adam"), engine.Optimizer("adam")
    follow(engine, optimizer, GRADIENTS)
    state = optimizer.get_state()
    other.set_state(state)
    for name in ("m", "v"):
        np.testing.assert_array_equal(other.get_state()[name], state[name])


def test_reset_forgets_all_steps(engine):
    used, fresh = engine.Optimizer("adam"), engine.Optimizer("adam")
    follow(engine, used, GRADIENTS)
    used.reset()
    assert used.steps == 0
    assert follow(engine, used, GRADIENTS).tobytes() == follow(engine, fresh, GRADIENTS).tobytes()


def test_a_state_of_another_kind_is_refused(engine):
    with pytest.raises(ValueError, match="the state is that of 'adam', this optimizer is 'sgd'"):
        engine.Optimizer("sgd").set_state(engine.Optimizer("adam").get_state())


def test_adam_does_not_follow_another_network_until_reset(engine):
    optimizer = engine.Optimizer("adam")
    follow(engine, optimizer, GRADIENTS)
    other = engine.QNetwork("1x2-relu", 1, 1)
    batch = np.zeros((1, 1), np.float32), np.zeros(1, int), np.ones(1, np.float32)
    gradient = other.loss_and_gradient(*batch)[1]
    with pytest.raises(ValueError, match=r"the optimizer has followed .* call reset\(\)"):
        other.apply_gradient(gradient, optimizer)
    optimizer.reset()
    other.apply_gradient(gradient, optimizer)
    assert optimizer.steps == 1


@pytest.mark.parametrize(
    ("arguments", "error", "message"),
    [
        ({"kind": "rmsprop"}, ValueError, "unknown optimizer 'rmsprop': valid: adam, sgd"),
        ({"learning_rate": 0}, ValueError, "learning_rate must be a finite number > 0; got 0.0"),
        ({"clip": "1"}, TypeError, "clip must be a finite number > 0; got str '1'"),
        ({"clip_by": "norms"}, ValueError, "unknown clip_by 'norms': did you mean 'norm'"),
        ({"beta1": 1.0}, ValueError, r"beta1 must be a number in \[0, 1\); got 1.0"),
    ],
)
def test_bad_settings_are_named(engine, arguments, error, message):
    with pytest.raises(error, match=message):
        engine.Optimizer(**arguments)
