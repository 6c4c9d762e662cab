"""The sine and cosine of environments. Oracle: whole numbers of 300 bits, by Machin's formula and Taylor's series."""

import math

import numba
import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nasdqn_fast.envs.trigonometry import LIMIT, sine_and_cosine

ONE = 1 << 300
UNITS = 2.5  # the bound that the docstring states, in units in the last place
UNITS_TO_PI = 1.5
within_limit = st.floats(-LIMIT, LIMIT)


def arctangent_of_inverse(n):
    """arctan(1/n) in units of 1/ONE, by its series."""
    power, total, k = ONE // n, 0, 0
    while power:
        total += (-1) ** k * (power // (2 * k + 1))
        power //= n * n
        k += 1
    return total


PI = 16 * arctangent_of_inverse(5) - 4 * arctangent_of_inverse(239)


def exact(x):
    """sin x and cos x in units of 1/ONE, each off by less than 1e-80."""
    numerator, denominator = x.as_integer_ratio()
    angle = (numerator * ONE // denominator + PI) % (2 * PI) - PI
    term, k, sums = ONE, 0, [0, 0]  # even powers make the cosine, odd ones the sine
    while term:
        sums[k % 2] += (-1) ** (k // 2) * term
        k += 1
        term = abs(term) * abs(angle) // (ONE * k)
    cosine, sine = sums
    return (sine if angle >= 0 else -sine), cosine


def units_off(got, wanted):
    """The error in units in the last place of the wanted number, which is in units of 1/ONE."""
    numerator, denominator = got.as_integer_ratio()
    difference = abs(numerator * ONE // denominator - wanted)
    return difference / ONE / math.ulp(wanted / ONE)


def worst(angles):
    return max(max(map(units_off, sine_and_cosine(x), exact(x))) for x in angles)


@pytest.mark.parametrize(
    ("largest", "units"), [(0.8, UNITS_TO_PI), (math.pi, UNITS_TO_PI), (100.0, UNITS), (LIMIT, UNITS)]
)
def test_error_is_within_the_bound_it_states(largest, units):
    angles = np.random.default_rng(0).uniform(-largest, largest, 5_000).tolist()
    assert worst(angles) <= units


def test_error_is_within_the_bound_around_every_quarter_of_a_turn():
    """There sine or cosine is near 0, and what is left of the angle has lost all its leading digits."""
    largest = int(LIMIT / (math.pi / 2))
    quarters = np.unique(np.r_[0:500, np.geomspace(500, largest, 1_000).astype(int)])
    middles = [float(k) * (math.pi / 2) for k in quarters.tolist()]
    assert worst([x for m in middles for x in (math.nextafter(m, -1e9), m, math.nextafter(m, 1e9))]) <= UNITS


def test_error_is_within_the_bound_where_the_polynomials_meet():
    edges = [(k + 0.5) * (math.pi / 2) for k in range(1_000)]
    assert worst([x for e in edges for x in (math.nextafter(e, -1e9), e, math.nextafter(e, 1e9))]) <= UNITS


@given(within_limit)
@example(LIMIT)
@example(5e-324)
@example(math.pi)
def test_error_is_within_the_bound_anywhere(x):
    assert worst([x]) <= (UNITS_TO_PI if abs(x) <= math.pi else UNITS)


@given(within_limit)
def test_sine_is_odd_and_cosine_even_to_the_last_bit(x):
    sine, cosine = sine_and_cosine(x)
    assert sine_and_cosine(-x) == (-sine, cosine)


@given(within_limit)
def test_squares_add_up_to_one(x):
    sine, cosine = sine_and_cosine(x)
    assert sine * sine + cosine * cosine == pytest.approx(1.0, abs=1e-15)


@pytest.mark.parametrize("zero", [0.0, -0.0])
def test_zero_is_exact(zero):
    sine, cosine = sine_and_cosine(zero)
    assert (sine, cosine) == (0.0, 1.0)
    assert math.copysign(1.0, sine) == 1.0


@pytest.mark.parametrize("x", [math.nextafter(LIMIT, math.inf), 1e7, 1e17, 1e308, math.inf, math.nan])
def test_beyond_the_limit_is_nan(x):
    assert all(map(math.isnan, (*sine_and_cosine(x), *sine_and_cosine(-x))))


def test_plain_scalar_and_vectorised_code_give_the_same_bits():
    """Oracle: the plain function."""
    pair = numba.njit(error_model="numpy")(sine_and_cosine)

    @numba.njit(error_model="numpy")
    def loop(angles, sines, cosines):
        for i in range(len(angles)):
            sines[i], cosines[i] = pair(angles[i])

    rng = np.random.default_rng(1)
    far = [LIMIT, 2 * LIMIT, 1e300, math.inf, math.nan, -0.0]
    angles = np.r_[rng.uniform(-4, 4, 5_000), rng.uniform(-LIMIT, LIMIT, 5_001), far]
    sines, cosines = np.empty_like(angles), np.empty_like(angles)
    loop(angles, sines, cosines)
    plain = np.array([sine_and_cosine(x) for x in angles.tolist()])
    single = np.array([pair(x) for x in angles.tolist()])
    assert plain.tobytes() == single.tobytes() == np.stack([sines, cosines], axis=1).tobytes()


@given(within_limit, st.floats(1e-3, 1.0))
def test_a_numpy_scalar_gives_what_a_float_gives(x, scale):
    assert sine_and_cosine(np.float64(x * scale)) == sine_and_cosine(x * scale)
