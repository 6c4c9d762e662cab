"""Sine and cosine for environments: the same bits in plain Python, compiled, and in the lanes of a vector.

The C library's pair is a call, which keeps a loop over episodes from being vectorised, and its last bit differs
between systems. This one is additions, subtractions and products only, in an order that no compiler may change.
"""

import math

LIMIT = 1e6  # rad; beyond it `sine_and_cosine` is NaN

# Adding and subtracting 1.5 * 2**52 rounds to a whole number, 1.5 * 2**53 to an even one; of two that are equally near,
# the second takes the multiple of four.
_WHOLE = 1.5 * 2.0**52
_EVEN = 1.5 * 2.0**53

# pi/2 in three parts, the first two of 33 bits: their products with whole numbers below 2**20 are exact (Cody and
# Waite 1980). The parts and the polynomials for |r| <= pi/4 are those of fdlibm 5.3 (Sun Microsystems 1993):
# e_rem_pio2.c, k_sin.c, k_cos.c.
_QUARTERS = 2.0 / math.pi
_HIGH, _MIDDLE, _LOW = 1.57079632673412561417e00, 6.07710050630396597660e-11, 2.02226624879595063154e-21
_S1, _S2, _S3 = -1.66666666666666324348e-01, 8.33333333332248946124e-03, -1.98412698298579493134e-04
_S4, _S5, _S6 = 2.75573137070700676789e-06, -2.50507602534068634195e-08, 1.58969099521155010221e-10
_C1, _C2, _C3 = 4.16666666666666019037e-02, -1.38888888888741095749e-03, 2.48015872894767294178e-05
_C4, _C5, _C6 = -2.75573143513906633035e-07, 2.08757232129817482790e-09, -1.13596475577881948265e-11


def sine_and_cosine(x):
    """sin x and cos x, for x in rad, each within 2.5 units in the last place of the true value; 1.5 for |x| <= pi.

    Odd and even to the last bit, with 0.0 for the sine of -0.0. NaN where |x| > `LIMIT`, and for infinities and NaN.
    Without a branch: what a quarter of a turn is to swap and negate is a multiplication by 0, 1 or -1, which is exact.
    """
    x = float(x)  # NumPy's scalars are several times slower in plain Python
    quarter = (x * _QUARTERS + _WHOLE) - _WHOLE
    r = ((x - quarter * _HIGH) - quarter * _MIDDLE) - quarter * _LOW
    r = r if abs(x) <= LIMIT else math.nan

    z = r * r
    zz = z * z
    # Estrin's form: a chain of half as many operations as Horner's, and one step is a chain.
    sine_series = (_S1 + z * _S2) + zz * ((_S3 + z * _S4) + zz * (_S5 + z * _S6))
    cosine_series = (_C1 + z * _C2) + zz * ((_C3 + z * _C4) + zz * (_C5 + z * _C6))
    sine = r + (r * z) * sine_series
    half = 0.5 * z
    one = 1.0 - half
    cosine = one + (((1.0 - one) - half) + zz * cosine_series)  # with what the rounding of `one` lost

    # The sine and cosine of a = quarter * pi/2, each 0, 1 or -1; then those of a + r.
    sin_a = quarter - ((quarter + _EVEN) - _EVEN)
    following = quarter + 1.0
    cos_a = following - ((following + _EVEN) - _EVEN)
    return cos_a * sine + sin_a * cosine, cos_a * cosine - sin_a * sine
