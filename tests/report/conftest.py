"""A study that takes no time, and one made up of very many trials."""

import json

import pytest

import nasdqn_fast


@pytest.fixture(scope="session")
def studied(tmp_path_factory):
    """A finished study of three methods, three seeds, 12 episodes, and its report; not to be changed."""
    from nasdqn_fast.report.page import report

    folder = tmp_path_factory.mktemp("studied") / "a study"
    nasdqn_fast.experiment(
        ["fixed-small", "random-nas", "nas-dqn"],
        ["inverted-pendulum"],
        3,
        episodes=12,
        switch_every=4,
        max_episode_steps=20,
        widths=(4, 8),
        warm_up=10,
        batch_size=4,
        out=folder,
    )
    lines = []
    page = report(folder, show=lines.append)
    return folder, page.read_text(encoding="utf-8"), lines


@pytest.fixture
def many(tmp_path):
    """A function that writes a study of so many trials of two episodes, none of which was run."""

    def write(trials):
        from nasdqn_fast.config import resolve, to_toml
        from nasdqn_fast.study.plan import Look, Plan

        methods = ("fixed-small", "fixed-medium", "fixed-large", "random-nas", "nas-dqn")
        seeds = trials // len(methods)
        look = Look("2026-01-01T00:00:00+00:00", dict.fromkeys(methods, seeds))
        labels = {method: (method,) for method in methods}
        plan = Plan(("inverted-pendulum",), labels, {}, "paper", 2, 1000, (look,))
        (tmp_path / "study.json").write_text(json.dumps(plan.as_json()))
        config = to_toml(resolve(None, {"episodes": 2}))
        for k, (task, _, label, seed) in enumerate(plan.names()):
            folder = tmp_path / "trials" / task / label / str(seed)
            folder.mkdir(parents=True)
            (folder / "config.toml").write_text(config)
            first, second = 80 + k % 7, 90 + k % 11
            rows = f"1,{first}.5,200,1.0,nan,2x32-relu\n2,{second}.25,200,0.995,0.1,2x32-relu\n"
            (folder / "episodes.csv").write_text("episode,return,length,epsilon,loss,architecture\n" + rows)
            (folder / "summary.json").write_text(json.dumps(summary(first + 0.5, second + 0.25)))
        return tmp_path

    return write


def summary(first, second):
    cost = {"steps": 400, "updates": 0, "parameters": 1283, "flop": 1e6}
    segment = {"architecture": "2x32-relu", "reason": "uniform", "first": 1, "last": 2, "score": 85.0}
    mean = (first + second) / 2
    return {
        "format": 1,
        "status": "finished",
        "episodes": 2,
        "steps": 400,
        "metrics": {
            "final_mean": mean,
            "final_std": abs(first - second) / 2,
            "episodes_to_threshold": None,
            "best": max(first, second),
        },
        "threshold": 150.0,
        "mean_return": mean,
        "optimum": 196.1,
        "segments": [segment | {"transfer": None, "cost": cost}],
        "seconds": {"total": 0.1, "train": 0.01 + first / 1e6},
    }
