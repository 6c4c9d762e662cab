"""What the replay memories of both backends have in common: files, and which transitions a pruning keeps."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any, Self, cast

import numpy as np

from nasdqn_fast.copying import Independent
from nasdqn_fast.engine import object_file
from nasdqn_fast.engine.pruning import survivors
from nasdqn_fast.validation import check_rng


class BaseReplay(Independent):
    """A ring of transitions, without its storage."""

    if TYPE_CHECKING:  # a compiled class has them, which stands behind this one
        capacity: int
        observation_size: int

        @property
        def rng(self) -> np.random.Generator: ...
        def __len__(self) -> int: ...
        def _keep(self, kept: np.ndarray) -> None:
            """Keeps the transitions at these places, ascending, counted from the oldest, in the first slots."""

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
