"""Every group once, on next to no budget. Nothing here is asserted about time."""

import functools
import importlib
import subprocess
import sys
from types import SimpleNamespace

import numpy as np
import pytest

from nasdqn_fast import plugins, reference
from nasdqn_fast.benchmarking import machine, peer_check, suite
from nasdqn_fast.benchmarking.figure import Unit
from nasdqn_fast.benchmarking.folder import groups
from nasdqn_fast.benchmarking.groups import (
    growth,
    memory,
    overhead,
    peers,
    replay,
    threads,
)
from nasdqn_fast.benchmarking.peak_memory import peak_memory
from nasdqn_fast.benchmarking.session import Session
from nasdqn_fast.benchmarking.setting import ARCHITECTURES, EPISODE
from nasdqn_fast.errors import InputError
from nasdqn_fast.space import Architecture

USUAL = list(suite.Request().chosen())


@pytest.fixture
def session():
    return Session(suite.stopwatch(), seconds=0)


@functools.cache
def measured(name):
    """The figures of a group, on small budgets; measured once for all tests of a process."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(replay, "LARGE", 20_000)
        patch.setattr(memory, "RUNS", ((ARCHITECTURES[0], 1_000),))
        patch.setattr(growth, "WIDTHS", (64,))
        return importlib.import_module(groups()[name]).figures(Session(suite.stopwatch(), seconds=0))


def test_the_folder_holds_what_is_promised():
    usual = {"environments", "forward", "learning-step", "replay", "training-step", "switch"}
    assert set(USUAL) == usual
    assert set(groups()) == usual | {"growth", "memory", "overhead", "peers", "threads"}


@pytest.mark.quick_only(name={*USUAL, "growth"})
@pytest.mark.parametrize("name", [*USUAL, "memory", "threads", "growth"])
def test_a_group_gives_figures_of_its_own(name):
    figures = measured(name)
    assert {figure.group for figure in figures} == {name}
    assert len({figure.name for figure in figures}) == len(figures)
    for figure in figures:
        assert 0 < figure.low <= figure.value <= figure.high
        assert figure.limit is None or figure.limit > 0


@pytest.mark.parametrize("name", ["forward", "learning-step", "training-step"])
def test_arithmetic_has_its_limit(name):
    assert all((figure.share is None) == (figure.unit is Unit.RATIO) for figure in measured(name))


def test_training_is_timed_with_both_optimizers_and_their_ratio():
    names = {figure.name for figure in measured("training-step")}
    for architecture in ARCHITECTURES:
        assert {str(architecture), f"{architecture}, adam", f"{architecture}, adam : sgd, speed"} <= names
    assert {"3x64-relu, prioritized", "3x64-relu, prioritized : uniform, speed"} <= names


def test_every_environment_has_its_rows():
    names = {figure.name.partition(",")[0] for figure in measured("environments")}
    assert names == {*plugins.names("environments"), "an idle one in Python", "Gymnasium's CartPole-v1"}


def test_the_limit_of_sampling_is_what_cache_lines_cost():
    figures = {figure.name: figure for figure in measured("replay")}
    for capacity in ("10,000", "20,000"):
        line, bulk = figures[f"one cache line of {capacity}"], figures[f"sample 64 of {capacity}, in bulk"]
        assert bulk.limit == pytest.approx(64 * line.value)


@pytest.mark.slow
def test_memory_grows_with_the_replay_memory_as_its_limit_does():
    memory.run_peak(ARCHITECTURES[0], 1_000)  # a first run compiles
    small, large = (memory.run_peak(ARCHITECTURES[0], capacity) for capacity in (1_000, 500_000))
    grown, expected = large - small, memory.needed(ARCHITECTURES[0], 500_000) - memory.needed(ARCHITECTURES[0], 1_000)
    # 32 MB; besides, target values that are kept take a quarter of that, and each of 2,501 episodes 1 kB.
    assert expected < grown < 1.45 * expected


@pytest.mark.slow
def test_a_run_keeps_to_its_memory():
    """The goal: within a tenth of what it has to hold."""
    for architecture, capacity in memory.RUNS:
        memory.run_peak(architecture, capacity)  # a first run compiles
        assert memory.run_peak(architecture, capacity) <= 1.1 * memory.needed(architecture, capacity)


def test_a_process_asks_for_its_own_peak_not_its_parents():
    code = "from nasdqn_fast.benchmarking.peak_memory import peak_memory; print(peak_memory())"
    large = np.ones(300_000_000, np.int8)
    assert peak_memory() > large.nbytes
    child = int(subprocess.run([sys.executable, "-P", "-c", code], stdout=subprocess.PIPE, check=True).stdout)
    assert 10e6 < child < 150e6


@pytest.mark.slow
def test_threads_are_compared_with_processes():
    threads_, processes, ratio = measured("threads")
    assert ratio.unit is Unit.RATIO
    # Medians of rounds' ratios and the ratio of medians differ by no more than the rounds do.
    assert ratio.value == pytest.approx(threads_.value / processes.value, rel=0.5)


def test_one_core_is_too_few_for_two_runs_and_the_report_says_so(session, monkeypatch):
    monkeypatch.setattr(machine, "cores", lambda: (0,))
    assert threads.figures(session) == []
    assert session.warnings == ["threads: two runs at once need two cores; this process has one"]


def test_overhead_gives_a_share_and_a_ratio_for_each_search(session):
    figures = overhead.figures(session, episodes=6, switch_every=2)
    assert [figure.unit for figure in figures] == [Unit.SHARE, Unit.RATIO] * 2
    assert [figure.name.partition(":")[0] for figure in figures] == ["random-nas"] * 2 + ["nas-dqn"] * 2
    for share, ratio in zip(figures[::2], figures[1::2], strict=True):
        assert 0 < share.value < 100
        assert ratio.low <= ratio.value <= ratio.high
        assert ratio.repeats == 6


def test_overhead_pairs_an_episode_with_one_of_the_same_architecture(session, monkeypatch):
    played = []
    original = overhead._Run.play_episode

    def play_episode(run):
        original(run)
        played.append(run.architecture)

    monkeypatch.setattr(overhead._Run, "play_episode", play_episode)
    comparison = overhead.compare(session, "random-nas", episodes=6, switch_every=2)
    assert played[::2] == played[1::2]
    assert len(set(played)) > 1  # there was something to confuse
    assert len(comparison.searching) == len(comparison.fixed) == 6


def test_overhead_pairs_learn_from_memories_of_the_same_size(session, monkeypatch):
    """The number of forward passes depends upon it. The fixed side is ahead by the episode that it has just played."""
    sizes = []
    original = overhead._Run.play_episode

    def play_episode(run):
        original(run)
        sizes.append(len(run.replay))

    monkeypatch.setattr(overhead._Run, "play_episode", play_episode)
    overhead.compare(session, "random-nas", episodes=6, switch_every=2)
    searching, fixed = np.array(sizes[::2]), np.array(sizes[1::2])
    assert searching[2] < searching[1]  # pruned: by itself, a fixed run would not follow
    np.testing.assert_array_equal(fixed, searching + EPISODE)


class Twin:
    """A peer that is right: the NumPy twin of the engine."""

    description = "the twin"
    version = "1.0"
    optimizers = ("sgd", "adam")
    steps = 0

    def __init__(self, architecture, seed, optimizer="sgd"):
        self.network = reference.QNetwork(architecture, 3, 3, seed)
        self.optimizer = optimizer

    @classmethod
    def supports(cls, architecture):
        return True

    def run(self, steps):
        Twin.steps += steps
        sum(range(steps))  # what took no time at all could not be timed

    def loss_and_gradient(self, parameters, observations, actions, targets):
        self.network.parameters = parameters
        loss, gradient = self.network.loss_and_gradient(observations, actions, targets)
        return loss, gradient.parameters

    def take_steps(self, parameters, gradients):
        optimizer, parameters = reference.Optimizer(self.optimizer), parameters.copy()
        for gradient in gradients:
            optimizer.step(parameters, gradient)
        return parameters


class Wrong(Twin):
    """A peer that forgets the mean over the batch."""

    def loss_and_gradient(self, *arguments):
        loss, gradient = super().loss_and_gradient(*arguments)
        return loss, 64 * gradient


class Forgetful(Twin):
    """A peer whose optimizer begins anew at each step."""

    def take_steps(self, parameters, gradients):
        for gradient in gradients:
            parameters = super().take_steps(parameters, [gradient])
        return parameters


class Unchecked:
    """A peer that has nothing to compare."""

    def __init__(self, architecture, seed):
        pass


class OfAdamAndOneWidth(Twin):
    optimizers = ("adam",)

    @classmethod
    def supports(cls, architecture):
        return architecture.widths == (32, 32)


def a_peer(training):
    return SimpleNamespace(Training=training)


@pytest.mark.parametrize("architecture", ARCHITECTURES, ids=str)
@pytest.mark.parametrize(("training", "agrees"), [(Twin, True), (Wrong, False), (Unchecked, True)])
def test_a_peer_must_do_the_same_arithmetic(architecture, training, agrees):
    assert (peer_check.disagreement(training(architecture, 0), architecture) <= 1) == agrees


@pytest.mark.parametrize(("optimizer", "agrees"), [("sgd", True), ("adam", False)])
def test_a_peer_must_take_the_same_steps(optimizer, agrees):
    """SGD keeps nothing between its steps."""
    architecture = Architecture.parse("2x32-relu")
    training = Forgetful(architecture, 0, optimizer)
    assert (peer_check.disagreement(training, architecture, optimizer) <= 1) == agrees


def test_a_small_error_is_seen():
    class Off(Twin):
        def loss_and_gradient(self, *arguments):
            loss, gradient = super().loss_and_gradient(*arguments)
            return loss, gradient + np.float32(3e-5)

    architecture = Architecture.parse("2x32-relu")
    assert 1 < peer_check.disagreement(Off(architecture, 0), architecture) < 10


def test_peers_that_agree_are_timed_and_the_others_named(session, monkeypatch):
    found = {"twin": a_peer(Twin), "wrong": a_peer(Wrong), "special": a_peer(OfAdamAndOneWidth)}
    found["of-growth"] = SimpleNamespace(Updates=None)
    monkeypatch.setattr(peer_check, "installed", lambda folder, names: found)
    monkeypatch.setattr(peers, "ARCHITECTURES", ARCHITECTURES[:2])
    figures = peers.figures(session)
    assert [(figure.name, figure.unit) for figure in figures] == [
        (f"{architecture}, {optimizer}, {case}", unit)
        for architecture in ("2x32-relu", "3x64-relu")
        for optimizer in ("sgd", "adam")
        for who in [("twin", "special") if (architecture, optimizer) == ("2x32-relu", "adam") else ("twin",)]
        for case, unit in [
            ("ours", Unit.STEPS),
            *((name, Unit.STEPS) for name in who),
            *((f"{name}: ours is faster by", Unit.RATIO) for name in who),
        ]
    ]
    assert Twin.steps % 200 == 0
    assert Twin.steps > 0
    assert len(session.warnings) == 4
    assert "wrong is left out for 2x32-relu, sgd" in session.warnings[0]
    assert session.facts == {f"peer {name}": "1.0, the twin" for name in ("twin", "wrong", "special")}


class TwinUpdates(Twin):
    """What growth shows beside ours."""

    def __init__(self, architecture, batch, optimizer):
        super().__init__(architecture, 0, optimizer)


class WrongUpdates(TwinUpdates, Wrong):
    pass


@pytest.mark.parametrize(("updates", "agrees"), [(TwinUpdates, True), (WrongUpdates, False)])
def test_growth_shows_peers_that_agree_and_says_where_ours_is_slower(session, monkeypatch, updates, agrees):
    """The twin's updates do nothing: ours is slower."""
    monkeypatch.setattr(peer_check, "installed", lambda folder, names: {"twin": SimpleNamespace(Updates=updates)})
    for grid, of_it in [("DEPTHS", (2,)), ("WIDTHS", (64,)), ("BATCHES", (64,))]:
        monkeypatch.setattr(growth, grid, of_it)
    session.peers = ()
    figures = growth.figures(session)
    cases = [f"2x64-relu, batch 64, {optimizer}" for optimizer in ("sgd", "adam")]
    rows = ("ours", "twin", "twin: ours is faster by") if agrees else ("ours",)
    assert [figure.name for figure in figures] == [f"{case}, {row}" for case in cases for row in rows]
    left_out = [] if agrees else [f"twin is left out for {case}" for case in cases]
    assert [warning.split(":")[0] for warning in session.warnings] == left_out
    assert session.facts["growth, slower"].count("twin: ours is faster by 0.") == (2 if agrees else 0)


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """A package for peers, gone from the interpreter when the test is over."""
    folder = tmp_path / "some_peers"
    folder.mkdir()
    (folder / "__init__.py").touch()
    monkeypatch.syspath_prepend(tmp_path)
    yield folder
    for name in [name for name in sys.modules if name.partition(".")[0] == folder.name]:
        del sys.modules[name]


def test_a_peer_counts_if_its_library_is_installed(folder):
    (folder / "_shared.py").touch()
    (folder / "numpy_.py").write_text("import numpy")
    (folder / "of_another.py").write_text("import no_such_library.part")
    found = peer_check.installed(folder)
    assert {name: module.__name__ for name, module in found.items()} == {"numpy": "some_peers.numpy_"}


def test_a_peer_that_is_not_wanted_is_not_imported(folder):
    (folder / "numpy_.py").write_text("import numpy")
    (folder / "other.py").write_text("raise AssertionError")
    assert list(peer_check.installed(folder, ("numpy",))) == ["numpy"]


@pytest.mark.parametrize("module", ["nasdqn_fast.no_such_module", "some_peers._no_such_module"])
def test_a_mistake_of_our_own_is_not_taken_for_a_missing_library(folder, module):
    (folder / "mistaken.py").write_text(f"import {module}")
    with pytest.raises(ModuleNotFoundError):
        peer_check.installed(folder)


def source_tree(path):
    for part in ("bench/peers", "nasdqn_fast"):
        (path / part).mkdir(parents=True)
        (path / part / "__init__.py").touch()
    return path


def test_the_packages_own_peers_come_before_those_of_the_current_directory(tmp_path, monkeypatch):
    here, own = source_tree(tmp_path / "here"), source_tree(tmp_path / "own")
    monkeypatch.chdir(here)
    monkeypatch.setattr(peer_check, "TREE", own)
    assert peer_check.folder() == own / "bench" / "peers"
    monkeypatch.setattr(peer_check, "TREE", tmp_path)
    assert peer_check.folder() == here / "bench" / "peers"


def test_peers_of_another_project_are_not_run(tmp_path, monkeypatch):
    (source_tree(tmp_path) / "nasdqn_fast" / "__init__.py").unlink()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(peer_check, "TREE", tmp_path)
    with pytest.raises(InputError, match="clone the repository or unpack the source distribution"):
        peer_check.folder()
