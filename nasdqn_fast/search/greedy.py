"""Greedy episodes beside training, for a transfer's guard and for an estimator."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import numpy as np

from nasdqn_fast._core.stop_token import StopToken
from nasdqn_fast.types import Episodes
from nasdqn_fast.validation import check_positive_int


class GreedyEpisodes:
    """Plays greedy episodes in an agent's environment; the agent, its memory and its streams stay as they are.

    Args:
        agent: of either backend.
        start: index -> generator of all that the episode of this index draws, from 0 in every call of `play`.

    Attributes:
        steps: environment steps played so far.
    """

    def __init__(self, agent: Any, start: Callable[[int], np.random.Generator]) -> None:
        self._agent = agent
        self._start = start
        self.steps = 0

    def play(self, network: Any, n: int, stop: StopToken | None = None) -> Episodes:
        """The first n episodes of a network.

        Args:
            network: of the agent's backend.
            n: episodes.
            stop: as the agent's ``play_episodes``.

        Raises:
            Stopped: it was set.
            TypeError, ValueError: a network that does not fit the environment, or n below 1.
            NonFiniteError, StepError: as the agent's ``play_episodes``.
        """
        n = check_positive_int("n", n)
        # An agent of its own, whose memory is never used: play_episodes plays the agent's network only.
        player = type(self._agent)(self._agent.environment, network, replay_capacity=1, batch_size=1)
        played = [player.play_episodes(1, rng=self._start(i), stop=stop) for i in range(n)]
        episodes = Episodes(**{f.name: np.concatenate([getattr(e, f.name) for e in played]) for f in fields(Episodes)})
        self.steps += int(episodes.lengths.sum())
        return episodes
