import pytest

from nasdqn_fast.benchmarking.measure import Stopwatch

BRACKET = 0.001  # s, of a machine that nobody else uses


class Machine:
    """A machine whose time is made by hand: its clocks go on only when work says so."""

    def __init__(self):
        self.wall = self.cpu = 0.0
        self.slowness = 1.0  # of the multiply-adds of the brackets

    def work(self, seconds, ran=1.0):
        """Takes that long, the process having a processor for a share of it."""
        self.wall += seconds
        self.cpu += ran * seconds

    def product(self):
        self.work(BRACKET * self.slowness)
        return 5e6  # FLOP

    def stopwatch(self):
        return Stopwatch(self.product, wall=lambda: self.wall, cpu=lambda: self.cpu)


@pytest.fixture
def machine():
    return Machine()
