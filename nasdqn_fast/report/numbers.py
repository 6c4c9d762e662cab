"""Numbers as text, the same everywhere in a report."""

from __future__ import annotations

import math

from nasdqn_fast.statistics.bootstrap import Interval

NOTHING, MINUS = "\N{EN DASH}", "\N{MINUS SIGN}"


def number(value: float, digits: int = 1) -> str:
    """With so many decimals; a dash where it is not known."""
    if math.isnan(value):
        return NOTHING
    if math.isinf(value):
        return "∞" if value > 0 else f"{MINUS}∞"
    return f"{value:.{digits}f}".replace("-", MINUS)


def significant(value: float) -> str:
    """With three significant digits."""
    if math.isnan(value) or math.isinf(value):
        return number(value)
    return f"{value:.3g}".replace("-", MINUS)


def interval(ends: Interval, digits: int = 1) -> str:
    """In brackets."""
    return f"[{number(ends[0], digits)}, {number(ends[1], digits)}]"


def percent(share: float, digits: int = 0) -> str:
    """A share as percent."""
    return NOTHING if math.isnan(share) else f"{100 * share:.{digits}f} %"


def p_value(p: float) -> str:
    """As usual: small ones are only bounded."""
    if math.isnan(p):
        return NOTHING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"
