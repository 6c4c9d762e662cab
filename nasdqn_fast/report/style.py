"""How figures look: colours that the colour-blind tell apart, and type that is read at half size."""

from __future__ import annotations

import contextlib
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

# Okabe and Ito 2008. Yellow is left out: on white it is not seen.
BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, BLACK = (
    "#0072B2",
    "#D55E00",
    "#009E73",
    "#CC79A7",
    "#E69F00",
    "#56B4E9",
    "#000000",
)
OF_PAPER = {
    "nas-dqn": VERMILION,
    "random-nas": BLUE,
    "fixed-small": SKY,
    "fixed-medium": GREEN,
    "fixed-large": PURPLE,
}
OTHERS = (ORANGE, BLACK, SKY, GREEN, PURPLE, BLUE, VERMILION)
DASHES: tuple[Any, ...] = ("-", (0, (5, 1.5)), (0, (1.5, 1)), (0, (5, 1.5, 1.5, 1.5)))
MARKERS = "osD^vPX*"
GREY = "0.35"
WIDTH = 6.6  # inches
DPI = 160

_SETTINGS = {
    "font.size": 12,
    "axes.titlesize": 12,
    "axes.labelsize": 12,
    "legend.fontsize": 10.5,
    "xtick.labelsize": 11,
    "ytick.labelsize": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.alpha": 0.25,
    "lines.linewidth": 1.8,
    "svg.hashsalt": "nasdqn-fast",  # the same data give the same file
}


@dataclass(frozen=True)
class Look:
    """How one method is drawn, in all figures."""

    colour: str
    dash: Any
    marker: str


def looks(labels: Iterable[str]) -> dict[str, Look]:
    """The paper's agents have colours of their own; others take the next, and lines of their own when these repeat."""
    result: dict[str, Look] = {}
    others = 0
    for k, label in enumerate(labels):
        colour = OF_PAPER.get(label)
        dash = DASHES[0]
        if colour is None:
            colour = OTHERS[others % len(OTHERS)]
            dash = DASHES[(1 + others // len(OTHERS)) % len(DASHES)]
            others += 1
        result[label] = Look(colour, dash, MARKERS[k % len(MARKERS)])
    return result


def sheet(height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Any, Any]:
    """A figure of the page's width, and its axes as an array."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def references(axes: Any, *, optimum: float, threshold: float, horizontal: bool = True) -> None:
    """Draws the best possible mean return and the threshold, where there are any."""
    line = axes.axhline if horizontal else axes.axvline
    for value, dash, name in ((optimum, "--", "optimum"), (threshold, ":", "threshold")):
        if value == value:
            line(value, color=GREY, linestyle=dash, linewidth=1.4, zorder=0, label=f"{name} {value:.4g}")


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Matplotlib with these settings, during the block."""
    import matplotlib

    with matplotlib.rc_context(_SETTINGS):
        yield
