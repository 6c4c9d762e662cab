"""Updates beside training, for a transfer that trains its network before it acts."""

from __future__ import annotations

import copy
from dataclasses import replace
from typing import Any

import numpy as np

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.errors import Stopped
from nasdqn_fast.seeding import set_generator_state
from nasdqn_fast.validation import check_int


class LearningAside:
    """Trains networks from a copy of an agent's memory; the agent, its memory and its streams stay as they are.

    Args:
        agent: of either backend.
        rng: of the draws of minibatches; a PCG64.
        settings: to train with; None: the agent's.
        stop: stops `learn` when it is set.

    Attributes:
        updates: updates so far.
    """

    def __init__(
        self,
        agent: Any,
        rng: np.random.Generator,
        stop: StopToken | None = None,
        settings: AgentSettings | None = None,
    ) -> None:
        self._agent = agent
        self._settings = settings or agent.settings
        self._rng = rng
        self._stop = stop
        self._stopped = False
        self._memory: Any = None  # copied when it is first needed: most transfers learn nothing
        self.updates = 0

    def learn(self, network: Any, n: int) -> dict[str, Any]:
        """Makes n updates of a network, in place, as the agent would; the target starts as a copy of it.

        Args:
            network: of the agent's backend.
            n: updates, >= 0; an empty memory allows none.

        Returns:
            the state of the optimizer, which began with none.

        Raises:
            TypeError, ValueError: a network that does not fit the environment, or n below 0.
            NonFiniteError: a loss is not finite.
            Stopped: `stop` is set.
        """
        n = check_int("n", n, 0)
        if self._memory is None:
            self._memory = copy.deepcopy(self._agent.replay)
            set_generator_state(self._memory.rng, dict(self._rng.bit_generator.state))
        settings = _by_updates(self._settings, self._agent.steps)
        learner = self._agent.beside(network, replay=self._memory, **vars(settings))
        for _ in range(n if len(self._memory) else 0):
            if self._stop is not None and self._stop.reason:
                self._stopped = True
                raise Stopped
            learner.learn()
            self.updates += 1
        return dict(learner.optimizer.get_state())

    def check(self) -> None:
        """Raises Stopped if `learn` has: a plug-in that catches it has gone on without its updates."""
        if self._stopped:
            raise Stopped


def _by_updates(settings: AgentSettings, steps: int) -> AgentSettings:
    """Settings of an agent that makes updates but no steps: what follows the steps stands still, or follows updates."""
    every = settings.target_every
    if settings.target_unit == "steps":
        every = max(1, round(every * settings.phase_updates / (settings.train_every * settings.num_envs)))
    smallest = float(np.finfo(np.float32).tiny)  # at the end of a linear schedule it would be 0
    return replace(
        settings,
        learning_rate=max(settings.learning_rate_after(steps), smallest),
        learning_rate_schedule="constant",
        target_unit="updates",
        target_every=every,
    )
