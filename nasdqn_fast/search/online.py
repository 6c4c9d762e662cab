"""The online search: ask, transfer, prune, train, score, tell.

Rahmani et al. 2025 (arXiv:2510.19872), section 2.3.3. Algorithm 1 is a picture there; this is its
reconstruction, and docs/paper.md lists what had to be chosen.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.errors import InputError
from nasdqn_fast.estimators import base as estimators
from nasdqn_fast.events import Asked, Event, Played, Pruned, Told, Transferred
from nasdqn_fast.flop import forward_flop, update_flop
from nasdqn_fast.search.clock import Clock
from nasdqn_fast.search.curve import LearningCurve
from nasdqn_fast.search.greedy import GreedyEpisodes
from nasdqn_fast.space import Architecture
from nasdqn_fast.transfers import base as transfers
from nasdqn_fast.types import Cost, Episodes, Proposal, Result, TransferReport
from nasdqn_fast.validation import check_array, check_int, check_positive_int, check_sums


@dataclass(frozen=True)
class SegmentProgress:
    """A segment that is being trained.

    Args:
        first: episodes that had ended before it.
        last: number of its last episode.
        first_step: environment steps of training before it.
        first_update: updates of training before it.
        transfer_steps: environment steps that its transfer spent.
        transfer_updates: updates that its transfer spent.
    """

    first: int
    last: int
    first_step: int
    first_update: int
    transfer_steps: int = 0
    transfer_updates: int = 0


class Trainer:
    """One run of one method.

    The first architecture is asked for, and the agent made, at once: what is wrong with either is
    known before anything is trained or written.

    Args:
        make_agent: architecture -> ``DQNAgent`` of either backend.
        controller: decides what to train.
        transfer: carries the network over a switch.
        estimator: says what a segment was worth.
        rng: the transfer's stream; pruning draws from it too.
        episodes: in all, >= 1.
        switch_every: M, episodes of a segment whose budget the controller leaves open, >= 1.
        replay_keep: share of the replay memory kept at a switch, in (0, 1].
        replay_keep_which: ``newest`` or ``random``.

    Attributes:
        agent: the agent.
        clock: seconds spent as ``controller``, ``transfer``, ``prune``, ``train`` and ``estimator``.
        episodes_done: episodes ended so far.
    """

    def __init__(
        self,
        make_agent: Callable[[Architecture], Any],
        controller: Controller,
        transfer: plugins.Function,
        estimator: plugins.Function,
        rng: np.random.Generator,
        *,
        episodes: int,
        switch_every: int,
        replay_keep: float,
        replay_keep_which: str,
    ) -> None:
        self.controller = controller
        self.transfer = transfer
        self.estimator = estimator
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
        self._curve = LearningCurve()
        self._starts: list[int] = []  # of each segment: episodes that had ended before it
        self._progress: SegmentProgress | None = None  # None: before the first segment, or between two
        self.proposal = self._ask()
        self.agent = make_agent(self.proposal.architecture)

    def run(self) -> Iterator[Event]:
        """Trains to the end, telling what happens as it happens; after `set_state`, what is left.

        Raises:
            NonFiniteError: a loss, weight, observation or reward is NaN or infinite.
            InputError: a proposal, a transfer or an estimator did what it may not.
        """
        if self._progress is None:
            yield Asked(self.segment, 1, self.proposal)
            self._begin_segment(None)
        yield from self._train_segment()
        while self.episodes_done < self.episodes:
            self.segment += 1
            self.proposal = self._ask()
            yield Asked(self.segment, self.episodes_done + 1, self.proposal)
            self._begin_segment((yield from self._switch()))
            yield from self._train_segment()

    @property
    def resumable(self) -> bool:
        """Whether `get_state` can be called: within a segment, not at a switch."""
        return self._progress is not None

    def get_state(self) -> dict[str, Any]:
        """All that `set_state` needs, besides the episodes, to continue to the bit: plain JSON values and arrays.

        To be called where `resumable`: when `run` has yielded ``Played``, or was left by what `run_episodes` of the
        agent, or an estimator's greedy episodes, raised because a signal came.
        """
        progress = self._progress
        assert progress is not None, "at a switch there is no state to continue from"
        return {
            "segment": self.segment,
            "episodes_done": self.episodes_done,
            "last": progress.last,
            "first_step": progress.first_step,
            "first_update": progress.first_update,
            "transfer_steps": progress.transfer_steps,
            "transfer_updates": progress.transfer_updates,
            "returns": self._curve.returns()[progress.first :],
            "starts": list(self._starts),
            "kept": [str(architecture) for architecture in self._kept],
            "proposal": self.proposal.get_state(),
            "controller": self.controller.get_state(),
            "agent": self.agent.get_state(),
        }

    def set_state(self, state: Mapping[str, Any], episodes: Episodes) -> None:
        """Restores a state returned by `get_state` of a trainer with the same arguments.

        Args:
            state: the state; of one that an earlier version saved, what was added since is derived.
            episodes: all that had ended by then.

        Raises:
            KeyError, TypeError, ValueError: it is not a valid state, or that of other arguments.
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
        if len(episodes) != self.episodes_done:
            raise ValueError(f"its parts count {self.episodes_done} and {len(episodes)} episodes")
        self._curve = LearningCurve()
        self._curve.append(episodes)
        first = self.episodes_done - len(returns)
        # Earlier versions had the mean return for the score, which needs no segment but this one.
        self._starts = [check_int("starts", start, 0, first) for start in state.get("starts", [first])]
        if self._starts[-1:] != [first]:
            raise ValueError(f"starts must end with {first}, where the segment began; got {self._starts}")
        settings, agent = self.agent.settings, self.agent
        # Every step has had its updates, but for those of the warm-up, before which there was none.
        derived = max(0, agent.updates - settings.updates_per_step * (agent.steps - first_step))
        self._progress = SegmentProgress(
            first,
            last,
            first_step,
            check_int("first_update", state.get("first_update", derived), 0, agent.updates),
            check_int("transfer_steps", state.get("transfer_steps", 0), 0),
            check_int("transfer_updates", state.get("transfer_updates", 0), 0),
        )
        self.segment = check_positive_int("segment", state["segment"])

    def _ask(self) -> Proposal:
        with self.clock.charge("controller"):
            proposal = self.controller.ask()
        if proposal.source is not None:
            raise InputError(
                f"controller {plugins.name_of(type(self.controller))}: the online search continues the one network it "
                f"has, and can start from no other trial; got a proposal with source {proposal.source}; leave it out"
            )
        return proposal

    def _switch(self) -> Generator[Event, None, TransferReport | None]:
        """Changes the network, if another was proposed, and prunes the memory; the report of the transfer."""
        old, report = self.agent.network, None
        self._kept.extend([old.architecture] * (self.agent.unreported - len(self._kept)))
        # A switch to itself keeps weights, target and optimizer state, whatever the transfer.
        if self.proposal.architecture != old.architecture:
            with self.clock.charge("transfer"):
                report = self._transfer()
            yield Transferred(self.segment, old.architecture, self.agent.network.architecture, report)
        before = len(self.agent.replay)
        with self.clock.charge("prune"):
            self.agent.replay.prune(self.replay_keep, self.replay_keep_which, self.rng)
        yield Pruned(self.segment, before, len(self.agent.replay))
        return report

    def _transfer(self) -> TransferReport:
        """Goes over to the network that the transfer makes, unless it refuses."""
        agent, segment = self.agent, self.segment
        greedy = GreedyEpisodes(agent, lambda i: agent.streams.child("guard", segment, i))
        carried, report = transfers.apply(
            self.transfer,
            transfers.Switch(
                old=agent.network,
                architecture=self.proposal.architecture,
                rng=self.rng,
                replay=agent.replay,
                target=agent.target,
                optimizer=agent.optimizer.get_state(),
                settings=agent.settings,
                play=greedy.play,
            ),
        )
        if carried.accepted:
            try:
                agent.switch_network(carried.network, carried.optimizer)
            except (KeyError, TypeError, ValueError) as error:
                reason = f"{type(error).__name__}: {error}"
                raise InputError(f"transfer {self.transfer.name!r}: no valid optimizer state: {reason}") from None
        return replace(report, steps=report.steps + greedy.steps)

    def _begin_segment(self, report: TransferReport | None) -> None:
        spent = (0, 0) if report is None else (report.steps, report.updates)
        done, agent = self.episodes_done, self.agent
        self._starts.append(done)
        self._progress = SegmentProgress(done, done + self._budget(), agent.steps, agent.updates, *spent)

    def _train_segment(self) -> Iterator[Event]:
        progress, architecture = self._progress, self.agent.network.architecture
        assert progress is not None
        while self.episodes_done < progress.last:
            # One episode a call: the return to Python costs microseconds, an episode milliseconds.
            with self.clock.charge("train"):
                episodes = self.agent.run_episodes(1)
            self.episodes_done += len(episodes)
            self._curve.append(episodes)
            yield Played(self._kept.popleft() if self._kept else architecture, episodes)
        # Until the score is known there is a state to continue from: a signal may end the estimator's episodes.
        score, steps = self._estimate(progress)
        self._progress = None
        result = Result(
            self.proposal,
            architecture,
            score,
            self._curve.returns()[progress.first :].copy(),
            self._cost(progress, steps),
            accepted=architecture == self.proposal.architecture,
        )
        with self.clock.charge("controller"):
            self.controller.tell(result)
        yield Told(self.segment, self.episodes_done, result)

    def _estimate(self, progress: SegmentProgress) -> tuple[float, int]:
        """The score of the segment, and the environment steps that were played for it."""
        agent, curve = self.agent, self._curve.returns()
        greedy = GreedyEpisodes(agent, lambda i: agent.streams.child("estimator", i))
        segment = estimators.Segment(
            architecture=agent.network.architecture,
            returns=curve[progress.first :],
            lengths=self._curve.lengths()[progress.first :],
            curve=curve,
            starts=tuple(self._starts),
            switch_every=self.switch_every,
            evaluate=lambda n: float(greedy.play(agent.network, n).returns.mean()),
        )
        with self.clock.charge("estimator"):
            return estimators.apply(self.estimator, segment), greedy.steps

    def _cost(self, progress: SegmentProgress, estimator_steps: int) -> Cost:
        agent, network = self.agent, self.agent.network
        shape = network.architecture, network.observation_size, network.n_actions
        steps = agent.steps - progress.first_step + progress.transfer_steps + estimator_steps
        updates = agent.updates - progress.first_update + progress.transfer_updates
        return Cost(
            steps,
            updates,
            parameters=network.architecture.parameter_count(*shape[1:]),
            flop=forward_flop(*shape, rows=steps) + updates * update_flop(*shape, batch=agent.settings.batch_size),
        )

    def _budget(self) -> int:
        asked = self.switch_every if self.proposal.budget is None else self.proposal.budget
        return min(asked, self.episodes - self.episodes_done)
