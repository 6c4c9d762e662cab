import json

import numpy as np
import pytest

from nasdqn_fast.study.table import Table
from nasdqn_fast.study.table.plan import Plan
from nasdqn_fast.study.table.tabulate import tabulate

SMALL = Plan(
    tasks=("cartpole", "upright-sgd"),
    architectures=("1x4-relu", "5,3-tanh"),
    seeds=4,
    episodes=12,
    evaluate_every=5,
    evaluate_episodes=2,
    learner={"warm_up": 30, "batch_size": 4, "learning_rate": 0.01, "replay_capacity": 500},
)


@pytest.fixture(scope="session")
def small_plan():
    """Two tasks, two architectures, four seeds: sixteen rows, a second."""
    return SMALL


@pytest.fixture(scope="session")
def small_table(tmp_path_factory):
    """The table of `SMALL`, which one undisturbed call has made."""
    made = tabulate(tmp_path_factory.mktemp("table"), SMALL, threads=1)
    return made.table


@pytest.fixture(scope="session")
def invented():
    """A function that makes a table of any numbers, without training."""

    def make(returns, seeds, *, scale=1.0, evaluated_after=(2, 4)):
        """returns: (architectures, seeds, episodes), in units of `scale`."""
        returns = np.asarray(returns)
        n, k, episodes = returns.shape
        agent = {"updates_per_step": 1, "updates_per_train": None, "train_every": 1, "num_envs": 1}
        agent |= {"batch_size": 64, "double": True}
        after = [number for number in evaluated_after if number <= episodes]
        rows = n * k
        return Table(
            {
                "format": np.array(1),
                "tasks": np.array(["task"]),
                "settings": np.array([json.dumps({"agent": agent})]),
                "scales": np.array([scale]),
                "observation_sizes": np.array([4]),
                "n_actions": np.array([2]),
                "architectures": np.array([f"1x{width}-relu" for width in range(1, n + 1)]),
                "task": np.zeros(rows, np.int16),
                "architecture": np.repeat(np.arange(n), k),
                "seed": np.tile(seeds, n),
                "returns": returns.reshape(rows, episodes).astype(np.int16),
                "lengths": np.full((rows, episodes), 7, np.uint16),
                "evaluated_after": np.array(after),
                "evaluations": returns.reshape(rows, episodes)[:, [number - 1 for number in after]] + 0.5,
                "steps": np.full(rows, 7 * episodes),
                "updates": np.full(rows, max(0, 7 * episodes - 9)),
                "parameters": np.repeat(np.arange(1, n + 1) * 7 + 2, k),
                "flop": np.zeros(rows, np.int64),
            }
        )

    return make
