"""A league of controllers as a table of the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from nasdqn_fast.cli.display import literal, with_interval

if TYPE_CHECKING:
    from rich.console import Console

    from nasdqn_fast.study.table.search import TableSearch


def show_league(console: Console, found: Mapping[str, Sequence[TableSearch]]) -> None:
    """Prints the regret of each method after some trials, beside uniform draws and the expert."""
    from rich.table import Table as Grid

    from nasdqn_fast.study.table.league import EXHAUSTIVE, EXPERT, UNIFORM, exhaustive_regret, expert_regrets, league

    rows = league(found)
    trials = [one.trial for one in rows[0]]
    grid = Grid("method", *(f"after {trial}" for trial in trials), "below uniform", "")
    for row in rows:
        last = row[-1]
        gain = "" if last.method == UNIFORM or last.gain != last.gain else with_interval(last.gain, last.gain_interval)
        earlier = (f"{one.regret:.1f}" for one in row[:-1])
        grid.add_row(
            literal(last.method),
            *earlier,
            with_interval(last.regret, last.interval),
            gain,
            last.verdict if gain else "",
        )
    expert = expert_regrets(found)
    grid.add_row(literal(EXPERT), *(f"{expert[trial - 1]:.1f}" for trial in trials), "", "")
    grid.add_row(literal(EXHAUSTIVE), *([f"{exhaustive_regret(found):.1f}"] * len(trials)), "", "")
    console.print(grid)
    console.print(literal("Regret after so many trials; the expert knows the table, but not its names."))
