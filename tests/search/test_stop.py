"""A stop token that is set while a plug-in plays greedy episodes."""

import threading
from dataclasses import fields

import numpy as np
import pytest
from online_runs import SPACE, trainer_of

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.controllers.random import plugin as RandomSearch
from nasdqn_fast.errors import Stopped
from nasdqn_fast.events import Played, Told
from nasdqn_fast.seeding import Streams
from nasdqn_fast.transfers.matching import matching
from nasdqn_fast.types import Episodes


def stopping(token, delay=0.05):
    """Sets the token while greedy episodes are played, which by themselves would take years."""
    timer = threading.Timer(delay, token.set)
    timer.start()
    return timer


def endless_estimator(segment):
    return segment.evaluate(hook["episodes"])


def endless_transfer(switch):
    switch.rng.random()
    switch.play(switch.old, hook["episodes"])
    return matching(switch)


def catching_estimator(segment):
    try:
        return segment.evaluate(hook["episodes"])
    except Exception:
        return 0.0


hook = {"episodes": 2}


@pytest.mark.parametrize("backend", ["native", "numpy"])
@pytest.mark.parametrize(
    "plugins",
    [{"estimator": endless_estimator}, {"transfer": endless_transfer}, {"estimator": catching_estimator}],
    ids=["estimator", "transfer", "estimator that catches"],
)
def test_a_stop_is_answered_in_greedy_episodes_and_loses_nothing(plugins, backend):
    """Whether the trainer goes on or another takes over its state, the run is that of one left alone."""

    def trainer():
        streams = Streams(0)
        return trainer_of(RandomSearch(SPACE, streams.controller), streams, backend=backend, **plugins)

    def told(events):
        return [(event.episode, event.result.score) for event in events if isinstance(event, Told)]

    hook["episodes"] = 2
    whole = told(trainer().run())
    assert len(whole) == 3

    stopped, token, events = trainer(), StopToken(), []
    hook["episodes"] = 10**9
    stopping(token)
    with pytest.raises(Stopped):
        events.extend(stopped.run(token))
    hook["episodes"] = 2
    assert stopped.resumable
    other, state = trainer(), stopped.get_state()
    played = [event.episodes for event in events if isinstance(event, Played)]
    done = Episodes(
        **{f.name: np.concatenate([getattr(episodes, f.name) for episodes in played]) for f in fields(Episodes)}
    )
    other.set_state(state, done)
    assert told(events) + told(other.run()) == whole
    token.clear()
    assert told(events) + told(stopped.run(token)) == whole
