"""What every test stands on: the installed package, and a choice of CPU targets."""

from pathlib import Path

import pytest

WANTED = "tests want the installed package: pip install '.[test]', then pytest (python -m pytest would import the checkout)"
try:
    import nasdqn_fast
    from nasdqn_fast._core import cpu
except ImportError as error:
    pytest.exit(f"{WANTED}; {error}", 2)


def pytest_sessionstart(session: pytest.Session) -> None:
    """The checkout has no compiled core; whatever shadowed the installation would be tested in its place."""
    where = Path(nasdqn_fast.__file__).resolve()
    if where.is_relative_to(Path(__file__).resolve().parents[1]) and "site-packages" not in where.parts:
        pytest.exit(f"{WANTED}; got {where}", 2)


@pytest.fixture(params=cpu.available())
def cpu_target(request: pytest.FixtureRequest):
    """Every CPU target of this machine in turn; networks made in the test use it."""
    before = cpu.current()
    cpu.select(request.param)
    yield request.param
    cpu.select(before)
