"""Training runs of nasdqn_fast under the profile of the same name."""

from __future__ import annotations

import platform
import time
from importlib.metadata import version

import gymnasium

import nasdqn_fast
from learning_curves.greedy import greedy_returns
from learning_curves.runs import OURS, Case, Run


def train(case: Case, seed: int) -> Run:
    """One run; its settings are the profile's but for the number of steps."""
    env = OURS[case.task]
    wall, cpu = time.perf_counter(), time.process_time()
    result = nasdqn_fast.train(env=env, seed=seed, profile=case.profile, steps=case.steps)
    wall, cpu = time.perf_counter() - wall, time.process_time() - cpu
    about = {
        "python": platform.python_version(),
        "nasdqn_fast": nasdqn_fast.__version__,
        "gymnasium": gymnasium.__version__,
        "numpy": version("numpy"),
    }
    greedy = greedy_returns(result.network.forward, f"nasdqn_fast/{case.task}")
    return Run(result.episodes.lengths.cumsum(), result.episodes.returns, greedy, wall, cpu, about)
