"""How a quality and a cost become one number.

A quality is a return in units of a range, so that 0 and 1 are its ends; a cost is a multiple of a target. Quality may
be negative. In every form a higher quality is better; in `additive` and `multiplicative` a lower cost is, in
`absolute` one that is nearer to the target.
"""

from __future__ import annotations

from collections.abc import Callable


def additive(quality: float, cost: float, weight: float) -> float:
    """Q - w c."""
    return quality - weight * cost


def multiplicative(quality: float, cost: float, weight: float) -> float:
    """Q c^-w, MnasNet's (Tan et al. 2019, arXiv:1807.11626), and Q c^w where Q is negative.

    With the same power on both sides of zero, a negative quality would be the better, the larger the network is.
    """
    return float(quality * cost ** (-weight if quality >= 0 else weight))


def absolute(quality: float, cost: float, weight: float) -> float:
    """Q - w |c - 1|, TuNAS's (Bender et al. 2020, arXiv:2008.06120)."""
    return quality - weight * abs(cost - 1)


FORMS: dict[str, Callable[[float, float, float], float]] = {
    "additive": additive,
    "multiplicative": multiplicative,
    "absolute": absolute,
}
