"""Training steps a second over the network's width and depth: a table and, with matplotlib, a figure.

    python bench/curves.py                       # docs/figures/width_depth.csv and .png
    python bench/curves.py --widths 32,33 --depths 2 --out /tmp/curves

Takes two to three minutes. The last line names the table. Widths that are no multiple of a vector (17, 100) are among
the defaults: a cliff there would be a fault.
"""

from __future__ import annotations

import argparse
import csv
from collections.abc import Sequence
from pathlib import Path

from nasdqn_fast.benchmarking import machine, suite
from nasdqn_fast.benchmarking.figure import Figure
from nasdqn_fast.benchmarking.groups import training_step
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.space import Architecture

WIDTHS = (8, 12, 16, 17, 24, 32, 48, 64, 96, 100, 128, 160, 192, 256)
DEPTHS = (1, 2, 3, 4, 5, 6)
OUT = Path(__file__).parents[1] / "docs" / "figures" / "width_depth"

Curves = dict[int, list[tuple[int, Figure]]]  # depth -> (width, figure)


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--widths", type=numbers, default=WIDTHS)
    parser.add_argument("--depths", type=numbers, default=DEPTHS)
    parser.add_argument("--seconds", type=float, default=0.5, help="for each width of a depth")
    parser.add_argument("--out", type=Path, default=OUT, help="name without .csv and .png")
    options = parser.parse_args(arguments)

    machine.pin()
    session = Session(suite.stopwatch(), options.seconds * len(options.widths))
    curves = {depth: curve(session, depth, options.widths) for depth in options.depths}
    options.out.parent.mkdir(parents=True, exist_ok=True)
    table = options.out.with_suffix(".csv")
    write(table, curves)
    draw(options.out.with_suffix(".png"), curves)
    print(table)


def numbers(text: str) -> tuple[int, ...]:
    return tuple(int(number) for number in text.split(","))


def curve(session: Session, depth: int, widths: Sequence[int]) -> list[tuple[int, Figure]]:
    """The widths of one depth, timed in turn."""
    cases = [training_step.case(Architecture.uniform(depth, width, "relu")) for width in widths]
    return list(zip(widths, session.measure("curves", cases), strict=True))


def write(path: Path, curves: Curves) -> None:
    with path.open("w", encoding="utf-8", newline="") as file:
        rows = csv.writer(file, lineterminator="\n")
        rows.writerow(("depth", "width", "steps_per_second", "low", "high", "roofline_share"))
        for depth, points in curves.items():
            for width, figure in points:
                rates = (f"{rate:.0f}" for rate in (figure.value, figure.low, figure.high))
                rows.writerow((depth, width, *rates, f"{figure.share:.4f}"))


def draw(path: Path, curves: Curves) -> None:
    """Steps a second and the share of the arithmetic limit, both over the width."""
    try:
        import matplotlib.figure
    except ModuleNotFoundError:
        print("no figure: pip install 'nasdqn-fast[report]' for matplotlib")
        return
    figure = matplotlib.figure.Figure(figsize=(10, 4), layout="constrained")
    rates, shares = figure.subplots(1, 2)
    for depth, points in curves.items():
        widths = [width for width, _ in points]
        rates.plot(widths, [point.value for _, point in points], marker=".", label=f"{depth} layers")
        shares.plot(widths, [100 * (point.share or 0) for _, point in points], marker=".")
    rates.set(xscale="log", yscale="log", xlabel="width", ylabel="training steps/s")
    shares.set(xscale="log", xlabel="width", ylabel="% of the FMA peak", ylim=(0, 100))
    for axes in (rates, shares):
        axes.set_xticks(WIDTHS, labels=[str(width) for width in WIDTHS], rotation=90)
        axes.minorticks_off()
        axes.grid(alpha=0.3)
    rates.legend()
    figure.savefig(path, dpi=120)


if __name__ == "__main__":
    main()
