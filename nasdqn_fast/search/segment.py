"""The segment of a search that is being trained: where it began, what it has spent, and what is due in it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from nasdqn_fast.engine.protocol import Agent
from nasdqn_fast.flop import forward_flop, update_flop
from nasdqn_fast.transfers.base import Carried
from nasdqn_fast.types import Cost

COMPARISONS = 5  # of the old network, while it acts, with the new one


@dataclass
class SegmentProgress:
    """A segment that is being trained.

    Args:
        first: episodes that had ended before it.
        last: number of its last episode.
        first_step: environment steps of training before it.
        first_update: updates of training before it.
        transfer_steps: environment steps that its transfer spent.
        transfer_updates: updates that its transfer spent.
        told: the controller knows what the segment was worth, and is asked for the next one.
        fold_at: environment steps of training at which the network, a sum, is folded, at the latest at the end of the
            segment; None: it is no sum, or its fold was refused.
        frozen_flop: operations of frozen networks that have been folded since.
        shadow_until: while the network before the switch acts: episode after which the new one does at the latest.
        shadow_guard: greedy episodes by which the two are compared before that; 0: they are not.
        shadow_every: episodes between comparisons.
        compared: episode after which the last one was, or the shadow began.
    """

    first: int
    last: int
    first_step: int
    first_update: int
    transfer_steps: int = 0
    transfer_updates: int = 0
    told: bool = False
    fold_at: int | None = None
    frozen_flop: int = 0
    shadow_until: int = 0
    shadow_guard: int = 0
    shadow_every: int = 0
    compared: int = 0

    @classmethod
    def restored(cls, state: Mapping[str, Any], first: int, last: int, agent: Agent) -> Self:
        """The segment of a state that `get_state` returned; of an earlier version's, what was added is derived.

        Args:
            state: the state.
            first, last: the segment's, in the run that continues.
            agent: as it was then.
        """
        first_step = state["first_step"]
        # Every step has had its updates, but for those of the warm-up, before which there was none.
        made_since = agent.settings.updates_per_step * (agent.steps - first_step)
        return cls(
            first,
            last,
            first_step,
            state.get("first_update", max(0, agent.updates - made_since)),
            state.get("transfer_steps", 0),
            state.get("transfer_updates", 0),
            state.get("told", False),
            state.get("fold_at"),
            state.get("frozen_flop", 0),
            *state.get("shadow", ()),
        )

    def get_state(self) -> dict[str, Any]:
        """All but `first`, which follows from the returns that are saved beside it."""
        return {
            "last": self.last,
            "first_step": self.first_step,
            "first_update": self.first_update,
            "transfer_steps": self.transfer_steps,
            "transfer_updates": self.transfer_updates,
            "told": self.told,
            "fold_at": self.fold_at,
            "frozen_flop": self.frozen_flop,
            "shadow": [self.shadow_until, self.shadow_guard, self.shadow_every, self.compared],
        }

    def begin_shadow(self, episode: int, carried: Carried) -> None:
        """Lets the old network act after this episode, if the transfer wants it."""
        if carried.shadow:
            self.shadow_until, self.shadow_guard = episode + carried.shadow, carried.shadow_guard
            self.shadow_every = max(1, carried.shadow // COMPARISONS)
            self.compared = episode

    def comparison_is_due(self, episode: int) -> bool:
        """Whether the old network, which acts, and the new one are to be compared after this episode."""
        return self.shadow_guard > 0 and episode >= self.compared + self.shadow_every

    def cost(self, agent: Agent, scoring_steps: int) -> Cost:
        """What the segment has spent.

        Args:
            agent: at its end.
            scoring_steps: environment steps that were played for its score.
        """
        network, settings = agent.network, agent.settings
        shape = network.architecture, network.observation_size, network.n_actions
        steps = agent.steps - self.first_step + self.transfer_steps + scoring_steps
        updates = agent.updates - self.first_update + self.transfer_updates
        return Cost(
            steps,
            updates,
            parameters=network.architecture.parameter_count(*shape[1:]),
            flop=forward_flop(*shape, rows=steps)
            + updates * update_flop(*shape, batch=settings.batch_size, double=settings.double)
            + self.frozen_flop
            + self.flop_of_frozen(agent),
        )

    def flop_of_frozen(self, agent: Agent) -> int:
        """Operations of the frozen networks in use, since the segment began: they go forward where the network does."""
        network, settings = agent.network, agent.settings
        passes = settings.batch_size * (3 if settings.double else 2)
        rows = agent.steps - self.first_step + passes * (agent.updates - self.first_update)
        sizes = network.observation_size, network.n_actions
        return sum(forward_flop(frozen.architecture, *sizes, rows=rows) for frozen, _ in network.base)
