"""The controls `prune-only` and `reset-only`: what is left of a switch when the architecture stays."""

import numpy as np
import pytest

import nasdqn_fast
from nasdqn_fast.controllers.prune_only import PruneOnly
from nasdqn_fast.controllers.reset_only import ResetOnly
from nasdqn_fast.space import Architecture, SearchSpace
from nasdqn_fast.testing.controllers import play

SETTINGS = {
    "env": "cartpole",
    "seed": 3,
    "episodes": 12,
    "max_episode_steps": 20,
    "warm_up": 10,
    "batch_size": 4,
    "controller_options": {"architecture": "1x8-relu"},
}


@pytest.mark.parametrize(("controller", "reason", "fresh"), [(PruneOnly, "prune", False), (ResetOnly, "reset", True)])
def test_every_segment_has_the_architecture_drawn_first(controller, reason, fresh):
    space = SearchSpace.paper()
    drawn = space.sample(np.random.default_rng(5))
    proposals = play(controller(space, np.random.default_rng(5)))
    assert {proposal.architecture for proposal in proposals} == {drawn}
    assert [(p.reason, p.fresh) for p in proposals[:3]] == [("first", False), (reason, fresh), (reason, fresh)]


def test_an_architecture_that_is_given_need_not_be_in_the_space():
    controller = PruneOnly(SearchSpace.paper(), np.random.default_rng(0), PruneOnly.Options("5x7-tanh"))
    assert controller.ask().architecture == Architecture((7,) * 5, "tanh")


def test_prune_only_with_the_whole_memory_kept_is_the_fixed_agent():
    """Nothing but the pruning is done: without it every episode is the fixed agent's."""
    fixed = {key: value for key, value in SETTINGS.items() if key != "controller_options"}
    alone = nasdqn_fast.train("fixed", architecture="1x8-relu", **fixed)
    kept = nasdqn_fast.train("prune-only", switch_every=4, replay_keep=1.0, **SETTINGS)
    np.testing.assert_array_equal(kept.episodes.returns, alone.episodes.returns)
    np.testing.assert_array_equal(kept.network.parameters, alone.network.parameters)
    pruned = nasdqn_fast.train("prune-only", switch_every=4, **SETTINGS)
    np.testing.assert_array_equal(pruned.episodes.returns[:4], alone.episodes.returns[:4])
    assert (pruned.network.parameters != alone.network.parameters).any()


@pytest.mark.parametrize("transfer", ["matching", "net2net"])
def test_reset_only_begins_every_segment_with_weights_of_its_own(transfer):
    """Whatever the transfer: `matching` would copy every layer, as all shapes are equal."""
    result = nasdqn_fast.train("reset-only", switch_every=4, transfer=transfer, **SETTINGS)
    assert [segment.transfer is None for segment in result.segments] == [True, False, False]
    # Biases begin with zero in either network, and may be equal.
    assert all(segment.transfer.kept < 0.2 for segment in result.segments[1:])


def test_reset_only_is_resumed_to_the_bit(tmp_path):
    settings = SETTINGS | {"switch_every": 4, "checkpoint_every": 1}
    straight = nasdqn_fast.train("reset-only", out=tmp_path / "straight", **settings)
    seen = []

    def leave(event):
        seen.append(event)
        return nasdqn_fast.STOP if len(seen) == 8 else None

    nasdqn_fast.train("reset-only", out=tmp_path / "left", progress=leave, **settings)
    resumed = nasdqn_fast.resume(tmp_path / "left")
    np.testing.assert_array_equal(resumed.network.parameters, straight.network.parameters)
    for name in ("episodes.csv", "architectures.jsonl", "network.safetensors"):
        assert (tmp_path / "left" / name).read_bytes() == (tmp_path / "straight" / name).read_bytes()
