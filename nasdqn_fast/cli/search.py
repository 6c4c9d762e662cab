"""``nasdqn-fast search``: controllers on a table, in place of training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nasdqn_fast.cli.naming import naming
from nasdqn_fast.cli.options import (
    ListType,
    PluginOption,
    SectionedCommand,
    SettingOption,
    given,
    parse_plugin_options,
)
from nasdqn_fast.config import TABLES, all_settings
from nasdqn_fast.config.plugin_options import SPELLED_OUT

if TYPE_CHECKING:
    from rich.console import Console

    from nasdqn_fast.study.table.search import TableSearch

_CONTROLLER = {name for names in SPELLED_OUT.values() for name in names.values()}


def _controller_options(command: click.Command) -> click.Command:
    """Adds the settings of controllers, and of what they are told."""
    settings = all_settings()
    command.params += [SettingOption(one) for one in settings if one.keyword in {*_CONTROLLER, "max_parameters"}]
    command.params.append(PluginOption(TABLES[0]))
    command.params += [SettingOption(one) for one in settings if one.section == "reward"]
    return command


@_controller_options
@click.command(cls=SectionedCommand)
@click.option("--on-table", "task", required=True, metavar="TASK", help="The task; `tabulate --summary` shows them.")
@click.option("--table", default="paper", show_default=True, help="A table: its path, or the name of a shipped one.")
@click.option(
    "--method",
    "methods",
    type=ListType(str),
    default="random-nas",
    show_default=True,
    help="Names of `list methods`, or module:attribute of controllers; with commas between, several; all: those that "
    "search, as a league.",
)
@click.option("--trials", type=int, default=50, show_default=True, help="Runs that a search may look at.")
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Searches of each method.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the first search.")
@click.option("--episodes", type=int, help="Episodes of a trial.  [default: all that the table has]")
@click.option(
    "--metric",
    default="final",
    show_default=True,
    help="What a score is: final (mean of the last 100 episodes), area (of all), greedy (the last evaluation).",
)
@click.option("--out", type=click.Path(path_type=Path), help="Directory for summary.json and trials.csv.")
def command(
    task: str,
    table: str,
    methods: tuple[str, ...],
    trials: int,
    seeds: int,
    seed: int,
    episodes: int | None,
    metric: str,
    out: Path | None,
    **options: Any,
) -> None:
    """Search with controllers on a table of learning curves (docs/table.md), in milliseconds.

    The regret shown is that of the architecture with the highest mean score, on seeds that no search has seen.
    """
    from nasdqn_fast.cli.display import screen
    from nasdqn_fast.cli.league import show_league
    from nasdqn_fast.study.table import Table, league, search_files
    from nasdqn_fast.study.table.search import search_table, table_latencies

    if out is not None:
        out = search_files.check_free(out)
    data = Table.load(table)
    options = given(options)
    if latencies := table_latencies(data, task, options):  # one table for all searches
        options["reward_latencies"] = latencies
    found = {}
    for method in league.expanded(methods):
        chosen = parse_plugin_options(None, options | {"method": method})
        with naming("trials", "episodes", "metric"):
            found[method] = [
                search_table(data, task, trials=trials, seed=number, episodes=episodes, metric=metric, **chosen)
                for number in range(seed, seed + seeds)
            ]
    _show(screen(), task, found)
    if league.ALL in methods:
        show_league(screen(), found)
    if out is not None:
        about = {"table": table, "task": task, "trials": trials, "seed": seed, "episodes": episodes, "metric": metric}
        search_files.write(out, about, found, latencies)
        league.write(out, found)


def _show(console: Console, task: str, found: Mapping[str, Sequence[TableSearch]]) -> None:
    from rich.table import Table as Grid

    from nasdqn_fast.cli.display import literal
    from nasdqn_fast.study.table.search_files import summary_of

    grid = Grid("method", "best", "final score", "regret", "steps")
    for method, searches in found.items():
        summary = summary_of(searches)
        chosen = [search.best for search in searches]
        usual = max(dict.fromkeys(chosen), key=chosen.count)
        share = "" if len(searches) == 1 else f" ({chosen.count(usual) / len(chosen):.0%})"
        grid.add_row(
            literal(method),
            f"{usual}{share}",
            *(_with_interval(summary[name], summary[f"{name}_interval"]) for name in ("final_score", "regret")),
            f"{summary['steps']:,.0f}",
        )
    console.print(grid)
    optimum = next(iter(found.values()))[0].optimum
    console.print(literal(f"{task}: the best final score of all is {optimum:.1f}"), soft_wrap=True)


def _with_interval(mean: float, interval: tuple[float, float] | None) -> str:
    return f"{mean:.1f}" if interval is None else f"{mean:.1f} [{interval[0]:.1f}, {interval[1]:.1f}]"
