"""How figures look: colours that the colour-blind tell apart, and type that is read at half size."""

from __future__ import annotations

import contextlib
import itertools
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from nasdqn_fast.study.plan import JOIN

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
    """The paper's agents have colours of their own, whatever their settings; others take the next.

    Where a colour comes again, the line differs.
    """
    result: dict[str, Look] = {}
    used: Counter[str] = Counter()
    others = itertools.cycle(OTHERS)
    for k, label in enumerate(labels):
        colour = OF_PAPER.get(label.partition(JOIN)[0]) or next(others)
        result[label] = Look(colour, DASHES[used[colour] % len(DASHES)], MARKERS[k % len(MARKERS)])
        used[colour] += 1
    return result


def sheet(height: float, rows: int = 1, columns: int = 1, **options: Any) -> tuple[Any, Any]:
    """A figure of the page's width, and its axes as an array."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(WIDTH, height), layout="constrained")
    return figure, figure.subplots(rows, columns, squeeze=False, **options)


def short(label: str) -> str:
    """A label in one line, settings without their sections: ``nas-dqn, transfer=fresh``."""
    method, *settings = label.split(JOIN)
    return ", ".join([method, *(setting.partition(".")[2] or setting for setting in settings)])


def wrapped(label: str, width: int = 24) -> str:
    """`short` in several lines."""
    return "\n".join(textwrap.wrap(short(label), width, break_on_hyphens=False))


def height_of(names: Iterable[str], line: float = 0.27) -> float:
    """Inches that rows with these names need."""
    return sum(0.14 + line * max(2, name.count("\n") + 1) for name in names)


def name_rows(axes: Any, names: Sequence[str]) -> None:
    """Names the rows of a chart, the first on top."""
    axes.set_yticks(range(len(names)), names)
    axes.set_ylim(len(names) - 0.5, -0.5)


def legend(figure: Any, axes: Any) -> None:
    """Below the figure, one column where texts are long; what is drawn in `axes`."""
    handles, labels = axes.get_legend_handles_labels()
    if labels:
        columns = 1 if max(map(len, labels)) > 32 else 2
        figure.legend(handles, labels, loc="outside lower center", ncols=columns, frameon=False)


def references(axes: Any, *, optimum: float, threshold: float, horizontal: bool = True) -> None:
    """Draws the best possible mean return and the threshold, where there are any.

    A threshold above the optimum is named only: no run gets near it.
    """
    line = axes.axhline if horizontal else axes.axvline
    if threshold > optimum:
        axes.plot([], [], " ", label=f"threshold {threshold:.4g}: above the optimum")
        threshold = float("nan")
    for value, dash, name in ((optimum, "--", "optimum"), (threshold, ":", "threshold")):
        if value == value:
            line(value, color=GREY, linestyle=dash, linewidth=1.4, zorder=0, label=f"{name} {value:.4g}")


@contextlib.contextmanager
def styled() -> Iterator[None]:
    """Matplotlib with these settings, during the block."""
    import matplotlib

    with matplotlib.rc_context(_SETTINGS):
        yield
