"""What an estimator is given, and what it may return."""

import numpy as np
import pytest

from nasdqn_fast.errors import InputError, NonFiniteError
from nasdqn_fast.estimators.base import apply, make
from nasdqn_fast.testing.estimators import make_segment


def test_the_segment_before_is_found_by_the_starts():
    segment = make_segment((2, 3, 4), lambda episode: episode)
    assert segment.curve.tolist() == list(range(9))
    assert segment.previous.tolist() == [2, 3, 4]
    assert segment.returns.tolist() == [5, 6, 7, 8]


def test_before_the_first_segment_there_is_none():
    assert make_segment((2,)).previous is None


@pytest.mark.parametrize(
    ("score", "got"), [(None, "NoneType None"), ("1", "str .1."), (np.nan, "nan"), (np.inf, "inf"), ([1.0], "list")]
)
def test_a_score_that_is_no_finite_number_is_refused_with_the_estimators_name(score, got):
    def careless(segment):
        return score

    with pytest.raises(
        InputError, match=rf"estimator '{__name__}:.*careless' must return a finite number: .*{got}"
    ) as raised:
        apply(make(careless), make_segment((2,)))
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize("score", [1, np.float32(1), np.int64(1)])
def test_any_real_number_is_a_score(score):
    assert apply(make(lambda segment: score), make_segment((2,))) == 1.0


def test_a_run_that_diverged_has_no_score():
    with pytest.raises(NonFiniteError, match="non-finite return in a segment of 2x32-relu"):
        apply(make("mean-return"), make_segment((2,), lambda episode: np.inf))


@pytest.mark.parametrize("estimator", ["json:dump", "math:pi", lambda segment, more: 1.0])
def test_what_cannot_be_an_estimator_is_refused(estimator):
    with pytest.raises(InputError, match=r"estimator .* must be a function of one argument, the segment"):
        make(estimator)
