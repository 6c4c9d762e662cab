"""What can be known of a run before it is trained: the networks it may begin with, and random transitions."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from nasdqn_fast.config import Config
from nasdqn_fast.engine import backends
from nasdqn_fast.envs import AnyEnvironment
from nasdqn_fast.flop import forward_flop
from nasdqn_fast.reference.network import QNetwork
from nasdqn_fast.run.rewards import Sizes
from nasdqn_fast.seeding import Streams
from nasdqn_fast.space import Architecture
from nasdqn_fast.types import Batch, Cost

NEVER = 2**20  # steps between two updates: more than are played


class Start:
    """A run before its first step.

    Args:
        config: its settings.
        environment: a function that makes that of the config, called when one is needed to play.
        sizes: of an observation, and number of actions.
        architecture: it begins with.
        seed: of the run; of the transitions that of its search, whose trials share them.

    Attributes:
        steps: environment steps played for `transitions` so far.
    """

    def __init__(
        self,
        config: Config,
        environment: Callable[[], AnyEnvironment],
        sizes: Sizes,
        architecture: Architecture,
        seed: int,
        search_seed: int,
    ) -> None:
        self._config, self._environment, self._sizes, self._architecture = config, environment, sizes, architecture
        self._seed, self._search_seed = seed, search_seed
        self.steps = 0

    @property
    def cost(self) -> Cost:
        """Of the steps played so far, each with a forward pass, and of no training."""
        flop = forward_flop(self._architecture, *self._sizes, rows=self.steps)
        return Cost(self.steps, 0, self._architecture.parameter_count(*self._sizes), flop)

    def network(self, draw: int) -> QNetwork:
        """A network as it may begin with, in float64: of draw 0, that of the run's seed."""
        streams = Streams(self._seed)
        rng = streams.child("init", draw) if draw else streams.init
        initial = self._config.agent.initial_weights()
        return QNetwork(self._architecture, *self._sizes, rng, initial, dtype=np.float64)

    def transitions(self, n: int) -> Batch:
        """The last n transitions of episodes of random actions, as few as hold so many."""
        # An agent that always explores, and is left before it learns: of the smallest network, which plays no part.
        agent = backends.find(self._config.run.backend).DQNAgent(
            self._environment(),
            "1x1-relu",
            rng=Streams(self._search_seed),
            replay_capacity=n,
            batch_size=1,
            warm_up=0,
            train_every=NEVER,
            policy_epsilon_start=1.0,
            policy_epsilon_decay=1.0,
        )
        while agent.steps < n:
            agent.run_episodes(1)
        self.steps += agent.steps
        transitions: Batch = agent.replay.transitions()
        return transitions
