"""What a switch costs: at once, in the 200 episodes after it, in chains of nine, and in whole runs of both searches.

    python bench/transfers.py at-once --seeds 3       # all 702 pairs of architectures
    python bench/transfers.py afterwards --rounds 1   # 20 pairs of each class of change, beside the references
    python bench/transfers.py chains
    python bench/transfers.py runs
    python bench/transfers.py report                  # docs/figures/transfers.png, and the tables of docs/transfers.md

Each takes an hour or more. Rows are written when they are there and not measured again, so that a command continues
what was stopped, and more seeds or rounds add to what there is. Tuning seeds; they are not reported elsewhere.

Hypotheses, written before the first run of this script:

1. At once, `distill` loses less than 1 % of the return in the median of every class of change.
2. In the 200 episodes after it, training returns are within 5 of going on without a switch, in every class, and not
   below it on average. `fresh`, `matching` and `overlap` are more than 5 below it.
3. After 600 episodes the new network learns on better than the same architecture from scratch does in its first 200.
4. Chains of nine switches end within 2 % of no switch.
5. Both searches with `distill` and the whole memory kept end within 5 of the fixed medium network, with Adam and with
   the paper's SGD; with `matching` they do not.
"""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from pathlib import Path

from switching import afterwards, at_once, chains, report, whole_runs
from switching.sources import TASKS, TRANSFERS

OUT = Path(__file__).parents[1] / "docs" / "figures"
TRAINED = 600  # episodes of a source run


def main(arguments: Sequence[str] | None = None) -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--out", type=Path, default=OUT, help="folder of the tables and the figure")
    parser.add_argument("--jobs", type=_positive, default=2, help="processes; default: 2")
    parts = parser.add_subparsers(dest="part", required=True)

    part = parts.add_parser("at-once", help="greedy return before and after a switch, all pairs")
    _task(part)
    _seeds(part, 10)
    part.add_argument("--stages", default="150,600", help="episodes of training after which it switches")

    part = parts.add_parser("afterwards", help="training returns in the episodes after a switch")
    _task(part)
    part.add_argument("--rounds", type=_positive, default=10, help="source runs of each pair, at most 10; default: 10")
    part.add_argument("--trained", type=_positive, default=TRAINED, help="episodes before the switch")
    part.add_argument("--after", type=_positive, default=afterwards.AFTER, help="episodes after it")
    part.add_argument(
        "--transfers",
        default=",".join([*afterwards.REFERENCES, *TRANSFERS]),
        help="those that make it, and references: %(default)s",
    )

    part = parts.add_parser("chains", help="nine switches of one agent")
    _task(part)
    _seeds(part, 10)
    part.add_argument("--trained", type=_positive, default=TRAINED, help="episodes before the first")
    part.add_argument("--between", type=_positive, default=60, help="episodes after each")
    part.add_argument("--transfers", default="none,distill,fresh,matching", help="default: %(default)s")

    part = parts.add_parser("runs", help="whole runs of both searches")
    part.add_argument("--setting", choices=[*TASKS, "paper"], default="upright", help="a task with Adam, or the paper")
    _seeds(part, 5)
    part.add_argument("--episodes", type=_positive, default=2_000, help="of a run of ten segments")
    part.add_argument("--widths", default="32,64,128", help="of the architectures that are searched")

    parts.add_parser("report", help="draw the figure and print the tables")
    options = parser.parse_args(arguments)
    table = {name: options.out / f"transfers_{name}.csv" for name in ("at_once", "afterwards", "chains", "runs")}
    jobs = options.jobs
    if options.part == "at-once":
        stages = tuple(map(int, options.stages.split(",")))
        at_once.measure(table["at_once"], options.task, stages, range(options.seeds), jobs)
    elif options.part == "afterwards":
        transfers = options.transfers.split(",")
        afterwards.measure(
            table["afterwards"], options.task, options.trained, options.rounds, transfers, options.after, jobs
        )
    elif options.part == "chains":
        transfers, seeds = options.transfers.split(","), range(options.seeds)
        chains.measure(table["chains"], options.task, options.trained, options.between, transfers, seeds, jobs)
    elif options.part == "runs":
        seeds = range(options.seeds)
        whole_runs.measure(table["runs"], options.setting, options.episodes, options.widths, seeds, jobs)
    else:
        report.write(table, options.out / "transfers.png")


def _positive(text: str) -> int:
    value = int(text)
    if value < 1:
        raise argparse.ArgumentTypeError(f"{value} is below 1")
    return value


def _task(part: argparse.ArgumentParser) -> None:
    part.add_argument("--task", choices=TASKS, default="upright", help="default: upright")


def _seeds(part: argparse.ArgumentParser, n: int) -> None:
    part.add_argument("--seeds", type=_positive, default=n, help=f"0, 1, ...; default: {n}")


if __name__ == "__main__":
    main()
