"""The fingerprint of a short run."""

from nasdqn_fast.benchmarking.same_result import fingerprint
from nasdqn_fast.space import Architecture

SMALL = Architecture.parse("1x4-relu")


def test_the_same_arithmetic_has_the_same_fingerprint(cpu_target):
    assert fingerprint(SMALL) == fingerprint(SMALL)


def test_other_arithmetic_has_another():
    assert len({fingerprint(SMALL, seed) for seed in range(3)} | {fingerprint(Architecture.parse("1x4-tanh"))}) == 4


def test_a_double_holds_it():
    assert 0 <= fingerprint(SMALL) < 2**48
