"""Environments in play, and from where the episodes of each can begin again."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Self

import numpy as np

from nasdqn_fast.envs.python.duplicate import duplicate
from nasdqn_fast.seeding import restored_generator

if TYPE_CHECKING:
    from nasdqn_fast.envs.python.environment import PythonEnvironment

SEEDS = 2**31


class Play:
    """Environments in play, each made with its first reset.

    That has a seed, drawn by the caller; later ones have none, as is usual with Gymnasium. Several are stepped in turn,
    as a SyncVectorEnv without autoreset does, which takes twice the time for it.

    Args:
        environment: what is played.
        n: how many.
        training: whether the first one is the user's object, where there is one.

    Attributes:
        limit: steps after which the caller has to end an episode; None: the environment does it.
    """

    def __init__(self, environment: PythonEnvironment, n: int, *, training: bool) -> None:
        self.limit = environment.limit
        self._environment, self._n, self._training = environment, n, training
        self._envs: list[Any] = [None] * n
        # From what the present episode of each has begun: a seed, or a generator's state; {} if that is not known.
        self._starts: list[dict[str, Any]] = [{} for _ in range(n)]
        # From what its next one is to begin: None, from its generator as it is; {}, from a seed yet to be drawn.
        self._next: list[dict[str, Any] | None] = [{} for _ in range(n)]
        self.in_progress = False  # whether it is a copy in the middle of an episode, from where that can be continued

    @classmethod
    def continuing(cls, environment: PythonEnvironment, env: Any) -> Self:
        """One environment that is in the middle of an episode already."""
        play = cls(environment, 1, training=False)
        play._envs, play._next, play.in_progress = [env], [None], True
        return play

    def __del__(self) -> None:
        self.close()

    def stepping(self, lane: int) -> Callable[[Any], Any]:
        """``step`` of one of them, after its first reset."""
        step: Callable[[Any], Any] = self._envs[lane].step
        return step

    def reset(self, lane: int, uniform: float) -> Any:
        """Starts an episode.

        Args:
            lane: of which one.
            uniform: number in [0, 1), for a seed.

        Returns:
            what its ``reset`` returns as observation.
        """
        if self._envs[lane] is None:
            self._envs[lane] = self._environment.make(original=self._training and lane == 0)
        env, start = self._envs[lane], self._next[lane]
        if start is None:
            start = generator_state(env)
        elif not start:
            start = {"seed": int(uniform * SEEDS)}
        elif "np_random" in start:
            env.unwrapped.np_random = restored_generator(start["np_random"])
        self._starts[lane], self._next[lane], self.in_progress = start, None, False
        return self._environment.unpacked(env.reset(seed=start.get("seed")), "reset")[0]

    def reseed(self) -> None:
        """The next reset of each has a seed again."""
        self._next = [{} for _ in range(self._n)]

    def get_state(self) -> list[dict[str, Any]]:
        """From what the present episode of each has begun."""
        return copy.deepcopy(self._starts)

    def set_state(self, starts: Sequence[Mapping[str, Any]]) -> None:
        """The next reset of each begins the episode of this state again.

        Raises:
            KeyError, TypeError, ValueError: not a valid state.
        """
        if not isinstance(starts, list) or len(starts) != self._n:
            raise ValueError(f"the state must be of {self._n} environments")
        for start in starts:
            if "np_random" in start:
                restored_generator(start["np_random"])  # to see that it is one
            elif start and not isinstance(start["seed"], int):
                raise TypeError("seed must be an int")
        self._starts = [dict(start) for start in starts]
        self._next = [dict(start) for start in starts]

    def copied(self, lane: int) -> Play | None:
        """A copy of one of them in the middle of its episode; None if it is in none, or cannot be copied."""
        if self._next[lane] is not None:  # restored from a state, and not begun yet
            return None
        try:
            env = duplicate(self._envs[lane])
        except Exception:
            return None
        return Play.continuing(self._environment, env)

    def close(self) -> None:
        """Closes what was made here."""
        for env in vars(self).get("_envs", []):
            if env is not None and not self._environment.kernel.recipe.owns(env):
                with contextlib.suppress(Exception):  # it is not needed any more
                    env.close()


def generator_state(env: Any) -> dict[str, Any]:
    """The state of an environment's generator by name; empty if it has none."""
    generator = getattr(env.unwrapped, "np_random", None)
    if not isinstance(generator, np.random.Generator):
        return {}
    return {"np_random": generator.bit_generator.state}  # made anew with each look
