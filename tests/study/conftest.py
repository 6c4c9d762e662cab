"""Studies whose runs are made up: their summaries say what a test wants."""

import json

import pytest

from nasdqn_fast.study.plan import Look, Plan
from nasdqn_fast.study.study import Study

AGENTS = ("fixed-small", "fixed-medium", "fixed-large", "random-nas", "nas-dqn")


def summary(final=190.0, *, std=16.0, reached=260, seconds=10.0, search=0.02, segments=(), status="finished"):
    cost = {"steps": 40_000, "updates": 40_000, "parameters": 1_000, "flop": 1e9}
    return {
        "format": 1,
        "status": status,
        "episodes": 2_000,
        "steps": 400_000,
        "metrics": {"final_mean": final, "final_std": std, "episodes_to_threshold": reached, "best": 199.0},
        "threshold": 150.0,
        "mean_return": final - 20,
        "optimum": 196.0,
        "segments": [
            {"architecture": name, "reason": "uniform", "first": 200 * k + 1, "last": 200 * (k + 1), "score": score}
            | {"transfer": None, "cost": cost}
            for k, (name, score) in enumerate(segments)
        ],
        "seconds": {"total": seconds + 1, "train": seconds * (1 - search), "transfer": seconds * search},
    }


@pytest.fixture
def made_up(tmp_path):
    """A function that writes a study: label -> a summary for each seed, or None for a trial that has not begun."""

    def write(trials, *, looks=1, profile="paper", task="inverted-pendulum"):
        methods = {}
        for label in trials:
            methods.setdefault(label.partition("+")[0], []).append(label)
        seeds = {method: max(len(trials[label]) for label in labels) for method, labels in methods.items()}
        times = [Look(f"2026-01-0{k + 1}T00:00:00+00:00", seeds) for k in range(looks)]
        labels = {method: tuple(labels) for method, labels in methods.items()}
        plan = Plan((task,), labels, {}, profile, 2_000, 1000, tuple(times))
        (tmp_path / "study.json").write_text(json.dumps(plan.as_json()))
        study = Study.open(tmp_path)
        for trial in study.trials():
            found = trials[trial.label][trial.seed - 1000]
            if found is not None:
                folder = tmp_path / "trials" / trial.task / trial.label / str(trial.seed)
                folder.mkdir(parents=True)
                (folder / "summary.json").write_text(json.dumps(found))
        return Study.open(tmp_path)

    return write


@pytest.fixture
def summary_of():
    return summary
