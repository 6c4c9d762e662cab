"""A whole report, from a process of its own."""

import os

import pytest

from nasdqn_fast._core import cpu
from nasdqn_fast.benchmarking import machine, suite
from nasdqn_fast.benchmarking.suite import Request
from nasdqn_fast.errors import InputError


def test_the_usual_groups_are_those_that_need_not_be_asked_for():
    assert set(Request().chosen()).isdisjoint({"overhead", "peers"})


def test_groups_are_measured_in_the_order_given_and_once():
    assert list(Request(("replay", "forward", "replay"), peers=()).chosen()) == ["replay", "forward", "peers"]


@pytest.mark.parametrize("group", ["growth", "peers", "threads"])
def test_peers_are_shown_in_the_group_asked_for_if_it_has_rows_for_them(group):
    assert list(Request((group,), peers=("numpy",)).chosen()) == [group]


@pytest.mark.parametrize(
    ("request_", "message"),
    [
        ({"groups": ("forwad",)}, "unknown group 'forwad': did you mean 'forward'"),
        ({"peers": ("numpi",)}, "unknown peer 'numpi': did you mean 'numpy'"),
        ({"cpu_target": "avx3"}, "CPU target 'avx3' is not one of this machine; available: baseline"),
    ],
)
def test_what_cannot_be_measured_is_an_input_error(request_, message):
    with pytest.raises(InputError, match=message):
        Request(**request_)


@pytest.mark.quick_only(target="baseline")
@pytest.mark.parametrize("target", cpu.available())
def test_a_report_is_made_apart_in_one_thread_on_one_core(target):
    environment = dict(os.environ)
    affinity = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else None
    report = suite.run_apart(Request(("forward",), seconds=0, cpu_target=target))
    assert report.machine["cpu_target"] == target
    assert report.machine["threads"].split() == [f"{name}=1" for name in machine.ONE_THREAD]
    assert report.peak > 0
    assert {figure.group for figure in report.figures} == {"forward"}
    assert os.environ == environment
    if affinity is not None:
        assert "pinned to core" in report.machine["processor"]
        assert os.sched_getaffinity(0) == affinity


def test_one_thread_leaves_the_environment_as_it_was(monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    monkeypatch.delenv("MKL_NUM_THREADS", raising=False)
    with machine.one_thread():
        assert os.environ["OMP_NUM_THREADS"] == os.environ["MKL_NUM_THREADS"] == "1"
    assert os.environ["OMP_NUM_THREADS"] == "7"
    assert "MKL_NUM_THREADS" not in os.environ


@pytest.mark.parametrize(("load", "warned"), [(0.9, False), (1.1, True)])
def test_a_load_above_half_the_cores_is_a_warning(monkeypatch, load, warned):
    monkeypatch.setattr(os, "getloadavg", lambda: (load, 0.0, 0.0))
    monkeypatch.setattr(os, "cpu_count", lambda: 2)
    assert (machine.busy_before() is not None) == warned
