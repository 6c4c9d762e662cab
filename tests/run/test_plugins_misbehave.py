"""Whatever plug-ins and listeners do, and wherever, a run can be resumed to the bits of the run left alone.

`misbehaving` plans the mishaps: errors and nonsense of listeners, controllers, transfers, estimators and, on the NumPy
backend, environments. The seeds make up the runs and the mishaps.
"""

import multiprocessing
import sys
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path

import pytest

from nasdqn_fast.reference.lane import Lane
from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers.base import Carried
from nasdqn_fast.types import Proposal


@pytest.fixture
def misbehaving(monkeypatch):
    """The module, importable by its name, here and in processes that are spawned."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    monkeypatch.setattr(Lane, "of", Lane.of)  # as it is again after the test
    import misbehaving

    misbehaving.meddle()
    yield misbehaving
    del sys.modules["misbehaving"]


def folders(tmp_path, seeds):
    made = [tmp_path / str(seed) for seed in seeds]
    for folder in made:
        folder.mkdir()
    return made


def judged(outcomes):
    """Fails if anything is wrong; else what happened: (place, ``error`` or ``nonsense``) -> how often."""
    wrong = [line for _, lines in outcomes for line in lines]
    assert not wrong, "\n".join(wrong)
    mishaps = [mishap for planned, _ in outcomes for mishap in planned if mishap.fired]
    return Counter((mishap.place, "error" if mishap.error else "nonsense") for mishap in mishaps)


def check_in_this_thread(misbehaving, tmp_path, seeds):
    outcomes = map(misbehaving.live_through, folders(tmp_path, seeds), seeds)
    return judged([*outcomes])


def check_in_threads(misbehaving, tmp_path, seeds):
    with warnings.catch_warnings(), ThreadPoolExecutor(4) as pool:
        warnings.simplefilter("ignore")  # filters belong to the process, not to a thread
        outcomes = [*pool.map(misbehaving.live_through, folders(tmp_path, seeds), seeds)]
    return judged(outcomes)


def check_in_processes(misbehaving, tmp_path, seeds):
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(2, mp_context=spawn, initializer=misbehaving.meddle) as pool:
        outcomes = [*pool.map(misbehaving.live_through, folders(tmp_path, seeds), seeds)]
    return judged(outcomes)


def test_in_the_main_thread(misbehaving, tmp_path):
    happened = check_in_this_thread(misbehaving, tmp_path, range(6))
    assert happened.total() > 6


@pytest.mark.slow
def test_in_threads(misbehaving, tmp_path):
    happened = check_in_threads(misbehaving, tmp_path, range(1_000, 1_012))
    assert happened.total() > 6


@pytest.mark.slow
def test_in_worker_processes(misbehaving, tmp_path):
    happened = check_in_processes(misbehaving, tmp_path, range(2_000, 2_006))
    assert happened.total() > 3


@pytest.mark.slow
@pytest.mark.parametrize(
    ("check", "seeds"),
    [
        (check_in_this_thread, range(10_000, 10_200)),
        (check_in_threads, range(20_000, 20_060)),
        (check_in_processes, range(30_000, 30_040)),
    ],
)
def test_many_times(misbehaving, tmp_path, check, seeds):
    happened = check(misbehaving, tmp_path, seeds)
    if check is not check_in_this_thread:
        return
    # Nothing that can go wrong was left out.
    both = {(place, how) for place in misbehaving.NONSENSE for how in ("error", "nonsense")}
    assert {*happened} == {*both, ("set_state", "error")}


def test_the_plan_counts_its_nonsense_rightly(misbehaving):
    proposal = Proposal(Architecture.parse("1x4-relu"), "good")
    network = misbehaving.QNetwork("1x4-relu", 4, 2)
    assert len(misbehaving.proposals(proposal)) == misbehaving.NONSENSE["propose"]
    assert len(misbehaving.carried(Carried(network))) == misbehaving.NONSENSE["transfer"]
    assert len(misbehaving.scores(1.0)) == misbehaving.NONSENSE["estimator"]


@pytest.mark.quick_only(place={"propose", "transfer", "estimator", "get_state", "observation"})
@pytest.mark.parametrize("place", ["propose", "transfer", "estimator", "get_state", "flags", "reward", "observation"])
def test_all_nonsense_is_refused(misbehaving, tmp_path, monkeypatch, place):
    """One kind an attempt, of a run that is resumed each time."""
    number = {"propose": 2}.get(place, 20 if place in misbehaving.ENVIRONMENT else 1)
    mishaps = [misbehaving.Mishap(place, number, None, kind) for kind in range(misbehaving.NONSENSE[place])]
    monkeypatch.setattr(misbehaving, "plan", lambda *_: mishaps)
    _, wrong = misbehaving.live_through(tmp_path, 3, "numpy" if place in misbehaving.ENVIRONMENT else "native")
    assert not wrong, "\n".join(wrong)
    assert all(mishap.fired for mishap in mishaps)
