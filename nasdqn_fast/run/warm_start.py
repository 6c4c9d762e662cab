"""A run that starts from the network of an earlier one, whatever its architecture.

Only the network is taken: a finished run keeps no memory, and the new one's is filled by its own policy.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from nasdqn_fast import plugins
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.engine.protocol import Agent, Engine
from nasdqn_fast.errors import DamageError, InputError
from nasdqn_fast.run.checkpoints import Checkpoints
from nasdqn_fast.run.directory import CHECKPOINTS, CONFIG, find_network
from nasdqn_fast.search.switching import Switching
from nasdqn_fast.space import Architecture


def start_from(run: Path, agent: Agent, engine: Engine, transfer: plugins.Function) -> None:
    """Gives an agent that has not begun the network of an earlier run, by the transfer if the architectures differ.

    Args:
        run: the earlier run's directory; finished, or left with a network or a checkpoint.
        agent: of the architecture that is wanted; its ``streams.transfer`` is the transfer's.
        engine: the agent's backend.
        transfer: carries the network over.

    Raises:
        InputError: no run directory, nothing saved in it, a network of another environment or a sum, or the transfer
            refuses.
    """
    old, wanted = saved_network(run, engine), agent.network
    sizes, expected = (old.observation_size, old.n_actions), (wanted.observation_size, wanted.n_actions)
    if sizes != expected:
        raise InputError(
            f"the network in {str(run)!r} has {sizes[0]} observations and {sizes[1]} actions; "
            f"the environment has {expected[0]} and {expected[1]}"
        )
    if old.base:
        raise InputError(
            f"the network in {str(run)!r} is a sum with frozen networks, which is folded at the end of a segment; "
            "continue that run until then, or start from another"
        )
    agent.switch_network(old)
    if old.architecture == wanted.architecture:
        return
    switching = Switching(agent, agent.streams.transfer)
    carried, report = switching.transfer(wanted.architecture, transfer, (1,))  # of later switches: 2, 3, ...
    if not carried.accepted:
        raise InputError(
            f"transfer {transfer.name!r} refuses to carry {old.architecture} of {str(run)!r} over to "
            f"{wanted.architecture}{report.note and ': ' + report.note}; begin with another architecture or transfer"
        )


def saved_network(run: Path, engine: Engine) -> BaseNetwork:
    """The network that a run has ended with, or of its newest checkpoint if it was killed.

    Raises:
        InputError: no run directory, or nothing sound is saved in it.
    """
    if not (run / CONFIG).is_file():
        raise InputError(f"{str(run)!r} is not a run directory: it holds no {CONFIG}")
    if path := find_network(run):
        return engine.QNetwork.load(path)
    checkpoints = Checkpoints(run / CHECKPOINTS)
    for path in checkpoints.newest_first():
        try:
            return _network_of(checkpoints.load(path)["trainer"]["agent"], engine)
        except OSError as error:
            raise InputError(f"cannot read {str(path)!r}: {error.strerror}") from None
        except DamageError:
            continue
    raise InputError(
        f"the run in {str(run)!r} has saved neither a network nor a checkpoint: there is nothing to start from"
    )


def _network_of(state: dict[str, Any], engine: Engine) -> BaseNetwork:
    architecture, loop = Architecture.parse(state["architecture"]), state["loop"]
    observation_size = loop["observations"].shape[1]
    # The head has a bias and as many weights as the last hidden layer has units, for each action.
    without_head = architecture.parameter_count(observation_size, 1) - (architecture.widths[-1] + 1)
    n_actions = (len(state["network"]) - without_head) // (architecture.widths[-1] + 1)
    network = engine.QNetwork(architecture, observation_size, n_actions, None)
    network.restore(state["network"], state.get("normalizer"), state.get("base", ()))
    return network
