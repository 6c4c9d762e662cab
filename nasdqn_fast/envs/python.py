"""Environments that are stepped in Python: those of Gymnasium, or of anybody who has its interface.

Everything else stays compiled: `nasdqn_fast._core.python_lanes` calls `Play` from the training loop, and converts what
it returns.
"""

from __future__ import annotations

import contextlib
import copy
import hashlib
import inspect
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import gymnasium
import numpy as np
from gymnasium.spaces import Box, Discrete, Space

from nasdqn_fast import plugins
from nasdqn_fast.errors import InputError, StepError
from nasdqn_fast.seeding import restored_generator
from nasdqn_fast.validation import check_finite, check_positive_int, described

Env = gymnasium.Env[Any, Any]

SUPPORTED = "a Box of one dimension or a Discrete space of observations, and a Discrete space of actions"
# A Gymnasium id with its version, and the module that registers it in front if need be.
_ID = re.compile(r"([\w.]+:)?([\w-]+/)?[\w.:-]+-v\d+", re.ASCII)
_OBJECT = "object:"  # what a run directory calls an object that it cannot name
_SEEDS = 2**31


def is_id(name: str) -> bool:
    """Whether a name is that of an environment registered with Gymnasium: it ends in -v and a number."""
    return _ID.fullmatch(name) is not None


class Recipe(ABC):
    """How an environment is made.

    Args:
        name: for messages.
    """

    name: str

    @abstractmethod
    def make(self, params: Mapping[str, float], max_episode_steps: int | None) -> Any:
        """An environment that nobody else has."""

    @abstractmethod
    def address(self) -> str:
        """The name by which `nasdqn_fast.envs.make` finds it.

        Raises:
            InputError: it has none.
        """

    def original(self, params: Mapping[str, float], max_episode_steps: int | None) -> Any:
        """The environment that training steps; the others are beside it."""
        return self.make(params, max_episode_steps)

    def owns(self, env: Any) -> bool:
        """Whether it is the user's, who then closes it."""
        return False


@dataclass(frozen=True, eq=False)
class Registered(Recipe):
    """By a Gymnasium id."""

    name: str

    def make(self, params: Mapping[str, float], max_episode_steps: int | None) -> Any:
        # None is for Gymnasium: the id's own limit.
        try:
            return gymnasium.make(self.name, max_episode_steps=max_episode_steps, **_arguments(params))
        except (gymnasium.error.Error, ModuleNotFoundError) as error:
            reason = " ".join(str(error).split())
            raise InputError(f"environment {self.name!r}: {reason}") from error
        except TypeError as error:
            if not params:
                raise
            raise InputError(f"environment {self.name!r} does not take {', '.join(params)}: {error}") from error

    def address(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class Made(Recipe):
    """By a class, or a function that returns an environment; parameters are its keyword arguments."""

    name: str
    function: Callable[..., Any]

    def make(self, params: Mapping[str, float], max_episode_steps: int | None) -> Any:
        try:
            inspect.signature(self.function).bind(**_arguments(params))
        except TypeError as error:
            raise InputError(f"environment {self.name!r} cannot be made with {dict(params)}: {error}") from None
        except ValueError:  # a built-in function without a signature
            pass
        return self.function(**_arguments(params))

    def address(self) -> str:
        return plugins.address("environments", self.function, self.function.__module__)


@dataclass(frozen=True, eq=False)
class Given(Recipe):
    """By the user: this object is stepped in training, and copies of it beside it."""

    env: Any

    @property
    def name(self) -> str:  # type: ignore[override]
        return self._spec.id if self._spec is not None else type(self.env.unwrapped).__name__

    def make(self, params: Mapping[str, float], max_episode_steps: int | None) -> Any:
        self._check(params)
        try:
            return copy.deepcopy(self.env)  # with whatever was changed in it since it was made
        except Exception as error:
            if self._spec is not None:
                # Which are raised where a wrapper was made with functions, for instance.
                with contextlib.suppress(ValueError, gymnasium.error.Error):
                    return gymnasium.make(self._spec)
            raise InputError(
                f"environment {self.name!r} cannot be copied ({type(error).__name__}: {error}), and training needs a "
                "second one, for evaluations or num_envs; pass a function that makes it in place of the object"
            ) from error

    def original(self, params: Mapping[str, float], max_episode_steps: int | None) -> Any:
        self._check(params)
        return self.env

    def owns(self, env: Any) -> bool:
        return env is self.env

    def address(self) -> str:
        """Its id, if that makes an equal environment."""
        spec = self._spec
        known = None if spec is None else gymnasium.registry.get(spec.id)
        if spec is None or known is None or spec.additional_wrappers:
            return f"{_OBJECT}{self.name}"
        settings = {name: value for name, value in spec.kwargs.items() if name != "render_mode"}
        as_registered = settings == known.kwargs and spec.max_episode_steps == known.max_episode_steps
        return spec.id if as_registered else f"{_OBJECT}{self.name}"

    @property
    def _spec(self) -> Any:
        return self.env.spec

    def _check(self, params: Mapping[str, float]) -> None:
        if params:
            raise InputError(
                f"environment {self.name!r} is made already and takes no parameters, got {', '.join(params)}; "
                "pass its id, or a function that makes it"
            )


@dataclass(frozen=True, eq=False)
class PythonKernel:
    """An environment that is stepped in Python, as `EnvKernel` is one that is compiled.

    Args:
        recipe: how it is made.
        threshold: mean return at which the task counts as solved; None where nothing is agreed on.
    """

    recipe: Recipe
    threshold: float | None = None
    state_size = 1  # of what checkpoints keep in an array: nothing

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    @property
    def name(self) -> str:
        return self.recipe.name

    def address(self) -> str:
        """The name under which a run directory keeps it.

        Raises:
            InputError: a class or function that is no attribute of a module.
        """
        return self.recipe.address()

    def bind(
        self,
        *,
        start: str | None = None,
        params: Mapping[str, float] | None = None,
        max_episode_steps: int | None = None,
    ) -> PythonEnvironment:
        """Fixes parameters and time limit. Makes one of it, to see its spaces, and closes that.

        Args:
            start: None, for there are no named starts.
            params: keyword arguments by which it is made; whole numbers are passed as int.
            max_episode_steps: time limit, steps; None: its own. One that was not made by an id keeps its own besides.

        Raises:
            InputError: unknown id or parameter, or other spaces than those supported.
            Exception: whatever the environment raises.
        """
        if start is not None:
            raise InputError(f"environment {self.name!r} has no named starts, got {start!r}; leave start out")
        params = dict(params or {})
        try:
            for name, value in params.items():
                check_finite(f"environment parameter {name}", value)
            if max_episode_steps is not None:
                max_episode_steps = check_positive_int("max_episode_steps", max_episode_steps)
        except (TypeError, ValueError) as error:  # a user wrote it into a file or on a command line
            raise InputError(str(error)) from None
        probe = self.recipe.original(params, max_episode_steps)
        try:
            return self._bound(probe, params, max_episode_steps)
        finally:
            if isinstance(probe, gymnasium.Env) and not self.recipe.owns(probe):
                probe.close()

    def _bound(self, probe: Any, params: dict[str, float], limit: int | None) -> PythonEnvironment:
        _check_env(self.name, probe)
        observations, actions = probe.observation_space, probe.action_space
        if not (_is_row(observations) and isinstance(actions, Discrete)):
            raise InputError(
                f"environment {self.name!r} has {_described(observations)} of observations and {_described(actions)} "
                f"of actions; supported are {SUPPORTED}; a wrapper may convert it, as "
                "gymnasium.wrappers.FlattenObservation"
            )
        spec = probe.spec
        threshold = None if spec is None else spec.reward_threshold
        one_hot = isinstance(observations, Discrete)
        return PythonEnvironment(
            replace(self, threshold=threshold),
            params,
            limit if limit is not None or spec is None else spec.max_episode_steps,
            observation_size=int(observations.n) if one_hot else observations.shape[0],
            n_actions=int(actions.n),
            first_observation=int(observations.start) if one_hot else None,
            first_action=int(actions.start),
            limit=limit,
            code=_code_of(probe),
        )


@dataclass(frozen=True, eq=False)
class PythonEnvironment:
    """A `PythonKernel` with its parameters fixed, as `Environment` is of an `EnvKernel`. Made by `PythonKernel.bind`.

    Args:
        kernel: how it is made.
        values: its parameters by name.
        max_episode_steps: time limit, steps; None where none is known.
        observation_size: numbers of an observation; of a Discrete space, its size.
        n_actions: size of the space of actions.
        first_observation: of a Discrete space, which is given to the network one-hot; None of a Box.
        first_action: what the environment calls action 0.
        limit: the time limit that was asked for; None: its own.
        code: digest of the classes that it consists of.
    """

    kernel: PythonKernel
    values: dict[str, float]
    max_episode_steps: int | None
    observation_size: int
    n_actions: int
    first_observation: int | None
    first_action: int
    limit: int | None
    code: str

    def __repr__(self) -> str:
        sizes = f"observations of {self.observation_size}, {self.n_actions} actions"
        limit = [] if self.max_episode_steps is None else [f"at most {self.max_episode_steps:,} steps"]
        changed = [f"{name}={value:g}" for name, value in self.values.items()]
        return f"<{type(self).__name__} {self.kernel.name}: {', '.join([sizes, *limit, *changed])}>"

    def fingerprint(self) -> str:
        """Hexadecimal digest of name, parameters, time limit, spaces, and the code of its classes."""
        spaces = self.observation_size, self.n_actions, self.first_observation, self.first_action
        text = repr((self.kernel.name, sorted(self.values.items()), self.max_episode_steps, spaces, self.code))
        return hashlib.sha256(text.encode()).hexdigest()

    def play(self, n: int, *, training: bool = False) -> Play:
        """So many of it in play; the first one is the user's object if it is for training and there is one."""
        return Play(self, n, training=training)

    def observation(self, value: Any) -> np.ndarray:
        """What the network sees of what the environment has returned: float32 (observation_size,), checked.

        Raises:
            StepError: it has another shape or type than its space says.
        """
        if self.first_observation is not None:
            return self._one_hot(value)
        try:
            array = np.asarray(value)
        except ValueError as error:  # lists of several lengths
            raise self.wrong(f"returned an observation that is no array: {error}") from None
        if array.shape != (self.observation_size,) or array.dtype.kind not in "fiub":
            raise self.wrong(
                f"returned an observation of shape {array.shape} and type {array.dtype}; "
                f"its observation_space says ({self.observation_size},)"
            )
        with np.errstate(over="ignore"):  # it becomes infinite, which is reported as such
            return np.ascontiguousarray(array, np.float32)

    def _one_hot(self, value: Any) -> np.ndarray:
        assert self.first_observation is not None
        row, index = np.zeros(self.observation_size, np.float32), -1
        if np.ndim(value) == 0 and np.asarray(value).dtype.kind in "iu":
            index = int(value) - self.first_observation
        if not 0 <= index < self.observation_size:
            last = self.first_observation + self.observation_size - 1
            raise self.wrong(
                f"returned the observation {value!r}; its observation_space says {self.first_observation} to {last}"
            )
        row[index] = 1.0
        return row

    def unpacked(self, returned: Any, method: str) -> tuple[Any, ...]:
        """What ``step`` or ``reset`` has returned, if it is a tuple of the right length.

        Raises:
            StepError: it is not.
        """
        parts = "(observation, info)" if method == "reset" else "(observation, reward, terminated, truncated, info)"
        if not isinstance(returned, tuple) or len(returned) != parts.count(",") + 1:
            got = f"a tuple of {len(returned)}" if isinstance(returned, tuple) else described(returned)
            raise self.wrong(f"returned {got} from {method}; Gymnasium's is {parts}")
        return returned

    def wrong(self, what: str) -> StepError:
        """The error for an environment that does what it may not."""
        return StepError(f"environment {self.kernel.name} {what}")


class Play:
    """Environments in play, each made with its first reset.

    That has a seed, drawn by the caller; later ones have none, as is usual with Gymnasium. Several are stepped in turn,
    as a SyncVectorEnv without autoreset does, which takes twice the time for it.

    Args:
        environment: what is played.
        n: how many.
        training: whether the first one is the user's object, where there is one.
    """

    def __init__(self, environment: PythonEnvironment, n: int, *, training: bool) -> None:
        self._environment, self._n, self._training = environment, n, training
        self._envs: list[Any] = [None] * n
        # From what the present episode of each has begun: a seed, or a generator's state; {} if that is not known.
        self._starts: list[dict[str, Any]] = [{} for _ in range(n)]
        self._seeded = [False] * n
        self._restored = [False] * n
        self._in_progress = False

    def __del__(self) -> None:
        self.close()

    def stepping(self, lane: int) -> Callable[[Any], Any]:
        """``step`` of one of them, after its first reset."""
        step: Callable[[Any], Any] = self._envs[lane].step
        return step

    def reset(self, lane: int, uniform: float) -> Any:
        """Starts an episode.

        Args:
            lane: of which one.
            uniform: number in [0, 1), for a seed.

        Returns:
            what its ``reset`` returns as observation.
        """
        if self._envs[lane] is None:
            self._envs[lane] = self._made(lane)
        env, seed = self._envs[lane], None
        if self._restored[lane] and "np_random" in self._starts[lane]:
            env.unwrapped.np_random = restored_generator(self._starts[lane]["np_random"])
        elif self._restored[lane] and "seed" in self._starts[lane]:
            seed = self._starts[lane]["seed"]
        elif self._seeded[lane]:
            self._starts[lane] = _generator_state(env)
        else:
            seed = int(uniform * _SEEDS)
            self._starts[lane] = {"seed": seed}
        self._restored[lane], self._seeded[lane], self._in_progress = False, True, False
        return self._environment.unpacked(env.reset(seed=seed), "reset")[0]

    def reseed(self) -> None:
        """The next reset of each has a seed again."""
        self._seeded, self._restored = [False] * self._n, [False] * self._n

    def get_state(self) -> list[dict[str, Any]]:
        """From what the present episode of each has begun."""
        return copy.deepcopy(self._starts)

    def set_state(self, starts: Sequence[Mapping[str, Any]]) -> None:
        """The next reset of each begins the episode of this state again.

        Raises:
            KeyError, TypeError, ValueError: not a valid state.
        """
        if not isinstance(starts, list) or len(starts) != self._n:
            raise ValueError(f"the state must be of {self._n} environments")
        for start in starts:
            if "np_random" in start:
                restored_generator(start["np_random"])  # to see that it is one
            elif start and not isinstance(start["seed"], int):
                raise TypeError("seed must be an int")
        self._starts = [dict(start) for start in starts]
        self._restored, self._seeded = [True] * self._n, [bool(start) for start in starts]

    def copied(self, lane: int) -> Play | None:
        """A copy of one of them in the middle of its episode; None if it cannot be copied."""
        try:
            env = copy.deepcopy(self._envs[lane])
        except Exception:
            return None
        play = Play(self._environment, 1, training=False)
        play._envs, play._seeded, play._in_progress = [env], [True], True
        return play

    @property
    def in_progress(self) -> bool:
        """Whether it is a copy in the middle of an episode, from where that can be continued."""
        return self._in_progress

    def close(self) -> None:
        """Closes what was made here."""
        for env in vars(self).get("_envs", []):
            if env is not None and not self._environment.kernel.recipe.owns(env):
                with contextlib.suppress(Exception):  # it is not needed any more
                    env.close()

    def _made(self, lane: int) -> Any:
        about = self._environment
        recipe = about.kernel.recipe
        make = recipe.original if self._training and lane == 0 else recipe.make
        env = make(about.values, about.limit)
        _check_env(about.kernel.name, env)
        return env


def kernel_of(value: Any) -> PythonKernel | None:
    """The kernel of an object in Python: an environment, its class, or a function that makes one; else None."""
    if isinstance(value, PythonKernel):
        return value
    if isinstance(value, gymnasium.Env):
        return PythonKernel(Given(value))
    if callable(value):
        return PythonKernel(Made(plugins.name_of(value), value))
    return None


def named_kernel(kernel: PythonKernel, address: str) -> PythonKernel:
    """The kernel that was found under this name, and is called by it."""
    recipe = kernel.recipe
    return replace(kernel, recipe=Made(address, recipe.function)) if isinstance(recipe, Made) else kernel


def kernel_named(name: str) -> PythonKernel | None:
    """The kernel of a Gymnasium id; None of another name.

    Raises:
        InputError: the name that a run directory gives to an object which has none.
    """
    if name.startswith(_OBJECT):
        raise InputError(
            f"the environment was an object, {name.removeprefix(_OBJECT)}, that no name makes again; pass it from "
            "Python: resume(run, env=...) or evaluate(run, env=...)"
        )
    return PythonKernel(Registered(name)) if is_id(name) else None


def _arguments(params: Mapping[str, float]) -> dict[str, Any]:
    """Parameters as keyword arguments: many a size or flag is to be an int, and no number minds being one."""
    return {name: int(value) if float(value).is_integer() else value for name, value in params.items()}


def _check_env(name: str, env: Any) -> None:
    if isinstance(env, gymnasium.vector.VectorEnv):
        raise InputError(f"environment {name!r} is a vector environment; pass the single one, and num_envs")
    if not isinstance(env, gymnasium.Env):
        raise InputError(f"environment {name!r} must be a gymnasium.Env; got {described(env)}")


def _is_row(space: Any) -> bool:
    if isinstance(space, Discrete):
        return True
    return isinstance(space, Box) and len(space.shape) == 1 and space.shape[0] > 0 and space.dtype.kind in "fiub"


def _described(space: Space[Any] | None) -> str:
    shape = f" of shape {space.shape}" if isinstance(space, Box) else ""
    return f"a {type(space).__name__}{shape}"


def _code_of(env: Any) -> str:
    """Digest of the source of the environment's class and of its wrappers'."""
    digest, layer = hashlib.sha256(), env
    while layer is not None:
        try:
            source = inspect.getsource(type(layer))
        except (OSError, TypeError):  # defined where there is no file, or compiled
            source = type(layer).__qualname__
        digest.update(source.encode())
        layer = layer.env if isinstance(layer, gymnasium.Wrapper) else None
    return digest.hexdigest()


def _generator_state(env: Any) -> dict[str, Any]:
    generator = getattr(env.unwrapped, "np_random", None)
    if not isinstance(generator, np.random.Generator):
        return {}
    return {"np_random": copy.deepcopy(generator.bit_generator.state)}
