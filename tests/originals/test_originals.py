"""Held to the originals: our agent with a profile, step by step and after a thousand updates, beside theirs.

What they come to is kept in tests/data/originals.npz, which tests/data/make_originals.py made; where PyTorch and
Stable-Baselines3 are installed they are run again, and compared in full.
"""

import functools
import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

DATA = Path(__file__).parents[1] / "data"


def maker():
    spec = importlib.util.spec_from_file_location("make_originals", DATA / "make_originals.py")
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


originals = maker()


@functools.cache
def kept():
    with np.load(originals.FILE) as file:
        return dict(file)


def part(case, name):
    return kept()[f"{case}/{name}"]


@functools.cache
def trained(case, backend):
    """Our agent at the end of a case, in float64 where it can; what was read after each step, if each is an episode."""
    agent = originals.CASES[case].agent(backend, **({"dtype": np.float64} if backend == "numpy" else {}))
    steps = {"epsilons": [], "updates": [], "rates": [], "targets": []}
    if case in originals.LONG:
        agent.run_episodes(100_000)
        return agent, steps
    rate = np.nan
    while not agent.finished:
        before = agent.updates
        agent.run_episodes(1)
        rate = agent.settings.learning_rate_after(agent.steps) if agent.updates > before else rate
        steps["epsilons"].append(agent.epsilon)
        steps["updates"].append(agent.updates)
        steps["rates"].append(rate)
        steps["targets"].append(originals.size_of(agent.target.parameters))
    return agent, steps


def parameters_of(agent):
    return originals.flat(agent.network.weights, agent.network.biases)


def assert_close(ours, theirs):
    """To 1e-4 of the root of their mean square."""
    scale = np.sqrt(np.mean(np.square(theirs.astype(np.float64))))
    assert np.abs(ours - theirs).max() <= 1e-4 * scale


def assert_same_actions(case, backend, actions, terminated):
    agent, _ = trained(case, backend)
    ours = agent.replay.transitions()
    held = len(ours)  # CleanRL's memory keeps the last 10,000
    assert agent.steps == len(actions)
    np.testing.assert_array_equal(ours.actions, actions[-held:])
    np.testing.assert_array_equal(ours.terminated, terminated[-held:])


def assert_same_steps(case, backend, theirs):
    _, ours = trained(case, backend)
    np.testing.assert_allclose(ours["epsilons"], theirs["epsilons"], rtol=0, atol=1e-12)
    np.testing.assert_array_equal(ours["updates"], theirs["updates"])
    np.testing.assert_allclose(ours["rates"], theirs["rates"], rtol=1e-12)
    np.testing.assert_allclose(ours["targets"], theirs["targets"], rtol=1e-5)
    assert np.any(np.diff(theirs["targets"])), "the target never moved"


# In float32 the others depend on the order of sums: see make_originals.py.
NATIVE = ["sb3", "zoo-cartpole", "zoo-mountain-car"]
QUICK_TWINS = ["sb3", "sb3-targets"]
RUNS = [
    *[(case, "native") for case in NATIVE],
    *[pytest.param(case, "numpy", marks=[] if case in QUICK_TWINS else pytest.mark.slow) for case in originals.LONG],
]


@pytest.mark.parametrize(("case", "backend"), RUNS)
def test_a_thousand_updates_end_in_the_parameters_of_the_original(case, backend):
    agent, _ = trained(case, backend)
    assert agent.updates >= 1_000
    step = 1 if agent.network.parameters.size < 20_000 else originals.KEPT
    assert_close(parameters_of(agent)[::step], part(case, "parameters"))
    terminated = np.unpackbits(part(case, "terminated"), count=agent.steps)
    assert_same_actions(case, backend, part(case, "actions"), terminated)


@pytest.mark.parametrize("backend", ["native", pytest.param("numpy", marks=pytest.mark.slow)])
@pytest.mark.parametrize("case", originals.BY_STEPS)
def test_after_each_step_epsilon_rate_updates_and_target_are_those_of_the_original(case, backend):
    assert_same_steps(case, backend, {name: part(case, name) for name in ("epsilons", "updates", "rates", "targets")})


# The longer ones, in which rounding grows, are held to what was recorded.
@pytest.mark.parametrize("case", ["sb3", *originals.BY_STEPS])
def test_the_original_itself_agrees(case):
    pytest.importorskip("torch", reason="PyTorch is not installed")
    pytest.importorskip("stable_baselines3", reason="Stable-Baselines3 is not installed")
    theirs = originals.record(originals.CASES[case])
    agent, _ = trained(case, "native")
    ours = agent.replay.transitions()
    for name in ("observations", "actions", "rewards", "terminated"):
        np.testing.assert_array_equal(getattr(ours, name), theirs[name][-len(ours) :], err_msg=name)
    if case in originals.BY_STEPS:
        assert_same_steps(case, "native", theirs)
    else:
        assert_close(parameters_of(agent), theirs["parameters"])
