"""Objects in place of names: environment, controller and transfer."""

import dataclasses
from dataclasses import dataclass

import numpy as np
import pytest

import nasdqn_fast
from nasdqn_fast.config import resolve
from nasdqn_fast.controllers.base import Controller
from nasdqn_fast.controllers.nas_dqn import NASDQN
from nasdqn_fast.controllers.random import RandomSearch
from nasdqn_fast.envs.cartpole import plugin as cartpole
from nasdqn_fast.errors import InputError
from nasdqn_fast.plugins import option
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.transfers.base import Carried
from nasdqn_fast.transfers.fresh import plugin as fresh
from nasdqn_fast.types import Proposal

SMALL = {"episodes": 4, "switch_every": 2, "architectures": ["1x2-relu", "1x3-tanh"], "warm_up": 10, "batch_size": 4}


class Alternating(Controller):
    @dataclass(frozen=True)
    class Options:
        first: int = option(0, "where to begin", "here", minimum=0)

    def __init__(self, space, rng, options=Options()):
        super().__init__(space, rng)
        self.next = options.first

    def propose(self):
        self.next += 1
        return Proposal(self.space[self.next % 2], "next")

    def get_state(self):
        return super().get_state() | {"next": self.next}

    def set_state(self, state):
        super().set_state(state)
        self.next = state["next"]


kernel = dataclasses.replace(cartpole, max_episode_steps=20)


def same(a, b):
    np.testing.assert_array_equal(a.episodes.returns, b.episodes.returns)
    np.testing.assert_array_equal(a.network.parameters, b.network.parameters)


def test_built_in_objects_are_their_names(tmp_path):
    options = SMALL | {"max_episode_steps": 20}
    by_object = train(NASDQN, cartpole, transfer=fresh, out=tmp_path / "a", **options)
    by_name = train("nas-dqn", "cartpole", transfer="fresh", out=tmp_path / "b", **options)
    same(by_object, by_name)
    assert (tmp_path / "a" / "config.toml").read_bytes() == (tmp_path / "b" / "config.toml").read_bytes()
    assert by_object.config == by_name.config
    assert train(RandomSearch, cartpole, out=tmp_path / "c", **options).config.search.method == "random-nas"


def test_an_object_of_a_module_is_written_as_its_address_and_resumes(tmp_path):
    def stop(event):
        if len(getattr(event, "episodes", ())):
            raise KeyboardInterrupt

    options = SMALL | {"method": Alternating, "env": kernel, "controller_options": {"first": 1}}
    whole = train(**options)
    with pytest.raises(KeyboardInterrupt):
        train(**options, out=tmp_path / "a", progress=stop)
    config = resolve(tmp_path / "a" / "config.toml")
    assert (config.search.method, config.env.name) == (f"{__name__}:Alternating", f"{__name__}:kernel")
    assert config.controller == {"first": 1}
    same(resume(tmp_path / "a"), whole)


def test_options_that_were_changed_are_not_resumed(tmp_path):
    def stop(event):
        if len(getattr(event, "episodes", ())):
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(Alternating, kernel, out=tmp_path / "a", progress=stop, **SMALL)
    path = tmp_path / "a" / "config.toml"
    path.write_text(path.read_text().replace("first = 0", "first = 1"))
    with pytest.raises(InputError, match=r"was changed: the run was begun with first = 0; restore it"):
        resume(tmp_path / "a")


def test_an_environment_brings_its_parameters(tmp_path):
    environment = nasdqn_fast.make("cartpole", params={"gravity": 5.0}, max_episode_steps=20)
    result = train("random-nas", environment, out=tmp_path / "a", **SMALL)
    same(result, train("random-nas", "cartpole", env_param={"gravity": 5.0}, max_episode_steps=20, **SMALL))
    env = resolve(tmp_path / "a" / "config.toml").env
    assert (env.name, env.params["gravity"], env.max_episode_steps) == ("cartpole", 5.0, 20)


def unnamed(kind):
    class Local(Alternating):
        pass

    return {
        "method": Local,
        "env": dataclasses.replace(kernel),
        "transfer": lambda switch: Carried(switch.old.like(switch.architecture, switch.rng)),
    }[kind]


@pytest.mark.parametrize(
    ("kind", "message"),
    [
        ("method", r"the controller .*Local is no attribute of a module"),
        ("env", "the environment EnvKernel is no attribute of a module"),
        ("transfer", r"the transfer .*<lambda> is no attribute of a module"),
    ],
)
def test_an_object_without_a_name_is_refused_only_if_something_is_written(tmp_path, kind, message):
    options = {"env": kernel} | SMALL | {kind: unnamed(kind)}
    with pytest.raises(InputError, match=message):
        train(**options, out=tmp_path / "a")
    assert not (tmp_path / "a").exists()
    config = train(**options).config
    assert config == config
    assert "EnvKernel" in repr(config)


def test_events_go_to_every_listener_in_order():
    heard = []
    listeners = [lambda event: heard.append(("a", event)), lambda event: heard.append(("b", event))]
    train("random-nas", kernel, progress=listeners, **SMALL)
    assert [name for name, _ in heard] == ["a", "b"] * (len(heard) // 2)
    assert all(first is second for (_, first), (_, second) in zip(heard[::2], heard[1::2], strict=True))
