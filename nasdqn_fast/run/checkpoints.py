"""The checkpoints of a run: a folder with its last two states, each whole or absent."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from nasdqn_fast.errors import DamageError, InputError
from nasdqn_fast.storage import state_file
from nasdqn_fast.storage.atomic import remove_leftovers, sync_folder

FORMAT = "nasdqn-fast checkpoint 2"
READ = ("nasdqn-fast checkpoint 1", FORMAT)
KEPT = 2  # should the newest turn out to be damaged, the one before it is there
_NAME = re.compile(r"(\d{8,})\.npz(\.damaged)?")


class Checkpoints:
    """The folder.

    Args:
        folder: made when the first state is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest_first(self) -> list[Path]:
        """The files, newest first, without those that were set aside."""
        return [path for _, path in sorted(self._numbered(), reverse=True) if path.suffix == ".npz"]

    def _numbered(self) -> Iterator[tuple[int, Path]]:
        if self.folder.is_dir():
            for path in self.folder.iterdir():
                if (match := _NAME.fullmatch(path.name)) and path.is_file():  # to read a pipe could take for ever
                    yield int(match[1]), path

    def save(self, state: dict[str, Any]) -> None:
        """Save a state beside the one before it, and remove older ones.

        Raises:
            OSError: it cannot be written; the earlier ones are as they were.
        """
        if not self.folder.is_dir():
            self.folder.mkdir()
            sync_folder(self.folder.parent)
        before = self.newest_first()
        number = 1 + max((number for number, _ in self._numbered()), default=0)
        state_file.save(self.folder / f"{number:08}.npz", {"format": FORMAT} | state)
        for path in before[KEPT - 1 :]:
            path.unlink()

    def load(self, path: Path) -> dict[str, Any]:
        """Read one of the states.

        Raises:
            DamageError: the file is damaged.
            InputError: a later version wrote it.
            OSError: it cannot be read.
        """
        state = state_file.load(path)
        if state.get("format") not in READ:
            if not str(state.get("format")).startswith("nasdqn-fast checkpoint "):
                raise DamageError("it is no checkpoint")
            raise InputError(
                f"{str(path)!r} has the format {state['format']!r}, this version reads up to {FORMAT!r}; "
                "resume with the version that wrote it"
            )
        return state

    def set_aside(self, path: Path) -> None:
        """Rename a damaged file to ``*.damaged``, which is neither read nor deleted any more."""
        path.rename(path.with_name(f"{path.name}.damaged"))

    def clean(self) -> None:
        """Remove the files that killed processes left here."""
        if self.folder.is_dir():
            remove_leftovers(self.folder)

    def keep_newest(self) -> None:
        """Remove all checkpoints but the newest: of a run that has ended, the state to continue from."""
        for path in self.newest_first()[1:]:
            path.unlink()

    def remove(self) -> None:
        """Remove all checkpoints, and the folder if nothing else is in it."""
        for path in self.newest_first():
            path.unlink()
        with contextlib.suppress(OSError):
            self.folder.rmdir()
