"""The online search: ask, transfer, prune, train, score, tell.

Rahmani et al. 2025 (arXiv:2510.19872), section 2.3.3. Algorithm 1 is a picture there; this is its
reconstruction, and docs/paper.md lists what had to be chosen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.events import Asked, Event, Played, Pruned, Told, Transferred
from nasdqn_fast.metrics import segment_score
from nasdqn_fast.search.clock import Clock
from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers import base as transfers
from nasdqn_fast.types import Proposal, Result
from nasdqn_fast.validation import check_array, check_int, check_positive_int, check_sums


@dataclass
class _Course:
    """A segment in its course.

    Args:
        last: number of its last episode.
        first_step: environment steps before it.
        returns: of its episodes so far.
    """

    last: int
    first_step: int
    returns: list[np.ndarray] = field(default_factory=list)


class Trainer:
    """One run of one method.

    The first architecture is asked for, and the agent made, at once: what is wrong with either is
    known before anything is trained or written.

    Args:
        make_agent: architecture -> ``DQNAgent`` of either backend.
        controller: decides what to train.
        transfer: carries the weights over a switch.
        rng: the transfer's stream; pruning draws from it too.
        episodes: in all, >= 1.
        switch_every: M, episodes of a segment whose budget the controller leaves open, >= 1.
        replay_keep: share of the replay memory kept at a switch, in (0, 1].
        replay_keep_which: ``newest`` or ``random``.

    Attributes:
        agent: the agent.
        clock: seconds spent as ``controller``, ``transfer``, ``prune`` and ``train``.
        episodes_done: episodes ended so far.
    """

    def __init__(
        self,
        make_agent: Callable[[Architecture], Any],
        controller: Controller,
        transfer: transfers.Transfer[Any],
        rng: np.random.Generator,
        *,
        episodes: int,
        switch_every: int,
        replay_keep: float,
        replay_keep_which: str,
    ) -> None:
        self.controller = controller
        self.transfer = transfer
        self.rng = rng
        self.episodes = check_positive_int("episodes", episodes)
        self.switch_every = check_positive_int("switch_every", switch_every)
        self.replay_keep = replay_keep
        self.replay_keep_which = replay_keep_which
        self.clock = Clock()
        self.segment = 1
        self.episodes_done = 0
        # Of the episodes that ended before a switch and count in a segment after it: what played them.
        self._kept: deque[Architecture] = deque()
        self._course: _Course | None = None  # None: before the first segment, or between two
        self.proposal = self._ask()
        self.agent = make_agent(self.proposal.architecture)

    def run(self, stop: StopToken | None = None) -> Iterator[Event]:
        """Trains to the end, telling what happens as it happens; after `set_state` or a stop, what is left.

        Args:
            stop: stops the agent when it is set.

        Raises:
            Stopped: it was set.
            NonFiniteError: a loss, weight, observation or reward is NaN or infinite.
        """
        if self._course is None:
            yield Asked(self.segment, 1, self.proposal)
            self._begin_segment()
        yield from self._train_segment(stop)
        while self.episodes_done < self.episodes:
            self.segment += 1
            self.proposal = self._ask()
            yield Asked(self.segment, self.episodes_done + 1, self.proposal)
            yield from self._switch()
            self._begin_segment()
            yield from self._train_segment(stop)

    @property
    def resumable(self) -> bool:
        """Whether `get_state` can be called: in the course of a segment, not at a switch."""
        return self._course is not None

    def get_state(self) -> dict[str, Any]:
        """All that `set_state` needs to go on from here, to the bit: plain JSON values and arrays.

        To be called where `resumable`: when `run` has yielded ``Played``, or has raised ``Stopped``.
        """
        assert self._course is not None, "at a switch there is no state to go on from"
        return {
            "segment": self.segment,
            "episodes_done": self.episodes_done,
            "last": self._course.last,
            "first_step": self._course.first_step,
            "returns": np.concatenate([*self._course.returns, np.empty(0)]),
            "kept": [str(architecture) for architecture in self._kept],
            "proposal": self.proposal.get_state(),
            "controller": self.controller.get_state(),
            "agent": self.agent.get_state(),
        }

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Takes back what `get_state` gave to a trainer of the same arguments.

        Raises:
            KeyError, TypeError, ValueError: the state is none, or that of other arguments.
        """
        self.agent.set_state(state["agent"])
        self.controller.set_state(state["controller"])
        self.proposal = Proposal(**state["proposal"])
        if self.controller.pending != self.proposal:
            raise ValueError(f"the controller waits for the result of {self.controller.pending}, not {self.proposal}")
        self._kept = deque(Architecture.parse(text) for text in state["kept"])
        last = check_int("last", state["last"], 1, self.episodes)
        first_step = check_int("first_step", state["first_step"], 0, self.agent.steps)
        returns = check_sums("returns", check_array("returns", state["returns"], ("n",), np.float64))
        self.episodes_done = check_int("episodes_done", state["episodes_done"], len(returns), last)
        if self.episodes_done + self.agent.unreported != self.agent.episodes:
            raise ValueError(f"episodes_done must be that of the agent; got {self.episodes_done}")
        if self.episodes_done == last and not len(returns):
            raise ValueError("a segment that is over must have returns; got none")
        self._course = _Course(last, first_step, [returns])
        self.segment = check_positive_int("segment", state["segment"])

    def _ask(self) -> Proposal:
        with self.clock.charge("controller"):
            return self.controller.ask()

    def _switch(self) -> Iterator[Event]:
        old = self.agent.network
        self._kept.extend([old.architecture] * (self.agent.unreported - len(self._kept)))
        # A switch to itself keeps weights, target and optimizer state, whatever the transfer.
        if self.proposal.architecture != old.architecture:
            with self.clock.charge("transfer"):
                new, report = transfers.apply(
                    self.transfer, old, self.proposal.architecture, self.rng, self.agent.replay
                )
                self.agent.switch_network(new)
            yield Transferred(self.segment, old.architecture, new.architecture, report)
        before = len(self.agent.replay)
        with self.clock.charge("prune"):
            self.agent.replay.prune(self.replay_keep, self.replay_keep_which, self.rng)
        yield Pruned(self.segment, before, len(self.agent.replay))

    def _begin_segment(self) -> None:
        self._course = _Course(self.episodes_done + self._budget(), self.agent.steps)

    def _train_segment(self, stop: StopToken | None) -> Iterator[Event]:
        course, architecture = self._course, self.agent.network.architecture
        assert course is not None
        while self.episodes_done < course.last:
            # One episode a call: the return to Python costs microseconds, an episode milliseconds.
            with self.clock.charge("train"):
                episodes = self.agent.run_episodes(1, stop)
            self.episodes_done += len(episodes)
            course.returns.append(episodes.returns)
            yield Played(self._kept.popleft() if self._kept else architecture, episodes)
        self._course = None
        returns = np.concatenate(course.returns)
        result = Result(
            self.proposal,
            architecture,
            segment_score(returns, self.switch_every),
            returns,
            cost=self.agent.steps - course.first_step,
            accepted=architecture == self.proposal.architecture,
        )
        with self.clock.charge("controller"):
            self.controller.tell(result)
        yield Told(self.segment, self.episodes_done, result)

    def _budget(self) -> int:
        asked = self.switch_every if self.proposal.budget is None else self.proposal.budget
        return min(asked, self.episodes - self.episodes_done)
