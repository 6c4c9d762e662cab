"""Networks of Stable-Baselines3's DQN as ours, and ours as a DQN of theirs (extra ``[sb3]``)."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium
import numpy as np

from nasdqn_fast.engine import backends
from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.engine.base_normalizer import EPSILON, LIMIT
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.envs import Environment
from nasdqn_fast.envs.python.recipes import Registered
from nasdqn_fast.errors import InputError
from nasdqn_fast.extras import optional
from nasdqn_fast.interop.gymnasium import KernelEnv
from nasdqn_fast.run import directory
from nasdqn_fast.run.assembly import make_environment
from nasdqn_fast.run.warm_start import saved_network
from nasdqn_fast.validation import check_instance, check_path

optional("torch", "sb3")  # first: Stable-Baselines3 imports it
sb3 = optional("stable_baselines3", "sb3")

from nasdqn_fast.interop.torch import ACTIVATIONS, from_module, to_module  # noqa: E402, once PyTorch is there


def to_sb3(run: str | Path | BaseNetwork, env: Any = None, **arguments: Any) -> Any:
    """A ``stable_baselines3.DQN`` with the weights of a run's network; its target network has them, too.

    Args:
        run: run directory, or a QNetwork.
        env: environment of the model, as DQN takes it. None: the run's own, which a QNetwork does not have.
        arguments: others of DQN's, as ``learning_starts`` or ``replay_buffer_class``.

    Returns:
        a model that can be saved, evaluated and trained on.

    Raises:
        InputError: no run with a network; a network that normalizes observations, which Stable-Baselines3 leaves to
            its VecNormalize; an environment of other sizes, or none.
    """
    if isinstance(run, BaseNetwork):
        network = run
        if env is None:
            raise InputError("a QNetwork does not know its environment: pass env, too")
    else:
        run = check_path("run", run)
        network = saved_network(run, backends.find("native"))
        env = _environment(run) if env is None else env
    if network.normalizer is not None:
        raise InputError(
            "the network normalizes observations, which Stable-Baselines3 leaves to VecNormalize; "
            "use nasdqn_fast.interop.torch.to_module, which keeps the statistics"
        )
    architecture = network.architecture
    policy = {"net_arch": list(architecture.widths), "activation_fn": ACTIVATIONS[architecture.activation]}
    model = sb3.DQN("MlpPolicy", env, policy_kwargs=policy, **arguments)
    weights = to_module(network).state_dict()
    for q_net in (model.policy.q_net.q_net, model.policy.q_net_target.q_net):
        try:
            q_net.load_state_dict(weights)
        except RuntimeError:
            sizes = model.observation_space, model.action_space
            raise InputError(
                f"the network has {network.observation_size} observations and {network.n_actions} actions; "
                f"the environment has {sizes[0]} and {sizes[1]}"
            ) from None
    return model


def from_sb3(model: Any) -> QNetwork:
    """The Q-network of a ``stable_baselines3.DQN``, with the statistics of its VecNormalize if there is one.

    Args:
        model: with a policy that is a multilayer perceptron ("MlpPolicy").

    Raises:
        TypeError: no DQN.
        InputError: a network of another kind, or a VecNormalize with another bound or epsilon than its defaults.
    """
    check_instance("model", model, sb3.DQN, "pass a stable_baselines3.DQN")
    network = from_module(model.policy.q_net.q_net)
    normalize = model.get_vec_normalize_env()
    if normalize is not None and normalize.norm_obs:
        if (normalize.clip_obs, normalize.epsilon) != (LIMIT, EPSILON):
            raise InputError(
                f"VecNormalize must have clip_obs={LIMIT:g} and epsilon={EPSILON:g}, "
                f"got {normalize.clip_obs:g} and {normalize.epsilon:g}"
            )
        statistics = normalize.obs_rms
        state = {"mean": np.array(statistics.mean), "variance": np.array(statistics.var), "count": statistics.count}
        network.set_normalizer_state(state)
    return network


def _environment(run: Path) -> gymnasium.Env[Any, Any]:
    environment = make_environment(directory.read_config(run))
    if isinstance(environment, Environment):
        return KernelEnv(environment)
    made: gymnasium.Env[Any, Any] = environment.make()
    if environment.limit is None or isinstance(environment.kernel.recipe, Registered):  # has the limit by itself
        return made
    return gymnasium.wrappers.TimeLimit(made, environment.limit)
