"""``nasdqn-fast search``: a controller and a budget of trials, which are short runs, or rows of a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from nasdqn_fast.cli.naming import naming
from nasdqn_fast.cli.options import (
    PluginOption,
    PluginOptionType,
    SectionedCommand,
    given,
    parse_plugin_options,
    setting_options,
)
from nasdqn_fast.config import TABLES
from nasdqn_fast.errors import InputError

if TYPE_CHECKING:
    from rich.console import Console

    from nasdqn_fast.study.search.found import FoundByTrials
    from nasdqn_fast.study.table.search import TableSearch

# Settings that are arguments of the command, or that would make trials of unequal length.
_OWN = ("method", "seed", "episodes", "estimator", "steps", "stop_at_threshold", "from_", "switch_every")
_WITH_TABLE = ("table", "metric")
_WITH_RUNS = ("final_seeds", "threads", "shard", "scheduler", "config", "score")


def _setting_options(command: click.Command) -> click.Command:
    """Adds the settings of runs and controllers, without the options of the run's estimator."""
    setting_options(command, but=_OWN)
    command.params = [
        param for param in command.params if not isinstance(param, PluginOption) or param.name != TABLES[2].keyword
    ]
    return command


@_setting_options
@click.command(cls=SectionedCommand, short_help="Search for an architecture by trials: short runs, or a table's rows.")
@click.option(
    "--method",
    "methods",
    default="random-nas",
    show_default=True,
    help="Names of `list methods`, or module:attribute of controllers; with commas between, several. On a table also "
    "all: those that search, as a league.",
)
@click.option("--trials", type=int, default=50, show_default=True, help="Trials of a search.")
@click.option(
    "--estimator",
    default=None,
    help="What a trial is worth: a name of `list trial-estimators`, or module:attribute. "
    "[default: low-fidelity; on a table full-training]",
)
@click.option(
    "--estimator-option",
    type=PluginOptionType(),
    multiple=True,
    help="An option of the estimator; repeatable; `list trial-estimators NAME` shows them.",
)
@click.option("--seeds", type=click.IntRange(min=1), default=1, show_default=True, help="Searches of each method.")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the first search.")
@click.option("--episodes", type=int, help="Episodes of full training.  [default: 2000; all that the table has]")
@click.option("--out", type=click.Path(path_type=Path), help="Directory.  [default: search; on a table none]")
@click.option("--final-seeds", type=int, help="Runs of full training of what is found; 0: none.  [default: 10]")
@click.option("--score", help="What a run is worth at its end: a name of `list estimators`.  [default: mean-return]")
@click.option("--threads", type=click.INT, help="Searches, or final runs, at a time.  [default: one for each core]")
@click.option("--shard", metavar="K/N", help="Run share K of N, then what no other process has.")
@click.option("--scheduler", metavar="ADDRESS", help="Run on the workers of this Dask scheduler.")
@click.option("--config", type=click.Path(path_type=Path), help="TOML file with settings; options override it.")
@click.option(
    "--on-table", "task", metavar="TASK", help="Search on a table, this task; `tabulate --summary` shows them."
)
@click.option("--table", help="A table: its path, or the name of a shipped one.  [default: paper]")
@click.option(
    "--metric",
    help="On a table, what a score is: final (mean of the last 100 episodes), area (of all), greedy (the last "
    "evaluation).  [default: final]",
)
def command(
    methods: str,
    trials: int,
    estimator: str | None,
    estimator_option: tuple[tuple[str, str], ...],
    seeds: int,
    seed: int,
    episodes: int | None,
    out: Path | None,
    task: str | None,
    **options: Any,
) -> None:
    """Spend a budget of trials on short runs, train what is found in full, and report its return (docs/search.md).

    With --on-table, trials are looked up in a table of learning curves (docs/table.md), in milliseconds: the regret is
    that of the architecture with the highest mean score over its trials, on seeds that no search sees.
    """
    from nasdqn_fast.cli.display import screen
    from nasdqn_fast.options import parse_options
    from nasdqn_fast.plugins import find
    from nasdqn_fast.study.cells import split_names

    for name in _WITH_TABLE if task is None else _WITH_RUNS:
        if options[name] is not None:
            other = "goes with --on-table" if task is None else "does not go with --on-table"
            raise InputError(f"--{name.replace('_', '-')} {other}; drop one of the two")
    about: dict[str, Any] = {"trials": trials, "episodes": episodes, "seed": seed, "seeds": seeds}
    about["estimator"] = estimator or ("low-fidelity" if task is None else "full-training")
    texts = dict(estimator_option)
    about["trial_estimator_options"] = parse_options(
        find("trial-estimators", about["estimator"]), texts, f"trial estimator {about['estimator']!r}"
    )
    if not (names := split_names(methods)):
        raise InputError(f"--method must name at least one; got {methods!r}")
    if task is None:
        _by_runs(screen(), names, out, about, options)
    else:
        _on_table(screen(), names, out, task, about, options)


def _by_runs(
    console: Console, methods: Sequence[str], out: Path | None, about: Mapping[str, Any], options: dict[str, Any]
) -> None:
    from nasdqn_fast.cli.output import say
    from nasdqn_fast.cli.study_display import study_display
    from nasdqn_fast.study import api as studies
    from nasdqn_fast.study.cells import parse_name
    from nasdqn_fast.study.search import api

    first, _ = parse_name("method", methods[0])
    here = {name: options.pop(name) for name in (*_WITH_TABLE, *_WITH_RUNS)}
    env, score = options.pop("env"), here["score"]
    settings = parse_plugin_options(
        here["config"], given(options) | ({"method": first} if options["controller_options"] else {})
    )
    settings.pop("method", None)
    out = Path(api.OUT) if out is None else out
    final_seeds = api.FINAL_SEEDS if here["final_seeds"] is None else here["final_seeds"]
    with study_display(console) as show, naming("trials", "final_seeds", "threads"):
        found, ended = api.run_searches(
            methods,
            env,
            trials=about["trials"],
            estimator=about["estimator"],
            trial_estimator_options=about["trial_estimator_options"],
            seeds=about["seeds"],
            seed=about["seed"],
            final_seeds=final_seeds,
            config=here["config"],
            out=out,
            options={"episodes": about["episodes"], "score": score} | settings,
            shard=here["shard"],
            threads=here["threads"],
            scheduler=here["scheduler"],
            show=show,
        )
    if ended.noted:
        say(f"warning: {studies.noted(ended)}")
    if ended.failed:
        say(f"{len(ended.failed):,} failed; the same command tries again")
        raise click.exceptions.Exit(1)
    ended_searches = [each for searched in found.values() for each in searched]
    if len(ended_searches) < about["seeds"] * len(found) or any(len(e.finals) < final_seeds for e in ended_searches):
        console.print("other processes have some; the same command continues when they have ended", soft_wrap=True)
        return
    _show_found(console, found, out)


def _show_found(console: Console, found: Mapping[str, Sequence[FoundByTrials]], out: Path) -> None:
    from rich.table import Table as Grid

    from nasdqn_fast.cli.display import literal, with_interval

    grid = Grid("method", "search", "best", "final return", "steps of trials")
    for method, searched in found.items():
        for each in searched:
            score = with_interval(each.final_score, each.final_interval) if len(each.finals) else ""
            grid.add_row(literal(method), str(each.seed), str(each.best), score, f"{each.cost['steps']:,}")
    console.print(grid)
    if n := len(next(iter(found.values()))[0].finals):
        text = f"final return: mean of the last 100 episodes over {n} runs of full training on seeds that no trial has"
        console.print(text, soft_wrap=True)
    console.print(literal(f"searches: {out.absolute()}"), soft_wrap=True)


def _on_table(
    console: Console,
    methods: Sequence[str],
    out: Path | None,
    task: str,
    about: dict[str, Any],
    options: dict[str, Any],
) -> None:
    from nasdqn_fast.cli.league import show_league
    from nasdqn_fast.study.table import Table, league, search_files
    from nasdqn_fast.study.table.search import search_table

    table, metric = options.pop("table") or "paper", options.pop("metric") or "final"
    for name in _WITH_RUNS:
        options.pop(name)
    if out is not None:
        out = search_files.check_free(out)
    data = Table.load(table)
    how = {name: about[name] for name in ("trials", "episodes", "estimator", "trial_estimator_options")}
    options = given(options)
    found: dict[str, list[TableSearch]] = {}
    for method in league.expanded(methods):
        chosen = parse_plugin_options(None, options | {"method": method})
        found[method] = []
        for number in range(about["seed"], about["seed"] + about["seeds"]):
            with naming("trials", "episodes", "metric"):
                search = search_table(data, task, seed=number, metric=metric, **how, **chosen)
            found[method].append(search)
            if search.latencies:  # measured by the first, and the same for all
                chosen["reward_latencies"] = options["reward_latencies"] = search.latencies
    _show(console, task, found)
    if league.ALL in methods:
        show_league(console, found)
    if out is not None:
        names = ("trials", "seed", "episodes", "estimator")
        told = {"table": table, "task": task, "metric": metric, **{name: about[name] for name in names}}
        search_files.write(out, told, found)
        league.write(out, found)


def _show(console: Console, task: str, found: Mapping[str, Sequence[TableSearch]]) -> None:
    from rich.table import Table as Grid

    from nasdqn_fast.cli.display import literal, with_interval
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
            *(with_interval(summary[name], summary[f"{name}_interval"]) for name in ("final_score", "regret")),
            f"{summary['steps']:,.0f}",
        )
    console.print(grid)
    optimum = next(iter(found.values()))[0].optimum
    console.print(literal(f"{task}: the best final score of all is {optimum:.1f}"), soft_wrap=True)
