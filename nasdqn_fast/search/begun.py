"""The episodes that began in a segment, of an agent that plays several environments at once.

A segment ends when M episodes have ended. Of several environments in lockstep those with short episodes are then
ahead: the mean of the M returns would be too low, above all in the first segment, where all environments begin at
once. The episodes that *began* in a segment are no such choice, for when an episode begins, nothing is known of its
length. So these are what a segment is worth. Those of them that have not ended are played to their end here, beside
training, on copies of the environments and with random streams of their own; in training they continue under the next
network.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from nasdqn_fast.envs.python import PythonEnvironment
from nasdqn_fast.seeding import Streams
from nasdqn_fast.types import Episodes

NEVER = 2**40  # steps before the first update


class BegunEpisodes:
    """Gathers when the episodes of a segment began, and adds those that have not ended.

    Args:
        began: vector step in which each episode that has ended in the segment began, in order of ending.
    """

    def __init__(self, began: list[int] | None = None) -> None:
        self.began = list(began or [])

    def append(self, agent: Any, episodes: Episodes) -> None:
        """Notes episodes that have ended in the agent's last vector step."""
        self.began += (_vector_steps(agent) - episodes.lengths).tolist()

    def returns_and_lengths(
        self,
        agent: Any,
        ended: tuple[np.ndarray, np.ndarray],
        first_step: int,
        start: Callable[[int], np.random.Generator],
    ) -> tuple[np.ndarray, np.ndarray, int]:
        """The episodes that began in the segment, in order of beginning, equals shuffled.

        If none began in it, those that have ended in it; so, too, if an environment in Python cannot be copied.

        Args:
            agent: at the end of the segment; it stays as it is.
            ended: returns and lengths of the episodes that have ended in it, in order of ending.
            first_step: environment steps before the segment.
            start: index -> generator, of two: what is played on draws from 0, the order from 1.

        Returns:
            returns, lengths, and environment steps played here.
        """
        n, now = agent.settings.num_envs, _vector_steps(agent)
        state = agent.get_state()["loop"]
        unfinished = np.flatnonzero((state["lane_length"] > 0) & (now - state["lane_length"] >= first_step // n))
        waiting = state["ended_length"]  # of episodes that ended in the last step, too, and have not been reported
        played = _play_on(agent, state, unfinished, start(0))
        if played is None:
            return *ended, 0
        steps = int(played[1].sum() - state["lane_length"][unfinished].sum())
        returns = np.concatenate([ended[0], state["ended_reward_sum"], played[0]])
        lengths = np.concatenate([ended[1], waiting, played[1]])
        began = np.concatenate([self.began, now - waiting, now - state["lane_length"][unfinished]])
        here = began >= first_step // n
        if here.all() and not len(unfinished) and not len(waiting):
            return returns, lengths, 0  # all that began have ended: the order of ending is none of lengths
        if not here.any():  # a segment without a step, whose episodes had all ended in the last step before it
            return *ended, 0
        # Equals by chance, for in the order of ending the short ones come first.
        order = np.lexsort((start(1).random(len(began)), began))
        order = order[here[order]]
        return returns[order], lengths[order], steps


def _vector_steps(agent: Any) -> int:
    steps: int = agent.steps // agent.settings.num_envs
    return steps


def _play_on(
    agent: Any, state: dict[str, Any], lanes: np.ndarray, rng: np.random.Generator
) -> tuple[np.ndarray, np.ndarray] | None:
    """Returns and lengths of the episodes of some lanes, each played to its end by the agent's network.

    None if an environment in Python cannot be copied.
    """
    returns, lengths = np.empty(len(lanes)), np.empty(len(lanes), np.int64)
    if not len(lanes):
        return returns, lengths
    # One environment at a time: of several in lockstep, others would begin new episodes meanwhile.
    environment = agent.environment
    in_python = isinstance(environment, PythonEnvironment)
    if in_python:
        environment = environment.single()
    player = type(agent)(environment, agent.network, rng=Streams(rng), replay_capacity=1, batch_size=1, warm_up=NEVER)
    loop = player.get_state()["loop"] | {"started": True}
    per_lane = [name for name in state if name in ("states", "observations") or name.startswith("lane_")]
    for i, lane in enumerate(lanes.tolist()):
        if in_python:
            if (play := agent.copied_play(lane)) is None:
                return None
            player.take_play(play)
        here = {name: state[name][lane : lane + 1].copy() for name in per_lane}
        player._set_loop_state(loop | here)  # alone: the rest of the state is the same for all
        episode = player.run_episodes(1)
        returns[i], lengths[i] = episode.returns[0], episode.lengths[0]
    return returns, lengths
