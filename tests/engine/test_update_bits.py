"""An update of the loop takes short cuts: the step of SGD within the pass that makes the gradient, a batch gathered
by a transposition, the best actions by vectors. It is, bit for bit, what its parts are when called from Python."""

import numpy as np
import pytest

from nasdqn_fast.engine.agent import DQNAgent
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.engine.optimizer import Optimizer
from nasdqn_fast.envs.kernel import EnvKernel

GAMMA, DELTA, TRANSITIONS = 0.97, 0.7, 300


def reset(params, uniforms, state, obs):
    """Never called."""


def step(params, uniforms, state, action, obs, reward):
    return 0


def environment(observation_size, n_actions):
    """It is not played; it only says how many numbers an observation has."""
    return EnvKernel(
        reset,
        step,
        {},
        state_size=1,
        observation_size=observation_size,
        n_actions=n_actions,
        observation_low=(-np.inf,) * observation_size,
        observation_high=(np.inf,) * observation_size,
        max_episode_steps=10,
    )


def random_agent(architecture, observation_size, n_actions, **settings):
    """Its memory, its target and its biases are random; some transitions end an episode."""
    rng = np.random.default_rng(5)
    agent = DQNAgent(
        environment(observation_size, n_actions),
        QNetwork(architecture, observation_size, n_actions, rng),
        gamma=GAMMA,
        huber_delta=DELTA,
        replay_capacity=TRANSITIONS,
        target_every=10**6,
        **settings,
    )
    agent.target.parameters = rng.normal(scale=0.3, size=agent.target.parameters.shape).astype(np.float32)
    observations, next_observations = rng.normal(size=(2, TRANSITIONS, observation_size)).astype(np.float32)
    actions, rewards = rng.integers(n_actions, size=TRANSITIONS), rng.normal(size=TRANSITIONS).astype(np.float32)
    terminated = rng.random(TRANSITIONS) < 0.2
    ends = terminated, np.zeros(TRANSITIONS, bool)
    agent.replay.add_batch(observations, actions, rewards, next_observations, *ends, follows=2)
    return agent


def update_from_python(network, target, batch, optimizer, loss, double, discounts):
    """The oracle: Double DQN (van Hasselt, Guez & Silver 2016) in float32, in the order in which the loop rounds."""
    best = (network if double else target).forward(batch.next_observations).argmax(axis=1)
    following = target.forward(batch.next_observations)[np.arange(len(best)), best]
    targets = np.where(batch.terminated, batch.rewards, batch.rewards + discounts * following)
    mean_loss, gradient = network.loss_and_gradient(batch.observations, batch.actions, targets, DELTA, loss)
    network.apply_gradient(gradient, optimizer)
    return mean_loss


@pytest.mark.parametrize(
    ("kind", "loss", "double", "clip_by"),
    [
        ("sgd", "huber", True, "element"),
        ("adam", "huber", True, "element"),
        ("sgd", "mse", True, "none"),
        ("sgd", "huber", False, "norm"),
        ("adam", "huber", True, "norm"),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 7, 64, 65, 200])
@pytest.mark.parametrize(
    ("architecture", "observation_size", "n_actions"),
    [
        ("2x32-relu", 3, 3),
        ("17,100-tanh", 1, 1),
        ("1,40,9-leaky_relu", 7, 20),
        ("24-relu", 30, 8),
        ("181,199-relu", 3, 3),  # beyond the second-level cache: is_far in dense.c
    ],
)
def test_an_update_is_what_its_parts_are(
    cpu_target, architecture, observation_size, n_actions, batch_size, kind, loss, double, clip_by
):
    rate, clip = 0.1, 0.01  # that clips some numbers, and not others
    settings = {"batch_size": batch_size, "optimizer": kind, "learning_rate": rate, "gradient_clip": clip}
    settings |= {"gradient_clip_by": clip_by, "loss": loss, "double": double}
    agent = random_agent(architecture, observation_size, n_actions, **settings)
    network, optimizer = agent.network.copy(), Optimizer(kind, learning_rate=rate, clip=clip, clip_by=clip_by)
    for _ in range(3):
        places = agent.replay.get_state()["rng"]
        batch = agent.replay.sample(batch_size)
        agent.replay.rng.bit_generator.state = places  # the loop draws the same ones
        discount = np.float32(GAMMA)
        expected = update_from_python(network, agent.target, batch, optimizer, loss, double, discount)
        assert agent.learn() == expected
        assert agent.network.parameters.tobytes() == network.parameters.tobytes()
    assert agent.optimizer.steps == optimizer.steps


@pytest.mark.parametrize("double", [True, False])
@pytest.mark.parametrize("n_step", [2, 5])
@pytest.mark.parametrize("batch_size", [1, 64, 200])
def test_an_update_of_n_step_returns_is_what_its_parts_are(cpu_target, batch_size, n_step, double):
    """The returns are those that the memory gives from Python, which are tested by themselves."""
    rate, clip = 0.1, 0.01
    settings = {"batch_size": batch_size, "learning_rate": rate, "gradient_clip": clip, "double": double}
    agent = random_agent("17,100-tanh", 7, 5, n_step=n_step, **settings)
    network, optimizer = agent.network.copy(), Optimizer("sgd", learning_rate=rate, clip=clip)
    for _ in range(3):
        places = agent.replay.get_state()["rng"]
        batch, discounts = agent.replay.sample_n_step(batch_size, n_step, GAMMA)
        agent.replay.rng.bit_generator.state = places
        assert agent.learn() == update_from_python(network, agent.target, batch, optimizer, "huber", double, discounts)
        assert agent.network.parameters.tobytes() == network.parameters.tobytes()
