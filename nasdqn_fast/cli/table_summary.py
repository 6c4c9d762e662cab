"""What a table of learning curves has to say, as tables on the screen."""

from __future__ import annotations

from rich.console import Console
from rich.table import Column
from rich.table import Table as Grid

from nasdqn_fast.study.table import METRICS, Table
from nasdqn_fast.study.table.spread import choice, spread

BUDGETS = (100, 200, 300, 600)  # episodes


def show_summary(console: Console, table: Table) -> None:
    """The spread between and within architectures, then what to take, by task and budget."""
    seeds = len(table.search_seeds(table.tasks[0]) + table.final_seeds(table.tasks[0]))
    console.print(f"{len(table.space)} architectures, {seeds} seeds, {table.episodes:,} episodes", soft_wrap=True)
    grid = _grid("task", "score", "mean", "between", "within", "signal", "share")
    for task in table.tasks:
        for metric in METRICS:
            found = spread(table, task, metric)
            numbers = (found.mean, found.between, found.within, found.signal)
            grid.add_row(task, metric, *(f"{number:.1f}" for number in numbers), f"{found.reliability:.2f}")
    console.print(grid)
    grid = _grid("task", "after", "best", "final", "as good, smallest", "fail", "(all)")
    for task in table.tasks:
        for episodes in budgets(table):
            take = choice(table, task, episodes)
            final, failures = f"{take.mean:.1f} ± {take.error:.1f}", f"{take.failures:.0%}"
            names = str(take.best), final, str(take.smallest)
            grid.add_row(task, f"{episodes:,}", *names, failures, f"{take.failures_of_all:.0%}")
    console.print(grid)


def budgets(table: Table) -> list[int]:
    """Episodes after which to compare, the table's own at last."""
    return [*(budget for budget in BUDGETS if budget < table.episodes), table.episodes]


def _grid(*names: str) -> Grid:
    """Without lines, so that 80 columns are enough."""
    return Grid(*(Column(name, no_wrap=True) for name in names), box=None, padding=(0, 2, 0, 0))
