"""The replay memory on compiled code: a ring of transitions (Lin 1992; Mnih et al. 2015)."""

from __future__ import annotations

import numpy as np

from nasdqn_fast._core.replay import ReplayCore
from nasdqn_fast.engine.pruning import survivors
from nasdqn_fast.validation import check_rng


class ReplayBuffer(ReplayCore):
    __doc__ = ReplayCore.__doc__

    def __repr__(self) -> str:
        held = f"{len(self):,} of {self.capacity:,} transitions"
        return f"<{type(self).__name__} of observations of {self.observation_size}: {held}>"

    def prune(self, keep: float = 0.25, which: str = "newest", rng: int | np.random.Generator | None = None) -> None:
        """Keeps ceil(keep len) transitions, moved to the first slots, the oldest first.

        Args:
            keep: in (0, 1], the share that stays.
            which: ``newest`` or ``random``.
            rng: drawn from for ``random``; None is the buffer's own.
        """
        rng = self.rng if rng is None else check_rng("rng", rng)
        self._keep(survivors(len(self), keep, which, rng))
