"""The contract, over every trial estimator in the folder."""

import numpy as np
import pytest

from nasdqn_fast import plugins
from nasdqn_fast.errors import InputError
from nasdqn_fast.testing.trial_estimators import SPACE, TrialEstimatorContract, make_trial
from nasdqn_fast.trial_estimators.base import apply, make

NEEDS = {"surrogate": "sklearn", "learning-curve": "scipy"}


class TestEveryTrialEstimator(TrialEstimatorContract):
    @pytest.fixture(autouse=True, params=plugins.names("trial-estimators"))
    def _choose(self, request):
        if request.param in NEEDS:
            pytest.importorskip(NEEDS[request.param])
        self.estimator = request.param


class Counting:
    def __init__(self):
        self.calls = 0

    def __call__(self, trial):
        self.calls += 1
        return float(self.calls)


def drawing(trial):
    return np.random.random()  # noqa: NPY002


@pytest.mark.parametrize(
    ("plugin", "test"),
    [
        (Counting, "test_the_score_depends_on_the_trial_alone"),
        (drawing, "test_nothing_is_drawn_from_global_generators"),
    ],
)
def test_the_contract_finds_what_breaks_it(plugin, test):
    contract = TrialEstimatorContract()
    contract.estimator = plugin
    with pytest.raises(AssertionError):
        getattr(contract, test)()


@pytest.mark.parametrize("score", [None, "1", np.nan, np.inf])
def test_a_score_that_is_no_finite_number_is_refused_with_the_name(score):
    def careless(trial):
        return score

    with pytest.raises(InputError, match=r"trial estimator '.*careless' must return a finite number"):
        apply(make(careless), make_trial(SPACE[0]))


def test_a_trial_is_trained_once():
    """The second time would cost what nobody counts."""

    def greedy(trial):
        return max(trial.train(n, None).score for n in (10, 20))

    with pytest.raises(InputError, match=r"trial estimator '.*greedy' trains a trial twice; train it once"):
        apply(make(greedy), make_trial(SPACE[0]))


def test_an_unknown_one_is_named():
    with pytest.raises(InputError, match="unknown trial estimator 'synflo': did you mean 'synflow'"):
        make("synflo")
