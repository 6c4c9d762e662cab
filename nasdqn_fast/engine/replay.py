"""The replay memory on compiled code: a ring of transitions (Lin 1992; Mnih et al. 2015)."""

from __future__ import annotations

import os
from typing import Any, Self, cast

import numpy as np

from nasdqn_fast._core.replay import ReplayCore
from nasdqn_fast.copying import Independent
from nasdqn_fast.engine import object_file
from nasdqn_fast.engine.pruning import survivors
from nasdqn_fast.validation import check_rng


class ReplayBuffer(Independent, ReplayCore):
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

    def save(self, path: str | os.PathLike[str]) -> None:
        """Writes the memory, with its order and generator, to a file that both backends read; whole or not at all.

        Raises:
            OSError: the folder is missing or not writable.
        """
        object_file.save_replay(path, self)

    @classmethod
    def load(cls, path: str | os.PathLike[str], **options: Any) -> Self:
        """The memory in a file that `save` wrote; its draws continue.

        Args:
            path: the file.
            **options: further arguments of the constructor.

        Raises:
            InputError: the file is missing, damaged or no such file.
        """
        return cast(Self, object_file.load_replay(path, cls, options))

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
