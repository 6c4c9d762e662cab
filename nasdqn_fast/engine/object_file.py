"""Files of agents and replay memories: a state, and what an equal object is made with, for both backends."""

from __future__ import annotations

import os
import warnings
from typing import Any

from nasdqn_fast import envs
from nasdqn_fast.envs import AnyEnvironment, Environment, PythonEnvironment
from nasdqn_fast.errors import DamageError, InputError
from nasdqn_fast.seeding import STREAMS, Streams, restored_generator
from nasdqn_fast.storage import state_file
from nasdqn_fast.validation import check_path

AGENT, REPLAY = "nasdqn-fast agent 1", "nasdqn-fast replay memory 1"
Path = str | os.PathLike[str]


def save_replay(path: Path, replay: Any) -> None:
    """Writes a memory of either backend."""
    contents = {"observation_size": replay.observation_size, "state": replay.get_state()}
    state_file.save(check_path("path", path), {"format": REPLAY} | contents)


def load_replay(path: Path, kind: Any, options: dict[str, Any]) -> Any:
    """A memory of the class `kind`.

    Raises:
        InputError: the file is missing, damaged, or no such file.
    """
    contents = _load(path, REPLAY)
    try:
        return _made_replay(contents, kind, restored_generator(contents["state"]["rng"]), options)
    except (KeyError, TypeError, ValueError) as error:
        raise _unfit(path, error) from error


def save_agent(path: Path, agent: Any) -> None:
    """Writes an agent of either backend."""
    streams = agent.streams
    contents = {
        "environment": _environment_record(agent.environment),
        "settings": vars(agent.settings),
        "dtype": agent.network.parameters.dtype.name,
        "entropy": streams.env.bit_generator.seed_seq.entropy,
        # Which stream the memory draws from; "" if it has a generator of its own.
        "replay_stream": next((name for name in STREAMS if getattr(streams, name) is agent.replay.rng), ""),
        "observation_size": agent.replay.observation_size,
        "state": agent.get_state(),
    }
    state_file.save(check_path("path", path), {"format": AGENT} | contents)


def load_agent(path: Path, kind: Any, env: Any) -> Any:
    """An agent of the class `kind`.

    Raises:
        InputError: the file is missing, damaged, or no such file, or its environment cannot be found, or has other
            sizes by now.
    """
    contents = _load(path, AGENT)
    environment = _environment(path, contents, env)
    try:
        streams, state, options = Streams(contents["entropy"]), contents["state"], kind.options_of(contents["dtype"])
        name = contents["replay_stream"]
        rng = getattr(streams, name) if name in STREAMS else restored_generator(state["replay"]["rng"])
        about_replay = {"observation_size": contents["observation_size"], "state": state["replay"]}
        replay = _made_replay(about_replay, kind.replay_type, rng, options)
        settings = contents["settings"] | options
        agent = kind(environment, kind.networks_of(state), rng=streams, replay=replay, **settings)
        agent.set_state(state)
    except (KeyError, TypeError, ValueError) as error:
        raise _unfit(path, error) from error
    return agent


def _made_replay(contents: dict[str, Any], kind: Any, rng: Any, options: dict[str, Any]) -> Any:
    replay = kind(contents["state"]["capacity"], contents["observation_size"], rng, **options)
    replay.set_state(contents["state"])
    return replay


def _environment_record(environment: AnyEnvironment) -> dict[str, Any]:
    kernel = environment.kernel
    try:
        name = envs.address(kernel)
    except InputError:  # it has to be given when the agent is loaded
        name = ""
    return {
        "name": name,
        "params": environment.values,
        "max_episode_steps": environment.limit,
        "fingerprint": environment.fingerprint(),
    }


def _environment(path: Path, contents: dict[str, Any], env: Any) -> AnyEnvironment:
    record = contents.get("environment", {})
    if env is None and not record.get("name"):
        raise InputError(f"the environment of the agent in {os.fspath(path)!r} has no name to find it by; pass env=")
    if isinstance(env, (Environment, PythonEnvironment)):
        environment: AnyEnvironment = env
    else:
        limit = record.get("max_episode_steps")
        environment = envs.make(env or record["name"], params=record.get("params"), max_episode_steps=limit)
    if environment.fingerprint() != record.get("fingerprint"):
        warnings.warn(
            f"the agent in {os.fspath(path)!r} was saved with another environment, or with other code of it",
            stacklevel=4,
        )
    return environment


def _load(path: Path, wanted: str) -> dict[str, Any]:
    try:
        contents = state_file.load(check_path("path", path))
    except OSError as error:
        raise InputError(f"cannot read {os.fspath(path)!r}: {error.strerror or error}") from error
    except DamageError as error:
        raise InputError(f"damaged or foreign file {os.fspath(path)!r}: {error}; save it again") from error
    if contents.get("format") != wanted:
        raise InputError(f"{os.fspath(path)!r} has format {contents.get('format')!r}, {wanted!r} is read here")
    return contents


def _unfit(path: Path, error: Exception) -> InputError:
    reason = f"it lacks {error}" if isinstance(error, KeyError) else str(error)
    return InputError(f"{os.fspath(path)!r} cannot be restored here: {reason}")
