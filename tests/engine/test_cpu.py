"""NASDQN_FAST_CPU chooses the kernels of a process, and an unknown name is refused with the valid ones."""

import os
import subprocess
import sys

import pytest

from nasdqn_fast._core import cpu
from nasdqn_fast.engine.network import QNetwork

SHOW = "from nasdqn_fast.engine.network import QNetwork; print(QNetwork('1x1-relu', 1, 1).cpu_target)"


def python(code, target):
    """A fresh interpreter with the variable set, outside of the checkout."""
    environment = {name: value for name, value in os.environ.items() if name != "NASDQN_FAST_CPU"}
    if target is not None:
        environment["NASDQN_FAST_CPU"] = target
    return subprocess.run([sys.executable, "-P", "-c", code], env=environment, capture_output=True, text=True)


@pytest.mark.quick_only(target="baseline")
@pytest.mark.parametrize("target", cpu.available())
def test_the_variable_selects_the_kernels(target):
    assert python(SHOW, target).stdout.strip() == target


@pytest.mark.parametrize("target", [None, ""])
def test_without_it_the_best_of_this_machine_are_used(target):
    assert python(SHOW, target).stdout.strip() == cpu.available()[-1]


def test_an_unknown_name_is_refused_with_the_valid_ones_when_a_network_is_made():
    result = python(SHOW, "avx1024")
    message = f"'avx1024' is not a CPU target of this machine; available: {', '.join(cpu.available())}"
    last = result.stderr.splitlines()[-1]
    assert last == f"nasdqn_fast.errors.InputError: environment variable NASDQN_FAST_CPU: {message}"


def test_an_unknown_name_does_not_keep_the_package_from_being_imported():
    assert python("import nasdqn_fast", "avx1024").returncode == 0


def test_the_baseline_is_always_there_and_comes_first():
    assert cpu.available()[0] == "baseline"


def test_a_network_keeps_the_target_it_was_made_with(cpu_target):
    network = QNetwork("1x1-relu", 1, 1)
    cpu.select("baseline")
    assert network.cpu_target == cpu_target
    assert QNetwork("1x1-relu", 1, 1).cpu_target == "baseline"


def test_selecting_an_unknown_target_changes_nothing():
    before = cpu.current()
    with pytest.raises(ValueError, match="'neon' is not a CPU target of this machine; available: baseline"):
        cpu.select("neon")
    assert cpu.current() == before


def test_the_peak_counts_two_operations_for_each_float_of_a_multiply_add(cpu_target):
    """In as many vectors as a tile of the products has."""
    floats = {"baseline": 4, "avx2": 8, "avx512": 16}[cpu_target]
    assert cpu.peak(7) / (7 * 2 * floats) in (12, 24)
