"""Runs that are left and resumed: the bits of runs that were left alone."""

import itertools
import os
import shutil
import signal
import sys
import threading
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from left_runs import SMALL, contents, interrupting_at, leave

from nasdqn_fast import plugins
from nasdqn_fast.config.methods import all_methods
from nasdqn_fast.engine.agent_settings import SAMPLINGS
from nasdqn_fast.events import Asked, Played, Resumed
from nasdqn_fast.reference.lane import Lane
from nasdqn_fast.run import signals
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.storage import state_file

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_environment"


@pytest.fixture(autouse=True, scope="module")
def own_environment():
    """Makes the example's environment, mountain_car:plugin, importable."""
    sys.path.insert(0, str(EXAMPLE))
    yield
    sys.path.remove(str(EXAMPLE))


# Of SMALL and of what is drawn, what has no effect on a population or a supernet and is refused.
ONLINE = ("switch_every", "transfer", "estimator", "replay_keep_which")


def fitting(options):
    """The options without those that the method refuses."""
    own = {"adadqn": {"adadqn_networks": 3, "adadqn_replace_every": 40}, "supernet": {"supernet_score_episodes": 2}}
    own["gradient"] = own["supernet"] | {"gradient_every": 2}
    if options["method"] not in own:
        return options
    kept = {name: value for name, value in options.items() if name not in ONLINE}
    return kept | own[options["method"]]


SETTINGS = st.fixed_dictionaries(
    {
        "method": st.sampled_from([*sorted(set(all_methods()) - {"fixed", "halving"})]),
        "env": st.sampled_from([*plugins.names("environments"), "mountain_car:plugin"]),
        "transfer": st.sampled_from(plugins.names("transfers")),
        "estimator": st.sampled_from(plugins.names("estimators")),
        "optimizer": st.sampled_from(["sgd", "adam"]),
        "num_envs": st.sampled_from([1, 3]),
        "n_step": st.sampled_from([1, 3]),
        "replay_sampling": st.sampled_from(SAMPLINGS),
        "replay_keep_which": st.sampled_from(["newest", "random"]),
        "normalize_observations": st.booleans(),
        "backend": st.sampled_from(["native", "native", "numpy"]),
        "seed": st.integers(0, 5),
    }
)


@pytest.mark.slow
@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(SETTINGS, st.lists(st.integers(1, 8), min_size=1, max_size=3, unique=True).map(sorted))
def test_a_run_that_was_left_any_number_of_times_is_the_run_left_alone(tmp_path, chosen, stops):
    """Oracle: train(N), against train(k), resume for some episodes, ..., resume to the end."""
    options = fitting(SMALL | chosen)
    for name in ("whole", "left"):
        shutil.rmtree(tmp_path / name, ignore_errors=True)
    whole = train(**options, out=tmp_path / "whole")
    out = tmp_path / "left"
    leave(out, stops[0], **options)
    for before, after in itertools.pairwise(stops):
        with pytest.raises(KeyboardInterrupt, match=f"interrupted after {after} episodes"):
            resume(out, progress=interrupting_at(after - before, Played))
    result = resume(out)
    assert contents(out) == contents(tmp_path / "whole")
    np.testing.assert_array_equal(result.episodes.returns, whole.episodes.returns)
    np.testing.assert_array_equal(result.network.parameters, whole.network.parameters)
    assert result.segments == whole.segments


@pytest.mark.parametrize("stop", [1, 6])
def test_prioritized_draws_of_returns_on_normalized_observations_are_resumed(tmp_path, stop):
    """Across two switches, at which the memory is pruned."""
    learning = {"replay_sampling": "prioritized", "n_step": 3, "normalize_observations": True, "num_envs": 3}
    options = SMALL | learning | {"replay_keep_which": "random", "seed": 2}
    train(**options, out=tmp_path / "whole")
    leave(tmp_path / "left", stop, **options)
    resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


# `guarded` carries the optimizer where it can and refuses what plays worse, `again` keeps network and optimizer;
# `interrupted_transfer` and `interrupted_once` are Ctrl-C in the middle of greedy episodes.
PLUGINS = """
from nasdqn_fast.transfers.base import Carried
from nasdqn_fast.transfers.overlap import overlap

def guarded(switch):
    new = overlap(switch).network
    old, now = (switch.play(network, 3).returns.mean() for network in (switch.old, new))
    fits = new.parameters.size == switch.old.parameters.size
    return Carried(new, switch.optimizer if fits else None, bool(now >= old), updates=7, note=f"{old} to {now}")

def again(switch):
    return Carried(switch.old.copy(), switch.optimizer)

def interrupted_transfer(switch):
    switch.play(switch.old, 2)
    switch.rng.random(3)
    if "transfer" not in interrupted:
        interrupted.add("transfer")
        raise KeyboardInterrupt
    return overlap(switch)

interrupted = set()

def interrupted_once(segment):
    score = segment.evaluate(3)
    if len(segment.starts) == 2 and "estimator" not in interrupted:
        interrupted.add("estimator")
        raise KeyboardInterrupt
    return score
"""


@pytest.fixture
def own_plugins(tmp_path, monkeypatch):
    """Makes the module own_plugins importable."""
    (tmp_path / "own_plugins.py").write_text(PLUGINS)
    monkeypatch.syspath_prepend(tmp_path)
    yield
    sys.modules.pop("own_plugins", None)


@pytest.mark.quick_only(stop=4)
@pytest.mark.parametrize("stop", [2, 3, 4, 8])
@pytest.mark.parametrize(
    "transfer", ["own_plugins:guarded", "own_plugins:again", "net2net", "distill", "inject", "shadow"]
)
def test_what_a_transfer_carried_spent_and_refused_is_resumed(tmp_path, own_plugins, transfer, stop):
    options = SMALL | {"transfer": transfer, "optimizer": "adam", "switch_every": 3, "seed": 1}
    if transfer == "shadow":
        options |= {"transfer": "distill", "transfer_options": {"steps": 20, "shadow": 2, "guard": 2, "exact": False}}
    if transfer in ("distill", "inject"):
        options |= {"transfer_options": {"steps": 20, "td_updates": 15, "guard": 2}}
    if transfer == "inject":
        options["transfer_options"] |= {"fold_after": 20}
    train(**options, out=tmp_path / "whole")
    leave(tmp_path / "left", stop, **options)
    resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


def test_a_run_is_left_while_its_estimator_plays(tmp_path, own_plugins):
    options = SMALL | {"estimator": "own_plugins:interrupted_once", "checkpoint_every": "never"}
    with pytest.raises(KeyboardInterrupt, match="interrupted after 8 episodes; to go on"):
        train(**options, out=tmp_path / "left")
    resume(tmp_path / "left")
    train(**options, out=tmp_path / "whole")  # which is not interrupted any more
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


def test_a_run_that_is_left_in_a_transfer_goes_back_to_its_last_checkpoint(tmp_path, own_plugins):
    options = SMALL | {"transfer": "own_plugins:interrupted_transfer", "checkpoint_every": "1", "seed": 1}
    with pytest.raises(KeyboardInterrupt, match="interrupted after 4 episodes; to go on"):
        train(**options, out=tmp_path / "left")
    events = []
    resume(tmp_path / "left", progress=events.append)
    assert len(events[0].episodes) == 4
    train(**options, out=tmp_path / "whole")  # which is not interrupted any more
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize(("backend", "steps"), [("native", 60_000), ("numpy", 1_500)])
@pytest.mark.parametrize("num_envs", [1, 3])
def test_a_run_is_left_in_the_middle_of_an_episode(tmp_path, backend, steps, num_envs):
    """Ctrl-C comes while the engine plays the only episode, which it stops between two steps."""
    options = SMALL | {"backend": backend, "num_envs": num_envs, "episodes": num_envs, "max_episode_steps": steps}
    options |= {"method": "fixed-small", "env": "mountain_car:plugin", "warm_up": 100, "switch_every": 1}
    options |= {"env_param": {"goal": 100.0}, "batch_size": 64}  # which is never reached, and takes its time
    train(**options, out=tmp_path / "whole")
    pressed = threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGINT))

    def press(event):
        if isinstance(event, Asked):
            pressed.start()

    with pytest.raises(KeyboardInterrupt, match="interrupted after 0 episodes"):
        train(**options, out=tmp_path / "left", progress=press)
    pressed.join()
    events = []
    resume(tmp_path / "left", progress=events.append)
    assert isinstance(events[0], Resumed)
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


def test_a_forced_stop_saves_nothing_that_may_be_half_done(tmp_path, monkeypatch):
    """Two signals in the middle of a step of the NumPy backend; the second is delivered there."""
    options = SMALL | {"backend": "numpy"}
    train(**options, out=tmp_path / "whole")
    steps, step = 0, Lane.step

    def stuck(self, *arguments):
        nonlocal steps
        steps += 1
        done = step(self, *arguments)
        if steps == 100:
            signal.raise_signal(signal.SIGINT)
            signal.raise_signal(signal.SIGINT)
        return done

    monkeypatch.setattr(Lane, "step", stuck)
    monkeypatch.setattr(signals, "PATIENCE", -1.0)
    with pytest.raises(KeyboardInterrupt, match=r"interrupted after \d episodes; to go on"):
        train(**options, out=tmp_path / "left")
    monkeypatch.undo()
    resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


@pytest.mark.parametrize("steps", [130, 150])
def test_a_run_that_ends_after_so_many_steps_is_resumed_to_the_bit(tmp_path, steps):
    """And `episodes`, which is less than fits into the steps, does not count."""
    given = SMALL | {"steps": steps, "episodes": 4, "switch_every": 3, "learning_rate_schedule": "linear"}
    whole = train(**given, out=tmp_path / "whole")
    assert steps - 30 < whole.episodes.lengths.sum() <= steps
    with pytest.raises(KeyboardInterrupt):
        train(**given, out=tmp_path / "left", progress=interrupting_at(3, Played))
    resumed = resume(tmp_path / "left")
    np.testing.assert_array_equal(resumed.network.parameters, whole.network.parameters)
    for name in ("episodes.csv", "architectures.jsonl"):
        left, alone = ((tmp_path / folder / name).read_text() for folder in ("left", "whole"))
        assert left == alone
    assert resume(tmp_path / "whole") is None  # finished


def test_seconds_add_up_over_the_processes(tmp_path):
    leave(tmp_path, 8, **SMALL)
    checkpoints = Checkpoints(tmp_path / "checkpoints")
    newest = checkpoints.newest_first()[0]
    state = checkpoints.load(newest)
    state["seconds"]["total"] += 1_000.0
    state["seconds"]["train"] += 500.0
    state_file.save(newest, state)
    times = resume(tmp_path).times
    assert 1_000 < times.total < 1_100
    assert 500 < times.train < 600
