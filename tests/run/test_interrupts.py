"""Ctrl-C that comes at a bad moment."""

import contextlib
import os
import signal
import threading
import time

import pytest

from nasdqn_fast import interrupts


def test_ctrl_c_waits_for_the_end_of_the_block():
    done = []

    def interrupted_halfway():
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            done.append("the rest of the block")

    with pytest.raises(KeyboardInterrupt):
        interrupted_halfway()
    assert done == ["the rest of the block"]


def test_afterwards_ctrl_c_is_what_it_was():
    before = signal.getsignal(signal.SIGINT)
    with interrupts.held():
        pass
    assert signal.getsignal(signal.SIGINT) is before
    with pytest.raises(KeyboardInterrupt):
        signal.raise_signal(signal.SIGINT)


def test_an_ignored_signal_stays_ignored():
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        with interrupts.held():
            os.kill(os.getpid(), signal.SIGINT)
    finally:
        signal.signal(signal.SIGINT, before)


def test_it_is_let_through_where_the_block_checks():
    done = []

    def block():
        with interrupts.held():
            done.append("before")
            signal.raise_signal(signal.SIGINT)
            done.append("after")
            interrupts.check()
            done.append("never")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["before", "after"]
    interrupts.check()


def test_a_block_in_a_held_block_lets_nothing_through():
    done = []

    def block():
        with interrupts.held():
            with interrupts.held():
                signal.raise_signal(signal.SIGINT)
            done.append("the rest of the outer block")

    with pytest.raises(KeyboardInterrupt):
        block()
    assert done == ["the rest of the outer block"]


def test_impatience_lets_it_through(monkeypatch):
    """Twice at once is one; a second signal after more than a second ends what must be stuck."""
    now = [50.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    done = []

    def stuck():
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            now[0] += 0.9
            signal.raise_signal(signal.SIGINT)
            done.append("patience")
            now[0] += 0.2
            signal.raise_signal(signal.SIGINT)
            done.append("never")

    with pytest.raises(KeyboardInterrupt):
        stuck()
    assert done == ["patience"]


def test_what_leaves_the_block_says_more_than_a_signal_on_the_way():
    def block():
        with interrupts.held():
            signal.raise_signal(signal.SIGINT)
            raise KeyboardInterrupt("and how to go on")

    with pytest.raises(KeyboardInterrupt, match="and how to go on"):
        block()


def test_impatience_is_noted(monkeypatch):
    monkeypatch.setattr(interrupts, "PATIENCE", -1.0)
    seen = []

    def stuck():
        with interrupts.held() as holding:
            seen.append(holding)
            signal.raise_signal(signal.SIGINT)
            seen.append(holding.impatient)
            signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        stuck()
    assert (seen[1], seen[0].impatient) == (False, True)


def test_sigterm_is_an_exception_where_it_is_asked_for():
    with pytest.raises(interrupts.Terminated), interrupts.terminable():
        signal.raise_signal(signal.SIGTERM)
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_a_sigterm_that_was_swallowed_is_not_lost():
    """As by a callback of ctypes, while an environment is compiled."""
    done = []

    def run():
        with interrupts.terminable():
            with contextlib.suppress(BaseException):
                signal.raise_signal(signal.SIGTERM)
            done.append("swallowed")
            with interrupts.held():
                done.append("never")

    with pytest.raises(interrupts.Terminated):
        run()
    assert done == ["swallowed"]
    with interrupts.held():
        done.append("the next one is not its business")


def test_sigterm_is_held_back_too():
    done = []

    def block():
        with interrupts.terminable(), interrupts.held():
            signal.raise_signal(signal.SIGTERM)
            done.append("the rest of the block")

    with pytest.raises(interrupts.Terminated):
        block()
    assert done == ["the rest of the block"]


def test_who_handles_sigterm_keeps_it():
    came = []
    before = signal.signal(signal.SIGTERM, lambda number, frame: came.append(number))
    try:
        with interrupts.terminable():
            signal.raise_signal(signal.SIGTERM)
    finally:
        signal.signal(signal.SIGTERM, before)
    assert came == [signal.SIGTERM]


def test_in_another_thread_nothing_is_touched():
    before, inside = signal.getsignal(signal.SIGINT), []

    def run():
        with interrupts.held():
            inside.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()
    assert inside == [before]
