"""Environments: one file each, found by name (`nasdqn_fast.plugins`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast, overload

from nasdqn_fast import plugins
from nasdqn_fast.envs.kernel import Environment, EnvKernel
from nasdqn_fast.envs.python import PythonEnvironment, PythonKernel, kernel_named, kernel_of, named_kernel
from nasdqn_fast.errors import InputError, suggest
from nasdqn_fast.validation import described

__all__ = [
    "NAMESPACE",
    "AnyEnvironment",
    "EnvKernel",
    "Environment",
    "PythonEnvironment",
    "PythonKernel",
    "address",
    "built_in",
    "make",
    "make_compiled",
    "rows_of",
]

AnyEnvironment = Environment | PythonEnvironment

# Of the environments' Gymnasium ids: "nasdqn_fast/CartPole-v1".
NAMESPACE = "nasdqn_fast"


@overload
def make(
    env: EnvKernel | Environment,
    *,
    start: str | None = ...,
    params: Mapping[str, float] | None = ...,
    max_episode_steps: int | None = ...,
) -> Environment: ...
@overload
def make(
    env: Any,
    *,
    start: str | None = ...,
    params: Mapping[str, float] | None = ...,
    max_episode_steps: int | None = ...,
) -> AnyEnvironment: ...
def make(
    env: Any,
    *,
    start: str | None = None,
    params: Mapping[str, float] | None = None,
    max_episode_steps: int | None = None,
) -> AnyEnvironment:
    """An environment with its parameters fixed, ready for an agent. Compiles nothing yet.

    Args:
        env: a built-in's name (``inverted-pendulum``) or Gymnasium id (``nasdqn_fast/InvertedPendulum-v0``);
            ``module:attribute`` of an `EnvKernel`, of a Gymnasium environment, its class or a function that makes one;
            any other Gymnasium id (``LunarLander-v3``, ``module:MyEnv-v0``); or the object itself, which may be a
            vector environment. An `Environment`
            or `PythonEnvironment` passes unchanged.
        start, params, max_episode_steps: see `EnvKernel.bind` and `PythonKernel.bind`.

    Raises:
        TypeError: `env` is none of these.
        InputError: unknown name, start or parameter, a value out of range, or spaces that are not supported.
    """
    kernel = _find(env) if isinstance(env, str) else env
    if not isinstance(kernel, (EnvKernel, Environment, PythonEnvironment)):
        kernel = kernel_of(kernel)
    if isinstance(kernel, (EnvKernel, PythonKernel)):
        return kernel.bind(start=start, params=params or {}, max_episode_steps=max_episode_steps)
    if kernel is None:
        expected = "a name, an EnvKernel, an Environment, a gymnasium.Env, or a class or function that makes one"
        raise TypeError(f"env must be {expected}; got {described(env)}")
    if start is not None or params or max_episode_steps is not None:
        raise InputError(
            "start, params and max_episode_steps of an Environment are fixed; pass its .kernel to choose them"
        )
    return kernel


def make_compiled(
    env: Any,
    *,
    start: str | None = None,
    params: Mapping[str, float] | None = None,
    max_episode_steps: int | None = None,
) -> Environment:
    """`make` for compiled environments only.

    Raises:
        InputError: as `make`, and for one that is stepped in Python.
    """
    made = make(env, start=start, params=params, max_episode_steps=max_episode_steps)
    if isinstance(made, PythonEnvironment):
        raise InputError(f"environment {made.kernel.name!r} is stepped in Python; an EnvKernel is needed here")
    return made


def rows_of(environment: AnyEnvironment) -> int | None:
    """How many rows a vector environment has, which are stepped together; None of any other."""
    return environment.num_envs if isinstance(environment, PythonEnvironment) else None


def address(kernel: EnvKernel | PythonKernel) -> str:
    """The name by which `make` finds this kernel.

    Raises:
        InputError: it has none.
    """
    if isinstance(kernel, PythonKernel):
        return kernel.address()
    return plugins.address("environments", kernel, *kernel.modules)


def _find(name: str) -> Any:
    """What a name stands for: a kernel, or what `kernel_of` takes."""
    own = name.removeprefix(f"{NAMESPACE}:")  # as Gymnasium writes the module that registers an id
    if own.startswith(f"{NAMESPACE}/"):
        return _by_gymnasium_id(own)
    if (kernel := kernel_named(name)) is not None:
        return kernel
    found = plugins.find("environments", name)
    if isinstance(found, EnvKernel):
        return found
    if (kernel := kernel_of(found)) is None:
        raise InputError(
            f"environment {name!r} must be an EnvKernel, a gymnasium.Env, or a class or function that makes one; "
            f"got {described(found)}"
        )
    return named_kernel(kernel, name)


def _by_gymnasium_id(name: str) -> EnvKernel:
    kernels = {f"{NAMESPACE}/{kernel.gymnasium_id}": kernel for kernel in built_in().values()}
    if name not in kernels:
        raise InputError(f"unknown environment {name!r}: {suggest(name, kernels)}")
    return kernels[name]


def built_in() -> dict[str, EnvKernel]:
    """The package's own kernels by name."""
    return {name: cast(EnvKernel, plugins.find("environments", name)) for name in plugins.names("environments")}
