"""Neural architecture search inside one DQN training run, at native speed on a CPU."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

from nasdqn_fast import _core as _core

_core.load()  # first, so that a tree without a built core says so, and not how an import of it failed

__version__ = "0.1.0"

# Found on first use: importing the package costs little more than importing NumPy and Gymnasium.
_WHERE = {
    "Architecture": "space",
    "DQNAgent": "engine.agent",
    "EnvKernel": "envs.kernel",
    "InputError": "errors",
    "NonFiniteError": "errors",
    "Optimizer": "engine.optimizer",
    "QNetwork": "engine.network",
    "ReplayBuffer": "engine.replay",
    "STOP": "events",
    "SearchSpace": "space",
    "Table": "study.table.lookup",
    "evaluate": "run.evaluation",
    "experiment": "study.api",
    "make": "envs",
    "rank_agreement": "study.agreement",
    "resume": "run.api",
    "search_runs": "study.search.api",
    "search_table": "study.table.search",
    "tabulate": "study.table.tabulate",
    "train": "run.api",
}
__all__ = [*sorted(_WHERE), "__version__", "get_include"]


def get_include() -> str:
    """The folder of the C headers that the ``.pxd`` files of `nasdqn_fast._core` name.

    An extension that cimports them has it among its ``include_dirs``, with that of NumPy.
    """
    package = Path(__file__).parent
    installed, checkout = package / "_core" / "include", package.parent / "ext" / "kernels"
    return str(installed if installed.exists() else checkout)


def __getattr__(name: str) -> Any:
    if name not in _WHERE:
        raise AttributeError(f"module 'nasdqn_fast' has no attribute {name!r}")
    value = getattr(importlib.import_module(f"nasdqn_fast.{_WHERE[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)


# Last, for it needs what is above: the environments' Gymnasium ids are there, whichever package is imported first.
importlib.import_module("nasdqn_fast.interop.gymnasium")
