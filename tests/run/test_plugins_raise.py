"""Listeners, controllers, transfers and environments that raise: nothing is lost, and nothing of theirs is hidden.

The oracle is the run left alone.
"""

import contextlib
import json
import shutil
import sys
import traceback
import warnings

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from left_runs import TINY, contents

from nasdqn_fast import plugins
from nasdqn_fast.cli import main
from nasdqn_fast.controllers import base as controllers
from nasdqn_fast.controllers.nas_dqn import plugin as NASDQN
from nasdqn_fast.events import Asked, Played, Pruned, Resumed, Told, Transferred
from nasdqn_fast.reference.lane import Lane
from nasdqn_fast.run import checkpoints
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.search.online import Trainer
from nasdqn_fast.transfers.matching import plugin as matching

SMALL = TINY | {
    "method": "nas-dqn",
    "episodes": 9,
    "switch_every": 2,
    "checkpoint_every": "never",  # so that what is found was saved when the plug-in raised
    "controller_epsilon_start": 0.5,
    "seed": 3,
}


class Mistake(Exception):
    """A bug in a plug-in."""


def held(run):
    return {path: path.read_bytes() for path in run.rglob("*") if path.is_file()}


def found(run):
    """The checkpoints of a run, newest first."""
    return checkpoints.Checkpoints(run / "checkpoints").newest_first()


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    """The run left alone, and its events."""
    out, events = tmp_path_factory.mktemp("whole"), []
    train(**SMALL, out=out, progress=events.append)
    return out, events


def nth(number, error):
    """A function that raises when it is called for the nth time."""
    calls = 0

    def call(*_):
        nonlocal calls
        calls += 1
        if calls == number:
            raise error

    return call


def kinds(events):
    return [type(event) for event in events]


def test_the_run_has_every_event_to_raise_at(whole):
    assert {Asked, Transferred, Pruned, Played, Told} == set(kinds(whole[1]))


@pytest.mark.quick_only(error=Mistake, place="last")
@pytest.mark.quick_only(error=KeyboardInterrupt, place="first")
@pytest.mark.parametrize("error", [KeyboardInterrupt, Mistake, SystemExit])
@pytest.mark.parametrize("event_type", [Asked, Transferred, Pruned, Played, Told])
@pytest.mark.parametrize("place", ["first", "last"])
def test_a_listener_that_raises_loses_nothing(tmp_path, whole, event_type, error, place):
    whole, events = whole
    places = [number for number, event in enumerate(events, start=1) if isinstance(event, event_type)]
    at = places[0] if place == "first" else places[-1]
    with pytest.raises(error) as raised:
        train(**SMALL, out=tmp_path, progress=nth(at, error("mine")))
    going_on = f"to go on: nasdqn-fast resume {tmp_path}"
    assert going_on in (str(raised.value) if error is KeyboardInterrupt else raised.value.__notes__)
    status = json.loads((tmp_path / "summary.json").read_text())["status"]
    assert status == ("interrupted" if error is KeyboardInterrupt else "failed: mine")
    resumed = []
    assert resume(tmp_path, progress=resumed.append).status == "finished"
    assert contents(tmp_path) == contents(whole)
    # All that the listener had not been told of, but for the rest of a switch that had been made.
    assert isinstance(resumed[0], Resumed)
    assert kinds(resumed)[-1:] in ([Told], [Resumed])
    played = sum(isinstance(event, Played) for event in events[:at])
    assert sum(isinstance(event, Played) for event in resumed) == len(whole_episodes(events)) - played


def whole_episodes(events):
    return [event for event in events if isinstance(event, Played)]


class Faulty(NASDQN):
    """The controller, with methods that can be made to raise when their work is half done."""

    def propose(self):
        proposal = super().propose()
        self.after_propose()
        return proposal

    def learn(self, result):
        super().learn(result)
        self.after_learn()

    after_propose = after_learn = staticmethod(lambda: None)


def use_controller(monkeypatch, controller):
    make = controllers.make
    monkeypatch.setattr(
        "nasdqn_fast.run.assembly.controllers.make", lambda name, space, rng, given: make(controller, space, rng, given)
    )


def use_transfer(monkeypatch, transfer):
    made = plugins.function("transfers", transfer, "switch")
    monkeypatch.setattr("nasdqn_fast.run.assembly.transfers.make", lambda name, *options: made)


@pytest.mark.slow
@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["listener", "listener", "propose", "learn", "transfer"]),
            st.integers(1, 6),
            st.sampled_from([KeyboardInterrupt, Mistake, SystemExit, MemoryError]),
        ),
        min_size=1,
        max_size=6,
    ),
    st.fixed_dictionaries(
        {
            "backend": st.sampled_from(["native", "native", "numpy"]),
            "num_envs": st.sampled_from([1, 3]),
            "seed": st.integers(0, 3),
            "checkpoint_every": st.sampled_from(["1", "3", "never"]),
        }
    ),
)
def test_whatever_raises_again_and_again_loses_nothing(tmp_path, monkeypatch, raised, options):
    options = SMALL | options
    hooks = dict.fromkeys(("propose", "learn", "transfer"), bool)

    def transfer(switch):
        switch.rng.random()
        hooks["transfer"]()
        return matching(switch)

    use_controller(monkeypatch, Faulty)
    monkeypatch.setattr(Faulty, "after_propose", staticmethod(lambda: hooks["propose"]()))
    monkeypatch.setattr(Faulty, "after_learn", staticmethod(lambda: hooks["learn"]()))
    use_transfer(monkeypatch, transfer)
    whole, out = tmp_path / "whole", tmp_path / "left"
    for folder in (whole, out):
        shutil.rmtree(folder, ignore_errors=True)
    train(**options, out=whole)
    for place, number, error in [*raised, ("nowhere", 0, Mistake)]:
        hooks = dict.fromkeys(hooks, bool) | {place: nth(number, error())}
        try:
            listener = hooks.get("listener")
            if (out / "config.toml").exists():
                with warnings.catch_warnings():  # what raises before training leaves nothing to resume from
                    warnings.filterwarnings("ignore", "'.*' has no checkpoint yet: starting over")
                    resume(out, progress=listener)
            else:
                train(**options, out=out, progress=listener)
        except error:
            assert place != "nowhere"
    assert contents(out) == contents(whole)


@pytest.mark.quick_only(error=Mistake)
@pytest.mark.quick_only(error=KeyboardInterrupt, method="learn", number=3)
@pytest.mark.parametrize("error", [KeyboardInterrupt, Mistake, ValueError, OSError])
@pytest.mark.parametrize(
    ("method", "number"), [("propose", 2), ("propose", 4), ("learn", 1), ("learn", 3), ("learn", 5)]
)
def test_a_controller_that_raises_loses_nothing(tmp_path, whole, monkeypatch, method, number, error):
    """It has drawn from its stream and changed its own state by then; all that is undone."""
    with monkeypatch.context() as patch:
        use_controller(patch, Faulty)
        patch.setattr(Faulty, f"after_{method}", nth(number, error("mine")))
        with pytest.raises(error) as raised:
            train(**SMALL, out=tmp_path)
    assert "resume" in str(raised.value) if error is KeyboardInterrupt else str(raised.value) == "mine"
    assert len(found(tmp_path)) == 1
    assert resume(tmp_path).status == "finished"
    assert contents(tmp_path) == contents(whole[0])


@pytest.mark.parametrize("error", [KeyboardInterrupt, Mistake])
def test_a_transfer_that_raises_loses_nothing(tmp_path, monkeypatch, error):
    """It has drawn by then, from its own stream and from others."""
    raising = staticmethod(lambda: None)

    def transfer(switch):
        switch.rng.random(3)
        raising()
        return matching(switch)

    use_transfer(monkeypatch, transfer)
    options = SMALL | {"method": "random-nas"}
    train(**options, out=tmp_path / "whole")
    raising = nth(2, error("mine"))
    with pytest.raises(error):
        train(**options, out=tmp_path / "left")
    assert resume(tmp_path / "left").status == "finished"
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


@pytest.mark.quick_only(error=Mistake)
@pytest.mark.parametrize("error", [KeyboardInterrupt, Mistake])
def test_an_environment_that_raises_in_a_step_keeps_the_last_checkpoint(tmp_path, monkeypatch, error):
    """In plain Python, as the NumPy backend plays it: the agent is in the middle of a step, and is not saved."""
    options = SMALL | {"backend": "numpy", "checkpoint_every": "2"}
    train(**options, out=tmp_path / "whole")
    step, raising = Lane.step, nth(100, error("mine"))
    with monkeypatch.context() as patch:
        patch.setattr(Lane, "step", lambda *given: (raising(), step(*given))[1])
        with pytest.raises(error) as raised:
            train(**options, out=tmp_path / "left")
    told = f"to go on from the last checkpoint: nasdqn-fast resume {tmp_path / 'left'}"
    assert told in (str(raised.value) if error is KeyboardInterrupt else raised.value.__notes__)
    resume(tmp_path / "left")
    assert contents(tmp_path / "left") == contents(tmp_path / "whole")


def test_without_a_checkpoint_no_message_promises_one(tmp_path, monkeypatch):
    monkeypatch.setattr(Lane, "step", nth(1, Mistake("mine")))
    with pytest.raises(Mistake) as raised:
        train(**SMALL | {"backend": "numpy"}, out=tmp_path)
    assert raised.value.__notes__ == [f"nothing is saved yet; to start over: nasdqn-fast resume {tmp_path}"]
    monkeypatch.undo()
    with pytest.warns(UserWarning, match="has no checkpoint yet: starting over"):
        assert resume(tmp_path).status == "finished"


class Forgetful(Faulty):
    """Its state cannot be restored: a bug in a plug-in."""

    def set_state(self, state):
        return self.not_there


class Unreadable(Faulty):
    """The same as a ValueError, which is what a damaged file used to be."""

    def set_state(self, state):
        raise ValueError("mine")


@pytest.mark.parametrize(("controller", "error"), [(Forgetful, AttributeError), (Unreadable, ValueError)])
def test_a_bug_in_set_state_is_no_damage(tmp_path, whole, monkeypatch, controller, error):
    with pytest.raises(KeyboardInterrupt):
        train(**SMALL | {"checkpoint_every": "1"}, out=tmp_path, progress=nth(20, KeyboardInterrupt()))
    assert len(found(tmp_path)) == 2
    before = held(tmp_path)
    with monkeypatch.context() as patch:
        use_controller(patch, controller)
        for _ in range(2):
            with pytest.raises(error) as raised:
                resume(tmp_path)
            assert traceback.extract_tb(raised.value.__traceback__)[-1].filename == __file__
            assert held(tmp_path) == before
    resume(tmp_path)
    assert (tmp_path / "episodes.csv").read_bytes() == (whole[0] / "episodes.csv").read_bytes()


PLUGIN = """
from nasdqn_fast.controllers.random import plugin as RandomSearch


class plugin(RandomSearch):
    def set_state(self, state):
        open("/not/there")
"""


def test_at_the_command_line_the_users_traceback_is_seen(tmp_path, monkeypatch, capfd):
    """Also of an OSError, of which the package has its own, in one line each."""
    (tmp_path / "their_controller.py").write_text(PLUGIN)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setitem(sys.modules, "their_controller", None)
    del sys.modules["their_controller"]
    make = controllers.make
    monkeypatch.setattr(
        "nasdqn_fast.run.assembly.controllers.make",
        lambda name, space, rng, given: make("their_controller:plugin", space, rng, {}),
    )
    with pytest.raises(KeyboardInterrupt):
        train(**SMALL, out=tmp_path / "run", progress=nth(9, KeyboardInterrupt()))
    with pytest.raises(FileNotFoundError) as raised:
        main(["resume", str(tmp_path / "run")])
    assert traceback.extract_tb(raised.value.__traceback__)[-1].name == "set_state"
    assert len(found(tmp_path / "run")) == 1


def test_an_oserror_of_get_state_is_no_full_disk(tmp_path, monkeypatch):
    class Reading(Faulty):
        def get_state(self):
            return super().get_state() | ({} if self.pending and not self.best else {"read": open("/not/there")})

    use_controller(monkeypatch, Reading)
    monkeypatch.setattr(Trainer, "_undone_by_errors", contextlib.nullcontext)
    with pytest.raises(FileNotFoundError, match="/not/there"):
        train(**SMALL | {"checkpoint_every": "3"}, out=tmp_path)


def test_a_state_that_cannot_be_saved_hides_no_other_error(tmp_path, monkeypatch):
    class Unsaveable(Faulty):
        def get_state(self):
            if self.switches > 0:
                raise Mistake("in get_state")
            return super().get_state()

    def listener(event):
        if isinstance(event, Played) and events.append(event) is None and len(events) == 3:
            raise RuntimeError("the listener's")

    events = []
    use_controller(monkeypatch, Unsaveable)
    with pytest.raises(Mistake, match="in get_state"):  # where the first segment ends
        train(**SMALL, out=tmp_path / "own")
    monkeypatch.setattr(Trainer, "_undone_by_errors", contextlib.nullcontext)
    with pytest.raises(RuntimeError, match="the listener's") as raised:
        train(**SMALL, out=tmp_path / "listener", progress=listener)
    note = "its state cannot be saved (Mistake: in get_state); nothing is saved yet; to start over: nasdqn-fast resume"
    assert raised.value.__notes__ == [f"{note} {tmp_path / 'listener'}"]
