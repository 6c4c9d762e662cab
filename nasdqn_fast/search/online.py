"""The online search: ask, transfer, prune, train, score, tell.

Rahmani et al. 2025 (arXiv:2510.19872), section 2.3.3. Algorithm 1 is a picture there; this is its
reconstruction, and docs/paper.md lists what had to be chosen.
"""

from __future__ import annotations

import contextlib
import copy
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Asked, Event, Played, Pruned, Told, Transferred
from nasdqn_fast.metrics import segment_score
from nasdqn_fast.search.clock import Clock
from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers import base as transfers
from nasdqn_fast.types import Episodes, Proposal, Result
from nasdqn_fast.validation import check_positive_int


@dataclass
class SegmentProgress:
    """How far a segment has come.

    Args:
        last: number of its last episode.
        first_step: environment steps before it.
        returns: of its episodes so far.
        told: the controller knows what the segment was worth, and is asked for the next one.
    """

    last: int
    first_step: int
    returns: list[np.ndarray] = field(default_factory=list)
    told: bool = False


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
        self._progress: SegmentProgress | None = None  # None: before the first segment
        self._whole = True  # no episode, switch or report of one is half done
        self._before: dict[str, Any] | None = None  # all but the agent, as it was before a plug-in was called
        self.proposal = self._ask()
        self.agent = make_agent(self.proposal.architecture)

    def run(self) -> Iterator[Event]:
        """Trains to the end, telling what happens as it happens; after `set_state`, what is left.

        A switch is told when it is done: its events come one after the other, and all but the last while
        `resumable` is False.

        Raises:
            NonFiniteError: a loss, weight, observation or reward is NaN or infinite.
        """
        if self._progress is None:
            self._progress = self._new_progress()
            yield Asked(self.segment, 1, self.proposal)
        if not self._progress.told:
            yield from self._train_segment(self._progress)
        while self.episodes_done < self.episodes:
            *events, last = self._switch()
            yield from events
            self._whole = True
            yield last
            yield from self._train_segment(self._progress)

    @property
    def resumable(self) -> bool:
        """Whether `get_state` can be called: the run has begun, and nothing is half done.

        Also after a controller or transfer has raised, which gives the state from before it was called.
        """
        return self._progress is not None and self._whole

    def get_state(self) -> dict[str, Any]:
        """All that `set_state` needs to go on from here, to the bit: plain JSON values and arrays.

        To be called where `resumable`.
        """
        assert self.resumable, "there is no state to go on from"
        state = dict(self._before or self._state_beside_agent())
        agent, streams = self.agent.get_state(), state.pop("streams")
        agent["streams"], agent["replay"]["rng"] = streams, streams["replay"]  # a plug-in may have drawn since
        return state | {"agent": agent}

    def set_state(self, state: Mapping[str, Any]) -> None:
        """Restores a state returned by `get_state` of a trainer of the same arguments.

        Raises:
            InputError: the agent's state does not fit: the environment has other sizes by now, for instance.
        """
        try:
            self.agent.set_state(state["agent"])
        except (KeyError, TypeError, ValueError) as error:
            raise InputError(
                f"the saved state does not fit the environment and the settings as they are now: {error}"
            ) from error
        self.controller.set_state(state["controller"])
        self.proposal = Proposal(**state["proposal"])
        self._kept = deque(map(Architecture.parse, state["kept"]))
        self.segment, self.episodes_done = state["segment"], state["episodes_done"]
        told = state.get("told", False)  # which format 1 lacks
        self._progress = SegmentProgress(state["last"], state["first_step"], [state["returns"]], told)

    def _state_beside_agent(self) -> dict[str, Any]:
        progress = self._progress
        assert progress is not None
        return {
            "segment": self.segment,
            "episodes_done": self.episodes_done,
            "last": progress.last,
            "first_step": progress.first_step,
            "returns": np.concatenate([*progress.returns, np.empty(0)]),
            "told": progress.told,
            "kept": [str(architecture) for architecture in self._kept],
            "proposal": self.proposal.get_state(),
            "controller": self.controller.get_state(),
            "streams": self.agent.streams.get_state(),
        }

    @contextlib.contextmanager
    def _undone_by_errors(self) -> Iterator[None]:
        """A block that calls plug-ins, and leaves the agent alone: if it raises, `get_state` is of before it."""
        self._before = copy.deepcopy(self._state_beside_agent())
        yield
        self._before = None

    def _ask(self) -> Proposal:
        with self.clock.charge("controller"):
            return self.controller.ask()

    def _switch(self) -> list[Event]:
        """Asks for the next segment, and makes everything ready for it; `_whole` is False from then on."""
        old, report = self.agent.network, None
        with self._undone_by_errors():
            proposal = self._ask()
            # A switch to itself keeps weights, target and optimizer state, whatever the transfer.
            if proposal.architecture != old.architecture:
                with self.clock.charge("transfer"):
                    new, report = transfers.apply(
                        self.transfer, old, proposal.architecture, self.rng, self.agent.replay
                    )
        self._whole = False
        self.segment += 1
        self.proposal = proposal
        self._kept.extend([old.architecture] * (self.agent.unreported - len(self._kept)))
        events: list[Event] = [Asked(self.segment, self.episodes_done + 1, proposal)]
        if report is not None:
            with self.clock.charge("transfer"):
                self.agent.switch_network(new)
            events.append(Transferred(self.segment, old.architecture, new.architecture, report))
        before = len(self.agent.replay)
        with self.clock.charge("prune"):
            self.agent.replay.prune(self.replay_keep, self.replay_keep_which, self.rng)
        events.append(Pruned(self.segment, before, len(self.agent.replay)))
        self._progress = self._new_progress()
        return events

    def _new_progress(self) -> SegmentProgress:
        return SegmentProgress(self.episodes_done + self._budget(), self.agent.steps)

    def _train_segment(self, progress: SegmentProgress) -> Iterator[Event]:
        architecture = self.agent.network.architecture
        while self.episodes_done < progress.last:
            # One episode a call: the return to Python costs microseconds, an episode milliseconds.
            with self.clock.charge("train"):
                episodes = self._run_episode()
            self.episodes_done += len(episodes)
            progress.returns.append(episodes.returns)
            yield Played(self._kept.popleft() if self._kept else architecture, episodes)
        with self._undone_by_errors():
            returns = np.concatenate(progress.returns)
            result = Result(
                self.proposal,
                architecture,
                segment_score(returns, self.switch_every),
                returns,
                cost=self.agent.steps - progress.first_step,
                accepted=architecture == self.proposal.architecture,
            )
            with self.clock.charge("controller"):
                self.controller.tell(result)
        progress.told = True
        yield Told(self.segment, self.episodes_done, result)

    def _run_episode(self) -> Episodes:
        try:
            return self.agent.run_episodes(1)
        except KeyboardInterrupt:  # most often by the agent itself, between two steps
            self._whole = self.agent.whole
            raise
        except BaseException:
            self._whole = False
            raise

    def _budget(self) -> int:
        asked = self.switch_every if self.proposal.budget is None else self.proposal.budget
        return min(asked, self.episodes - self.episodes_done)
