"""Finds the coefficients of tanh.h: tanh x = x P(x^2) / Q(x^2), degrees 4 and 4, on |x| <= 9.02.

Least squares of the relative error, reweighted until it is nearly level (Lawson 1961). From 9.02
on, tanh rounds to 1 in float32. Needs NumPy; takes a second; prints the two lists and the error.
"""

import numpy as np
from numpy.polynomial import Chebyshev, Polynomial
from numpy.polynomial.chebyshev import chebvander

BOUND, DEGREE, ITERATIONS = 9.02, 4, 400


def main() -> None:
    x = BOUND * np.sort(np.r_[0.5 - 0.5 * np.cos(np.pi * (np.arange(4000) + 0.5) / 4000), np.linspace(1e-4, 1, 2000)])
    wanted = np.tanh(x) / x
    basis = chebvander(2 * (x / BOUND) ** 2 - 1, DEGREE)
    weight, q = np.ones_like(x), np.ones_like(x)
    best = (np.inf, np.zeros(2 * DEGREE + 2))
    for _ in range(ITERATIONS):
        # P - wanted Q = 0, linear in the coefficients; the smallest singular vector solves it.
        rows = np.c_[basis / wanted[:, None], -basis] * (np.sqrt(weight) / q)[:, None]
        scale = np.linalg.norm(rows, axis=0)
        solution = np.linalg.svd(rows / scale, full_matrices=False)[2][-1] / scale
        p, q = np.split(solution, 2)
        p, q = basis @ p, basis @ q
        error = np.abs(p / q / wanted - 1)
        if error.max() < best[0]:
            best = (error.max(), solution)
        weight *= 0.3 + error / error.max()
        weight /= weight.mean()
        q = np.abs(q) / np.abs(q).mean()
    powers = BOUND ** (2.0 * np.arange(DEGREE + 1))
    p, q = (Chebyshev(c, domain=[0, 1]).convert(kind=Polynomial).coef / powers for c in np.split(best[1], 2))
    print("P", [f"{c:.9e}" for c in p / q[0]])
    print("Q", [f"{c:.9e}" for c in q / q[0]])
    print(f"largest relative error {best[0]:.1e}")


if __name__ == "__main__":
    main()
