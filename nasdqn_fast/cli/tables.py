"""The tables at the end of a run and of an evaluation."""

from __future__ import annotations

import shlex

from rich.console import Console
from rich.table import Column, Table
from rich.text import Text

from nasdqn_fast.cli.display import literal, minutes
from nasdqn_fast.cli.output import dispensable
from nasdqn_fast.metrics import FINAL_EPISODES, ROLLING_WINDOW
from nasdqn_fast.run.evaluation import Evaluation
from nasdqn_fast.run.result import RunResult, Segment

RANKED = 5  # rows of a ranking


def show_run(console: Console, result: RunResult) -> None:
    """The paper's four metrics, the segments, and where the time went."""
    with dispensable("the tables cannot be shown", "the run is finished"):
        _show_run(console, result)


def _show_run(console: Console, result: RunResult) -> None:
    if result.metrics is not None:  # else it was stopped before its first episode had ended
        console.print(_metrics_table(result))
    console.print(_segments_table(console, result.segments))
    if result.ranking:
        console.print(_ranking_table(result))
    times, steps = result.times, int(result.episodes.lengths.sum())
    console.print(
        f"wall time {minutes(times.total)} ({times.total:.1f} s), {times.search_share:.2%} of it search; "
        f"{steps / times.total:,.0f} steps/s",
        soft_wrap=True,
    )
    if result.status != "finished":
        how = f"nasdqn-fast resume {shlex.quote(str(result.out))} --episodes N"
        console.print(literal(f"{result.status}; to go on: {how}"), soft_wrap=True)
    console.print(literal(f"run directory: {result.out}"), soft_wrap=True)


def show_evaluation(console: Console, evaluation: Evaluation) -> None:
    """Mean, SD, extremes and regret of the greedy policy; the first number is the mean return."""
    returns = evaluation.returns
    rows = {
        "mean": returns.mean(),
        "standard deviation": returns.std(),
        "min": returns.min(),
        "max": returns.max(),
        "regret": evaluation.regret,
    }
    table = Table("greedy policy", "return")
    for name, value in rows.items():
        if value is not None:
            table.add_row(name, f"{value:.2f}")
    console.print(table)
    console.print(f"{len(returns):,} episodes, network of {evaluation.source}", soft_wrap=True, markup=False)


def _metrics_table(result: RunResult) -> Table:
    metrics, episodes = result.metrics, len(result.episodes)
    assert metrics is not None, "a finished run has at least one episode"
    last = min(FINAL_EPISODES, episodes)
    threshold, reached = result.environment.kernel.threshold, metrics.episodes_to_threshold
    table = Table("metric", "value")
    table.add_row(f"final performance (mean of the last {last})", f"{metrics.final_mean:.2f}")
    table.add_row("stability (standard deviation of the same)", f"{metrics.final_std:.2f}")
    if threshold is not None:
        table.add_row(
            f"episodes until the {ROLLING_WINDOW}-episode mean exceeds {threshold:g}",
            f"not within {episodes:,}" if reached is None else f"{reached:,}",
        )
    table.add_row("best episode", f"{metrics.best:.2f}")
    if result.final_regret is not None:
        table.add_row(f"regret at the end (optimum {result.optimum:.1f})", f"{result.final_regret:.2f}")
        table.add_row("regret, mean over the run", f"{result.mean_regret:.2f}")
    return table


def _segments_table(console: Console, segments: tuple[Segment, ...]) -> Table:
    """One row a segment; what the transfer did is left out where there is no room for it."""
    rows = [_row(number, segment) for number, segment in enumerate(segments, start=1)]

    def table(columns: int) -> Table:
        episodes, score = Column("episodes", no_wrap=True), Column("score", no_wrap=True)
        architecture = Column("architecture", overflow="fold")
        table = Table(*("#", episodes, architecture, "reason", score, "kept", "Q moved by")[:columns])
        for row in rows:
            table.add_row(*row[:columns])
        return table

    whole = table(7)
    unbounded = console.options.update(max_width=10_000)
    return whole if console.measure(whole, options=unbounded).maximum <= console.width else table(5)


def _ranking_table(result: RunResult) -> Table:
    """The best architectures of a supernet; all are in architectures.jsonl."""
    first = result.ranking[:RANKED]
    heading = f"best {len(first)} of {len(result.ranking)}"
    table = Table(heading, "architecture", f"mean of {result.config.search.supernet_score_episodes} greedy episodes")
    for place, (architecture, score) in enumerate(first, start=1):
        table.add_row(str(place), str(architecture), f"{score:.2f}")
    if (decided := result.best_network.architecture) != first[0][0]:
        table.caption = f"decided for by the policy: {decided}"
    return table


def _row(number: int, segment: Segment) -> tuple[str | Text, ...]:
    report = segment.transfer
    return (
        str(number),
        f"{segment.first:,}-{segment.last:,}",
        str(segment.architecture),
        literal(segment.reason),
        "" if segment.score is None else f"{segment.score:.2f}",
        "" if report is None else f"{report.kept:.0%}",
        "" if report is None or report.q_change_mean is None else f"{report.q_change_mean:.3g}",
    )
