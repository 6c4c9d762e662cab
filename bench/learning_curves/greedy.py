"""What a trained network is worth without exploration, for the originals and for ours from the same starts."""

from __future__ import annotations

from collections.abc import Callable

import gymnasium
import numpy as np

EPISODES = 100
SEED = 1_000_000  # of the first episode; no training run uses it


def greedy_returns(values: Callable[[np.ndarray], np.ndarray], environment: str) -> np.ndarray:
    """Returns of the policy that takes the action of the highest value.

    Args:
        values: float32 [rows, observation] -> [rows, actions].
        environment: Gymnasium's id of what is played.

    Returns:
        float64 [EPISODES], undiscounted.
    """
    environments = [gymnasium.make(environment) for _ in range(EPISODES)]
    states = [env.reset(seed=SEED + number)[0] for number, env in enumerate(environments)]
    returns = np.zeros(EPISODES)
    going = list(range(EPISODES))
    while going:
        actions = np.argmax(values(np.array([states[number] for number in going], np.float32)), axis=1)
        still = []
        for number, action in zip(going, actions, strict=True):
            states[number], reward, terminated, truncated, _ = environments[number].step(int(action))
            returns[number] += float(reward)
            if not (terminated or truncated):
                still.append(number)
        going = still
    return returns
