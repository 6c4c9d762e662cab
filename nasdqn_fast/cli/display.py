"""The display of a run: two live lines on a terminal, plain lines elsewhere."""

from __future__ import annotations

import contextlib
import sys
import time
from collections import deque
from collections.abc import Callable, Iterator
from typing import TextIO, cast

from rich.console import Console, RenderableType
from rich.constrain import Constrain
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Column, Table
from rich.text import Text

from nasdqn_fast.cli.output import Lasting, dispensable, printable
from nasdqn_fast.events import Asked, Event, Played, Resumed, Transferred, WentBack
from nasdqn_fast.metrics import ROLLING_WINDOW

REFRESH = 0.1  # s between two drawings: what the eye follows, and next to nothing of a second's work
PLAIN_EVERY = 100  # episodes
# Columns left free at the right: the terminal writes ^C there, which would wrap otherwise, and the lines could
# not be erased.
MARGIN = 5


class Progress:
    """The numbers to show, kept up to date by the run's events.

    Args:
        total: episodes of the run.
        steps: environment steps of the run, which then count in place of its episodes.
    """

    def __init__(self, total: int, steps: int | None = None) -> None:
        self.episodes_wanted, self.steps_wanted = total, steps
        self.episodes = 0
        self.steps = self.steps_before = 0  # of this process, and of earlier ones
        self.episodes_before = 0
        self.architecture = ""
        self.last_returns: deque[float] = deque(maxlen=ROLLING_WINDOW)
        self.started = time.perf_counter()

    def __call__(self, event: Event) -> None:
        match event:
            case Asked():
                self.architecture = str(event.proposal.architecture)
            case Transferred():
                self.architecture = str(event.new)
            case Resumed():
                self.architecture = str(event.architecture)
                self.episodes = self.episodes_before = len(event.episodes)
                self.steps_before = int(event.episodes.lengths.sum())
                self.last_returns.extend(event.episodes.returns.tolist())
            case Played():
                self.architecture = str(event.architecture)  # of several networks, the one that acted
                self.episodes += len(event.episodes)
                self.steps += int(event.episodes.lengths.sum())
                self.last_returns.extend(event.episodes.returns.tolist())

    def line(self) -> str:
        """Everything in one line."""
        return " | ".join(filter(None, (self.extent(), self.state())))

    def extent(self) -> str:
        """The progress of the run, and the time left."""
        if self.steps_wanted is None:
            done = f"episode {self.episodes:,} of {self.total:,}"
        else:
            done = f"episode {self.episodes:,}, step {self.done:,} of {self.total:,}"
        now = self.episodes - self.episodes_before if self.steps_wanted is None else self.steps
        if not now:
            return done
        return f"{done} | {minutes(self._elapsed() / now * (self.total - self.done))} left"

    @property
    def total(self) -> int:
        """Episodes of the run, or its steps where these are limited."""
        return self.episodes_wanted if self.steps_wanted is None else self.steps_wanted

    @property
    def done(self) -> int:
        """How many of `total` there have been."""
        return self.episodes if self.steps_wanted is None else self.steps_before + self.steps

    def state(self) -> str:
        """How well and how fast it learns, and what; nothing before the first episode has ended."""
        if not self.last_returns:
            return ""
        mean = sum(self.last_returns) / len(self.last_returns)
        speed = f"{self.steps / self._elapsed():,.0f} steps/s"
        return " | ".join((f"mean of last {len(self.last_returns)}: {mean:.1f}", speed, self.architecture))

    def _elapsed(self) -> float:
        return time.perf_counter() - self.started


def minutes(seconds: float) -> str:
    """Minutes and seconds, as 1:05."""
    whole = round(seconds)
    return f"{whole // 60}:{whole % 60:02d}"


def hours(seconds: float) -> str:
    """Hours, minutes and seconds, as 3:01:05."""
    whole = round(seconds)
    return f"{whole // 3600}:{whole % 3600 // 60:02d}:{whole % 60:02d}"


def screen() -> Console:
    """Standard output, for tables and live lines; losing it ends nothing. Text is shown as it is: nothing is markup."""
    return Console(file=cast(TextIO, Lasting(sys.stdout)), highlight=False, markup=False, emoji=False)


def with_interval(value: float, interval: tuple[float, float] | None, digits: int = 1) -> str:
    """A number, and an interval in brackets if there is one, with so many decimals."""
    text = f"{value:.{digits}f}"
    return text if interval is None else f"{text} [{interval[0]:.{digits}f}, {interval[1]:.{digits}f}]"


def literal(text: str) -> Text:
    """Text of whatever origin, shown as it is."""
    return Text(printable(text))


@contextlib.contextmanager
def display(console: Console, total: int, steps: int | None = None) -> Iterator[Callable[[Event], None]]:
    """A listener that shows the run on this console, and that never raises.

    Args:
        console: a terminal is redrawn in place, anything else gets lines.
        total, steps: as for `Progress`.
    """
    progress = Progress(total, steps)
    picture = _live(console, progress) if console.is_terminal else _plain(console, progress)
    shown = _Dispensable(picture)
    try:
        yield shown
    finally:
        shown.close()


class _Dispensable:
    """A listener that is given up at its first error, with one line; the run goes on.

    Args:
        picture: the listener, as long as something is shown.
    """

    def __init__(self, picture: contextlib.AbstractContextManager[Callable[[Event], None]]) -> None:
        self._shown = contextlib.ExitStack()
        self._listener: Callable[[Event], None] | None = None
        with self._giving_up():
            self._listener = self._shown.enter_context(picture)

    def __call__(self, event: Event) -> None:
        if self._listener is not None:
            with self._giving_up():
                self._listener(event)

    def close(self) -> None:
        """Removes what is shown."""
        with self._giving_up():
            self._shown.close()

    @contextlib.contextmanager
    def _giving_up(self) -> Iterator[None]:
        with dispensable("the display is off", "the run goes on"):
            try:
                yield
            except Exception:
                self._listener = None
                with contextlib.suppress(Exception):
                    self._shown.close()
                raise


@contextlib.contextmanager
def _live(console: Console, progress: Progress) -> Iterator[Callable[[Event], None]]:
    # Drawn from the training thread and only when due: rich's own refreshing thread would compete for the GIL.
    preparing = _line("preparing: the first run of an environment compiles it and computes its optimum")
    with Live(within(console, preparing), console=console, auto_refresh=False, transient=True) as live:
        due = 0.0

        def listener(event: Event) -> None:
            nonlocal due
            progress(event)
            now = time.perf_counter()
            if now >= due:
                due = now + REFRESH
                # What matters most is shortest: only an architecture may be too long, and it comes last.
                above = Table.grid(Column(ratio=1), Column(no_wrap=True), padding=(0, 1), expand=True)
                bar = ProgressBar(total=progress.total, completed=progress.done)
                above.add_row(bar, _line(progress.extent()))
                picture = Table.grid(expand=True)
                picture.add_row(above)
                picture.add_row(_line(progress.state()))
                live.update(within(console, picture), refresh=True)

        yield listener


def _line(text: str) -> Text:
    return Text(printable(text), no_wrap=True, overflow="ellipsis")


def within(console: Console, picture: RenderableType) -> Constrain:
    """A picture as wide as the console allows."""
    return Constrain(picture, max(console.width - MARGIN, 1))


@contextlib.contextmanager
def _plain(console: Console, progress: Progress) -> Iterator[Callable[[Event], None]]:
    def say_line(text: str) -> None:
        console.print(literal(text), soft_wrap=True)

    def listener(event: Event) -> None:
        before = progress.episodes
        progress(event)
        match event:
            case Asked():
                proposal = event.proposal
                say_line(
                    f"segment {event.segment} from episode {event.episode:,}: "
                    f"{proposal.architecture} ({proposal.reason})"
                )
            case WentBack():
                say_line(f"back to {event.new} of an earlier segment: {event.note}")
            case Resumed():
                done = len(event.episodes)
                say_line(f"segment {event.segment} resumed after episode {done:,}: {event.architecture}")
            case Played() if before // PLAIN_EVERY < progress.episodes // PLAIN_EVERY:
                say_line(progress.line())

    yield listener
