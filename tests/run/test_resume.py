"""Runs that are left and resumed: the bits of runs that were left alone."""

import dataclasses
import importlib
import itertools
import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import warnings
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from nasdqn_fast import plugins
from nasdqn_fast.config.methods import all_methods
from nasdqn_fast.controllers.random import plugin as RandomSearch
from nasdqn_fast.engine.agent_settings import SAMPLINGS
from nasdqn_fast.envs.kernel import EnvKernel
from nasdqn_fast.errors import InputError, NonFiniteError
from nasdqn_fast.events import Asked, Played, Resumed, Told
from nasdqn_fast.reference.lane import Lane
from nasdqn_fast.run import signals
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.storage import state_file

EXAMPLE = Path(__file__).parents[2] / "examples" / "own_environment"
SMALL = {
    "method": "random-nas",
    "env": "cartpole",
    "episodes": 9,
    "switch_every": 4,
    "architectures": ["1x4-relu", "5,3-tanh", "4,4-leaky_relu"],
    "warm_up": 10,
    "batch_size": 4,
    "target_every": 20,
    "replay_capacity": 150,
    "max_episode_steps": 30,
    "checkpoint_every": "2",
}


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


def stop_after(episodes):
    """A listener that acts as Ctrl-C does, when so many episodes have ended."""
    left = episodes

    def listener(event):
        nonlocal left
        if isinstance(event, Played):
            left -= len(event.episodes)
            if left == 0:
                raise KeyboardInterrupt

    return listener


def leave(out, after, **options):
    """Trains so many episodes and is interrupted."""
    with pytest.raises(KeyboardInterrupt, match=f"interrupted after {after} episodes; to go on: nasdqn-fast resume"):
        train(**options, out=out, progress=stop_after(after))


def crash(out, event_type, **options):
    """Trains until the first such event and is gone, as after SIGKILL, with no chance to save anything."""

    def die(event):
        if isinstance(event, event_type):
            raise SystemExit

    with pytest.raises(SystemExit):
        train(**options, out=out, progress=die)
    (out / "summary.json").unlink()
    (out / "network.safetensors").unlink()
    shutil.rmtree(out / "checkpoints", ignore_errors=True)


def contents(run):
    """What a run directory holds, but for checkpoints and times."""
    files = {path.name: path.read_bytes() for path in run.iterdir() if path.name != "checkpoints"}
    summary = json.loads(files["summary.json"])
    del summary["seconds"], summary["search_share"]
    return files | {"summary.json": summary}


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
            resume(out, progress=stop_after(after - before))
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


@pytest.mark.parametrize("stop", [2, 3, 4, 8])
@pytest.mark.parametrize("transfer", ["own_plugins:guarded", "own_plugins:again", "net2net", "distill"])
def test_what_a_transfer_carried_spent_and_refused_is_resumed(tmp_path, own_plugins, transfer, stop):
    options = SMALL | {"transfer": transfer, "optimizer": "adam", "switch_every": 3, "seed": 1}
    if transfer == "distill":
        options |= {"transfer_options": {"steps": 20, "td_updates": 15, "guard": 2}}
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


@pytest.mark.parametrize("event", [Played, Told])
def test_without_a_checkpoint_it_starts_over(tmp_path, event):
    train(**SMALL, out=tmp_path / "whole")
    crash(tmp_path / "left", event, **SMALL | {"checkpoint_every": "never"})
    shutil.copy(tmp_path / "whole" / "config.toml", tmp_path / "left")
    with pytest.warns(UserWarning, match="has no checkpoint yet: starting over"):
        resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


@pytest.mark.parametrize("damage", [lambda content: content[:-9], lambda content: b"", lambda content: content[::-1]])
def test_a_damaged_checkpoint_falls_back_to_the_one_before(tmp_path, damage):
    train(**SMALL, out=tmp_path / "whole")
    leave(tmp_path / "left", 7, **SMALL)
    newest, _ = Checkpoints(tmp_path / "left" / "checkpoints").newest_first()
    newest.write_bytes(damage(newest.read_bytes()))
    resumed = []
    with pytest.warns(UserWarning, match=rf"checkpoint {newest.name} \(.+\) cannot be used; going on from"):
        resume(tmp_path / "left", progress=lambda event: resumed.append(event) if isinstance(event, Resumed) else None)
    assert [len(event.episodes) for event in resumed] == [6]
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")
    kept = sorted(path.name for path in (tmp_path / "left" / "checkpoints").iterdir())
    assert kept == [f"{newest.name}.damaged", "00000006.npz"]


def spoil_checkpoints(run):
    for path in Checkpoints(run / "checkpoints").newest_first():
        path.write_bytes(b"damaged")


def spoil_second_log(run):
    path = run / "architectures.jsonl"
    path.write_bytes(path.read_bytes().replace(b"ask", b"ASK"))


@pytest.mark.parametrize("damage", [spoil_checkpoints, spoil_second_log])
def test_without_a_sound_checkpoint_nothing_is_touched(tmp_path, damage):
    leave(tmp_path, 7, **SMALL)
    with (tmp_path / "episodes.csv").open("a") as rows:
        rows.write("written after the last checkpoint\n")
    damage(tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(InputError, match=r"no checkpoint in .* can be used: .*\.npz \(.*\), .*; train --config"):
        resume(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_a_log_that_was_cut_short_falls_back_too(tmp_path):
    """As after a loss of power on a disk that had lied about what it holds: the older state ends earlier."""
    train(**SMALL, out=tmp_path / "whole")
    leave(tmp_path / "left", 7, **SMALL)
    path = tmp_path / "left" / "episodes.csv"
    path.write_bytes(b"".join(path.read_bytes().splitlines(keepends=True)[:-1]))
    with pytest.warns(UserWarning, match=r"episodes\.csv is not as it was written"):
        resume(tmp_path / "left")
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


@pytest.mark.parametrize("name", ["network.safetensors", "episodes.csv", "architectures.jsonl"])
def test_starting_over_deletes_no_file_of_the_user(tmp_path, name):
    (tmp_path / "config.toml").write_text("# mine\n[env]\nname = 'cartpole'\n")
    (tmp_path / name).write_text("precious")
    with pytest.raises(InputError, match=rf"has no checkpoint, and .* leaves no such {name}; nothing was touched"):
        resume(tmp_path)
    assert {path.name for path in tmp_path.iterdir()} == {"config.toml", name}
    assert (tmp_path / name).read_text() == "precious"


def test_a_run_that_ended_between_network_and_summary_starts_over(tmp_path):
    options = SMALL | {"checkpoint_every": "never"}
    train(**options, out=tmp_path / "whole")
    train(**options, out=tmp_path / "left")
    (tmp_path / "left" / "summary.json").unlink()
    with pytest.warns(UserWarning, match="starting over"):
        resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


class Unstorable(RandomSearch):
    def get_state(self):
        return super().get_state() | {"seen": {1, 2}}


def test_a_controller_whose_state_cannot_be_saved_is_known_before_training(tmp_path, monkeypatch):
    monkeypatch.setattr(
        "nasdqn_fast.run.assembly.controllers.make", lambda name, space, rng, given: Unstorable(space, rng)
    )
    with pytest.raises(InputError, match=r"controller .*Unstorable: get_state\(\): a state holds JSON values"):
        train(**SMALL, out=tmp_path / "run")
    assert not (tmp_path / "run" / "config.toml").exists()
    train(**SMALL)  # nothing to save


def test_starting_over_leaves_the_config_as_it_is(tmp_path):
    text = "# mine\n[env]\nname = 'cartpole'\n[run]\nepisodes = 2\n"
    (tmp_path / "config.toml").write_text(text)
    with pytest.warns(UserWarning, match="starting over"):
        resume(tmp_path)
    assert (tmp_path / "config.toml").read_text() == text


def test_all_is_on_the_disk_before_the_summary_says_finished(tmp_path, monkeypatch):
    synced, fsync = [], os.fsync

    def note(descriptor):
        synced.append(os.fstat(descriptor).st_ino)
        fsync(descriptor)

    monkeypatch.setattr(os, "fsync", note)
    train(**SMALL | {"checkpoint_every": "never"}, out=tmp_path / "run")
    inodes = {path.name: path.stat().st_ino for path in (tmp_path / "run").iterdir()}
    order = [name for inode in synced for name in inodes if inodes[name] == inode]
    assert order[0] == "config.toml"
    assert set(order[1:-1]) == {"episodes.csv", "architectures.jsonl", "network.safetensors"}
    assert order[-1] == "summary.json"


def test_another_environment_of_the_same_name_is_told(tmp_path, monkeypatch):
    leave(tmp_path, 5, **SMALL)
    monkeypatch.setattr(EnvKernel, "fingerprint", lambda self: "another")
    with pytest.warns(UserWarning, match=r"the run was begun with environment [0-9a-f]+: it goes on"):
        resume(tmp_path)


def test_an_environment_that_no_longer_fits_is_refused_and_nothing_touched(tmp_path, monkeypatch):
    leave(tmp_path, 5, **SMALL | {"env": "mountain_car:plugin"})
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    module = importlib.import_module("mountain_car")
    monkeypatch.setattr(module, "plugin", dataclasses.replace(module.plugin, state_size=3))
    with pytest.raises(InputError, match=r"the saved state does not fit the environment .*: states must be float64"):
        resume(tmp_path)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before


def test_another_config_is_refused(tmp_path):
    leave(tmp_path, 5, **SMALL)
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace("seed = 0", "seed = 1"))
    with pytest.raises(InputError, match=r"config\.toml' was changed: the run was begun with seed = 0; restore it"):
        resume(tmp_path)


def test_another_build_is_told(tmp_path, monkeypatch):
    leave(tmp_path, 5, **SMALL)
    monkeypatch.setattr("nasdqn_fast.run.run.build_facts", lambda: {"cpu_target": "abacus"})
    with pytest.warns(UserWarning, match=r"the run was begun with .*cpu_target \w+: it goes on, but not to the bit"):
        resume(tmp_path)


def test_a_finished_run_is_left_alone(tmp_path):
    train(**SMALL, out=tmp_path)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert resume(tmp_path) is None
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == before
    assert len(list((tmp_path / "checkpoints").iterdir())) == 1


def test_a_finished_run_whose_summary_is_damaged_is_not_taken_for_an_unfinished_one(tmp_path):
    train(**SMALL, out=tmp_path)
    (tmp_path / "summary.json").write_text("{")
    with pytest.raises(InputError, match=r"summary\.json' is damaged; if the run had not finished, delete it"):
        resume(tmp_path)
    assert (tmp_path / "episodes.csv").exists()


def test_a_run_that_failed_goes_on_and_fails_again(tmp_path):
    options = SMALL | {
        "method": "fixed-small",
        "learning_rate": 1e30,
        "warm_up": 100,
        "episodes": 50,
        "switch_every": 50,
    }
    with pytest.raises(NonFiniteError) as first:
        train(**options, out=tmp_path)
    rows = (tmp_path / "episodes.csv").read_bytes()
    with pytest.raises(NonFiniteError) as second:
        resume(tmp_path)
    assert str(second.value) == str(first.value)
    assert (tmp_path / "episodes.csv").read_bytes() == rows


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


def test_a_finished_run_whose_episodes_were_changed_is_told(tmp_path):
    train(**SMALL, out=tmp_path)
    config = tmp_path / "config.toml"
    config.write_text(config.read_text().replace("episodes = 9", "episodes = 12"))
    with pytest.raises(
        InputError,
        match=r"finished after 9 episodes, and its config.toml was changed to 12 since; set .*; "
        r"resume .* --episodes N",
    ):
        resume(tmp_path)


def test_a_config_with_a_byte_order_mark_is_read(tmp_path):
    """As Windows' editors write it."""
    leave(tmp_path, 5, **SMALL)
    config = tmp_path / "config.toml"
    config.write_bytes(b"\xef\xbb\xbf" + config.read_bytes())
    assert resume(tmp_path).status == "finished"


def test_what_is_no_run_directory_is_refused(tmp_path):
    with pytest.raises(InputError, match=r"is not a run directory: it holds no config\.toml"):
        resume(tmp_path)
    with pytest.raises(TypeError, match="progress must be a function"):
        resume(tmp_path, progress=3)


IN_USE = """
import sys
from nasdqn_fast.run.directory import locked
from pathlib import Path
with locked(Path(sys.argv[1])):
    print("locked", flush=True)
    sys.stdin.read()
"""


def test_a_directory_in_use_by_another_process_is_refused(tmp_path):
    leave(tmp_path / "left", 5, **SMALL)
    (tmp_path / "new").mkdir()
    for name, use in (("left", resume), ("new", lambda out: train(**SMALL, out=out))):
        command = [sys.executable, "-c", IN_USE, str(tmp_path / name)]
        with subprocess.Popen(
            command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=tmp_path
        ) as process:
            assert process.stdout.readline() == "locked\n"
            with pytest.raises(InputError, match=rf"{name}' is in use by another process; wait for it"):
                use(tmp_path / name)
            process.kill()
    assert not list((tmp_path / "new").iterdir())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert len(resume(tmp_path / "left").episodes) == 9


@pytest.mark.parametrize("steps", [130, 150])
def test_a_run_that_ends_after_so_many_steps_is_resumed_to_the_bit(tmp_path, steps):
    """And `episodes`, which is less than fits into the steps, does not count."""
    given = SMALL | {"steps": steps, "episodes": 4, "switch_every": 3, "learning_rate_schedule": "linear"}
    whole = train(**given, out=tmp_path / "whole")
    assert steps - 30 < whole.episodes.lengths.sum() <= steps
    with pytest.raises(KeyboardInterrupt):
        train(**given, out=tmp_path / "left", progress=stop_after(3))
    resumed = resume(tmp_path / "left")
    np.testing.assert_array_equal(resumed.network.parameters, whole.network.parameters)
    for name in ("episodes.csv", "architectures.jsonl"):
        left, alone = ((tmp_path / folder / name).read_text() for folder in ("left", "whole"))
        assert left == alone
    assert resume(tmp_path / "whole") is None  # finished
