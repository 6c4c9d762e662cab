"""Trial estimators that train: how long, from whose weights, and what they predict."""

import numpy as np
import pytest

from nasdqn_fast.errors import InputError
from nasdqn_fast.testing.trial_estimators import SPACE, curve_of, make_trial, run_trials
from nasdqn_fast.trial_estimators.base import apply, make
from nasdqn_fast.trial_estimators.learning_curve import extrapolated
from nasdqn_fast.types import Cost, Proposal, Result


def trained_by(name, options=None, earlier=(), episodes=400):
    """Score, and (episodes, parent) of each training."""
    told = []
    trial = make_trial(SPACE[2], earlier, episodes, trained=lambda n, parent: told.append((n, parent)))
    return apply(make(name, options or {}), trial), told


def result_of(score, returns):
    return Result(Proposal(SPACE[0], "turn"), SPACE[0], score, np.zeros(returns), Cost(0, 0, 0, 0))


@pytest.mark.parametrize(
    ("name", "options", "episodes"),
    [
        ("full-training", {}, 400),
        ("low-fidelity", {}, 100),
        ("low-fidelity", {"episodes": 30}, 30),
        ("low-fidelity", {"episodes": 999}, 400),
        ("inherit", {"episodes": 7}, 7),
    ],
)
def test_it_trains_for_so_long_and_gives_the_runs_score(name, options, episodes):
    score, told = trained_by(name, options)
    assert told == [(episodes, None)]
    assert score == curve_of(SPACE[2])[:episodes][-100:].mean()


@pytest.mark.parametrize(("parent", "number"), [("best", 2), ("last", 3)])
def test_weights_are_inherited_from_a_trial_that_was_trained(parent, number):
    earlier = [result_of(1.0, 5), result_of(9.0, 5), result_of(4.0, 5), result_of(99.0, 0)]
    assert trained_by("inherit", {"parent": parent}, earlier)[1] == [(100, number)]


@pytest.mark.parametrize("model", ["pow3", "exp3"])
def test_a_curve_of_the_models_own_form_is_extrapolated_to_its_end(model):
    """Oracle: the curve itself. A rolling mean of one episode leaves it as it is."""
    pytest.importorskip("scipy")
    t = np.arange(1, 1001) / 1000
    curve = 80 - 30 * (t**-0.4 if model == "pow3" else np.exp(-6 * t))
    assert extrapolated(curve[:250], 1000, model, 1) == pytest.approx(curve[-100:].mean(), rel=1e-3)


def test_the_fit_is_that_of_scipys_curve_fit():
    optimize = pytest.importorskip("scipy.optimize")
    t = np.arange(1, 201) / 800
    curve = 50 - 4 * t**-0.7 + np.random.default_rng(0).normal(0, 2, 200)
    (a, b, c), _ = optimize.curve_fit(lambda t, a, b, c: a - b * t**-c, t, curve, p0=(40, 5, 1))
    expected = (a - b * (np.arange(701, 801) / 800) ** -c).mean()
    assert extrapolated(curve, 800, "pow3", 1) == pytest.approx(expected, rel=1e-3)


def test_a_level_curve_stays_where_it_is():
    assert extrapolated(np.full(100, 7.0), 400, "pow3", 10) == pytest.approx(7.0)


def test_the_last_value_is_the_baseline():
    score, told = trained_by("learning-curve", {"model": "last-value", "window": 20})
    assert told == [(100, None)]
    assert score == curve_of(SPACE[2])[80:100].mean()


@pytest.mark.parametrize("model", ["gp", "ridge"])
def test_the_surrogate_trains_the_first_trials_and_predicts_the_others(model):
    """Scores that are a sum of what depth, width and activation add are predicted well from six of eight."""
    pytest.importorskip("sklearn")

    def level(architecture):
        return 10 * architecture.depth + 2 * architecture.widths[0] + 5 * (architecture.activation == "tanh")

    order = [SPACE[i] for i in (0, 3, 5, 6, 1, 2, 4, 7)]
    made = make("surrogate", {"model": model, "trials": 6, "alpha": 0.01})
    results = run_trials(made, order, returns=lambda architecture: np.full(40, float(level(architecture))))
    assert [len(result.returns) for result in results] == [40] * 6 + [0, 0]
    for result in results[6:]:
        assert result.score == pytest.approx(level(result.architecture), abs=2.0)


def test_ridge_is_the_solution_of_its_normal_equations():
    """Spelled out with the features, centred, and a free intercept."""
    pytest.importorskip("sklearn")
    from nasdqn_fast.trial_estimators.surrogate import described

    results = run_trials(make("surrogate", {"model": "ridge", "trials": 7}), list(SPACE))
    x, y = described(list(SPACE), SPACE), np.array([result.score for result in results[:7]])
    middle = x[:7].mean(axis=0)
    centred = x[:7] - middle
    weights = np.linalg.solve(centred.T @ centred + np.eye(x.shape[1]), centred.T @ (y - y.mean()))
    assert results[7].score == pytest.approx(y.mean() + (x[7] - middle) @ weights)


def test_a_missing_package_is_one_line(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "sklearn", None)
    monkeypatch.setitem(__import__("sys").modules, "sklearn.linear_model", None)
    with pytest.raises(InputError, match=r"sklearn is not installed.*nasdqn-fast\[search\]"):
        run_trials(make("surrogate", {"model": "ridge", "trials": 2}), list(SPACE))
