"""Greedy episodes beside training, for a transfer's guard and for an estimator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.errors import Stopped
from nasdqn_fast.types import Episodes
from nasdqn_fast.validation import check_positive_int


class GreedyEpisodes:
    """Plays greedy episodes in an agent's environment; the agent, its memory and its streams stay as they are.

    Args:
        agent: of either backend.
        start: index -> generator of all that the episode of this index draws, from 0 in every call of `play`.
        stop: stops `play` when it is set.

    Attributes:
        steps: environment steps played so far.
    """

    def __init__(self, agent: Any, start: Callable[[int], np.random.Generator], stop: StopToken | None = None) -> None:
        self._agent = agent
        self._start = start
        self._stop = stop
        self._stopped = False
        self.steps = 0

    def play(self, network: Any, n: int) -> Episodes:
        """The first n episodes of a network.

        Args:
            network: of the agent's backend.
            n: episodes.

        Raises:
            TypeError, ValueError: a network that does not fit the environment, or n below 1.
            NonFiniteError, StepError, Stopped: as the agent's ``play_episodes``.
        """
        n = check_positive_int("n", n)
        # An agent of its own, whose memory is never used: play_episodes plays the agent's network only.
        player = self._agent.beside(network, replay_capacity=1, batch_size=1)
        try:
            played = [player.play_episodes(1, rng=self._start(i), stop=self._stop) for i in range(n)]
        except Stopped:
            self._stopped = True
            raise
        episodes = Episodes(**{f.name: np.concatenate([getattr(e, f.name) for e in played]) for f in fields(Episodes)})
        self.steps += int(episodes.lengths.sum())
        return episodes

    def check(self) -> None:
        """Raises Stopped if a call of `play` has: a plug-in that catches it has gone on without its episodes."""
        if self._stopped:
            raise Stopped
