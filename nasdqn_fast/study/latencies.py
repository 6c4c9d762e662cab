"""The latencies of a study: measured once, and the same for all trials of a task, whoever runs them.

``latencies/TASK-BACKEND.json`` holds them; each is a file that ``reward_latencies`` takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from nasdqn_fast.config import Config
from nasdqn_fast.rewards import latency_file
from nasdqn_fast.run.assembly import make_environment
from nasdqn_fast.run.directory import unwritable
from nasdqn_fast.run.rewards import sizes_of, with_latencies
from nasdqn_fast.study.create import locked
from nasdqn_fast.study.plan import folder_name

FOLDER = "latencies"

Configs = Mapping[tuple[str, str], Config]  # (task, label) -> settings
Tables = dict[str, dict[str, float]]  # name of a file -> architecture -> seconds


def measured(folder: Path, configs: Configs) -> Tables:
    """The tables that the configs need and do not give: those in the study, else measured now.

    Args:
        folder: of the study, which need not be there yet; nothing is written.
        configs: of all trials.

    Raises:
        InputError: a file is damaged.
    """
    tables: Tables = {}
    for (task, _), config in configs.items():
        if not config.reward.needs_measuring:
            continue
        name = _name(task, config)
        if (path := folder / FOLDER / name).exists():
            tables[name] = latency_file.check_latencies("latencies", path)
        else:
            found = with_latencies(config, sizes_of(make_environment(config))).reward.seconds
            tables[name] = {**found, **tables.get(name, {})}  # an architecture of several labels has one latency
    return tables


def stored(folder: Path, tables: Tables) -> Tables:
    """The tables that the study keeps from now on: these, unless another process was first.

    Args:
        folder: of the study, which is there.
        tables: as `measured` returns them.

    Raises:
        InputError: they cannot be written, or a file is damaged.
    """
    if not tables:
        return tables
    try:
        (folder / FOLDER).mkdir(exist_ok=True)
        with locked(folder):
            for name, table in tables.items():
                if not (folder / FOLDER / name).exists():
                    latency_file.write(folder / FOLDER / name, table)
    except OSError as error:
        raise unwritable(folder, error) from None
    return {name: latency_file.check_latencies("latencies", folder / FOLDER / name) for name in tables}


def filled(configs: Configs, tables: Tables) -> dict[tuple[str, str], Config]:
    """The configs, each with the table that it needs."""
    return {
        (task, label): replace(config, reward=replace(config.reward, latencies=tables[_name(task, config)]))
        if config.reward.needs_measuring
        else config
        for (task, label), config in configs.items()
    }


def _name(task: str, config: Config) -> str:
    return f"{folder_name(task)}-{config.run.backend}.json"
