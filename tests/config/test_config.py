"""Settings: where each value comes from, and what is refused."""

import dataclasses
import itertools
import re
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from nasdqn_fast import envs, plugins
from nasdqn_fast.config import (
    METHODS,
    PROFILES,
    Config,
    Profile,
    all_methods,
    all_settings,
    find_method,
    resolve,
    to_toml,
)
from nasdqn_fast.controllers.nas_dqn import NASDQN
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.errors import InputError
from nasdqn_fast.space import SearchSpace

PAPER_DOC = Path(__file__).parents[2] / "docs" / "paper.md"


def write(folder: Path, text: str) -> Path:
    path = folder / "given.toml"
    path.write_text(text)
    return path


def test_options_override_the_file_and_the_file_the_profile(tmp_path, monkeypatch):
    # Three settings, each given by one layer more than the one before.
    values = {"agent": {"gamma": 0.1, "batch_size": 10, "warm_up": 100}}
    monkeypatch.setitem(PROFILES, "test", Profile("For this test.", values))
    file = write(tmp_path, '[agent]\nbatch_size = 20\nwarm_up = 200\n[run]\nprofile = "test"\n')
    agent = resolve(file, {"warm_up": 300}).agent
    assert (agent.gamma, agent.batch_size, agent.warm_up) == (0.1, 20, 300)


def test_an_option_that_is_none_was_not_given(tmp_path):
    file = write(tmp_path, "[agent]\ngamma = 0.5\n")
    assert resolve(file, {"gamma": None}).agent.gamma == 0.5


def test_environment_parameters_of_file_and_options_add_up(tmp_path):
    file = write(tmp_path, "[env]\nparams = {gravity = 1.0, mass = 2.0}\n")
    assert resolve(file, {"env_param": {"mass": 3.0}}).env.params == {"gravity": 1.0, "mass": 3.0}


texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@given(
    options=st.fixed_dictionaries(
        {},
        optional={
            "env": texts,
            "env_param": st.dictionaries(texts, st.floats(allow_nan=False, allow_infinity=False), max_size=3),
            "gamma": st.floats(0, 1),
            "learning_rate": st.floats(1e-37, 3e38),
            "episodes": st.integers(1, 2**60),
            "seed": st.integers(0, 2**200),
            "architectures": st.lists(
                st.sampled_from([str(a) for a in SearchSpace.paper()] + ["64,32-tanh"]), min_size=1
            ),
            "optimizer": st.sampled_from(["sgd", "adam"]),
        },
    )
)
def test_the_toml_form_reads_back_as_the_same_config(tmp_path_factory, options):
    config = resolve(None, options)
    file = write(tmp_path_factory.mktemp("toml"), to_toml(config))
    assert resolve(file) == config


def test_the_agents_section_is_the_engines_settings():
    assert resolve(None, {"gamma": 0.5}).agent == AgentSettings(gamma=0.5)


def test_controller_settings_have_the_defaults_of_the_controller():
    options, search = NASDQN.Options(), Config().search
    assert options.epsilon_start == search.controller_epsilon_start
    assert options.epsilon_decay == search.controller_epsilon_decay
    assert options.epsilon_min == search.controller_epsilon_min
    assert options.temperature == search.controller_temperature
    assert options.buffer_size == search.controller_buffer
    assert options.score_kept == search.controller_score_kept


def test_the_default_space_is_the_papers():
    assert list(Config().search.space()) == list(SearchSpace.paper())


def test_listed_architectures_replace_the_grid():
    space = resolve(None, {"architectures": ["64,32-tanh", "2x8-relu"], "depths": [3]}).search.space()
    assert [str(architecture) for architecture in space] == ["64,32-tanh", "2x8-relu"]


@pytest.mark.parametrize("form", ["config", "file"])
def test_a_learning_rate_not_given_follows_an_optimizer_put_on_top(tmp_path, form):
    sgd = resolve(None, {"gamma": 0.5})
    base = sgd if form == "config" else write(tmp_path, to_toml(sgd))
    assert resolve(base).agent.resolved_learning_rate == 1e-3
    assert resolve(base, {"optimizer": "adam"}).agent.resolved_learning_rate == 2.5e-4


def test_a_learning_rate_that_was_given_stays(tmp_path):
    file = write(tmp_path, to_toml(resolve(None, {"learning_rate": 1e-3})))
    assert resolve(file, {"optimizer": "adam"}).agent.learning_rate == 1e-3


def test_a_short_run_keeps_the_segment_length_for_longer_ones(tmp_path):
    config = resolve(None, {"episodes": 30})
    assert config.search.switch_every == 200
    file = write(tmp_path, to_toml(config))
    assert resolve(file) == config
    assert resolve(file, {"episodes": 1_000}).search.switch_every == 200


@pytest.mark.parametrize("episodes_by", ["file", "option"])
def test_a_segment_length_beyond_the_run_is_refused_if_an_option_asks_for_it(tmp_path, episodes_by):
    file = write(tmp_path, "[run]\nepisodes = 100\n") if episodes_by == "file" else None
    options = {"switch_every": 200} | ({"episodes": 100} if episodes_by == "option" else {})
    with pytest.raises(InputError, match=r"switch_every must be at most episodes \(100\); got 200"):
        resolve(file, options)


def test_numpys_scalars_and_arrays_are_numbers_and_lists():
    config = resolve(None, {"seed": np.int64(3), "gamma": np.float32(0.5), "widths": np.array([8, 16])})
    assert (config.run.seed, config.agent.gamma, config.search.widths) == (3, 0.5, (8, 16))
    assert resolve(None, {"widths": [8, 16]}).search == config.search


def test_the_packages_own_objects_are_taken():
    space = SearchSpace(["1x8-relu", "5,3-tanh"])
    assert list(resolve(None, {"architectures": space}).search.space()) == list(space)
    assert resolve(None, {"architectures": list(space)}).search.architectures == ("1x8-relu", "5,3-tanh")
    assert resolve(None, {"method": "fixed", "architecture": space[1]}).search.architecture == "5,3-tanh"


def test_a_config_does_not_change():
    with pytest.raises(dataclasses.FrozenInstanceError):
        Config().agent.gamma = 0.5


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"gama": 0.9}, r"unknown option 'gama': did you mean 'gamma'\?"),
        ({"method": "nas-dnq"}, r"unknown method 'nas-dnq': did you mean 'nas-dqn'\?"),
        ({"profile": "papper"}, r"unknown profile 'papper': did you mean 'paper'\?"),
        ({"profile": 3}, r"unknown profile 3: did you mean 'sb3'\? valid: cleanrl, paper, robust, sb3, zoo"),
        ({"optimizer": "sdg"}, r"unknown optimizer 'sdg': did you mean 'sgd'\?"),
        ({"gamma": 1.5}, r"gamma must be a number in \[0, 1\]; got 1.5"),
        ({"gamma": float("nan")}, r"gamma must be a number in \[0, 1\]; got nan"),
        ({"gamma": "0.9"}, r"gamma must be a number in \[0, 1\]; got str '0.9'; pass float\(gamma\)$"),
        ({"learning_rate": float("inf")}, r"learning_rate must be a finite number > 0; got inf"),
        ({"learning_rate": -1.0}, r"learning_rate must be a finite number > 0; got -1.0"),
        ({"episodes": 0}, r"episodes must be an integer >= 1; got 0"),
        ({"episodes": True}, r"episodes must be an integer >= 1; got the bool True; pass a number$"),
        ({"episodes": 2.0}, r"episodes must be an integer >= 1; got float 2.0; pass int\(episodes\)$"),
        ({"seed": -1}, r"seed must be an integer >= 0; got -1"),
        ({"batch_size": 65, "replay_capacity": 64}, r"batch_size must be at most replay_capacity \(64\); got 65"),
        ({"replay_keep": 0.0}, r"replay_keep must be a number in \(0, 1\]; got 0.0"),
        ({"controller_temperature": 0.0}, r"controller_temperature must be a finite number > 0; got 0.0"),
        ({"env_param": {"gravity": float("inf")}}, r"env_param\['gravity'\] must be a finite number; got inf"),
        ({"method": "fixed"}, r"method fixed needs an architecture"),
        ({"method": "fixed", "architecture": "3y64"}, r"malformed architecture '3y64': write it as 3x64-relu"),
        ({"method": "nas-dqn", "architecture": "3x64-relu"}, r"architecture goes with method fixed"),
        ({"depths": []}, r"the search space is empty"),
        ({"architectures": []}, r"the search space is empty"),
        ({"depths": 3}, r"depths must be a list; got int 3"),
        ({"depths": [2.5]}, r"depths\[0\] must be an integer from 1 to 1024; got float 2.5; pass int\(depths\[0\]\)$"),
        ({"env": 3}, "env must be a name, module:attribute, a Gymnasium id, .*; got int 3$"),
        ({"method": 3}, "method must be a name, module:attribute, or a subclass of Controller; got int 3$"),
        ({"method": envs}, "method must be a name, .*; got module$"),
        ({"transfer": 3}, "transfer must be a name, module:attribute, or a function; got int 3$"),
        ({"env": envs.make("cartpole"), "start": "upright"}, "an Environment has its parameters: drop start, or pass"),
        ({"env_param": 3}, "env_param must be a table of numbers by name; got int 3$"),
        (
            {"env_param": {"gravity": "strong"}},
            r"env_param\['gravity'\] must be a finite number; got str 'strong'; pass float\(env_param\['gravity'\]\)$",
        ),
        ({"start": 3}, "start must be a string; got int 3; pass a str$"),
        ({"architectures": "3x64-relu"}, "architectures must be a list; got str '3x64-relu'$"),
        ({"architecture": 3}, "architecture must be a string or an Architecture; got int"),
        ({"transfer": "m" * 99, "gamma": "g" * 99}, r"got str 'g{59}\.\.\.; pass float"),
        (
            {"controller_epsilon_start": 0.05},
            r"controller_epsilon_min must be at most controller_epsilon_start \(0.05\)",
        ),
        ({"depths": [0]}, r"depths\[0\] must be an integer from 1 to 1024; got 0"),
        ({"activations": ["rellu"]}, r"unknown activations\[0\] 'rellu': did you mean 'relu'\?"),
    ],
)
def test_a_bad_value_is_named(options, message):
    with pytest.raises(InputError, match=message) as caught:
        resolve(None, options)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[agent]\ngama = 0.9", r"unknown key 'gama' in \[agent\] in '.*given.toml': did you mean 'gamma'\?"),
        ("[agnt]\ngamma = 0.9", r"unknown section 'agnt' in '.*given.toml': did you mean 'agent'\?"),
        ("agent = 3", r"'agent' in '.*given.toml' must be a table; write \[agent\]"),
        ("[agent\n", r"the config file '.*given.toml' is not TOML: .*line 1"),
        ("format = true", r"the config file '.*given.toml' has format True; this version reads format 1"),
        pytest.param("a = " + "[" * 10_000, r"the config file '.*given.toml' is not TOML: ", id="deeply nested"),
        ("[run]\nseed = 1" + "0" * 5_000, r"is not TOML: .*digits"),
        ("[env]\nname = 3", r"^\[env\] in '.*given.toml': name must be a name, .*; got int 3$"),
        ("[agent]\ngamma = 'x'", r"gamma must be a number in \[0, 1\]; got str 'x'$"),
        ("[contoller]\nc = 2", r"unknown section 'contoller' in '.*given.toml': did you mean 'controller'\?"),
        ("[agent]\ngamma = 2", r"^\[agent\] in '.*given.toml': gamma must be a number in \[0, 1\]; got 2.0$"),
        ("[run]\nprofile = 'papper'", r"^\[run\] in '.*given.toml': unknown profile 'papper': did you mean 'paper'"),
        ("[search]\nmethod = 'fixed'", r"^\[search\] in '.*given.toml': method fixed needs an architecture"),
        (
            "[search]\nmethod = 'nas-dqn'\nadadqn_networks = 3",
            r"^\[search\] in '.*given.toml': adadqn_networks must be left out, as it goes with method adadqn, ",
        ),
        ("format = 2", r"the config file '.*given.toml' has format 2; this version reads format 1"),
    ],
)
def test_a_bad_file_is_named(tmp_path, text, message):
    with pytest.raises(InputError, match=message):
        resolve(write(tmp_path, text))


def test_what_an_option_does_to_a_file_is_the_options_fault(tmp_path):
    file = write(tmp_path, "[agent]\nreplay_capacity = 100\n")
    with pytest.raises(InputError, match=r"^batch_size must be at most replay_capacity \(100\); got 200"):
        resolve(file, {"batch_size": 200})


def test_an_option_mends_what_is_wrong_with_a_file(tmp_path):
    file = write(tmp_path, "[search]\nmethod = 'fixed'\n")
    assert resolve(file, {"architecture": "1x8-relu"}).search.architecture == "1x8-relu"


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"cannot read the config file '.*nosuch.toml': No such file"):
        resolve(tmp_path / "nosuch.toml")


def test_bytes_that_are_no_text_are_refused(tmp_path):
    path = tmp_path / "given.toml"
    path.write_bytes(b"\xff\xfe")
    with pytest.raises(InputError, match="is not TOML"):
        resolve(path)


def test_a_config_of_another_type_is_refused():
    with pytest.raises(TypeError, match=r"config must be a Config or the path of a TOML file; got dict"):
        resolve({"agent": {}})


def test_every_controller_is_a_method():
    controllers = {method.controller for method in all_methods().values() if method.loop == "online"}
    assert controllers == set(plugins.names("controllers"))


def test_a_controller_of_a_third_party_is_a_method():
    assert find_method("package.module:Controller").controller == "package.module:Controller"


def test_the_fixed_methods_are_the_papers():
    # Rahmani et al. 2025, section 2.4.1.
    fixed = {name: method.architecture for name, method in METHODS.items() if method.architecture}
    assert fixed == {"fixed-small": "2x32-relu", "fixed-medium": "3x64-relu", "fixed-large": "4x128-relu"}


def test_keywords_are_unique():
    keywords = [setting.keyword for setting in all_settings()]
    assert len(keywords) == len(set(keywords))


def test_the_paper_page_lists_every_option_with_its_default_and_source():
    rows = [
        tuple(cell.strip() for cell in line.strip("|").split("|"))
        for line in PAPER_DOC.read_text().splitlines()
        if re.match(r"\|.*`--", line)
    ]
    assert all(all(row) for row in rows), "no cell is empty"
    listed = [tuple(itertools.islice(row, 2, None)) for row in rows]
    assert listed == [(f"`{setting.option}`", setting.default, setting.source) for setting in all_settings()]


def test_every_setting_has_help_and_source():
    assert all(setting.help and setting.source for setting in all_settings())


@pytest.mark.parametrize("given", ["1000000s", "0.00001s", "123456.7s", "never", "25"])
def test_a_cadence_stays_as_it_was_given(given):
    config = resolve(None, {"checkpoint_every": given})
    assert config.run.checkpoint_every == given
    assert resolve(config) == config
