"""Every setting acts: a run in which one setting is changed is another run, unless it is said here why it must not be.

The settings are those that are declared, so that a new one is tested as soon as it is there.
"""

import itertools
import json

import pytest

from nasdqn_fast import plugins
from nasdqn_fast.cli import main, tables
from nasdqn_fast.config import TABLES, all_settings, resolve, to_toml
from nasdqn_fast.events import Asked, Evaluated, Ranked, Told
from nasdqn_fast.options import options_class, options_of
from nasdqn_fast.run import api
from nasdqn_fast.run.api import train

BASE = {
    "method": "nas-dqn",
    "env": "cartpole",
    "max_episode_steps": 30,
    "depths": (1, 2),
    "widths": (4, 5),
    "activations": ("relu", "tanh"),
    "episodes": 60,
    "switch_every": 3,
    "warm_up": 20,
    "batch_size": 4,
    "replay_capacity": 150,
    "target_every": 20,
    "learning_rate": 0.01,
    "gradient_clip": 0.1,
    "huber_delta": 0.1,
    "controller_epsilon_decay": 0.5,
    "controller_buffer": 2,
    "seed": 3,
}
# Without what BASE sets and only the other methods read.
ADADQN = {"method": "adadqn", "switch_every": None, "controller_epsilon_decay": None, "controller_buffer": None}
ADADQN |= {"adadqn_replace_every": 40}
RACE = ADADQN | {"method": "race", "adadqn_replace_every": None, "race_halve_every": 20}
SUPERNET = ADADQN | {"method": "supernet", "adadqn_replace_every": None}
GRADIENT = SUPERNET | {"method": "gradient", "gradient_every": 10}
PRICED = {"reward_cost": "parameters", "reward_weight": 9.0}
SECONDS = {
    f"{depth}x{width}-{name}": depth * width * 1e-6
    for depth in (1, 2)
    for width in (4, 5)
    for name in BASE["activations"]
}
LATENCIES = {"reward_latencies": SECONDS}
# Setting -> another value, and what else is to be set in both runs so that it can act.
OTHER = {
    "env": ("mountain-car", {}),
    "start": ("hanging", {"env": "inverted-pendulum"}),
    "env_param": ({"gravity": 20.0}, {}),
    "max_episode_steps": (10, {}),
    "gamma": (0.5, {}),
    "optimizer": ("adam", {}),
    "learning_rate": (0.02, {}),
    "gradient_clip": (0.05, {}),
    "loss": ("mse", {}),
    "huber_delta": (0.05, {}),
    "batch_size": (5, {}),
    "updates_per_step": (2, {}),
    "replay_capacity": (40, {}),
    "warm_up": (30, {}),
    "random_steps": (30, {"policy_epsilon_start": 0.1, "policy_epsilon_end": 0.0}),
    "first_step": (0, {"train_every": 3}),
    "target_every": (7, {}),
    "target_moves": ("after", {"target_unit": "steps"}),
    "policy_epsilon_start": (0.5, {}),
    "policy_epsilon_decay": (0.5, {}),
    "policy_epsilon_end": (0.9, {}),
    "n_step": (3, {}),
    "horizon_is": ("truncated", {"max_episode_steps": 10}),
    "normalize_observations": (True, {}),
    "num_envs": (2, {}),
    "method": ("random-nas", {}),
    "architecture": ("1x6-relu", {"method": "fixed", "architecture": "1x4-relu"}),
    "depths": ((2,), {}),
    "widths": ((5,), {}),
    "activations": (("leaky_relu",), {}),
    "architectures": (("1x6-relu", "2x4-tanh"), {}),
    "optimizers": (("sgd", "adam"), {}),
    "learning_rates": ((0.001, 0.05), {}),
    "max_parameters": (50, {}),
    "switch_every": (2, {}),
    "controller_epsilon_start": (0.1, {"controller_epsilon_decay": 0.99}),
    "controller_epsilon_decay": (0.9, {}),
    "controller_epsilon_min": (0.9, {}),
    "controller_temperature": (0.1, {}),
    "controller_buffer": (5, {}),
    "controller_score_kept": ("every-visit", {}),
    "transfer": ("overlap", {}),
    "estimator": ("greedy", {}),
    "replay_keep": (0.5, {}),
    "replay_keep_which": ("random", {}),
    "go_back": (True, {}),
    "adadqn_networks": (3, ADADQN),
    "adadqn_replace_every": (20, ADADQN),
    "adadqn_optimizers": (("adam",), ADADQN),
    "adadqn_learning_rates": ((1e-4, 1e-2), ADADQN),
    "race_networks": (3, RACE),
    "race_keep": (4, RACE),
    "race_halve_every": (25, RACE),
    "race_window": (1, RACE),
    "race_temperature": (5.0, RACE),
    "reward_cost": ("flop", {"reward_cost": "parameters", "reward_weight": 9.0}),
    "reward_form": ("multiplicative", PRICED),
    "reward_weight": (5.0, PRICED),
    "reward_range": ((0.0, 30.0), PRICED),
    "reward_target": (10.0, PRICED),
    "reward_latencies": (lambda folder: other_latencies(folder), PRICED | {"reward_cost": "latency"} | LATENCIES),
    "supernet_paths": (3, SUPERNET),
    "supernet_sampling": ("uniform", SUPERNET),
    "supernet_distill": (False, SUPERNET),
    "supernet_score_episodes": (3, SUPERNET),
    "gradient_every": (5, GRADIENT),
    "gradient_samples": (3, GRADIENT),
    "gradient_episodes": (2, GRADIENT),
    "gradient_rate": (0.1, GRADIENT),
    "gradient_entropy": (1.0, GRADIENT),
    "episodes": (61, {}),
    "seed": (4, {}),
    "init": ("torch", {}),
    "head_scale": (0.5, {}),
    "learning_rate_schedule": ("linear", {"steps": 400}),
    "adam_epsilon": (0.1, {"optimizer": "adam"}),
    "gradient_clip_by": ("none", {}),
    "double": (False, {}),
    "train_every": (3, {}),
    "updates_per_train": (3, {}),
    "target_unit": ("steps", {"updates_per_step": 2}),
    "target_tau": (0.5, {}),
    "policy_epsilon_schedule": ("linear", {"steps": 400}),
    "exploration_fraction": (0.5, {"policy_epsilon_schedule": "linear", "steps": 400}),
    "replay_sampling": ("prioritized", {}),
    "priority_alpha": (0.9, {"replay_sampling": "prioritized"}),
    "priority_beta_start": (0.7, {"replay_sampling": "prioritized"}),
    "priority_epsilon": (0.5, {"replay_sampling": "prioritized"}),
    "steps": (200, {}),
    "from_": (lambda folder: earlier_run(folder), {"method": "fixed", "architecture": "1x4-relu"}),
    "evaluate_every": (2, {}),
    "evaluate_episodes": (3, {"evaluate_every": 10}),
    "evaluate_seed": (5, {"evaluate_every": 10}),
    # The pole stays up, and every return is above the threshold.
    "stop_at_threshold": (
        True,
        {"env": "inverted-pendulum", "env_param": {"gravity": 0.01}, "max_episode_steps": 200, "warm_up": 11_000},
    ),
}
# Setting -> why the run stays the same.
SAME = {
    "profile": "a set of defaults, all of which these runs override; its values are tested in tests/config",
    "backend": "the same algorithm, which the twin follows step for step (tests/engine/test_backends_agree.py)",
    "checkpoint_every": "a run can be taken up again from wherever it was saved, to the same bits",
}
SWITCHED = {"method": "random-nas", "episodes": 15}
# Fresh networks, some of which are worse than the one before.
NO_FIT = {"exact": False, "steps": 0, "ridge": 0.0, "td_updates": 0}
UNFITTED = {"method": "random-nas", "env": "inverted-pendulum", "max_episode_steps": 100, "transfer_options": NO_FIT}
# (kind of plug-in, name, option) -> another value, and what else is to be set.
OTHER_OPTIONS = {
    ("controllers", "fixed", "architecture"): ("1x6-relu", {"architecture": "1x4-relu"}),
    ("controllers", "nas-dqn", "epsilon_start"): (0.1, {"controller_epsilon_decay": 0.99}),
    ("controllers", "nas-dqn", "epsilon_decay"): (0.9, {"controller_epsilon_decay": None}),
    ("controllers", "nas-dqn", "epsilon_min"): (0.9, {}),
    ("controllers", "nas-dqn", "temperature"): (0.1, {}),
    ("controllers", "nas-dqn", "buffer_size"): (1, {"controller_buffer": None}),
    ("controllers", "nas-dqn", "score_kept"): ("every-visit", {}),
    ("estimators", "greedy", "episodes"): (1, {"episodes": 12}),
    ("transfers", "distill", "exact"): (False, SWITCHED),
    ("transfers", "distill", "steps"): (10, SWITCHED),
    ("transfers", "distill", "learning_rate"): (1e-4, SWITCHED),
    ("transfers", "distill", "difference_weight"): (10.0, SWITCHED),
    ("transfers", "distill", "box"): (0.9, SWITCHED),
    ("transfers", "distill", "ridge"): (0.0, SWITCHED),
    ("transfers", "distill", "td_updates"): (30, SWITCHED),
    ("transfers", "distill", "guard"): (5, UNFITTED),
    ("transfers", "distill", "tries"): (1, UNFITTED | {"transfer_options": NO_FIT | {"guard": 5, "steps": 1}}),
    ("transfers", "distill", "shadow"): (2, UNFITTED),
    ("transfers", "inject", "shadow"): (
        1,
        UNFITTED | {"transfer_options": {"steps": 0, "ridge": 0.0, "fold_after": 5}},
    ),
    ("transfers", "inject", "exact"): (True, SWITCHED),
    ("transfers", "inject", "steps"): (10, SWITCHED),
    ("transfers", "inject", "learning_rate"): (1e-4, SWITCHED),
    ("transfers", "inject", "difference_weight"): (10.0, SWITCHED),
    ("transfers", "inject", "box"): (0.9, SWITCHED),
    ("transfers", "inject", "ridge"): (0.0, SWITCHED),
    ("transfers", "inject", "td_updates"): (30, SWITCHED),
    ("transfers", "inject", "guard"): (5, UNFITTED | {"transfer_options": {"steps": 0, "ridge": 0.0}}),
    ("transfers", "inject", "tries"): (1, UNFITTED | {"transfer_options": {"guard": 5, "steps": 1}}),
    ("transfers", "inject", "fold_after"): (5, SWITCHED),
    # 1x5-tanh, 2x5-tanh and so on: a tanh network becomes deeper.
    ("transfers", "net2net", "tanh_slope"): (0.5, {"method": "random-nas", "activations": ("tanh",)}),
    ("estimators", "improvement", "episodes"): (1, {}),
    ("estimators", "mean-return", "episodes"): (1, {}),
}


def plugin_options():
    """Those of other controllers need no run to act: tests/controllers/test_options_act.py."""
    controllers = [("controllers", name) for name in ("fixed", "nas-dqn")]
    others = [(kind, name) for kind in ("transfers", "estimators") for name in plugins.names(kind)]
    for kind, name in [*controllers, *others]:
        for about in options_of(options_class(plugins.find(kind, name))):
            yield kind, name, about.name


def done_by(settings):
    """What a run plays, learns and searches; nothing that it says of its settings."""
    events = []
    result = train(**{name: value for name, value in settings.items() if value is not None}, progress=events.append)
    played = [getattr(result.episodes, name).tobytes() for name in ("returns", "lengths", "losses", "epsilons")]
    asked = [str(event.proposal.architecture) for event in events if isinstance(event, Asked)]
    scores = [event.result.score for event in events if isinstance(event, Told)]
    scores += [event.mean for event in events if isinstance(event, Evaluated)]
    scores += [event.ranking for event in events if isinstance(event, Ranked)]
    return played, asked, scores, result.network.parameters.tobytes()


def earlier_run(folder):
    train(**BASE | {"method": "fixed", "architecture": "1x4-relu", "seed": 9}, out=folder / "earlier")
    return folder / "earlier"


def other_latencies(folder):
    """A file of latencies that are the other way round."""
    file = folder / "latencies.json"
    file.write_text(json.dumps(dict(zip(SECONDS, reversed(SECONDS.values()), strict=True))))
    return file


@pytest.fixture(scope="module")
def base():
    return done_by(BASE)


def test_a_run_left_alone_stays_the_same(base):
    assert done_by(BASE) == base


@pytest.mark.parametrize("setting", all_settings(), ids=lambda setting: setting.keyword)
def test_every_setting_acts(base, setting, tmp_path):
    keyword = setting.keyword
    if keyword in SAME:
        return
    assert keyword in OTHER, (
        f"{keyword} is new: add to OTHER a value other than its default, with what it needs to act on a run, "
        "or to SAME the reason why no run may differ"
    )
    value, others = OTHER[keyword]
    value = value(tmp_path) if callable(value) else value
    acts = done_by(BASE | others | {keyword: value}) != (done_by(BASE | others) if others else base)
    assert acts, f"{keyword} = {value!r} is ignored"


@pytest.mark.parametrize(("kind", "name", "option"), [*plugin_options()])
def test_every_option_of_a_plug_in_acts(kind, name, option):
    assert (kind, name, option) in OTHER_OPTIONS, (
        f"option {option} of {name} is new: add to OTHER_OPTIONS a value other than its default"
    )
    value, others = OTHER_OPTIONS[kind, name, option]
    (table,) = (table for table in TABLES if table.kind == kind)
    chosen = BASE | {table.setting: name} | others
    options = {table.keyword: others.get(table.keyword, {}) | {option: value}}
    # An option that must be given has a setting of its own, which the other run has.
    changed = {key: None if key == option else item for key, item in chosen.items()} | options
    acts = done_by(changed) != done_by(chosen)
    assert acts, f"{option} = {value!r} is ignored"


def test_checkpoint_every_changes_nothing(base, tmp_path):
    for cadence in ("1", "never"):
        assert done_by(BASE | {"checkpoint_every": cadence, "out": tmp_path / cadence}) == base


def test_no_entry_is_about_a_setting_that_is_gone():
    assert {*OTHER, *SAME} == {setting.keyword for setting in all_settings()}
    assert {*OTHER_OPTIONS} == {*plugin_options()}
    assert not OTHER.keys() & SAME.keys()


DOORS = [setting for setting in all_settings() if setting.keyword in OTHER]


@pytest.mark.parametrize("setting", DOORS, ids=lambda setting: setting.keyword)
def test_it_is_the_same_setting_at_every_door(monkeypatch, tmp_path, setting):
    """Keyword, file and command line: the config that the run gets."""
    value, others = OTHER[setting.keyword]
    value = value(tmp_path) if callable(value) else value
    keywords = BASE | others | {setting.keyword: value}
    wanted = resolve(None, keywords)
    assert wanted != resolve(None, BASE | others)

    (tmp_path / "given.toml").write_text(to_toml(wanted))
    assert resolve(tmp_path / "given.toml") == wanted

    configs = []
    monkeypatch.setattr(api, "train", lambda **given: configs.append(given["config"]))
    monkeypatch.setattr(tables, "show_run", lambda *_: None)
    assert main(["train", "--out", str(tmp_path / "out"), *itertools.chain(*map(as_option, keywords.items()))]) == 0
    assert configs == [wanted]


def as_option(item):
    name, value = item
    if value is None:
        return []
    option = "--" + name.rstrip("_").replace("_", "-")
    if isinstance(value, dict):
        return [word for key, number in value.items() for word in (option, f"{key}={number}")]
    if isinstance(value, bool):
        return [option if value else f"--no-{option[2:]}"]
    return [option, ",".join(map(str, value)) if isinstance(value, tuple) else str(value)]
