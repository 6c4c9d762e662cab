"""The reader of a study: its expectation is what the runs themselves returned."""

import json

import numpy as np
import pytest

import nasdqn_fast
from nasdqn_fast.errors import InputError
from nasdqn_fast.study.plan import Look, Plan, Trial
from nasdqn_fast.study.study import Study

TINY = {"max_episode_steps": 20, "architectures": ("1x4-relu", "5,3-tanh"), "warm_up": 10, "batch_size": 4}


def plan(**changes):
    about = {
        "tasks": ("cartpole",),
        "methods": {"random-nas": ("random-nas",), "fixed": ("fixed:64,32-tanh",)},
        "grid": {},
        "profile": "paper",
        "episodes": 7,
        "first_seed": 1000,
        "looks": (Look("2026-01-01T00:00:00+00:00", {"random-nas": 2, "fixed": 1}),),
    }
    return Plan(**about | changes)


def write(folder, plan):
    (folder / "study.json").write_text(json.dumps(plan.as_json()))
    return Study.open(folder)


@pytest.fixture
def study(tmp_path):
    return write(tmp_path, plan())


def test_a_plan_is_read_as_it_was_written(study):
    assert study.plan == plan()
    assert len(study.plan) == 3


def test_trials_are_listed_seed_by_seed(study):
    assert [(trial.label, trial.seed) for trial in study.trials()] == [
        ("random-nas", 1000),
        ("fixed:64,32-tanh", 1000),
        ("random-nas", 1001),
    ]
    assert next(study.trials()).path == f"{study.folder}/trials/cartpole/random-nas/1000"


def test_a_name_of_a_task_is_one_folder(tmp_path):
    study = write(tmp_path, plan(tasks=("nasdqn_fast/Acrobot-v1",)))
    assert next(study.trials()).path == f"{study.folder}/trials/nasdqn_fast%2FAcrobot-v1/random-nas/1000"


def test_a_trial_stays_in_its_shard_when_the_study_grows(study, tmp_path):
    more = (*plan().looks, Look("2026-01-02T00:00:00+00:00", {"random-nas": 40, "fixed": 40}))
    grown = Study(study.folder, plan(looks=more))
    before = {trial: trial.shard(3) for trial in study.trials()}
    after = {trial: trial.shard(3) for trial in grown.trials()}
    assert before.items() <= after.items()
    assert set(after.values()) == {0, 1, 2}


def test_a_trial_is_read_as_the_run_returned_it(study):
    trial = next(study.trials())
    assert (study.status(trial), study.is_complete) == ("missing", False)
    result = nasdqn_fast.train("random-nas", "cartpole", trial.seed, episodes=7, switch_every=3, out=trial.path, **TINY)
    assert study.status(trial) == "finished"
    columns = study.episodes(trial)
    np.testing.assert_array_equal(columns["return"], result.episodes.returns)
    np.testing.assert_array_equal(columns["length"], result.episodes.lengths)
    np.testing.assert_array_equal(columns["loss"], result.episodes.losses)
    assert columns["architecture"].tolist()[3] == str(result.segments[1].architecture)
    segments = study.segments(trial)
    assert [(s["first"], s["last"], s["architecture"], s["score"], s["reason"]) for s in segments] == [
        (s.first, s.last, str(s.architecture), s.score, s.reason) for s in result.segments
    ]
    assert [s["transfer"] is None for s in segments] == [s.transfer is None for s in result.segments]
    assert [s["prune"] is None for s in segments] == [True, False, False]
    assert study.summary(trial)["mean_return"] == result.mean_return
    assert study.config(trial) == result.config


def test_a_study_is_complete_when_every_trial_has_ended(tmp_path):
    study = write(tmp_path, plan(methods={"fixed": ("fixed",)}, looks=(Look("2026-01-01", {"fixed": 2}),)))
    for trial in study.trials():
        assert not study.is_complete
        nasdqn_fast.train("fixed", "cartpole", trial.seed, episodes=2, architecture="1x4-relu", out=trial.path)
    assert study.is_complete


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "is not a study: it holds no study.json"),
        ("{", "is damaged"),
        ("[]", "has format None; this version reads format 1"),
        ('{"format": 2}', "has format 2; this version reads format 1"),
        ('{"format": 1}', "is damaged: KeyError: 'tasks'"),
    ],
)
def test_what_is_no_study_is_refused(tmp_path, content, message):
    if content is not None:
        (tmp_path / "study.json").write_text(content)
    with pytest.raises(InputError, match=message):
        Study.open(tmp_path)


def test_a_trial_that_has_not_begun_has_nothing_to_read(study):
    trial = Trial("cartpole", "fixed", "fixed", 5, f"{study.folder}/trials/5")
    for read in (study.episodes, study.segments, study.summary, study.config):
        with pytest.raises(InputError, match="trials/5"):
            read(trial)
