"""What every transfer must do, as tests to inherit: give a subclass the transfer's name.

    class TestMine(TransferContract):
        transfer = "mypackage.mine:plugin"
        options = {"tries": 3}

Needs pytest.
"""

from __future__ import annotations

import copy
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

import numpy as np
import pytest

from nasdqn_fast.engine import backends
from nasdqn_fast.engine.agent_settings import AgentSettings
from nasdqn_fast.space import Architecture
from nasdqn_fast.testing.randomness import global_generators
from nasdqn_fast.transfers import base
from nasdqn_fast.types import Episodes

OBSERVATION_SIZE, N_ACTIONS = 3, 2
STATES = base.MEASURED_STATES  # all of them are measured, then

# Old, new: the same, wider, narrower, deeper, shallower, another activation, odd and unequal widths.
PAIRS = [
    ("2x32-relu", "2x32-relu"),
    ("2x32-relu", "2x128-relu"),
    ("2x128-leaky_relu", "2x32-leaky_relu"),
    ("2x64-relu", "4x64-relu"),
    ("4x64-tanh", "2x64-tanh"),
    ("3x64-relu", "3x64-tanh"),
    ("64,17,3-relu", "1x1-leaky_relu"),
    ("1x1-tanh", "5,100,17-relu"),
]

SIGMA: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "relu": lambda z: np.maximum(z, 0),
    "tanh": np.tanh,
    "leaky_relu": lambda z: np.where(z > 0, z, 0.01 * z),
}


class TransferContract:
    """Inherit it in a class whose name begins with ``Test``.

    Attributes:
        transfer: name of a transfer, ``module:attribute``, or the plug-in itself if it is a class.
        options: its options, by name.
        backend: the engine whose networks are used.
        optimizer: the optimizer whose state can be carried over.
    """

    transfer: Any
    options: ClassVar[Mapping[str, Any]] = {}
    backend: str = "native"
    optimizer: str = "adam"

    def switch(self, before: str, after: str, seed: int = 0) -> base.Switch:
        """All that the transfer is given."""
        return make_switch(trained_network(self.backend, before), after, seed, optimizer=self.optimizer)

    def carry(self, switch: base.Switch) -> base.Carried:
        """What the transfer makes of it; a refused switch leaves the old network."""
        carried, _ = base.apply(base.make(self.transfer, self.options), switch)
        return carried

    def network(self, switch: base.Switch) -> Any:
        """The network that is used afterwards."""
        carried = self.carry(switch)
        return carried.network if carried.accepted else switch.old

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_the_new_network_is_the_one_that_was_asked_for(self, before: str, after: str) -> None:
        switch = self.switch(before, after)
        carried = self.carry(switch)
        if carried.accepted:
            new, old = carried.network, switch.old
            assert type(new) is type(old)
            assert new is not old
            assert new.architecture == Architecture.parse(after)
            assert (new.observation_size, new.n_actions) == (old.observation_size, old.n_actions)

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_q_follows_from_the_weights_that_are_seen(self, before: str, after: str) -> None:
        """Oracle: the equation of a forward pass over the public views; padding, if any, has no part in it."""
        new = self.network(self.switch(before, after))
        assert new.parameters.size == new.architecture.parameter_count(OBSERVATION_SIZE, N_ACTIONS)
        x = some_states(5)
        np.testing.assert_allclose(new.forward(x), equation(new, x), rtol=1e-4, atol=1e-4)

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_what_it_is_given_is_left_alone(self, before: str, after: str) -> None:
        switch = self.switch(before, after)
        given = parts(switch)
        carried = self.carry(switch)
        for layer in (*carried.network.weights, *carried.network.biases) if carried.accepted else ():
            layer[...] = 7.0
        np.testing.assert_equal(parts(switch), given)

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_same_generator_same_result(self, before: str, after: str) -> None:
        first, second = (self.carry(self.switch(before, after, seed=5)) for _ in range(2))
        assert (first.accepted, first.steps, first.updates, first.note) == (
            second.accepted,
            second.steps,
            second.updates,
            second.note,
        )
        np.testing.assert_equal(first.optimizer, second.optimizer)
        if first.accepted:
            np.testing.assert_array_equal(first.network.parameters, second.network.parameters)

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_the_optimizer_can_continue_from_the_state_it_carries(self, before: str, after: str) -> None:
        """Oracle: an optimizer of the same settings takes the state, which has one moment a parameter, or none."""
        switch = self.switch(before, after)
        carried = self.carry(switch)
        if carried.accepted and carried.optimizer is not None:
            optimizer = backends.find(self.backend).Optimizer(self.optimizer)
            optimizer.set_state(carried.optimizer)
            for moment in (carried.optimizer["m"], carried.optimizer["v"]):
                assert len(moment) in (0, carried.network.parameters.size)

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_a_sum_is_folded_when_the_transfer_is_called_once_more(self, before: str, after: str) -> None:
        carried = self.carry(self.switch(before, after))
        if carried.accepted and carried.network.base:
            folded = self.carry(make_switch(carried.network, after, optimizer=self.optimizer))
            assert not folded.accepted or not folded.network.base

    def test_nothing_is_drawn_from_global_generators(self) -> None:
        before = global_generators()
        self.carry(self.switch("2x32-relu", "3x64-tanh"))
        assert global_generators() == before

    def test_an_empty_memory_is_taken(self) -> None:
        old = trained_network(self.backend, "2x32-relu")
        empty = backends.find(self.backend).ReplayBuffer(10, OBSERVATION_SIZE)
        switch = make_switch(old, "3x64-tanh", replay=empty, optimizer=self.optimizer)
        _, report = base.apply(base.make(self.transfer, self.options), switch)
        assert (report.q_change_mean, report.q_change_max) == (None, None)

    @pytest.mark.parametrize(("before", "after"), PAIRS)
    def test_the_report_says_how_far_q_moved(self, before: str, after: str) -> None:
        """Oracle: the equation of a forward pass in float64, over every state of a small memory."""
        switch, states = self.switch(before, after), some_states(STATES)
        carried, report = base.apply(base.make(self.transfer, self.options), switch)
        new = carried.network if carried.accepted else switch.old
        change = np.abs(equation(new, states) - equation(switch.old, states))
        assert report.q_change_mean == pytest.approx(change.mean(), rel=1e-3, abs=1e-4)
        assert report.q_change_max == pytest.approx(change.max(), rel=1e-3, abs=1e-4)
        assert 0 <= report.kept <= 1


def make_switch(
    old: Any,
    architecture: str,
    rng: int | np.random.Generator = 0,
    *,
    replay: Any = None,
    target: Any = None,
    optimizer: str = "sgd",
    optimizer_state: Mapping[str, Any] | None = None,
    play: Callable[[Any, int], Episodes] | None = None,
    learn: Callable[[Any, int], Mapping[str, Any]] | None = None,
) -> base.Switch:
    """A switch of a network with 3 observations and 2 actions, as a transfer is given it in a run.

    Args:
        old: the network in use, of either backend.
        architecture: text form of the one wanted.
        rng: the transfer's generator, or its seed.
        replay: None is a memory of `STATES` states.
        target: None is a copy of `old`.
        optimizer: kind of the optimizer.
        optimizer_state: None is that of an optimizer which has stepped, with moments where the kind has some.
        play: None is a game of one step, in which action 1 is worth 1 where the first observation is positive.
        learn: None is `learn_rewards` from the memory.
    """
    twin = "numpy" if type(old) is backends.find("numpy").QNetwork else "native"
    if optimizer_state is None:
        size = old.parameters.size if optimizer == "adam" else 0
        moments = np.random.default_rng(4).random((2, size), np.float32)
        optimizer_state = {"kind": optimizer, "steps": 3, "m": moments[0], "v": moments[1]}
    replay = filled_replay(twin, some_states(STATES)) if replay is None else replay
    settings = AgentSettings(optimizer=optimizer)
    return base.Switch(
        old=old,
        architecture=Architecture.parse(architecture),
        rng=np.random.default_rng(rng),
        replay=replay,
        target=old.copy() if target is None else target,
        optimizer=optimizer_state,
        settings=settings,
        play=play_one_step if play is None else play,
        learn=(lambda network, n: learn_rewards(network, n, replay, settings)) if learn is None else learn,
    )


def learn_rewards(network: Any, n: int, replay: Any, settings: AgentSettings) -> Mapping[str, Any]:
    """n updates of a network, in place, from a memory of episodes of one step; the state of the optimizer."""
    optimizer = network.optimizer_type(**vars(settings.optimizer_settings()))
    batch = replay.transitions()
    for _ in range(n if len(replay) else 0):
        _, gradient = network.loss_and_gradient(batch.observations, batch.actions, batch.rewards)
        network.apply_gradient(gradient, optimizer)
    return dict(optimizer.get_state())


def play_one_step(network: Any, n: int) -> Episodes:
    """Greedy episodes of a game of one step, the same starts in every call."""
    starts = some_states(n)
    right = np.argmax(network.forward(starts), axis=1) == (starts[:, 0] > 0)
    return Episodes(right.astype(np.float64), np.ones(n, np.int64), np.full(n, np.nan), np.zeros(n))


def parts(switch: base.Switch) -> dict[str, Any]:
    """Copies of all that a transfer is to leave as it is."""
    return {
        "old": switch.old.parameters,
        "target": switch.target.parameters,
        "replay": copy.deepcopy(switch.replay.get_state()),  # type: ignore[attr-defined]
        "optimizer": copy.deepcopy(dict(switch.optimizer)),
    }


def trained_network(backend: str, architecture: str) -> Any:
    """A network none of whose parameters has its initial value; the biases, which begin at 0, in particular."""
    network = backends.find(backend).QNetwork(architecture, OBSERVATION_SIZE, N_ACTIONS, rng=1)
    rng = np.random.default_rng(2)
    network.parameters = network.parameters + rng.normal(0.0, 0.1, network.parameters.size).astype(np.float32)
    return network


def some_states(n: int) -> np.ndarray:
    """Observations, float32 (n, 3)."""
    return np.random.default_rng(3).normal(size=(n, OBSERVATION_SIZE)).astype(np.float32)


def filled_replay(backend: str, observations: np.ndarray) -> Any:
    """A replay memory that holds these observations, oldest first."""
    n = len(observations)
    replay = backends.find(backend).ReplayBuffer(n, OBSERVATION_SIZE)
    no = np.zeros(n, dtype=bool)
    replay.add_batch(observations, np.zeros(n, dtype=np.int64), np.zeros(n, dtype=np.float32), observations, no, no)
    return replay


def equation(network: Any, x: np.ndarray) -> np.ndarray:
    """Q(x) in float64 from `network.weights` and `.biases`: section 2.2.1 of Rahmani et al. 2025; and of the base."""
    h = x.astype(np.float64)
    *hidden, head = zip(network.weights, network.biases, strict=True)
    for weights, bias in hidden:
        h = SIGMA[network.architecture.activation](h @ weights.astype(np.float64) + bias)
    weights, bias = head
    q = h @ weights.astype(np.float64) + bias
    return q + sum(sign * equation(frozen, x) for frozen, sign in network.base)
