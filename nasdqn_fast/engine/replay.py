"""The replay memory on compiled code: a ring of transitions (Lin 1992; Mnih et al. 2015)."""

from __future__ import annotations

from typing import Any, cast

import numpy as np

from nasdqn_fast._core.replay import ReplayCore
from nasdqn_fast.engine.base_replay import BaseReplay


class ReplayBuffer(BaseReplay, ReplayCore):
    __doc__ = ReplayCore.__doc__

    def __reduce__(self) -> tuple[Any, ...]:
        # The generator itself, not its state alone: it may be shared, with an agent's streams for instance.
        made_with = type(self), self.capacity, self.observation_size, self.rng
        return _restored, (*made_with, self.get_state()), vars(self) or None


def _restored(
    kind: type[ReplayBuffer], capacity: int, observation_size: int, rng: np.random.Generator, state: dict[str, Any]
) -> ReplayBuffer:
    replay: ReplayBuffer = cast(Any, ReplayBuffer).__new__(kind, capacity, observation_size, rng)
    replay.set_state(state)
    return replay
