"""Runs of a table before their first step, for what estimates without training."""

from __future__ import annotations

import functools

from nasdqn_fast.config import Config, EnvConfig
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.envs import AnyEnvironment
from nasdqn_fast.run.assembly import make_environment
from nasdqn_fast.space import Architecture
from nasdqn_fast.study.starts import Start
from nasdqn_fast.study.table.lookup import Table


class TableStarts:
    """Makes them for one task.

    Args:
        table: whose settings they have.
        task: of it.
    """

    def __init__(self, table: Table, task: str) -> None:
        about, self._sizes = table.settings(task), table.sizes(task)
        self.settings = AgentSettings(**about["agent"])
        self._config = Config(env=EnvConfig(**about.get("env", {})), agent=self.settings)

    @functools.cached_property
    def environment(self) -> AnyEnvironment:
        """That of the task; made when it is first needed, for its compilation takes a while."""
        return make_environment(self._config)

    def of(self, architecture: Architecture, seed: int, search_seed: int) -> Start:
        """A run; the arguments as for `Start`."""
        return Start(self._config, lambda: self.environment, self._sizes, architecture, seed, search_seed)
