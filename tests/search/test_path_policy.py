"""The policy over paths: its gradient is the analytic one, and on toy scores it settles on what is best."""

import itertools

import numpy as np
import pytest

from nasdqn_fast.search.path_policy import PathPolicy
from nasdqn_fast.space import SearchSpace

GRID = SearchSpace.grid((1, 2), (4, 8, 16), ("relu", "tanh"))
LIST = SearchSpace(["1x4-relu", "8,4-tanh", "2x8-relu", "3x4-tanh"])


def policy(space=GRID, *, rate=0.5, entropy=0.0, seed=None):
    made = PathPolicy(space, rate=rate, entropy=entropy)
    if seed is not None:
        made.logits = np.random.default_rng(seed).normal(size=len(made.logits))
    return made


def test_over_a_grid_it_is_a_softmax_of_each_field():
    """Oracle: the product of three softmaxes, written out."""
    made = policy(seed=0)
    softmax = {}
    for field in ("depth", "width", "activation"):
        of_field = {value: logit for (name, value), logit in zip(made.parts, made.logits, strict=True) if name == field}
        total = sum(np.exp(logit) for logit in of_field.values())
        softmax[field] = {value: np.exp(logit) / total for value, logit in of_field.items()}
    expected = [
        softmax["depth"][one.depth] * softmax["width"][one.widths[0]] * softmax["activation"][one.activation]
        for one in GRID
    ]
    np.testing.assert_allclose(made.probabilities, expected)
    assert made.marginals["width 8"] == pytest.approx(softmax["width"][8])


@pytest.mark.parametrize("space", [GRID, LIST])
def test_its_gradient_is_the_analytic_one(space):
    """Oracle: central differences of J = sum pi S + entropy H(pi); the mean is over all draws of two."""
    made, scores = policy(space, entropy=0.3, seed=1), np.random.default_rng(2).normal(size=len(space))
    p, mean = made.probabilities, np.zeros_like(made.logits)
    for i, j in itertools.product(range(len(space)), repeat=2):
        pair = scores[[i, j]]
        mean += p[i] * p[j] * made.gradient([i, j], pair - pair[::-1])

    def objective(logits):
        made.logits = logits
        q = made.probabilities
        return q @ scores - 0.3 * q @ np.log(q)

    at = made.logits.copy()
    for k in range(len(at)):
        step = 1e-6 * (np.arange(len(at)) == k)
        slope = (objective(at + step) - objective(at - step)) / 2e-6
        assert mean[k] == pytest.approx(slope, abs=1e-8)


def test_it_draws_by_its_probabilities():
    """Oracle: shares of 20,000 draws, within four standard deviations of a binomial."""
    made = policy(LIST, seed=3)
    shares = np.bincount(made.draw(20_000, np.random.default_rng(0)), minlength=len(LIST)) / 20_000
    spread = np.sqrt(made.probabilities * (1 - made.probabilities) / 20_000)
    assert np.all(abs(shares - made.probabilities) < 4 * spread)


@pytest.mark.quick_only(scale=1e3)
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
def test_it_settles_on_good_paths_whatever_the_scale_of_scores(scale):
    """200 toy tasks of additive effects with noise, 60 steps of four draws; 0 is the mean of all paths, 1 the best."""
    gained = []
    for seed in range(200):
        rng = np.random.default_rng(seed)
        made = policy(entropy=0.01)
        effects = dict(zip(made.parts, rng.normal(size=len(made.parts)), strict=True))
        of = [(("depth", one.depth), ("width", one.widths[0]), ("activation", one.activation)) for one in GRID]
        worth = np.array([sum(effects[part] for part in parts) for parts in of])
        worth = (worth - worth.mean()) / (worth.max() - worth.mean())
        for _ in range(60):
            drawn = made.draw(4, rng)
            made.learn(drawn, scale * (worth[drawn] + rng.normal(scale=0.2, size=4)) - 50 * scale)
        gained.append(made.probabilities @ worth)
    assert np.mean(gained) > 0.7
    assert np.quantile(gained, 0.05) > 0


def test_equal_scores_move_nothing_and_its_state_is_kept():
    made = policy()
    made.learn([0, 3, 3], np.array([5.0, 5.0, 5.0]))
    assert not made.logits.any()
    made.learn([0, 3, 3], np.array([5.0, 7.0, 7.0]))
    other = policy()
    other.set_state(made.get_state())
    for one in (made, other):
        one.learn([1, 2], np.array([1.0, 2.0]))
    np.testing.assert_array_equal(made.logits, other.logits)
    assert made.best == other.best


def test_one_architecture_leaves_nothing_to_learn():
    made = policy(SearchSpace(["1x4-relu"]), entropy=0.1)
    made.learn(made.draw(3, np.random.default_rng(0)), np.array([1.0, 1.0, 1.0]))
    assert made.probabilities.tolist() == [1.0]
