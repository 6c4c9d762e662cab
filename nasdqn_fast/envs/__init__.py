"""Environments: one file each, found by name (`nasdqn_fast.plugins`)."""

from __future__ import annotations

from collections.abc import Mapping

from nasdqn_fast import plugins
from nasdqn_fast.envs.kernel import Environment, EnvKernel
from nasdqn_fast.errors import InputError, suggest

__all__ = ["NAMESPACE", "EnvKernel", "Environment", "make"]

# Of the environments' Gymnasium ids: "nasdqn_fast/CartPole-v1".
NAMESPACE = "nasdqn_fast"


def make(
    env: str | EnvKernel | Environment,
    *,
    start: str | None = None,
    params: Mapping[str, float] | None = None,
    max_episode_steps: int | None = None,
) -> Environment:
    """An environment with its parameters fixed, ready for an agent. Compiles nothing yet.

    Args:
        env: a built-in's name (``inverted-pendulum``) or Gymnasium id
            (``nasdqn_fast/InvertedPendulum-v0``), ``module:attribute`` of an `EnvKernel`, or the
            object itself; an `Environment` passes unchanged.
        start, params, max_episode_steps: see `EnvKernel.bind`.

    Raises:
        TypeError: `env` is none of these.
        InputError: unknown name, start or parameter, or a value out of range.
    """
    if isinstance(env, str):
        env = _find(env)
    if isinstance(env, EnvKernel):
        return env.bind(start=start, params=params or {}, max_episode_steps=max_episode_steps)
    if not isinstance(env, Environment):
        raise TypeError(f"env must be a name, an EnvKernel or an Environment, got {type(env).__name__}")
    if start is not None or params or max_episode_steps is not None:
        raise InputError(
            "start, params and max_episode_steps of an Environment are fixed; pass its .kernel to choose them"
        )
    return env


def _find(name: str) -> EnvKernel:
    if name.startswith(f"{NAMESPACE}/"):
        return _by_gymnasium_id(name)
    found = plugins.find("environments", name)
    if not isinstance(found, EnvKernel):
        raise InputError(f"environment {name!r} must be an EnvKernel, got {type(found).__name__}")
    return found


def _by_gymnasium_id(name: str) -> EnvKernel:
    kernels = {f"{NAMESPACE}/{kernel.gymnasium_id}": kernel for kernel in map(_find, plugins.names("environments"))}
    if name not in kernels:
        raise InputError(f"unknown environment {name!r}: {suggest(name, kernels)}")
    return kernels[name]
