"""Writes docs/which_architecture.md from a table of learning curves: what to take, by task and budget.

    python tools/architecture_page.py table/table.npz > docs/which_architecture.md

No sentence in the page depends on the data; its tables do.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence

from nasdqn_fast import Table
from nasdqn_fast.cli.table_summary import budgets
from nasdqn_fast.study.table import METRICS
from nasdqn_fast.study.table.spread import choice, spread

HEAD = """# Which architecture should I take?

Made by `python tools/architecture_page.py` from [a table of learning curves](table.md): {architectures} architectures,
{seeds} seeds, {episodes:,} episodes. For each task and budget: the architecture with the highest mean return over the
last 100 episodes, its standard error, and the smallest architecture that is no more than one standard error of a
difference below. Take the smallest: it trains faster, and the best of many means is partly luck. *Failures* are runs
that came less than half of the way from the first ten episodes to the best mean.
"""
SIGNAL = """
## How much there is to choose

Standard deviation between architectures and between the seeds of one; the share is what architectures explain of the
variance of single runs. Where it is small, it hardly matters what you take, and another seed does as much.
"""


def page(table: Table) -> Iterator[str]:
    """The lines of the page."""
    seeds = len(table.search_seeds(table.tasks[0]) + table.final_seeds(table.tasks[0]))
    yield HEAD.format(architectures=len(table.space), seeds=seeds, episodes=table.episodes)
    yield from _row(
        "task", "episodes", "best", "return", "smallest as good", "its return", "failures of the best", "of all"
    )
    yield from _row(*["---"] * 8)
    for task in table.tasks:
        for episodes in budgets(table):
            take = choice(table, task, episodes)
            best = f"{take.best}", f"{take.mean:.1f} ± {take.error:.1f}"
            smallest = f"{take.smallest}", f"{take.smallest_mean:.1f}"
            yield from _row(
                f"`{task}`", episodes, *best, *smallest, f"{take.failures:.0%}", f"{take.failures_of_all:.0%}"
            )
    yield SIGNAL
    yield from _row("task", "score", "mean", "between", "within", "share")
    yield from _row(*["---"] * 6)
    for task in table.tasks:
        for metric in METRICS:
            found = spread(table, task, metric)
            numbers = (f"{number:.1f}" for number in (found.mean, found.between, found.within))
            yield from _row(f"`{task}`", metric, *numbers, f"{found.reliability:.2f}")


def _row(*cells: object) -> Iterator[str]:
    yield f"| {' | '.join(map(str, cells))} |"


def main(arguments: Sequence[str]) -> None:
    """Prints the page."""
    print("\n".join(page(Table.load(*arguments))))


if __name__ == "__main__":
    main(sys.argv[1:])
