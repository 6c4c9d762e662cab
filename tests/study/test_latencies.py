"""Latencies of a study. Oracle: one table in its folder, and in the settings of every trial."""

import json

import pytest

import nasdqn_fast
from nasdqn_fast.config import resolve
from nasdqn_fast.run import rewards
from nasdqn_fast.study.api import run_study

SMALL = {
    "episodes": 4,
    "switch_every": 2,
    "max_episode_steps": 20,
    "widths": (4, 8),
    "depths": (1,),
    "activations": ("relu",),
    "warm_up": 10,
    "batch_size": 4,
    "reward_cost": "latency",
    "reward_weight": 3.0,
}
METHODS = ["random-nas", "fixed:1x5-tanh"]


def test_all_trials_have_one_table_which_is_measured_once(tmp_path, monkeypatch):
    nasdqn_fast.experiment(METHODS, ["cartpole"], 1, out=tmp_path / "study", **SMALL)
    (file,) = (tmp_path / "study" / "latencies").iterdir()
    assert file.name == "cartpole-native.json"
    table = json.loads(file.read_text())
    assert set(table) == {"1x4-relu", "1x8-relu", "1x5-tanh"}
    monkeypatch.setattr(rewards, "measure", lambda *_: pytest.fail("measured again"))
    study = nasdqn_fast.experiment(METHODS, ["cartpole"], 2, out=tmp_path / "study", **SMALL)
    configs = [resolve(f"{trial.path}/config.toml") for trial in study.trials()]
    assert len(configs) == 4
    assert all(config.reward.latencies == table for config in configs)


def test_a_study_that_needs_none_has_no_such_folder(tmp_path):
    options = SMALL | {"reward_cost": "flop"}
    run_study(["random-nas"], ["cartpole"], 1, grid=None, config=None, out=tmp_path, first_seed=0, options=options)
    assert not (tmp_path / "latencies").exists()
