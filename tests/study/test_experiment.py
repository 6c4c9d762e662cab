"""Whole studies; the oracle of each trial is `nasdqn_fast.train` with the same settings."""

import dataclasses
import json
import shutil
import threading
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

import nasdqn_fast
from nasdqn_fast.errors import InputError
from nasdqn_fast.run import directory
from nasdqn_fast.space import Architecture
from nasdqn_fast.study.study import STUDY, Study
from nasdqn_fast.transfers.overlap import overlap

experiment = nasdqn_fast.experiment


def test_each_trial_is_the_run_that_train_gives(tmp_path, tiny, settings):
    study = experiment(**tiny, seeds=2, out=tmp_path / "study")
    assert study.is_complete
    assert [(trial.label, trial.seed) for trial in study.trials()] == [
        (label, seed) for seed in (1000, 1001) for label in ("random-nas", "fixed:1x8-relu")
    ]
    for trial in study.trials():
        method = {"random-nas": {}, "fixed:1x8-relu": {"architecture": "1x8-relu"}}[trial.label]
        settings = settings | {"episodes": 4, "switch_every": 2, "architecture": None} | method
        alone = tmp_path / trial.name
        nasdqn_fast.train(trial.label.partition(":")[0], "cartpole", trial.seed, out=alone, **settings)
        names = ("config.toml", "episodes.csv", "architectures.jsonl", "network.safetensors")
        for name in names:
            assert (alone / name).read_bytes() == (tmp_path / "study" / "trials" / trial.name / name).read_bytes()


def test_settings_may_be_objects_as_those_of_train(tmp_path, tiny):
    space = [Architecture.parse("1x3-relu"), Architecture.parse("1x4-tanh")]
    given = tiny | {"methods": ["random-nas"], "episodes": np.int64(4), "architectures": space, "transfer": overlap}
    study = experiment(**given, seeds=1, out=tmp_path / "objects")
    named = given | {"episodes": 4, "architectures": ["1x3-relu", "1x4-tanh"], "transfer": "overlap"}
    assert study.plan.config == experiment(**named, seeds=1, out=tmp_path / "names").plan.config
    assert study.is_complete


def test_trials_of_one_seed_meet_the_same_starts_whatever_the_method(tmp_path):
    """MountainCar's first observation is its start; episode k has the same one under every method."""
    kernel = nasdqn_fast.make("mountain-car").kernel
    starts = []
    for method in ("random-nas", "fixed-small", "nas-dqn"):
        starts.append([])

        def reset(params, uniforms, state, obs, seen=starts[-1]):
            kernel.reset(params, uniforms, state, obs)
            seen.append(state.tolist())

        # In NumPy, for a compiled kernel could note nothing.
        own = dataclasses.replace(kernel, reset=reset)
        short = {"max_episode_steps": 5, "warm_up": 2, "batch_size": 2}
        nasdqn_fast.train(method, own, 7, episodes=6, switch_every=2, backend="numpy", **short)
    assert len(starts[0]) >= 6
    assert starts[0] == starts[1] == starts[2]


def test_the_number_of_seeds_is_written_before_the_first_trial(tmp_path, tiny):
    seen = []

    def look(progress):
        if not seen:
            there = [path.name for path in tmp_path.iterdir()]
            seen.append((there, json.loads((tmp_path / "study.json").read_text())["seeds"]))

    experiment(**tiny, seeds={"random-nas": 2, "fixed:1x8-relu": 1}, out=tmp_path, progress=look)
    assert seen[0][1] == {"random-nas": 2, "fixed:1x8-relu": 1}


def test_more_seeds_later_are_a_look_of_their_own(tmp_path, tiny, files):
    first = experiment(**tiny, seeds=1, out=tmp_path)
    before = files(tmp_path)
    assert (len(first.looks), first.is_complete) == (1, True)
    study = experiment(**tiny, seeds=2, out=tmp_path)
    assert [dict(look.seeds) for look in study.looks] == [dict.fromkeys(study.plan.methods, n) for n in (1, 2)]
    assert study.is_complete
    assert before.items() < files(tmp_path).items()
    assert Study.open(tmp_path).plan == study.plan


def test_the_same_call_is_no_look(tmp_path, tiny):
    experiment(**tiny, seeds=2, out=tmp_path)
    assert len(experiment(**tiny, seeds=2, out=tmp_path).looks) == 1
    assert len(experiment(**tiny, out=tmp_path).looks) == 1


def test_fewer_seeds_are_refused(tmp_path, tiny):
    experiment(**tiny, seeds=2, out=tmp_path)
    with pytest.raises(InputError, match="has 2 seeds of random-nas planned; got 1; their number can only be raised"):
        experiment(**tiny, seeds=1, out=tmp_path)


def test_another_study_is_refused_in_a_line_that_says_what_differs(tmp_path, tiny, files):
    experiment(**tiny, seeds=1, out=tmp_path)
    before = files(tmp_path)
    with pytest.raises(InputError, match=r"holds another study: config.agent.gamma: 0.99 there, 0.5 here; give"):
        experiment(**tiny, seeds=1, out=tmp_path, gamma=0.5)
    with pytest.raises(InputError, match="first_seed: 1000 there, 0 here"):
        experiment(**tiny, seeds=1, out=tmp_path, first_seed=0)
    assert files(tmp_path) == before


def test_a_study_from_before_a_setting_existed_has_its_default(tmp_path, tiny):
    experiment(**tiny, seeds=1, out=tmp_path)
    path = tmp_path / STUDY
    values = json.loads(path.read_text())
    del values["config"]["agent"]["n_step"]
    path.write_text(json.dumps(values))
    assert len(experiment(**tiny, seeds=1, out=tmp_path).looks) == 1
    with pytest.raises(InputError, match=r"another study: config.agent.n_step: 1 there, 3 here"):
        experiment(**tiny, seeds=1, out=tmp_path, n_step=3)


def test_a_folder_with_other_files_is_refused(tmp_path, tiny):
    (tmp_path / "mine").touch()
    with pytest.raises(InputError, match="holds 'mine' but no study; choose another"):
        experiment(**tiny, out=tmp_path)


def test_a_grid_is_a_product_and_goes_by_the_labels(tmp_path, tiny):
    del tiny["methods"]
    grid = {"agent.learning_rate": [0.1, "1e-2"], "search.depths": ["1,2"]}
    study = experiment(["fixed:1x8-relu"], **tiny, grid=grid, seeds=1, out=tmp_path)
    labels = [f"fixed:1x8-relu+agent.learning_rate={rate}+search.depths=1,2" for rate in (0.1, 0.01)]
    assert list(study.plan.labels) == labels
    assert [study.config(trial).agent.learning_rate for trial in study.trials()] == [0.1, 0.01]
    assert study.plan == Study.open(tmp_path).plan
    # A label is a method, too.
    again = experiment(labels[:1], **tiny, seeds=1, out=tmp_path / "again")
    assert again.config(next(again.trials())) == study.config(next(study.trials()))


def test_tasks_have_settings_of_their_own(tmp_path, tiny):
    tiny["tasks"] = ["cartpole", "mountain-car+env.max_episode_steps=7"]
    study = experiment(**tiny, seeds=1, out=tmp_path)
    lengths = {trial.task: study.episodes(trial)["length"].max() for trial in study.trials()}
    assert lengths["mountain-car+env.max_episode_steps=7"] == 7
    assert 7 < lengths["cartpole"] <= 20


def test_options_of_a_plug_in_belong_to_a_method(tmp_path, tiny):
    tiny["methods"] = ["random-nas+search.transfer=distill+transfer.steps=3"]
    study = experiment(**tiny, seeds=1, out=tmp_path)
    config = study.config(next(study.trials()))
    assert (config.search.transfer, config.transfer["steps"]) == ("distill", 3)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"methods": ["nas-dqm"]}, "unknown method 'nas-dqm'"),
        ({"methods": []}, "methods must not be empty"),
        ({"methods": "nas-dqn"}, "methods must be a sequence of names"),
        ({"methods": ["nas-dqn", "nas-dqn"]}, "methods 'nas-dqn' is given twice"),
        ({"methods": ["nas-dqn+agent.gama=1"]}, "unknown setting 'agent.gama': did you mean 'agent.gamma'"),
        ({"methods": ["nas-dqn+agent.gamma=x"]}, "gamma must be a number in"),
        ({"methods": ["nas-dqn+agent.gamma"]}, "must be SECTION.OPTION=VALUE"),
        ({"methods": ["nas-dqn+agent.gamma=1+agent.gamma=1"]}, "agent.gamma is given twice"),
        ({"methods": ["nas-dqn+run.seed=1"]}, "run.seed cannot be varied here; give seeds"),
        ({"tasks": ["cartpol"]}, "unknown environment 'cartpol'"),
        ({"grid": {"agent.gamma": []}}, "the grid must have a list of values of agent.gamma, at least one"),
        ({"grid": {"agent.gamma": [1, 1.0]}}, "a point of the grid 'random-nas.*' is given twice"),
        ({"seeds": 0}, "seeds must be an integer >= 1"),
        ({"seeds": {"fixed-large": 2}}, "seeds of 'fixed-large', which is not among the methods"),
        ({"shard": "4/3"}, "shard must be K/N with K from 1 to N, as 3/40; got '4/3'"),
        ({"threads": 1, "scheduler": "x"}, "exclude each other"),
        ({"seed": 3}, "seed is no option of a study; give methods, tasks and seeds"),
        ({"gamma": 2}, "gamma must be"),
    ],
)
def test_what_is_wrong_is_said_before_anything_is_written(tmp_path, tiny, changes, message):
    with pytest.raises((InputError, TypeError, ValueError), match=message):
        experiment(**tiny | {"out": tmp_path / "study"} | changes)
    assert not (tmp_path / "study").exists()


def test_a_trial_that_fails_ends_no_other(tmp_path, tiny):
    tiny["methods"] = ["fixed:1x8-relu", "fixed:1x8-relu+agent.learning_rate=1e30"]
    with pytest.warns(UserWarning, match=r"learning_rate=1e30/1000 failed: NonFiniteError: .*lower learning_rate"):
        study = experiment(**tiny | {"episodes": 40}, seeds=1, out=tmp_path)
    statuses = [status.partition(":")[0] for _, status in study.statuses()]
    assert statuses == ["finished", "failed"]
    assert not study.is_complete


def test_a_trial_whose_config_was_changed_is_not_continued(tmp_path, tiny):
    experiment(**tiny, seeds=1, out=tmp_path)
    trial = tmp_path / "trials/cartpole/random-nas/1000"
    (trial / "summary.json").unlink()
    config = (trial / "config.toml").read_text()
    (trial / "config.toml").write_text(config.replace("gamma = 0.99", "gamma = 0.98"))
    with pytest.warns(UserWarning, match="is not as the study has it; move .* away"):
        experiment(**tiny, seeds=1, out=tmp_path)


def test_a_trial_that_another_process_has_is_left_to_it(tmp_path, tiny):
    experiment(**tiny, seeds=1, out=tmp_path)
    trial = tmp_path / "trials/cartpole/random-nas/1000"
    for file in trial.iterdir():
        shutil.rmtree(file) if file.is_dir() else file.unlink()
    shown = []
    with directory.locked(trial):
        study = experiment(**tiny, seeds=1, out=tmp_path, progress=lambda p: shown.append(len(p.busy)))
        assert [status for _, status in study.statuses()] == ["missing", "finished"]
        assert shown[-1] == 1
    assert experiment(**tiny, seeds=1, out=tmp_path).is_complete


def test_an_interrupt_saves_what_runs_and_the_same_call_continues(tmp_path, tiny, files):
    tiny |= {"episodes": 1_000, "max_episode_steps": 500, "methods": ["random-nas"], "switch_every": 50}
    tiny |= {"architectures": ("2x64-relu", "3x64-tanh")}  # a second or so: more than between two looks
    straight = experiment(**tiny, seeds=3, out=tmp_path / "straight")
    raised = threading.Event()

    def interrupt(progress):
        if progress.played > 30 and not raised.is_set():
            raised.set()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt, match=r"interrupted after \d of 3 trials, every other"):
        experiment(**tiny, seeds=3, out=tmp_path / "left", progress=interrupt)
    study = Study.open(tmp_path / "left")
    assert "interrupted" in {status for _, status in study.statuses()}
    assert not study.is_complete
    assert experiment(**tiny, seeds=3, out=tmp_path / "left").is_complete
    assert straight.is_complete
    assert files(tmp_path / "left") == files(tmp_path / "straight")


def test_any_executor_runs_the_trials(tmp_path, tiny, files):
    experiment(**tiny, seeds=2, out=tmp_path / "threads", threads=1)
    with ThreadPoolExecutor(2) as pool:
        assert experiment(**tiny, seeds=2, out=tmp_path / "pool", executor=pool).is_complete
        assert pool.submit(int).result() == 0  # it still works
    assert files(tmp_path / "pool") == files(tmp_path / "threads")
    assert {path.name for path in (tmp_path / "pool").iterdir()} == {"study.json", "trials"}


@pytest.mark.parametrize("lost", ["summary.json", "episodes.csv", "network.safetensors", "config.toml"])
def test_a_trial_whose_end_a_loss_of_power_took_back_is_run_again(tmp_path, tiny, files, lost):
    """The files of a trial are not flushed one by one: such a loss leaves some of them empty."""
    experiment(**tiny, seeds=1, out=tmp_path)
    before = files(tmp_path)
    trial = tmp_path / "trials/cartpole/random-nas/1000"
    (trial / lost).write_bytes(b"")
    if lost == "config.toml":
        (trial / "summary.json").write_bytes(b"")
    assert experiment(**tiny, seeds=1, out=tmp_path).is_complete
    assert files(tmp_path) == before


def test_a_trial_without_an_update_is_spoken_of_once(tmp_path, tiny):
    with pytest.warns(UserWarning, match="of 6 of the trials that ended: no update was made") as said:
        experiment(**tiny | {"warm_up": 1000}, seeds=3, out=tmp_path)
    assert len(said) == 1
