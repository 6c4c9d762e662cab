"""The online search: ask, transfer, prune, train, score, tell.

Rahmani et al. 2025 (arXiv:2510.19872), section 2.3.3. Algorithm 1 is a picture there; this is its
reconstruction, and docs/paper.md lists what had to be chosen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from nasdqn_fast.clock import Clock
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.events import Asked, Event, Played, Pruned, Told, Transferred
from nasdqn_fast.metrics import segment_score
from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers import base as transfers
from nasdqn_fast.types import Proposal, Result
from nasdqn_fast.validation import check_positive_int


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
        self.proposal = self._ask()
        self.agent = make_agent(self.proposal.architecture)

    def run(self) -> Iterator[Event]:
        """Trains to the end, telling what happens as it happens.

        Raises:
            NonFiniteError: a loss, weight, observation or reward is NaN or infinite.
        """
        yield Asked(self.segment, 1, self.proposal)
        yield from self._train_segment()
        while self.episodes_done < self.episodes:
            self.segment += 1
            self.proposal = self._ask()
            yield Asked(self.segment, self.episodes_done + 1, self.proposal)
            yield from self._switch()
            yield from self._train_segment()

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

    def _train_segment(self) -> Iterator[Event]:
        architecture = self.agent.network.architecture
        last = self.episodes_done + self._budget()
        steps, returns = self.agent.steps, []
        while self.episodes_done < last:
            # One episode a call: the return to Python costs microseconds, an episode milliseconds.
            with self.clock.charge("train"):
                episodes = self.agent.run_episodes(1)
            self.episodes_done += len(episodes)
            returns.append(episodes.returns)
            yield Played(self._kept.popleft() if self._kept else architecture, episodes)
        result = Result(
            self.proposal,
            architecture,
            segment_score(np.concatenate(returns), self.switch_every),
            np.concatenate(returns),
            cost=self.agent.steps - steps,
            accepted=architecture == self.proposal.architecture,
        )
        with self.clock.charge("controller"):
            self.controller.tell(result)
        yield Told(self.segment, self.episodes_done, result)

    def _budget(self) -> int:
        asked = self.switch_every if self.proposal.budget is None else self.proposal.budget
        return min(asked, self.episodes - self.episodes_done)
