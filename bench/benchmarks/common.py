"""What the benchmark files share. What they time is `nasdqn_fast.benchmarking`'s; here is only asv's face on it."""

from nasdqn_fast.benchmarking import suite
from nasdqn_fast.benchmarking.case import Case
from nasdqn_fast.benchmarking.figure import Figure
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import ARCHITECTURES

NAMES = [str(architecture) for architecture in ARCHITECTURES]


def session(seconds: float = 0.1) -> Session:
    """One that measures for so long."""
    return Session(suite.stopwatch(), seconds)


def measured(case: Case) -> Figure:
    """The figure of one case by the package's own clock, which leaves disturbed repeats out."""
    return session().measure("asv", [case])[0]
