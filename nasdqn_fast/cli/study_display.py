"""The display of a study: one live line on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator

from rich.console import Console
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from nasdqn_fast.cli.display import literal, minutes, within
from nasdqn_fast.cli.output import dispensable, printable, say
from nasdqn_fast.study.progress import Progress
from nasdqn_fast.study.study import Study

REFRESH = 0.2  # s between two drawings
PLAIN_EVERY = 30.0  # s between two lines where nothing can be redrawn

Show = Callable[[Progress], None]


@contextlib.contextmanager
def study_display(console: Console) -> Iterator[Show]:
    """A function that shows how far the study is, and says at once which trials have failed.

    Args:
        console: a terminal is redrawn in place, anything else gets lines.
    """
    said: set[str] = set()
    with contextlib.ExitStack() as stack:
        draw: Show | None = None
        with dispensable("the display is off", "the study goes on"):
            draw = stack.enter_context(_live(console)) if console.is_terminal else _plain(console)

        def show(progress: Progress) -> None:
            nonlocal draw
            for trial, why in list(progress.failed.items())[len(said) :]:
                said.add(trial.name)
                say(f"{progress.what} {trial.name} failed: {why}")
            if draw is not None:
                shown, draw = draw, None  # unless it works
                with dispensable("the display is off", "the study goes on"):
                    shown(progress)
                    draw = shown

        yield show


def line(progress: Progress) -> str:
    """The progress of the study, and the time left."""
    parts = [progress.headline, f"{progress.share:.0%}"]
    if progress.closed:
        parts.append("saving")
    elif (left := progress.seconds_left) is not None:
        parts.append(f"{minutes(left)} left")
    if progress.busy:
        parts.append(f"{len(progress.busy):,} elsewhere")
    if progress.failed:
        parts.append(f"{len(progress.failed):,} failed")
    return " | ".join(parts)


def show_end(console: Console, study: Study, progress: Progress) -> None:
    """What there is now, in a line or two."""
    with dispensable("the end cannot be shown", "the study is in its folder"):
        took = minutes(time.perf_counter() - progress.started)
        console.print(literal(f"{line(progress)} | {took} taken".replace(" | 0:00 left", "")), soft_wrap=True)
        if progress.busy:
            console.print(f"{len(progress.busy):,} {progress.several} are being run by other processes", soft_wrap=True)
        if len(study.looks) > 1:
            text = "the number of seeds was raised after the first look: verdicts are exploratory"
            console.print(text, soft_wrap=True)
        console.print(literal(f"study: {study.folder}"), soft_wrap=True)


@contextlib.contextmanager
def _live(console: Console) -> Iterator[Show]:
    preparing = Text("preparing: the first run of an environment compiles it and computes its optimum")
    with Live(within(console, preparing), console=console, auto_refresh=False, transient=True) as live:
        due = 0.0

        def show(progress: Progress) -> None:
            nonlocal due
            now = time.perf_counter()
            if now >= due:
                due = now + REFRESH
                row = Table.grid(Column(ratio=1), Column(no_wrap=True), padding=(0, 1), expand=True)
                text = Text(printable(line(progress)), no_wrap=True, overflow="ellipsis")
                row.add_row(ProgressBar(total=1.0, completed=progress.share), text)
                live.update(within(console, row), refresh=True)

        yield show


def _plain(console: Console) -> Show:
    due = time.perf_counter() + PLAIN_EVERY

    def show(progress: Progress) -> None:
        nonlocal due
        now = time.perf_counter()
        if now >= due:
            due = now + PLAIN_EVERY
            console.print(literal(line(progress)), soft_wrap=True)

    return show
