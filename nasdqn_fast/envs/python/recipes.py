"""How an environment that is stepped in Python is made: by an id, by a function, or by copying an object."""

from __future__ import annotations

import contextlib
import importlib
import inspect
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import gymnasium
from gymnasium.envs.registration import load_env_creator
from gymnasium.vector import AutoresetMode, VectorEnv

from nasdqn_fast import plugins
from nasdqn_fast.envs.python.duplicate import duplicate
from nasdqn_fast.errors import InputError
from nasdqn_fast.validation import described

OBJECT = "object:"  # in front of what a run directory calls an environment that was given as an object


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

    def make_vector(self, params: Mapping[str, float], max_episode_steps: int | None, n: int) -> VectorEnv | None:
        """One vector environment in place of n > 1 single ones; None where there is none."""
        return None

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

    def make_vector(self, params: Mapping[str, float], max_episode_steps: int | None, n: int) -> VectorEnv | None:
        """That of the id's own ``vector_entry_point``; None where that cannot stand for n single ones.

        That is, where it does not say when it resets a row, or does not take a parameter or time limit.
        """
        if n == 1:
            return None
        module, _, name = self.name.rpartition(":")
        if module:
            importlib.import_module(module)  # which registers it, as gymnasium.make would
        spec = gymnasium.spec(name)
        if spec.vector_entry_point is None or spec.additional_wrappers:
            return None
        arguments = _arguments(params) | ({} if max_episode_steps is None else {"max_episode_steps": max_episode_steps})
        if _takes(spec.vector_entry_point, "autoreset_mode"):
            arguments["autoreset_mode"] = AutoresetMode.DISABLED
        try:
            env = gymnasium.make_vec(spec, n, vectorization_mode="vector_entry_point", **arguments)
        except TypeError:
            if not arguments and spec.max_episode_steps is None:  # which make_vec passes, too
                raise
            return None
        if env.metadata.get("autoreset_mode") is None:
            env.close()
            return None
        return env

    def address(self) -> str:
        return self.name


@dataclass(frozen=True, eq=False)
class Made(Recipe):
    """By a class, or a function that returns an environment; parameters are its keyword arguments."""

    name: str
    function: Callable[..., Any]

    def make(self, params: Mapping[str, float], max_episode_steps: int | None) -> Any:
        arguments = _arguments(params)
        try:
            inspect.signature(self.function).bind(**arguments)
        except TypeError as error:
            raise InputError(f"environment {self.name!r} cannot be made with {dict(params)}: {error}") from None
        except ValueError:  # a built-in function without a signature
            pass
        return self.function(**arguments)

    def address(self) -> str:
        return plugins.address("environments", self.function)


@dataclass(frozen=True, eq=False)
class Given(Recipe):
    """By the user: this object is stepped in training, and copies of it beside it."""

    env: Any

    @property
    def name(self) -> str:  # type: ignore[override]
        return self.env.spec.id if self.env.spec is not None else type(self.env.unwrapped).__name__

    def make(self, params: Mapping[str, float], max_episode_steps: int | None) -> Any:
        self._check(params)
        try:
            return duplicate(self.env)  # with whatever was changed in it since it was made
        except Exception as error:
            if self.env.spec is not None:
                # Which are raised where a wrapper was made with functions, for instance.
                make = gymnasium.make_vec if isinstance(self.env, VectorEnv) else gymnasium.make
                with contextlib.suppress(ValueError, gymnasium.error.Error):
                    return make(self.env.spec)
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
        """A name that says that it was an object: nobody can tell whether its id would make an equal one."""
        return f"{OBJECT}{self.name}"

    def _check(self, params: Mapping[str, float]) -> None:
        if params:
            raise InputError(
                f"environment {self.name!r} is made already and takes no parameters, got {', '.join(params)}; "
                "pass its id, or a function that makes it"
            )


def check_env(name: str, env: Any) -> None:
    if not isinstance(env, (gymnasium.Env, VectorEnv)):
        raise InputError(f"environment {name!r} must be a gymnasium.Env or VectorEnv; got {described(env)}")


def _takes(entry_point: str | Callable[..., Any], argument: str) -> bool:
    """Whether an environment's entry point has an argument of this name."""
    function = load_env_creator(entry_point) if isinstance(entry_point, str) else entry_point
    try:
        return argument in inspect.signature(function).parameters
    except ValueError:  # a built-in function without a signature
        return False


def _arguments(params: Mapping[str, float]) -> dict[str, Any]:
    """Parameters as keyword arguments: many a size or flag is to be an int, and no number minds being one."""
    return {name: int(value) if float(value).is_integer() else value for name, value in params.items()}
