"""A number that a short run comes to: it changes when, and only when, a change of the code changes arithmetic."""

from __future__ import annotations

import hashlib

from nasdqn_fast.benchmarking.setting import BATCH, ENVIRONMENT
from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.space import Architecture

EPISODES = 3  # 600 steps, with two copies to the target


def fingerprint(architecture: Architecture, seed: int = 0) -> int:
    """First 48 bits of the SHA-256 of returns and final weights; so few, because a double holds them exactly."""
    agent = DQNAgent(ENVIRONMENT, architecture, rng=seed, warm_up=BATCH, target_every=200)
    returns = agent.run_episodes(EPISODES).returns
    digest = hashlib.sha256(returns.tobytes() + agent.network.parameters.tobytes())
    return int.from_bytes(digest.digest()[:6], "big")
