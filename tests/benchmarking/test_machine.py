"""What kind of core a report was measured on."""

import pytest

from nasdqn_fast._core import cpu
from nasdqn_fast.benchmarking import machine


@pytest.mark.parametrize(("ratio", "expected"), [(0.97, "one of 512 bits: 0.97 times"), (1.93, "two of 512 bits")])
def test_wide_units_are_counted_by_the_rate_of_wide_vectors(monkeypatch, ratio, expected):
    monkeypatch.setattr(cpu, "available", lambda: ["baseline", "avx2", "avx512"])
    rates = {"avx2": 1.0, "avx512": ratio}
    selected = []
    monkeypatch.setattr(cpu, "select", selected.append)
    monkeypatch.setattr(machine, "_flop_rate", lambda: rates[selected[-1]])
    assert machine.fma_units().startswith(expected)
    assert selected[-1] == cpu.current()  # as it was before


def test_a_core_without_them_is_said_to_have_none(monkeypatch):
    monkeypatch.setattr(cpu, "available", lambda: ["baseline", "avx2"])
    assert machine.fma_units() == "no AVX-512"


def test_it_is_measured_here_too():
    before = cpu.current()
    assert machine.fma_units().split()[0] in ("one", "two", "no")
    assert cpu.current() == before
