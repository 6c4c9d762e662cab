import pytest

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
