"""Options of plug-ins: tables of the file, keywords, and the settings that hold those of the paper's controller."""

import re
import sys
from pathlib import Path

import pytest

from nasdqn_fast import plugins
from nasdqn_fast.config import complete, named, resolve, to_toml
from nasdqn_fast.controllers.nas_dqn import NASDQN
from nasdqn_fast.errors import InputError
from nasdqn_fast.options import options_class, options_of
from nasdqn_fast.run.assembly import make_environment, make_trainer

DOCS = Path(__file__).parents[2] / "docs"
THEIRS = """
from dataclasses import dataclass
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.controllers.nas_dqn import NASDQN
from nasdqn_fast.plugins import option
from nasdqn_fast.types import Proposal


class UCB(Controller):
    @dataclass(frozen=True)
    class Options:
        c: float = option(1.4, "width of the confidence bound", "Auer et al. 2002", minimum=0)
        temperature: float = option(9.0, "has nothing to do with the paper's", "here")

    def __init__(self, space, rng, options=Options()):
        super().__init__(space, rng)
        self.options = options

    def propose(self):
        return Proposal(self.space[0], "first")


class Mine(NASDQN):
    pass
"""


@pytest.fixture
def theirs(tmp_path, monkeypatch):
    (tmp_path / "their_ucb.py").write_text(THEIRS)
    monkeypatch.syspath_prepend(tmp_path)
    yield "their_ucb"
    sys.modules.pop("their_ucb", None)


def controller_of(config):
    return make_trainer(config, make_environment(config)).controller


def write(folder, text):
    (folder / "given.toml").write_text(text)
    return folder / "given.toml"


def test_options_reach_the_controller_from_file_and_keyword(theirs, tmp_path):
    file = write(tmp_path, f"[search]\nmethod = '{theirs}:UCB'\n[controller]\nc = 2\n")
    assert controller_of(resolve(file)).options.c == 2.0
    assert controller_of(resolve(file, {"controller_options": {"c": 3}})).options.c == 3.0
    assert controller_of(resolve(file, {"controller_options": {"temperature": 3}})).options.c == 2.0


def test_a_complete_config_holds_every_option_and_reads_back(theirs, tmp_path):
    config = named(complete(resolve(None, {"method": f"{theirs}:UCB", "controller_options": {"c": 2}})))
    assert config.controller == {"c": 2.0, "temperature": 9.0}
    assert to_toml(config).endswith("\n[controller]\nc = 2.0\ntemperature = 9.0\n\n[estimator]\nepisodes = 100\n")
    assert complete(resolve(write(tmp_path, to_toml(config)))) == config


@pytest.mark.parametrize("form", ["file", "keyword"])
def test_options_of_the_papers_controller_are_its_settings(tmp_path, form):
    if form == "file":
        config = resolve(write(tmp_path, "[search]\nmethod = 'nas-dqn'\n[controller]\ntemperature = 2\n"))
    else:
        config = resolve(None, {"method": "nas-dqn", "controller_options": {"temperature": 2}})
    assert config.search.controller_temperature == 2.0
    assert config.controller == {}
    assert "[controller]" not in to_toml(complete(config))
    assert controller_of(config).options == NASDQN.Options(temperature=2.0)


def test_a_subclass_of_the_papers_controller_takes_its_settings(theirs):
    config = resolve(None, {"method": f"{theirs}:Mine", "controller_temperature": 2.0})
    assert controller_of(config).options == NASDQN.Options(temperature=2.0)


def test_an_option_of_the_same_name_is_not_the_papers(theirs):
    config = resolve(None, {"method": f"{theirs}:UCB", "controller_temperature": 2.0})
    assert controller_of(config).options.temperature == 9.0
    # Such a file holds both, and loads.
    again = resolve(named(complete(config)), {"controller_options": {"temperature": 5}})
    assert (again.search.controller_temperature, again.controller["temperature"]) == (2.0, 5)


def test_an_option_overrides_the_setting_of_a_file(tmp_path):
    file = write(tmp_path, to_toml(resolve(None, {"method": "nas-dqn"})))
    assert resolve(file, {"controller_options": {"temperature": 3}}).search.controller_temperature == 3.0
    file = write(tmp_path, "[search]\nmethod = 'nas-dqn'\n[controller]\ntemperature = 2\n")
    assert resolve(file, {"controller_temperature": 3.0}).search.controller_temperature == 3.0


def test_the_same_option_both_ways_is_one_error(tmp_path):
    message = "controller_temperature must be given once; got the controller's option 'temperature', too; drop one"
    with pytest.raises(InputError, match=f"^{re.escape(message)}"):
        resolve(None, {"method": "nas-dqn", "controller_temperature": 1.0, "controller_options": {"temperature": 2.0}})
    text = "[search]\nmethod = 'nas-dqn'\ncontroller_temperature = 1\n[controller]\ntemperature = 2\n"
    with pytest.raises(InputError, match=rf"^\[search\] in '.*given.toml': {re.escape(message)}"):
        resolve(write(tmp_path, text))


def test_the_architecture_of_fixed_is_an_option_too():
    config = resolve(None, {"method": "fixed", "controller_options": {"architecture": "1x8-relu"}})
    assert config == resolve(None, {"method": "fixed", "architecture": "1x8-relu"})


@pytest.mark.parametrize("kind", [kind for kind in plugins.KINDS if kind != "environments"])
def test_the_guides_list_every_option_of_every_plug_in(kind):
    row = re.compile(r"^\| `(.+)` \| `(.+)` \| (.+) \| (.+) \| (.+) \|$", re.MULTILINE)
    listed = {found.groups() for guide in DOCS.glob("*s.md") for found in row.finditer(guide.read_text("utf-8"))}
    for name in plugins.names(kind):
        for about in options_of(options_class(plugins.find(kind, name))):
            assert (name, about.name, about.values, about.shown, about.source) in listed


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"controller_options": {"c": -1}}, r"^controller 'their_ucb:UCB': c must be a finite number >= 0; got -1.0$"),
        ({"controller_options": {"d": 1}}, r"^controller 'their_ucb:UCB': unknown option 'd': "),
        ({"transfer_options": {"n": 1}}, "^transfer 'matching': unknown option 'n': there are none$"),
        ({"controller_options": 3}, "^controller_options must be a table of options by name; got int 3$"),
        ({"controler_options": {}}, r"^unknown option 'controler_options': did you mean 'controller_options'\?"),
    ],
)
def test_a_wrong_option_is_named(theirs, options, message):
    with pytest.raises(InputError, match=message):
        complete(resolve(None, {"method": f"{theirs}:UCB"} | options))
