"""Training steps a second over the network's width and depth: a table and, with matplotlib, a figure.

    python bench/curves.py                       # docs/figures/width_depth.csv and .png
    python bench/curves.py --widths 32,33 --depths 2 --out /tmp/curves
    python bench/curves.py --processor-time      # on a machine that has other work

Takes some two minutes. The last line names the table. Widths that are no multiple of a vector (17, 100) are among
the defaults: a cliff there would be a fault.
"""

from __future__ import annotations

import argparse
import csv
import itertools
import time
from collections.abc import Sequence
from pathlib import Path

from nasdqn_fast.benchmarking import machine, suite
from nasdqn_fast.benchmarking.figure import Figure
from nasdqn_fast.benchmarking.groups import training_step
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.space import Architecture

WIDTHS = (8, 12, 16, 17, 24, 32, 48, 64, 96, 100, 128, 160, 192, 256, 512, 1_024)
DEPTHS = (1, 2, 3, 4, 5, 6)
OUT = Path(__file__).parents[1] / "docs" / "figures" / "width_depth"

Points = dict[tuple[int, int], Figure]  # (depth, width) -> steps/s, depth by depth


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--widths", type=numbers, default=WIDTHS)
    parser.add_argument("--depths", type=numbers, default=DEPTHS)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each network")
    parser.add_argument("--out", type=Path, default=OUT, help="name without .csv and .png")
    parser.add_argument("--processor-time", action="store_true", help="not counting when others had the processor")
    options = parser.parse_args(arguments)

    machine.pin()
    shapes = list(itertools.product(options.depths, options.widths))
    stopwatch = suite.stopwatch()
    if options.processor_time:
        stopwatch.wall = time.process_time
    session = Session(stopwatch, options.seconds * len(shapes))
    # All in one session, in turn: a slow spell then takes a repeat of each, not a curve of its own.
    cases = [training_step.case(Architecture.uniform(*shape, "relu")) for shape in shapes]
    points = dict(zip(shapes, session.measure("curves", cases), strict=True))
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table = options.out.with_suffix(".csv")
    write(table, points)
    draw(options.out.with_suffix(".png"), points)
    print(table)


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def write(path: Path, points: Points) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("depth", "width", "steps_per_second", "low", "high", "roofline_share"))
        for shape, figure in points.items():
            rates = (f"{rate:.0f}" for rate in (figure.value, figure.low, figure.high))
            rows.writerow((*shape, *rates, f"{figure.share:.4f}"))


def draw(path: Path, points: Points) -> None:
    """Steps a second and the share of the arithmetic limit, both over the width."""
    try:
        import matplotlib.figure
    except ModuleNotFoundError:
        print("no figure: pip install 'nasdqn-fast[report]' for matplotlib")
        return
    figure = matplotlib.figure.Figure(figsize=(10, 4), layout="constrained")
    rates, shares = figure.subplots(1, 2)
    for depth, shapes in itertools.groupby(points, key=lambda shape: shape[0]):
        widths, curve = zip(*((shape[1], points[shape]) for shape in shapes), strict=True)
        rates.plot(widths, [point.value for point in curve], marker=".", label=str(depth))
        shares.plot(widths, [100 * (point.share or 0) for point in curve], marker=".")
    rates.set(yscale="log", xlabel="width", ylabel="training steps/s")
    shares.set(xlabel="width", ylabel="% of the FMA peak")
    shares.set_ylim(bottom=0)  # above 100 where cached target values save more than the kernels lose
    for axes in (rates, shares):
        axes.set_xscale("log", base=2)
        axes.xaxis.set_major_formatter("{x:.0f}")
        axes.grid(alpha=0.3)
    rates.legend(title="hidden layers")
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
