"""The checkpoints of a run: a folder with its last two states, each whole or absent."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

from nasdqn_fast.storage import state_file
from nasdqn_fast.storage.atomic import remove_leftovers, sync_folder

FORMAT = "nasdqn-fast checkpoint 1"
KEPT = 2  # should the newest turn out to be damaged, the one before it is there
_NAME = re.compile(r"(\d{8,})\.npz")


class Checkpoints:
    """The folder.

    Args:
        folder: made when the first state is saved.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def newest_first(self) -> list[Path]:
        """The files."""
        if not self.folder.is_dir():
            return []
        files = filter(Path.is_file, self.folder.iterdir())  # to read from a pipe could take for ever
        found = {int(match[1]): path for path in files if (match := _NAME.fullmatch(path.name))}
        return [found[number] for number in sorted(found, reverse=True)]

    def save(self, state: dict[str, Any]) -> None:
        """Saves a state beside the one before it, and removes those before that.

        Raises:
            OSError: it cannot be written; the earlier ones are as they were.
        """
        if not self.folder.is_dir():
            self.folder.mkdir()
            sync_folder(self.folder.parent)
        before = self.newest_first()
        number = int(before[0].stem) + 1 if before else 1
        state_file.save(self.folder / f"{number:08}.npz", {"format": FORMAT} | state)
        for path in before[KEPT - 1 :]:
            path.unlink()

    def load(self, path: Path) -> dict[str, Any]:
        """One of the states.

        Raises:
            ValueError: the file is damaged, or of another version.
            OSError: it cannot be read.
        """
        state = state_file.load(path)
        if state.get("format") != FORMAT:
            raise ValueError(f"format is {state.get('format')!r}, this version reads {FORMAT!r}")
        return state

    def clean(self) -> None:
        """Removes what a process that was killed left here."""
        if self.folder.is_dir():
            remove_leftovers(self.folder)

    def remove(self) -> None:
        """Removes them all, and the folder if nobody put anything else there."""
        for path in self.newest_first():
            path.unlink()
        with contextlib.suppress(OSError):
            self.folder.rmdir()
