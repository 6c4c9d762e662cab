"""Signals that come while a run goes on, or at a bad moment."""

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path

import numpy as np
import pytest

from nasdqn_fast._core import signals as core
from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.run import signals
from nasdqn_fast.run.api import train
from nasdqn_fast.transfers.matching import plugin as matching


@contextlib.contextmanager
def handling(number, handler):
    before = signal.signal(number, handler)
    try:
        yield
    finally:
        signal.signal(number, before)


@contextlib.contextmanager
def deferred():
    """The block of a run."""
    with signals.watched() as watch, watch.deferred():
        yield watch


def test_ctrl_c_waits_for_the_end_of_the_block():
    done = []

    def interrupted_halfway():
        with deferred():
            signal.raise_signal(signal.SIGINT)
            done.append("the rest of the block")

    with pytest.raises(KeyboardInterrupt):
        interrupted_halfway()
    assert done == ["the rest of the block"]


def test_afterwards_ctrl_c_is_what_it_was():
    before = signal.getsignal(signal.SIGINT)
    with deferred():
        pass
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_ignored_signal_stays_ignored():
    with handling(signal.SIGINT, signal.SIG_IGN), deferred() as watch:
        os.kill(os.getpid(), signal.SIGINT)
        assert watch.token.reason == 0


def test_it_is_answered_where_the_block_checks():
    done = []

    def block():
        with deferred() as watch:
            watch.check()
            done.append("before")
            signal.raise_signal(signal.SIGINT)
            done.append("after")
            watch.check()
            done.append("never")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["before", "after"]


def test_a_handler_of_the_users_that_returns_stops_nothing():
    received = []
    with handling(signal.SIGINT, lambda number, frame: received.append(number)), deferred() as watch:
        signal.raise_signal(signal.SIGINT)
        assert (received, watch.token.reason) == ([], signal.SIGINT)
        watch.check()
        assert (received, watch.token.reason) == ([signal.SIGINT], 0)
    assert received == [signal.SIGINT]


def test_a_block_in_a_block_delivers_nothing_at_its_end():
    done = []

    def block():
        with deferred():
            with deferred():
                signal.raise_signal(signal.SIGINT)
            done.append("the rest of the outer block")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["the rest of the outer block"]


def test_a_second_signal_is_delivered_at_once_after_a_second(monkeypatch):
    """Twice at once is one; a second signal after more than a second ends what must be stuck."""
    now = [50.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    done, seen = [], []

    def stuck():
        with deferred() as watch:
            seen.append(watch)
            signal.raise_signal(signal.SIGINT)
            now[0] += 0.9
            signal.raise_signal(signal.SIGINT)
            done.append(watch.forced)
            now[0] += 0.2
            signal.raise_signal(signal.SIGINT)
            done.append("never")

    with pytest.raises(KeyboardInterrupt):
        stuck()
    assert done == [False]
    assert seen[0].forced


def test_what_leaves_the_block_says_more_than_a_signal_on_the_way():
    def block():
        with deferred():
            signal.raise_signal(signal.SIGINT)
            raise KeyboardInterrupt("and how to go on")

    with pytest.raises(KeyboardInterrupt, match="and how to go on"):
        block()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_and_sighup_are_exceptions_where_they_are_asked_for(number):
    with pytest.raises(signals.Terminated) as raised, signals.terminable():
        signal.raise_signal(number)
    assert raised.value.number == number
    assert signal.getsignal(number) is signal.SIG_DFL


def test_a_sigterm_that_was_swallowed_is_not_lost():
    """As by a callback of ctypes, while an environment is compiled."""
    done = []

    def run():
        with signals.terminable():
            with contextlib.suppress(BaseException):
                signal.raise_signal(signal.SIGTERM)
            done.append("swallowed")
            with deferred():
                done.append("never")

    with pytest.raises(signals.Terminated):
        run()
    assert done == ["swallowed"]
    with deferred():
        done.append("the next one is not its business")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_sigterm_and_sighup_are_deferred_too(number):
    done = []

    def block():
        with signals.terminable(), deferred():
            signal.raise_signal(number)
            done.append("the rest of the block")

    with pytest.raises(signals.Terminated) as raised:
        block()
    assert done == ["the rest of the block"]
    assert raised.value.number == number


def test_a_handler_of_the_users_keeps_its_sigterm():
    received = []
    with handling(signal.SIGTERM, lambda number, frame: received.append(number)), signals.terminable():
        signal.raise_signal(signal.SIGTERM)
    assert received == [signal.SIGTERM]


def test_in_another_thread_no_handler_of_pythons_is_touched():
    before, inside = signal.getsignal(signal.SIGINT), []

    def run():
        with deferred():
            inside.append(signal.getsignal(signal.SIGINT))

    in_thread(run)
    assert inside == [before]


def in_thread(*calls):
    """What the calls, made one after the other in one new thread, have returned or raised."""
    results = []

    def run():
        for call in calls:
            try:
                results.append(call())
            except BaseException as error:
                results.append(error)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    return results


def run_until(event):
    """A run that notices a signal at its next check."""
    with deferred() as watch:
        event()
        watch.check()
    return "finished"


def interrupt():
    signal.raise_signal(signal.SIGINT)


def nothing():
    pass


@pytest.fixture
def quiet():
    """Python's handler of SIGINT in the main thread, where these tests wait, raises nothing."""
    received = []
    with handling(signal.SIGINT, lambda number, frame: received.append(number)):
        yield received


def test_a_run_in_a_thread_is_stopped_and_those_queued_behind_it_are_refused(quiet):
    first, second, third = in_thread(
        lambda: run_until(interrupt), lambda: run_until(nothing), lambda: run_until(nothing)
    )
    assert [type(x) for x in (first, second, third)] == [KeyboardInterrupt] * 3
    assert "not started" in str(second)
    assert quiet == [signal.SIGINT]  # the handler that was there before


def test_a_run_that_finished_as_the_signal_came_is_followed_by_none(quiet):
    def finish_as_it_comes():
        with deferred():
            interrupt()
        return "finished"

    first, second = in_thread(finish_as_it_comes, lambda: run_until(nothing))
    assert first == "finished"
    assert "not started" in str(second)


def test_runs_that_are_started_later_or_in_other_threads_start(quiet, monkeypatch):
    monkeypatch.setattr(signals, "QUEUE", 0.1)
    results = in_thread(lambda: run_until(interrupt), lambda: time.sleep(0.15), lambda: run_until(nothing))
    assert results[2] == "finished"
    in_thread(lambda: run_until(interrupt))
    assert in_thread(lambda: run_until(nothing), lambda: run_until(nothing)) == ["finished", "finished"]
    assert run_until(nothing) == "finished"


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_run_in_a_thread_is_stopped_by_sigterm_and_sighup_if_python_handles_them(number):
    with handling(number, lambda number, frame: None):
        (error,) = in_thread(lambda: run_until(lambda: signal.raise_signal(number)))
    assert isinstance(error, signals.Terminated)
    assert error.number == number


LIBRARY_FIRST = """
import ctypes, signal
from nasdqn_fast._core import signals
from nasdqn_fast._core.stop_token import StopToken

libc, foreign, token = ctypes.CDLL(None), ctypes.CFUNCTYPE(None, ctypes.c_int)(lambda number: None), StopToken()
libc.signal.argtypes = [ctypes.c_int, ctypes.c_void_p]
libc.signal(signal.SIGTERM, ctypes.cast(foreign, ctypes.c_void_p))
with signals.Watch(token):
    signal.raise_signal(signal.SIGTERM)
first = token.reason
token.clear()
signal.signal(signal.SIGTERM, lambda number, frame: None)
with signals.Watch(token):
    signal.raise_signal(signal.SIGTERM)
print(first, token.reason)
"""


def test_a_run_is_stopped_where_a_library_handled_the_signal_before_python_did(tmp_path):
    """As SDL does, which pygame starts: in C, without Python's knowledge."""
    command = [sys.executable, "-c", LIBRARY_FIRST]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)  # not in the source tree
    assert done.stdout == "15 15\n"


def test_a_watch_sets_its_token_only_in_its_block(quiet):
    token, other = StopToken(), StopToken()
    with core.Watch(token):
        signal.raise_signal(signal.SIGINT)
        assert (token.reason, other.reason) == (signal.SIGINT, 0)
        token.clear()
    signal.raise_signal(signal.SIGINT)
    assert token.reason == 0
    assert quiet == [signal.SIGINT] * 2
    assert core.seconds_since_last() < 1


def test_other_signals_set_the_tokens_that_ask_for_every_one():
    some, every, received = StopToken(), StopToken(), []
    handler = handling(signal.SIGUSR1, lambda number, frame: received.append(number))
    with handler, core.Watch(some), core.Watch(every, every=True):
        signal.raise_signal(signal.SIGUSR1)
    assert (some.reason, every.reason, received) == (0, signal.SIGUSR1, [signal.SIGUSR1])


def test_as_many_can_be_watched_as_is_said_and_their_places_are_used_again(quiet):
    for _ in range(2):
        with contextlib.ExitStack() as stack:
            tokens = [stack.enter_context(core.Watch(StopToken())) for _ in range(1000)]
            signal.raise_signal(signal.SIGINT)
            assert {token.reason for token in tokens} == {signal.SIGINT}
            for _ in range(24):
                stack.enter_context(core.Watch(StopToken()))
            with pytest.raises(RuntimeError, match="stop 1024 runs of a process at a time; start fewer"):
                stack.enter_context(core.Watch(StopToken()))


def test_tokens_come_and_go_while_signals_arrive(quiet):
    """A handler that writes to a token that is gone would end the process, or with luck not."""
    until = time.monotonic() + 0.5

    def churn():
        while time.monotonic() < until:
            with core.Watch(StopToken()):
                pass

    threads = [threading.Thread(target=churn) for _ in range(2)]
    for thread in threads:
        thread.start()
    while time.monotonic() < until:
        signal.raise_signal(signal.SIGINT)
    for thread in threads:
        thread.join()
    assert quiet


def test_a_run_continues_to_the_same_bits_after_handlers_that_return():
    """SIGINT and SIGALRM every few milliseconds, between episodes and in them."""
    options = {"method": "random-nas", "env": "cartpole", "episodes": 60, "switch_every": 20, "warm_up": 50}
    undisturbed, received = train(**options), []
    with contextlib.ExitStack() as stack:
        for number in (signal.SIGINT, signal.SIGALRM):
            stack.enter_context(handling(number, lambda number, frame: received.append(number)))
        stack.callback(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0.003, 0.003)
        disturbed = train(**options, progress=lambda event: signal.raise_signal(signal.SIGINT))
    assert {*received} == {signal.SIGINT, signal.SIGALRM}
    np.testing.assert_array_equal(disturbed.episodes.losses, undisturbed.episodes.losses)
    np.testing.assert_array_equal(disturbed.network.parameters, undisturbed.network.parameters)


POOL = """
import sys, threading
from concurrent.futures import ThreadPoolExecutor

import nasdqn_fast as nf

def job(seed):
    return nf.train("fixed-medium", seed=seed, episodes=10_000, env="cartpole", out=f"{sys.argv[1]}/{seed}")

with ThreadPoolExecutor(2) as pool:
    print("going", flush=True)
    list(pool.map(job, range(6)))
"""


def test_one_ctrl_c_ends_a_thread_pool_of_runs_with_a_checkpoint_for_each(tmp_path, at_once):
    """User code unchanged, the main thread waiting in the pool: within two seconds, and queued runs do not start."""
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", POOL, tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert process.stdout.readline() == "going\n"
        logs = [tmp_path / str(seed) / "episodes.csv" for seed in (0, 1)]
        until = time.monotonic() + 60
        while not all(log.exists() and log.stat().st_size > 1000 for log in logs) and time.monotonic() < until:
            time.sleep(0.05)
        with at_once(2):
            process.send_signal(signal.SIGINT)
            _, errors = process.communicate(timeout=60)
    finally:
        process.kill()
    assert "KeyboardInterrupt" in errors
    assert process.returncode in (1, -signal.SIGINT)
    assert sorted(path.name for path in Path(tmp_path).iterdir()) == ["0", "1"]
    for seed in (0, 1):
        assert list((tmp_path / str(seed) / "checkpoints").iterdir())
        assert '"interrupted"' in (tmp_path / str(seed) / "summary.json").read_text()


def test_a_run_whose_greedy_episodes_are_stopped_continues_to_the_same_bits_after_handlers_that_return():
    """They are begun again, the controller and all streams as before them."""
    options = {"method": "nas-dqn", "env": "cartpole", "episodes": 40, "switch_every": 4, "warm_up": 50}
    options |= {"estimator": guarding_estimator, "transfer": guarding_transfer, "widths": (4, 8)}
    undisturbed, received = train(**options), []
    with contextlib.ExitStack() as stack:
        stack.enter_context(handling(signal.SIGINT, lambda number, frame: received.append(number)))
        stack.enter_context(handling(signal.SIGALRM, lambda number, frame: interrupt()))
        stack.callback(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 0.01, 0.01)
        disturbed = train(**options)
    assert received
    np.testing.assert_array_equal(disturbed.episodes.losses, undisturbed.episodes.losses)
    np.testing.assert_array_equal(disturbed.network.parameters, undisturbed.network.parameters)


def guarding_estimator(segment):
    return segment.evaluate(10)


def guarding_transfer(switch):
    switch.rng.random()
    switch.play(switch.old, 10)
    return matching(switch)


ENDLESS = """
import sys
from concurrent.futures import ThreadPoolExecutor

import nasdqn_fast as nf

def endless(segment):
    print("going\\n", end="", flush=True)  # in one piece: two threads print
    return segment.evaluate(10**9)

def job(seed):
    small = {"episodes": 20, "switch_every": 5, "env": "cartpole", "estimator": endless}
    return nf.train("random-nas", seed=seed, out=f"{sys.argv[1]}/{seed}", **small)

with ThreadPoolExecutor(2) as pool:
    list(pool.map(job, range(2)))
"""


def test_one_ctrl_c_ends_greedy_episodes_in_threads(tmp_path, at_once):
    process = subprocess.Popen(
        [sys.executable, "-P", "-c", ENDLESS, tmp_path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    try:
        assert [process.stdout.readline() for _ in range(2)] == ["going\n"] * 2
        with at_once(2):
            process.send_signal(signal.SIGINT)
            process.communicate(timeout=60)
    finally:
        process.kill()
    for seed in (0, 1):
        assert list((tmp_path / str(seed) / "checkpoints").iterdir())
        assert '"interrupted"' in (tmp_path / str(seed) / "summary.json").read_text()
