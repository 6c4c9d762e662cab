"""rejax (JAX): the whole training of many seeds in one compiled call, its DQN as it comes, on the paper's pendulum."""

from __future__ import annotations

import importlib.metadata
import time
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
from flax import linen
from gymnax.environments import spaces
from jax import Array
from rejax import DQN
from rejax.networks import DiscreteQNetwork, EpsilonGreedyPolicy

from nasdqn_fast.space import Architecture
from peers import _pendulum, _setting
from peers.jax_scan import observe, pendulum_step

ACTIVATIONS = {"relu": linen.relu, "tanh": linen.tanh, "leaky_relu": linen.leaky_relu}


class State(NamedTuple):
    """theta (rad), omega (rad/s) and the steps of the episode so far."""

    theta: Array
    omega: Array
    length: Array


class Parameters(NamedTuple):
    """What rejax wants to know of an environment."""

    max_steps_in_episode: int = _setting.HORIZON


class Pendulum:
    """The pendulum with the face that rejax 0.1 calls: five values a step, as gymnax had before its version 1."""

    default_params = Parameters()

    def reset(self, key: Array, params: Parameters) -> tuple[Array, State]:
        theta, omega = _pendulum.start(*jax.random.uniform(key, (2,)))
        return observe(theta, omega), State(theta, omega, jnp.int32(0))

    def step(
        self, key: Array, state: State, action: Array, params: Parameters
    ) -> tuple[Array, State, Array, Array, dict[str, Any]]:
        theta, omega, reward = pendulum_step(state.theta, state.omega, action)
        length = state.length + 1
        done = length == _setting.HORIZON
        observation, fresh = self.reset(key, params)
        observation = jnp.where(done, observation, observe(theta, omega))
        state = jax.tree.map(lambda new, old: jnp.where(done, new, old), fresh, State(theta, omega, length))
        return observation, state, reward, done, {}

    def observation_space(self, params: Parameters) -> spaces.Box:
        return spaces.Box(-np.inf, np.inf, (_setting.OBSERVATION_SIZE,), jnp.float32)

    def action_space(self, params: Parameters) -> spaces.Discrete:
        return spaces.Discrete(_setting.N_ACTIONS)


class ManySeeds:
    """As many runs as there are seeds, which go on from call to call, each call compiled as one.

    Args:
        architecture: of every Q-network.
        seeds: how many.
        steps: training steps of each seed in a call of `run`.

    Attributes:
        compiling: s, what the compilation took.
    """

    description = (
        "rejax DQN with vmap over seeds, all cores: Double, Adam, each element clipped, but half the squared error "
        "in place of Huber's; after the last step of an episode, s' is the next one's start"
    )
    version = importlib.metadata.version("rejax")

    def __init__(self, architecture: Architecture, seeds: int, steps: int) -> None:
        agent = EpsilonGreedyPolicy(DiscreteQNetwork)(
            hidden_layer_sizes=architecture.widths,
            action_dim=_setting.N_ACTIONS,
            activation=ACTIVATIONS[architecture.activation],
        )
        dqn = DQN.create(
            env=Pendulum(),
            learning_rate=_setting.ADAM_LEARNING_RATE,
            gamma=_setting.GAMMA,
            max_grad_norm=_setting.CLIP,  # it bounds each element, whatever its name
            eps_start=_setting.EPSILON,
            eps_end=_setting.EPSILON,
            buffer_size=_setting.CAPACITY,
            fill_buffer=0,
            batch_size=_setting.BATCH,
            target_update_freq=_setting.TARGET_EVERY,
            polyak=0.0,
            total_timesteps=steps,
            eval_freq=steps,
            skip_initial_evaluation=True,
        )
        dqn = dqn.replace(agent=agent, eval_callback=lambda algorithm, state, key: ())

        def go_on(state: Any) -> Any:
            return dqn.train(train_state=state)[0]

        states = jax.vmap(dqn.init_state)(jax.random.split(jax.random.key(0), seeds))
        self._states = jax.tree.map(jnp.copy, states)  # both networks are one at first, which cannot be donated twice
        start = time.perf_counter()
        self._train = jax.jit(jax.vmap(go_on), donate_argnums=0).lower(self._states).compile()
        self.compiling = time.perf_counter() - start

    @property
    def steps(self) -> int:
        """Of every seed so far."""
        return int(self._states.global_step[0])

    def run(self, calls: int) -> None:
        for _ in range(calls):
            self._states = self._train(self._states)
        jax.block_until_ready(self._states)
