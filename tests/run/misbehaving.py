"""Plug-ins that do everything right, but for one mishap that a test plans for the run of this thread.

Imported by name, so that run directories can name the plug-ins, and processes that are spawned find them.
"""

import json
import random
import threading
import warnings
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from nasdqn_fast import QNetwork
from nasdqn_fast.controllers.nas_dqn import plugin as NASDQN
from nasdqn_fast.errors import InputError, NonFiniteError, StepError
from nasdqn_fast.reference.lane import Lane
from nasdqn_fast.run.api import resume, train
from nasdqn_fast.transfers.base import Carried
from nasdqn_fast.transfers.matching import plugin as matching
from nasdqn_fast.types import Proposal


class Mistake(Exception):
    """A bug in a plug-in."""


ERRORS = (KeyboardInterrupt, SystemExit, Mistake, MemoryError, OSError, ValueError, NonFiniteError, StepError)
NAN, INF = float("nan"), float("inf")
OBJECT = object()


def proposals(good: Proposal) -> list[Any]:
    """What no controller may propose."""
    budgets = [NAN, INF, -1, 0, 0.5, "2", [2], -(10**400)]
    values = [None, NAN, "1x4-relu", good.architecture, OBJECT, [good], np.zeros(3)]
    return [*values, *(replace(good, budget=budget) for budget in budgets), replace(good, source=1)]


def carried(good: Carried) -> list[Any]:
    """What no transfer may return."""
    network = good.network
    with_nan = network.copy()
    with_nan.weights[0][...] = NAN
    other_kind = QNetwork(network.architecture, 9, 9)
    optimizers = [{}, {"kind": "other", "steps": 1, "m": np.zeros(0), "v": np.zeros(0)}, [], 3]
    changes = [{"steps": value} for value in (-1, NAN, None, "1", 0.5)]
    changes += [{"updates": value} for value in (-1, NAN, [1])]
    changes += [{"note": value} for value in (None, 3)] + [{"accepted": value} for value in (None, "yes", NAN)]
    changes += [{"network": value} for value in (None, NAN, "1x4-relu", with_nan, other_kind, network.weights)]
    changes += [{"optimizer": value} for value in optimizers]
    return [None, NAN, network, (network, None), OBJECT, *(replace(good, **change) for change in changes)]


def scores(good: float) -> list[Any]:
    """What no estimator may return."""
    return [None, NAN, INF, -INF, "1.0", [good], np.array([good, good]), 1j, OBJECT, 10**400, np.float64(NAN)]


FLAGS = [None, NAN, 2, 4, -1, "1", 10**400, OBJECT, 0.5, (1,)]
REWARDS = [NAN, INF, -INF, 1e300, -1e300]
OBSERVATIONS = [NAN, INF, -INF, 1e300]
STATES = [None, NAN, OBJECT, [1], {"x": OBJECT}, {1: 2}, "state"]

# Place -> how many kinds of nonsense there are; that of a listener and of `learn` is of no interest to anyone.
NONSENSE = {
    "listener": 3,
    "propose": 16,
    "learn": 2,
    "get_state": len(STATES),
    "transfer": 28,
    "estimator": 11,
    "flags": len(FLAGS),
    "reward": len(REWARDS),
    "observation": len(OBSERVATIONS),
    "first observation": len(OBSERVATIONS),
}
# What a controller gives is of no interest either, unless it is to be saved: most of it is for errors that do not come.
IGNORED = ("listener", "learn", "get_state")
ENVIRONMENT = ("flags", "reward", "observation", "first observation")
OFTEN = {"flags": 200, "reward": 200, "observation": 200, "first observation": 15, "listener": 20, "set_state": 1}


@dataclass
class Mishap:
    """What goes wrong once.

    Args:
        place: a key of `NONSENSE`, or ``set_state``.
        number: at which call there.
        error: raised there; None does nonsense.
        nonsense: which.
        fired: it has happened.
    """

    place: str
    number: int
    error: type[BaseException] | None
    nonsense: int
    fired: bool = False

    @classmethod
    def draw(cls, chance: random.Random, backend: str) -> "Mishap":
        places = [place for place in (*NONSENSE, "set_state") if backend == "numpy" or place not in ENVIRONMENT]
        place = chance.choice(places)
        error = chance.choice(ERRORS) if place == "set_state" or chance.random() < 0.4 else None
        return cls(place, chance.randint(1, OFTEN.get(place, 6)), error, chance.randrange(NONSENSE.get(place, 1)))


_thread = threading.local()


def happens(place: str) -> Mishap | None:
    """Raises what is planned for this call; or returns the plan, if it is nonsense."""
    mishap = getattr(_thread, "mishap", None)
    if mishap is None or mishap.place != place or mishap.fired:
        return None
    mishap.number -= 1
    if mishap.number > 0:
        return None
    mishap.fired = True
    if mishap.error is not None:
        raise mishap.error("mine")
    return mishap


def listener(event: Any) -> Any:
    return None if happens("listener") is None else NAN


class Controller(NASDQN):
    """Its state is half changed by then."""

    def propose(self) -> Proposal:
        good = super().propose()
        mishap = happens("propose")
        return good if mishap is None else proposals(good)[mishap.nonsense]

    def learn(self, result: Any) -> Any:
        super().learn(result)
        return None if happens("learn") is None else NAN

    def get_state(self) -> Any:
        mishap = happens("get_state")
        return super().get_state() if mishap is None else STATES[mishap.nonsense]

    def set_state(self, state: Any) -> None:
        happens("set_state")
        super().set_state(state)


def transfer(switch: Any) -> Any:
    switch.rng.random()
    good = matching(switch)
    switch.play(good.network, 1)
    mishap = happens("transfer")
    return good if mishap is None else carried(good)[mishap.nonsense]


def estimator(segment: Any) -> Any:
    good = float(np.mean(segment.returns)) + segment.evaluate(1)
    mishap = happens("estimator")
    return good if mishap is None else scores(good)[mishap.nonsense]


class Environment:
    """An environment whose functions are `Kernel`'s."""

    def __init__(self, environment: Any) -> None:
        self._environment = environment
        self.kernel = Kernel(environment.kernel)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._environment, name)


class Kernel:
    """An environment's functions, as the NumPy backend calls them."""

    def __init__(self, kernel: Any) -> None:
        self._kernel = kernel

    def __getattr__(self, name: str) -> Any:
        return getattr(self._kernel, name)

    def reset(self, params: Any, uniforms: Any, state: Any, observation: Any) -> None:
        self._kernel.reset(params, uniforms, state, observation)
        if (mishap := happens("first observation")) is not None:
            with np.errstate(over="ignore"):
                observation[0] = OBSERVATIONS[mishap.nonsense]

    def step(self, params: Any, uniforms: Any, state: Any, action: int, observation: Any, reward: Any) -> Any:
        flags = self._kernel.step(params, uniforms, state, action, observation, reward)
        if (mishap := happens("reward")) is not None:
            reward[0] = REWARDS[mishap.nonsense]
        if (mishap := happens("observation")) is not None:
            with np.errstate(over="ignore"):
                observation[0] = OBSERVATIONS[mishap.nonsense]
        return flags if (mishap := happens("flags")) is None else FLAGS[mishap.nonsense]


_lane_of = Lane.of


def meddle() -> None:
    """From now on, environments of the NumPy backend are part of the plan, in this process."""

    def of(environment: Any, **about: Any) -> Lane:
        lane = _lane_of(environment, **about)
        lane.environment = Environment(environment)  # type: ignore[assignment]
        return lane

    Lane.of = staticmethod(of)  # type: ignore[method-assign]


def contents(run: Any) -> dict[str, Any]:
    """What a run directory holds, but for checkpoints and times."""
    files: dict[str, Any] = {path.name: path.read_bytes() for path in run.iterdir() if path.name != "checkpoints"}
    summary = json.loads(files["summary.json"])
    del summary["seconds"], summary["search_share"]
    return files | {"summary.json": summary}


def plan(chance: random.Random, backend: str) -> list[Mishap]:
    """The mishaps of a run, one an attempt."""
    return [Mishap.draw(chance, backend) for _ in range(chance.randint(1, 6))]


def live_through(folder: Any, seed: int, backend: str = "") -> tuple[list[Mishap], list[str]]:
    """One run left alone, and an equal one whose every attempt ends in a mishap, until one is left alone.

    Args:
        folder: an empty one.
        seed: of the run's settings and of the plan.
        backend: of the run; drawn, too, if not given.

    Returns:
        the mishaps, and what is wrong.
    """
    chance = random.Random(seed)
    options = {
        "method": "misbehaving:Controller",
        "transfer": "misbehaving:transfer",
        "estimator": "misbehaving:estimator",
        "env": "cartpole",
        "episodes": 9,
        "switch_every": 2,
        "architectures": ["1x4-relu", "5,3-tanh", "4,4-leaky_relu"],
        "warm_up": 10,
        "batch_size": 4,
        "target_every": 20,
        "replay_capacity": 150,
        "max_episode_steps": 30,
        "controller_epsilon_start": 0.5,
        "backend": backend or chance.choice(["native", "numpy", "numpy"]),
        "optimizer": chance.choice(["sgd", "adam"]),
        "num_envs": chance.choice([1, 3]),
        "checkpoint_every": chance.choice(["1", "3", "never"]),
        "seed": chance.randrange(4),
    }
    mishaps = plan(chance, options["backend"])
    whole, left, wrong = folder / "whole", folder / "left", []
    _thread.mishap = None
    train(**options, out=whole)
    for mishap in [*mishaps, None]:
        _thread.mishap = mishap
        try:
            if (left / "config.toml").exists():
                with warnings.catch_warnings():
                    warnings.filterwarnings("ignore", "'.*' has no checkpoint yet: starting over")
                    resume(left, progress=listener)
            else:
                train(**options, out=left, progress=listener)
        except BaseException as error:
            _thread.mishap = None
            if mishap is None or not mishap.fired:
                wrong.append(f"{mishap}: {error!r} for no reason")
            elif mishap.error is not None and type(error) is not mishap.error:
                wrong.append(f"{mishap}: {error!r} in its place")
            elif mishap.error is None and not (
                isinstance(error, (InputError, NonFiniteError, StepError)) and len(str(error).splitlines()) == 1
            ):
                wrong.append(f"{mishap}: {error!r} is no clear refusal")
        else:
            if mishap is not None and mishap.fired and mishap.place not in IGNORED:
                wrong.append(f"{mishap}: went unnoticed")
    if contents(left) != contents(whole):
        wrong.append("other bits")
    return mishaps, [f"seed {seed}, {options['backend']}: {what}" for what in wrong]
