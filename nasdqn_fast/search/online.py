"""The online search: ask, transfer, prune, train, score, tell.

Rahmani et al. 2025 (arXiv:2510.19872), section 2.3.3. Algorithm 1 is a picture there; this is its
reconstruction, and docs/paper.md lists what had to be chosen.
"""

from __future__ import annotations

import contextlib
import copy
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from nasdqn_fast import plugins
from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.engine.protocol import Agent
from nasdqn_fast.errors import InputError, Stopped
from nasdqn_fast.estimators import base as estimators
from nasdqn_fast.events import Asked, Event, Folded, Played, Pruned, Told, TookOver, Transferred, WentBack
from nasdqn_fast.search.begun import BegunEpisodes
from nasdqn_fast.search.clock import Clock
from nasdqn_fast.search.curve import LearningCurve
from nasdqn_fast.search.greedy import GreedyEpisodes
from nasdqn_fast.search.incumbent import Incumbent, Outcome
from nasdqn_fast.search.restore import restore
from nasdqn_fast.search.segment import SegmentProgress
from nasdqn_fast.search.switching import Switching
from nasdqn_fast.space import Architecture, parse_setup
from nasdqn_fast.storage.state_file import check_storable
from nasdqn_fast.transfers import base as transfers
from nasdqn_fast.types import WHOLE_RUN, Episodes, Proposal, Result, TransferReport
from nasdqn_fast.validation import check_positive_int, described

FRESH = transfers.make("fresh")  # of a proposal that asks for initial weights


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
        go_back: after a segment that was clearly worse than the best so far, continue with the network of that one.
        reward: architecture really trained and its score -> what the controller is told; None: the score.
        check: raises InputError for an architecture that must not be trained; called with it, and with who asks for it.

    Attributes:
        agent: the agent.
        in_use: the architecture that is being trained, a Setup where how to train it was chosen, too.
        clock: seconds spent as ``controller``, ``transfer``, ``prune``, ``train`` and ``estimator``.
        episodes_done: episodes ended so far.
    """

    def __init__(
        self,
        make_agent: Callable[[Architecture], Agent],
        controller: Controller,
        transfer: plugins.Function,
        estimator: plugins.Function,
        rng: np.random.Generator,
        *,
        episodes: int,
        switch_every: int,
        replay_keep: float,
        replay_keep_which: str,
        go_back: bool = False,
        reward: Callable[[Architecture, float], float] | None = None,
        check: Callable[[Architecture, str], None] | None = None,
    ) -> None:
        if controller.continues_trials:
            raise InputError(
                f"controller {plugins.name_of(type(controller))} continues finished trials, which the online search, "
                "with its one network, does not have; choose another method: this one is for offline search"
            )
        self.controller = controller
        self.transfer = transfer
        self.estimator = estimator
        self.rng = rng
        self.episodes = check_positive_int("episodes", episodes)
        self.switch_every = check_positive_int("switch_every", switch_every)
        self.replay_keep = replay_keep
        self.replay_keep_which = replay_keep_which
        self.go_back = go_back
        self._incumbent: Incumbent | None = None  # kept where a switch may go back to it
        self.reward = reward
        self.check = check or (lambda architecture, who: None)
        self.clock = Clock()
        self.segment = 1
        self.episodes_done = 0
        # Of the episodes that ended before a switch and count in a segment after it: what played them.
        self._kept: deque[Architecture] = deque()
        self._curve = LearningCurve()
        self._starts: list[int] = []  # of each segment: returns that had been counted before it
        # With several environments, what counts in a segment is what began in it.
        self._begun = BegunEpisodes()
        self._counted: list[np.ndarray] = []
        self._progress: SegmentProgress | None = None  # None: before the first segment
        self._cut_short = False
        self._whole = True  # no episode, switch or report of one is half done
        self._before: dict[str, Any] | None = None  # all but the agent, as it was before a plug-in was called
        self._stop: StopToken | None = None
        self.proposal = self._ask()
        self.in_use = self.proposal.architecture
        self.agent = make_agent(Architecture.parse(self.in_use))
        self._switching = Switching(self.agent, rng, self.check, plugins.name_of(type(controller)))
        if self.in_use.training:
            self._switching.train_as(self.in_use)

    def run(self, stop: StopToken | None = None) -> Iterator[Event]:
        """Trains to the end, telling what happens as it happens; after `set_state` or a stop, what is left.

        Args:
            stop: stops the agent, and the greedy episodes of a transfer or an estimator, when it is set.

        A switch is told when it is done: its events come one after the other, and all but the last while
        `resumable` is False.

        Raises:
            Stopped: it was set.
            NonFiniteError: a loss, weight, observation or reward is NaN or infinite.
            InputError: a proposal, a transfer or an estimator did what it may not.
        """
        self._stop = stop
        if self._progress is None:
            self._progress = self._new_progress()
            yield Asked(self.segment, 1, self.proposal)
        if not self._progress.told:
            yield from self._train_segment(self._progress, stop)
        while self.episodes_done < self.episodes and self._can_play:
            *events, last = self._switch()
            yield from events
            self._whole = True
            yield last
            yield from self._train_segment(self._progress, stop)

    @property
    def resumable(self) -> bool:
        """Whether `get_state` can be called: the run has begun, and nothing is half done.

        Also after a controller, transfer or estimator has raised, which gives the state from before it was called.
        """
        return self._progress is not None and self._whole

    @property
    def cut_short(self) -> bool:
        """Whether the state that was restored is of a run which ended within a segment that would be longer here."""
        return self._cut_short

    @property
    def open_ended(self) -> bool:
        """Whether the segment being trained is to last as long as the run, however long that is."""
        return self.proposal.budget is not None and self.proposal.budget >= WHOLE_RUN

    def get_state(self) -> dict[str, Any]:
        """All that `set_state` needs, besides the episodes, to continue to the bit: plain JSON values and arrays.

        To be called where `resumable`.
        """
        assert self.resumable, "there is no state to go on from"
        state = dict(self._before or self._state_beside_agent())
        self.check_storable(state["controller"])
        agent, streams = self.agent.get_state(), state.pop("streams")
        agent["streams"], agent["replay"]["rng"] = streams, streams["replay"]  # a plug-in may have drawn since
        return state | {"agent": agent}

    def set_state(self, state: Mapping[str, Any], episodes: Episodes) -> None:
        """Restores a state returned by `get_state` of a trainer of the same arguments.

        Args:
            state: the state; of one that an earlier version saved, what was added since is derived.
            episodes: all that had ended by then.

        Raises:
            InputError: the agent's state does not fit: the environment has other sizes by now, for instance.
        """
        # Earlier versions chose nothing but the architecture.
        self.in_use = parse_setup(state.get("in_use", state["agent"]["architecture"]))
        self._switching.train_as(self.in_use)
        restore(self.agent, state["agent"])
        self.controller.set_state(state["controller"])
        self.proposal = Proposal(**state["proposal"])
        self._kept = deque(map(parse_setup, state["kept"]))
        self.segment, self.episodes_done = state["segment"], state["episodes_done"]
        self._curve = LearningCurve()
        self._curve.append(episodes)
        first, first_step = self.episodes_done - len(state["returns"]), state["first_step"]
        told, last = state.get("told", False), state["last"]
        # The run may have become longer since. A segment that had not ended then has the end that it has in a run
        # of this length; one that had ends where it did.
        end = min(first + self._asked_for(), self.episodes)
        self._cut_short = told and last < end
        # Earlier versions had the mean return for the score, which needs no segment but this one.
        self._starts = list(state.get("starts", [first]))
        returns = self._curve.returns()
        # Earlier versions counted an episode where it ended.
        all_here = [first_step // self.agent.settings.num_envs] * len(state["returns"])
        self._begun = BegunEpisodes(state.get("began", all_here))
        self._counted = [state.get("counted", returns[: len(returns) if told else first])]
        self._progress = SegmentProgress.restored(state, first, last if told else end, self.agent)
        best = state.get("incumbent")
        self._incumbent = None if best is None else Incumbent.restored(best, self.agent)

    def _state_beside_agent(self) -> dict[str, Any]:
        progress = self._progress
        assert progress is not None
        return {
            "segment": self.segment,
            "episodes_done": self.episodes_done,
            **progress.get_state(),
            "returns": self._curve.returns()[progress.first :],
            "starts": list(self._starts),
            **self._state_of_begun(),
            "kept": [str(architecture) for architecture in self._kept],
            "proposal": self.proposal.get_state(),
            "in_use": str(self.in_use),
            "controller": self.controller.get_state(),
            **({} if self._incumbent is None else {"incumbent": self._incumbent.get_state(self.agent)}),
            "streams": self.agent.streams.get_state(),
        }

    def _state_of_begun(self) -> dict[str, Any]:
        if not self._several:
            return {}
        return {"began": list(self._begun.began), "counted": np.concatenate([*self._counted, np.empty(0)])}

    @property
    def _several(self) -> bool:
        return self.agent.settings.num_envs > 1

    def check_savable(self) -> None:
        """Refuses a controller whose state cannot be saved, before the run has begun.

        Raises:
            InputError: as `check_storable`.
        """
        self.check_storable(self.controller.get_state())

    def check_storable(self, state: Any) -> None:
        """Refuses a state of the controller that cannot be saved.

        Raises:
            InputError: it is no dict, or holds what is neither JSON nor an array.
        """
        try:
            if not isinstance(state, dict):
                raise TypeError(f"must return a dict; got {described(state)}")
            check_storable(state)
        except TypeError as error:
            who = plugins.name_of(type(self.controller))
            raise InputError(f"controller {who}: get_state(): {error}") from None

    @contextlib.contextmanager
    def _undone_by_errors(self) -> Iterator[None]:
        """A block that calls plug-ins, and leaves the agent alone: if it raises, `get_state` is of before it."""
        if self._before is None:
            self._before = copy.deepcopy(self._state_beside_agent())
        else:  # such a block was stopped, and is begun again
            self.controller.set_state(copy.deepcopy(self._before["controller"]))
            self.agent.streams.set_state(self._before["streams"])
        yield
        self._before = None

    def _ask(self) -> Proposal:
        with self.clock.charge("controller"):
            proposal = self.controller.ask()
        if proposal.source is not None:
            raise InputError(
                f"controller {plugins.name_of(type(self.controller))}: the online search continues the one network it "
                f"has, and can start from no other trial; got a proposal with source {proposal.source}; leave it out"
            )
        self.check(proposal.architecture, f"controller {plugins.name_of(type(self.controller))}")
        return proposal

    def _switch(self) -> list[Event]:
        """Asks for the next segment, and makes everything ready for it; `_whole` is False from then on."""
        old, report, carried = self.in_use, None, None
        unreported = self.agent.unreported
        with self._undone_by_errors():
            proposal = self._ask()
            # A switch to itself keeps weights, target and optimizer state, whatever the transfer.
            if proposal.fresh or Architecture.parse(proposal.architecture) != self.agent.network.architecture:
                with self.clock.charge("transfer"):
                    transfer = FRESH if proposal.fresh else self.transfer
                    carried, report = self._transfer(proposal.architecture, transfer, self.segment + 1)
            elif proposal.architecture != old:
                self._switching.train_as(proposal.architecture)
                self.in_use = proposal.architecture
        self._whole = False
        self.segment += 1
        self.proposal = proposal
        self._kept.extend([old] * (unreported - len(self._kept)))
        events: list[Event] = [Asked(self.segment, self.episodes_done + 1, proposal)]
        if report is not None:
            events.append(Transferred(self.segment, old, self.in_use, report))
        before = len(self.agent.replay)
        with self.clock.charge("prune"):
            self.agent.replay.prune(self.replay_keep, self.replay_keep_which, self.rng)
        events.append(Pruned(self.segment, before, len(self.agent.replay)))
        self._progress = self._new_progress(report, carried)
        return events

    def _fold(self, progress: SegmentProgress) -> Folded:
        """Puts one network in the place of the sum, unless the transfer refuses; it is not asked again."""
        architecture = self.in_use
        with self._undone_by_errors():
            frozen = progress.flop_of_frozen(self.agent)
            with self.clock.charge("transfer"):
                carried, report = self._transfer(architecture, self.transfer, self.segment, 1)
            progress.fold_at = None
            progress.begin_shadow(self.episodes_done, carried)
            progress.frozen_flop += frozen if report.accepted else 0
            progress.transfer_steps += report.steps
            progress.transfer_updates += report.updates
        return Folded(self.segment, self.episodes_done, architecture, report)

    def _transfer(
        self, architecture: Architecture, transfer: plugins.Function, *key: int
    ) -> tuple[transfers.Carried, TransferReport]:
        carried, report = self._switching.transfer(architecture, transfer, key, self._stop)
        if carried.accepted:
            self.in_use = carried.network.architecture.trained(**dict(architecture.training))
        return carried, report

    def _take_over(self, progress: SegmentProgress, *, at_end: bool) -> Iterator[TookOver]:
        """Lets the network that learns act, if it is no worse than the one that acts for it, or late enough."""
        agent, episode, note = self.agent, self.episodes_done, "its episodes are over"
        acting = agent.stand_in
        if acting is None:
            return
        if not at_end and episode < progress.shadow_until:
            if not progress.comparison_is_due(episode):
                return
            with self._undone_by_errors(), self.clock.charge("transfer"):
                greedy = self._greedy(2)
                worse, note = transfers.is_worse(greedy.play, acting, agent.network, progress.shadow_guard)
                progress.compared = episode
                progress.transfer_steps += greedy.steps
            if worse:
                return
        self._kept.extend([acting.architecture] * (agent.unreported - len(self._kept)))
        agent.act_with(None)
        yield TookOver(self.segment, episode, acting.architecture, self.in_use, note)

    def _new_progress(
        self, report: TransferReport | None = None, carried: transfers.Carried | None = None
    ) -> SegmentProgress:
        spent = (0, 0) if report is None else (report.steps, report.updates)
        done, agent = self.episodes_done, self.agent
        self._starts.append(sum(map(len, self._counted)) if self._several else done)
        self._begun = BegunEpisodes()
        progress = SegmentProgress(done, done + self._budget(), agent.steps, agent.updates, *spent)
        if agent.network.base:
            progress.fold_at = agent.steps + ((carried and carried.fold_after) or WHOLE_RUN)
        if carried is not None:
            progress.begin_shadow(done, carried)
        return progress

    def _train_segment(self, progress: SegmentProgress, stop: StopToken | None) -> Iterator[Event]:
        while self.episodes_done < progress.last and self._can_play:
            if progress.fold_at is not None and self.agent.steps >= progress.fold_at:
                yield self._fold(progress)
            yield from self._take_over(progress, at_end=False)
            acting = self.in_use if self.agent.stand_in is None else self.agent.stand_in.architecture
            # One episode a call: the return to Python costs microseconds, an episode milliseconds.
            with self.clock.charge("train"):
                episodes = self._run_episode(stop)
            if not len(episodes):  # the agent's last step came first
                break
            self.episodes_done += len(episodes)
            self._curve.append(episodes)
            if self._several:
                self._begun.append(self.agent, episodes)
            yield Played(self._kept.popleft() if self._kept else acting, episodes)
        if progress.fold_at is not None:
            yield self._fold(progress)
        yield from self._take_over(progress, at_end=True)
        architecture = self.in_use
        if self.episodes_done == progress.first:  # none, and so nothing to score
            return
        with self._undone_by_errors():
            returns, lengths, steps = self._counting(progress)
            estimate, estimator_steps = self._estimate(returns, lengths)
            outcome, note, compared_steps = self._compare(returns) if self.go_back else ("kept", "", 0)
            result = Result(
                self.proposal,
                architecture,
                estimate if self.reward is None else self.reward(architecture, estimate),
                returns.copy(),
                progress.cost(self.agent, steps + estimator_steps + compared_steps),
                accepted=architecture == self.proposal.architecture,
                estimate=None if self.reward is None else estimate,
            )
            with self.clock.charge("controller"):
                self.controller.tell(result)
        if self._several:
            self._counted.append(returns)
        if outcome == "succeeded":
            self._incumbent = Incumbent.of(self.agent, architecture, returns)
        back = None
        if outcome == "in use again" and self._incumbent is not None:
            back = self._go_back(self._incumbent, note)
        progress.told, self._whole = True, back is None
        yield Told(self.segment, self.episodes_done, result)
        if back is not None:
            self._whole = True
            yield back

    def _compare(self, returns: np.ndarray) -> tuple[Outcome, str, int]:
        """What is to become of the incumbent, why, and the environment steps that were played to know."""
        if self._incumbent is None:
            return "succeeded", "", 0
        with self.clock.charge("transfer"):
            greedy = self._greedy(3)
            outcome, note = self._incumbent.compare(self.agent.network, returns, greedy.play)
        return outcome, note, greedy.steps

    def _greedy(self, purpose: int) -> GreedyEpisodes:
        """Episodes by which two networks are compared now; another purpose, a number, has other starts."""
        agent, key = self.agent, (self.segment, purpose, self.episodes_done)
        return GreedyEpisodes(agent, lambda i: agent.streams.child("guard", *key, i), self._stop)

    def _go_back(self, incumbent: Incumbent, note: str) -> WentBack:
        latest, unreported = self.in_use, self.agent.unreported
        self._kept.extend([latest] * (unreported - len(self._kept)))
        self._switching.go_back(incumbent)
        self.in_use = incumbent.in_use
        return WentBack(self.segment, self.episodes_done, latest, self.in_use, note)

    @property
    def _can_play(self) -> bool:
        """Whether the agent has steps left, or episodes that it has not returned yet."""
        return not self.agent.finished or self.agent.unreported > 0

    def _run_episode(self, stop: StopToken | None) -> Episodes:
        try:
            return self.agent.run_episodes(1, stop)
        except Stopped:
            raise
        except BaseException:  # of training or an environment; or a handler's, perhaps in the middle of a step
            self._whole = self.agent.whole
            raise

    def _counting(self, progress: SegmentProgress) -> tuple[np.ndarray, np.ndarray, int]:
        """Returns and lengths of the episodes that count in the segment, and environment steps played for them."""
        ended = self._curve.returns()[progress.first :], self._curve.lengths()[progress.first :]
        if not self._several:
            return *ended, 0
        streams, segment = self.agent.streams, self.segment
        with self.clock.charge("estimator"):
            returns, lengths, steps = self._begun.returns_and_lengths(
                self.agent, ended, progress.first_step, lambda i: streams.child("estimator", segment, i)
            )
        returns.flags.writeable = lengths.flags.writeable = False
        return returns, lengths, steps

    def _estimate(self, returns: np.ndarray, lengths: np.ndarray) -> tuple[float, int]:
        """The score of the segment, and the environment steps that were played for it."""
        agent = self.agent
        curve = np.concatenate([*self._counted, returns]) if self._several else self._curve.returns()
        curve.flags.writeable = False
        greedy = GreedyEpisodes(agent, lambda i: agent.streams.child("estimator", i), self._stop)
        segment = estimators.Segment(
            architecture=agent.network.architecture,
            returns=returns,
            lengths=lengths,
            curve=curve,
            starts=tuple(self._starts),
            switch_every=self.switch_every,
            evaluate=lambda n: float(greedy.play(agent.network, n).returns.mean()),
        )
        with self.clock.charge("estimator"):
            score = estimators.apply(self.estimator, segment)
        greedy.check()
        return score, greedy.steps

    def _asked_for(self) -> int:
        """Episodes of the segment, if the run is long enough."""
        return self.switch_every if self.proposal.budget is None else self.proposal.budget

    def _budget(self) -> int:
        return min(self._asked_for(), self.episodes - self.episodes_done)
