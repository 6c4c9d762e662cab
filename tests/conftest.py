"""What every test stands on: the installed package, and a choice of CPU targets."""

import contextlib
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping

import pytest
from hypothesis import settings

# Under nohup the first is ignored, and in the background of a script the second; so they would be by the commands that
# are tested, too.
signal.signal(signal.SIGHUP, signal.SIG_DFL)
if signal.getsignal(signal.SIGINT) == signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)

# One run at a time is tested: more threads than cores would only make the NumPy twin slower.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

# On a busy machine an example that usually takes 5 ms takes 300.
settings.register_profile("nasdqn-fast", deadline=None)
settings.load_profile("nasdqn-fast")

try:
    from nasdqn_fast._core import cpu
except ImportError as error:
    print(error, file=sys.stderr)
    sys.exit(2)  # pytest.exit would show a traceback here


def pytest_configure(config: pytest.Config) -> None:
    """Compiled environments and optima are kept between sessions, but not among the user's."""
    cache = getattr(config, "cache", None)  # -p no:cacheprovider
    if cache is not None:
        os.environ.setdefault("NASDQN_FAST_CACHE_DIR", str(cache.mkdir("nasdqn-fast")))


@pytest.hookimpl(tryfirst=True)  # before -m chooses
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Of a test that has the marker quick_only, the parameters that no such marker names are slow."""
    for item in items:
        representatives = [marker.kwargs for marker in item.iter_markers("quick_only")]
        if representatives and not any(_fits(item, expected) for expected in representatives):
            item.add_marker("slow")


def _fits(item: pytest.Item, expected: Mapping[str, object]) -> bool:
    """Whether an item's parameters, those of its fixtures included, are these; of a set, any."""
    given = item.callspec.params  # type: ignore[attr-defined]
    return all(
        any(given[name] == one for one in (value if isinstance(value, set) else (value,)))
        for name, value in expected.items()
    )


@pytest.fixture(params=cpu.available())
def cpu_target(request: pytest.FixtureRequest):
    """Every CPU target of this machine in turn; networks made in the test use it."""
    before = cpu.current()
    cpu.select(request.param)
    yield request.param
    cpu.select(before)


@pytest.fixture
def at_once() -> Callable[[float], contextlib.AbstractContextManager[None]]:
    """A block that must take less than so many seconds, or longer by as much as other processes take of the cores."""

    @contextlib.contextmanager
    def limit(seconds: float) -> Iterator[None]:
        started, busy = time.monotonic(), os.getloadavg()[0]
        yield
        share = max(1.0, max(busy, os.getloadavg()[0]) / (os.cpu_count() or 1))
        assert time.monotonic() - started < seconds * share

    return limit
