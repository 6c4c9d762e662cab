"""What every test stands on: the installed package, and a choice of CPU targets."""

import os
import signal
import sys

import pytest
from hypothesis import settings

# Under nohup it is ignored, also by the commands that are tested.
signal.signal(signal.SIGHUP, signal.SIG_DFL)

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


@pytest.fixture(params=cpu.available())
def cpu_target(request: pytest.FixtureRequest):
    """Every CPU target of this machine in turn; networks made in the test use it."""
    before = cpu.current()
    cpu.select(request.param)
    yield request.param
    cpu.select(before)
