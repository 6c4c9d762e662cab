"""A listener that writes episodes as Stable-Baselines3's ``Monitor`` does."""

from __future__ import annotations

import csv
import io
import json
import os
import time
from collections.abc import Iterable

from nasdqn_fast.errors import InputError
from nasdqn_fast.events import Event, Played, Resumed
from nasdqn_fast.storage.atomic import replacing
from nasdqn_fast.types import Episodes
from nasdqn_fast.validation import check_path, check_text

NAME = "monitor.csv"  # what `stable_baselines3.common.monitor.load_results` looks for


class Monitor:
    """Writes a ``monitor.csv``: ``train(..., progress=Monitor("logs/monitor.csv"))``.

    The first line is a comment with ``t_start`` and ``env_id``, then there is a row an episode: ``r``, its undiscounted
    return, ``l``, its steps, and ``t``, the seconds from ``t_start`` until the run told of it. Stable-Baselines3's
    ``load_results`` reads it. An object serves one run.

    Args:
        path: the file; as in Stable-Baselines3, a folder that exists stands for the ``monitor.csv`` in it, and a name
            that does not end in ``monitor.csv`` gets this ending.
        env_id: the environment's name, for the comment.
        resume: the file is that of an earlier process of the same run, which is resumed. Rows of episodes that the run
            plays again are removed, and rows that were lost with the process are written.

    Raises:
        InputError: the file exists, and `resume` is false; or it is no monitor file.
    """

    def __init__(self, path: str | os.PathLike[str], env_id: str = "", *, resume: bool = False) -> None:
        path = check_path("path", path)
        if path.is_dir():
            path = path / NAME
        elif not path.name.endswith(NAME):
            path = path.with_name(f"{path.name}.{NAME}")
        self.path = path
        self._env_id, self._t_start = check_text("env_id", env_id), time.time()
        self._seconds: list[float] = []  # of the rows that there are
        self._begun = False
        if path.exists():
            if not resume:
                raise InputError(f"{str(path)!r} exists; choose another file")
            self._read()

    def __call__(self, event: Event) -> None:
        if not self._begun:
            self._begin(event.episodes if isinstance(event, Resumed) else None)
        if isinstance(event, Played):
            now = self._now()
            with self.path.open("a", encoding="utf-8", newline="") as file:
                file.write(_rows(event.episodes, [now] * len(event.episodes)))

    def _begin(self, episodes: Episodes | None) -> None:
        """Writes the file as it is after these episodes, which an earlier process has played."""
        self._begun = True
        self.path.parent.mkdir(parents=True, exist_ok=True)
        header = {"t_start": self._t_start, "env_id": self._env_id}
        text = f"#{json.dumps(header)}\nr,l,t\n"
        if episodes is not None:
            lost = [self._now()] * max(0, len(episodes) - len(self._seconds))
            text += _rows(episodes, [*self._seconds[: len(episodes)], *lost])
        with replacing(self.path) as file:
            file.write(text.encode())

    def _read(self) -> None:
        try:
            first, columns, *rows = self.path.read_text(encoding="utf-8").splitlines()
            self._t_start = float(json.loads(first.removeprefix("#"))["t_start"])
            if columns != "r,l,t":
                raise ValueError
            for row in rows:
                *_, seconds = row.split(",")
                self._seconds.append(float(seconds))
        except OSError as error:
            raise InputError(f"cannot read {str(self.path)!r}: {error.strerror}") from None
        except (ValueError, TypeError, KeyError):
            raise InputError(f"{str(self.path)!r} is damaged or no monitor file; choose another file") from None

    def _now(self) -> float:
        return round(time.time() - self._t_start, 6)


def _rows(episodes: Episodes, seconds: Iterable[float]) -> str:
    text = io.StringIO()
    columns = episodes.returns.tolist(), episodes.lengths.tolist(), seconds
    csv.writer(text, lineterminator="\n").writerows(zip(*columns, strict=True))
    return text.getvalue()
