"""What the loops of one segment have in common: it lasts as long as the run, and no plug-in takes part."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.protocol import Agent
from nasdqn_fast.errors import Stopped
from nasdqn_fast.metrics import FINAL_EPISODES
from nasdqn_fast.search.clock import Clock
from nasdqn_fast.search.curve import LearningCurve
from nasdqn_fast.search.restore import restore
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import WHOLE_RUN, Cost, Episodes, Proposal, Result
from nasdqn_fast.validation import check_positive_int


class WholeRun:
    """One segment, from beginning to end; the parts of its trainer are those of `search.online.Trainer`.

    Args:
        agent: what is trained.
        episodes: in all, >= 1.

    Attributes:
        reason: one word for the log, in place of a controller's.
        agent: as given.
        clock: seconds by purpose.
        episodes_done: episodes ended so far.
    """

    reason: ClassVar[str]
    open_ended = True  # its segment lasts as long as the run, however long that is
    cut_short = False

    @property
    def in_use(self) -> Architecture:
        """That of the network which the target is a copy of."""
        architecture: Architecture = self.agent.network.architecture
        return architecture

    def __init__(self, agent: Agent, episodes: int) -> None:
        self.agent: Any = agent
        self.proposal = Proposal(agent.network.architecture, self.reason, WHOLE_RUN)
        self.episodes = check_positive_int("episodes", episodes)
        self.clock = Clock()
        self.segment = 1
        self.episodes_done = 0
        self._began = self._has_told = False
        self._whole = True  # nothing that happens between episodes, and no report of it, is half done
        self._curve = LearningCurve()
        # Operations, and the updates and steps that are in them.
        self._flop = self._counted_updates = self._counted_steps = 0

    @property
    def resumable(self) -> bool:
        """Whether `get_state` can be called: the run has begun, and nothing is half done."""
        return self._began and self._whole

    def check_savable(self) -> None:
        """Does nothing: no plug-in takes part, and what the package keeps can be saved."""

    def get_state(self) -> dict[str, Any]:
        """All that `set_state` needs, besides the episodes, to continue to the bit: plain JSON values and arrays.

        To be called where `resumable`.
        """
        assert self.resumable, "there is no state to go on from"
        return {
            "episodes_done": self.episodes_done,
            "told": self._has_told,
            "flop": self._flop,
            "counted_updates": self._counted_updates,
            "counted_steps": self._counted_steps,
            "first": str(self.proposal.architecture),
            "agent": self.agent.get_state(),
        }

    def set_state(self, state: Mapping[str, Any], episodes: Episodes) -> None:
        """Restores a state returned by `get_state` of a trainer of the same arguments.

        Args:
            state: the state.
            episodes: all that had ended by then.

        Raises:
            InputError: the agent's state does not fit: the environment has other sizes by now, for instance.
        """
        restore(self.agent, state["agent"])
        self._began = True
        self.episodes_done = state["episodes_done"]
        # A run that has become longer since has not come to its end.
        self._has_told = state["told"] and (self.episodes_done >= self.episodes or self.agent.finished)
        self._flop = state["flop"]
        self._counted_updates, self._counted_steps = state["counted_updates"], state["counted_steps"]
        self.proposal = Proposal(state["first"], self.reason, WHOLE_RUN)
        self._curve = LearningCurve()
        self._curve.append(episodes)

    def _run_episode(self, stop: StopToken | None) -> Episodes:
        """The next episode, or none where the agent stops before its end; it counts as trained."""
        try:
            with self.clock.charge("train"):
                episodes: Episodes = self.agent.run_episodes(1, stop)
        except Stopped:
            raise
        except BaseException:  # of training or an environment; or a handler's, perhaps in the middle of a step
            self._whole = self.agent.whole
            raise
        if len(episodes):
            self.episodes_done += len(episodes)
            self._curve.append(episodes)
        return episodes

    def _uncounted(self) -> tuple[int, int]:
        """Updates and steps since this was last asked."""
        updates, steps = self.agent.updates - self._counted_updates, self.agent.steps - self._counted_steps
        self._counted_updates, self._counted_steps = self.agent.updates, self.agent.steps
        return updates, steps

    def _result_with(self, cost: Cost) -> Result:
        """What the run came to, by the mean return of its last episodes."""
        returns = self._curve.returns()
        score = float(returns[-FINAL_EPISODES:].mean())
        return Result(self.proposal, self.agent.network.architecture, score, returns.copy(), cost)
