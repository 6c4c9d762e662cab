"""Supernets: one path is the plain agent, several train slices of one vector, and both backends agree."""

import copy
import pickle
from dataclasses import replace

import numpy as np
import pytest

from nasdqn_fast import reference
from nasdqn_fast._core.network import NetworkCore
from nasdqn_fast._core.supernet import SupernetCore
from nasdqn_fast.engine import backends
from nasdqn_fast.engine.supernet_plan import SupernetPlan
from nasdqn_fast.errors import NonFiniteError
from nasdqn_fast.space import Architecture, SearchSpace

SMALL = {"warm_up": 50, "batch_size": 32, "target_every": 40, "policy_epsilon_decay": 0.8}
SPACE = ("2x16-relu", "1x4-tanh", "2x8-relu", "1x16-leaky_relu", "3x8-tanh", "9,5-relu")
BACKENDS = pytest.mark.parametrize("backend", backends.NAMES)
VARIANTS = {
    "sandwich with distillation": {},
    "uniform": {"sampling": "uniform"},
    "uniform single path": {"sampling": "uniform", "paths": 1, "distill": False},
    "sandwich without distillation": {"distill": False},
    "every path, some twice": {"paths": 6, "loss": "mse"},
    "adam, falling rate": {"optimizer": "adam", "learning_rate_schedule": "linear", "steps": 5_000},
    "prioritized draws": {"replay_sampling": "prioritized", "sampling": "uniform"},
    "not double, by norm": {"double": False, "gradient_clip_by": "norm"},
    "lanes, copies by steps": {"num_envs": 3, "target_unit": "steps", "updates_per_train": 2},
    "n steps": {"n_step": 3, "distill": False},
    "normalized": {"normalize_observations": True},
    "two panels a batch": {"batch_size": 70, "target_tau": 0.3},
}


def supernet(backend="native", space=SPACE, env="cartpole", **settings):
    settings = SMALL | settings
    plan = {name: settings.pop(name) for name in ("paths", "sampling", "distill") if name in settings}
    return backends.find(backend).DQNSupernet(env, SupernetPlan(space, **plan), rng=settings.pop("rng", 1), **settings)


def losses(agent, episodes):
    played = agent.run_episodes(episodes)
    return np.array([played.returns, played.losses, played.epsilons])


@pytest.mark.parametrize(
    "variant",
    [
        {},
        {"optimizer": "adam"},
        {"batch_size": 70},
        {"replay_sampling": "prioritized"},
        {"normalize_observations": True, "target_tau": 0.5},
        {"gradient_clip_by": "norm", "double": False},
    ],
)
@BACKENDS
def test_with_one_architecture_it_is_the_plain_agent(backend, variant):
    """Oracle: the agent, to the bit, in what it plays, learns, draws and saves."""
    settings = SMALL | variant
    agent = backends.find(backend).DQNAgent("cartpole", "2x16-relu", rng=1, **settings)
    one = supernet(backend, ["2x16-relu"], **settings)
    np.testing.assert_array_equal(losses(one, 15), losses(agent, 15))
    assert one.updates > 50
    assert one.learn() == agent.learn()
    state = one.get_state()
    np.testing.assert_array_equal(state.pop("supernet")["shared"], agent.network.parameters)
    np.testing.assert_equal(state, agent.get_state())


@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_backends_draw_and_learn_alike(variant):
    """Oracle: the twin, as long as rounding has not parted the two."""
    native, twin = (supernet(backend, **variant) for backend in backends.NAMES)
    np.testing.assert_allclose(losses(native, 10), losses(twin, 10), rtol=1e-3)
    assert native.streams.get_state() == twin.streams.get_state()
    twin.set_state(native.get_state())
    assert twin.learn() == pytest.approx(native.learn(), rel=1e-5)
    np.testing.assert_allclose(native.shared.parameters, twin.shared.parameters, atol=1e-5)
    for one in SPACE:
        np.testing.assert_allclose(native.path(one).parameters, twin.path(one).parameters, atol=1e-5)


def test_paths_are_leading_blocks_with_the_variance_of_their_own_fan_in():
    agent = supernet(space=["1x4-relu", "2x16-relu", "2x8-relu"])
    shared, head = agent.shared, 2 * agent.plan.head(Architecture.parse("2x8-relu"))
    assert str(shared.architecture) == "2x16-relu"
    assert shared.n_actions == 2 * 2
    first, second, last = agent.path("2x8-relu").weights
    np.testing.assert_array_equal(first, shared.weights[0][:, :8])
    np.testing.assert_allclose(second, np.sqrt(2) * shared.weights[1][:8, :8], rtol=1e-6)
    np.testing.assert_allclose(last, np.sqrt(2) * shared.weights[2][:8, head : head + 2], rtol=1e-6)
    np.testing.assert_array_equal(agent.path("1x4-relu").weights[1], 2 * shared.weights[2][:4, :2])
    np.testing.assert_array_equal(agent.path("2x16-relu").parameters, agent.network.parameters)


@pytest.mark.parametrize("loss", ["huber", "mse"])
@pytest.mark.parametrize("distill", [True, False])
def test_the_gradient_is_that_of_the_paths_losses(loss, distill):
    """Oracle: central differences, in float64, of the sum of the losses by the shared weights."""
    # One plain step of SGD at rate 1, nothing clipped: the weights move by the gradient.
    plain = {"optimizer": "sgd", "learning_rate": 1.0, "gradient_clip_by": "none", "warm_up": 10_000}
    space = ["2x6-tanh", "1x3-tanh", "1x5-tanh"]
    settings = {"batch_size": 8, "loss": loss, "replay_capacity": 300} | plain
    plan = SupernetPlan(space, paths=3, distill=distill)
    agent = reference.DQNSupernet("cartpole", plan, rng=2, dtype=np.float64, **settings)
    agent.run_episodes(3)
    before, rng = agent.shared.parameters.copy(), copy.deepcopy(agent.replay.rng)
    fixed = copy.deepcopy(agent)
    batch, discounts, _ = copy.deepcopy(agent)._minibatch()
    y, teacher = fixed._targets(batch, discounts), fixed.network.forward(batch.observations)
    drawn = copy.deepcopy(agent)
    drawn.replay.sample(8)
    numbers = drawn._drawn_paths()

    def total(parameters):
        fixed.shared.parameters = parameters
        sum_ = 0.0
        for k in numbers:
            q = fixed.path(plan.space[k]).forward(batch.observations)
            error = q - teacher if k != plan.largest and distill else q[np.arange(8), batch.actions] - y
            size = abs(error)
            sum_ += np.mean(error**2 if loss == "mse" else np.where(size <= 1, error**2 / 2, size - 0.5))
        return sum_

    agent.learn()
    moved, step = before - agent.shared.parameters, 1e-6
    for i in np.random.default_rng(0).choice(len(before), 40, replace=False):
        nudge = np.zeros_like(before)
        nudge[i] = step
        assert moved[i] == pytest.approx((total(before + nudge) - total(before - nudge)) / (2 * step), abs=1e-6)
    assert abs(moved).max() > 1e-3
    assert rng.bit_generator.state != agent.replay.rng.bit_generator.state


@BACKENDS
def test_what_a_path_does_not_contain_stays(backend):
    """A single path is drawn, by odds of one; Oracle: what lies outside its block has not moved."""
    agent = supernet(backend, ["2x16-relu", "1x4-relu"], paths=1, sampling="uniform", distill=False, warm_up=0)
    agent.odds = np.array([0.0, 1.0])
    before = [array.copy() for array in agent.shared.weights]
    agent.run_episodes(2)
    for layer, (old, new, rows, columns) in enumerate(
        zip(before, agent.shared.weights, (4, 0, 4), (4, 0, 2), strict=True)
    ):
        changed = old != new
        assert changed[:rows, :columns].any() == (layer != 1)
        changed[:rows, :columns] = False
        assert not changed.any()


@BACKENDS
def test_the_largest_acts_and_its_copy_is_the_target(backend):
    agent = supernet(backend)
    agent.run_episodes(8)
    assert str(agent.network.architecture) == "2x16-relu"
    while agent.updates % SMALL["target_every"]:
        agent.learn()
    np.testing.assert_array_equal(agent.target.parameters, agent.path("2x16-relu").parameters)


@pytest.mark.quick_only(backend="native")
@pytest.mark.quick_only(variant="sandwich with distillation")
@pytest.mark.parametrize("variant", ["sandwich with distillation", "lanes, copies by steps", "prioritized draws"])
@BACKENDS
def test_it_continues_from_its_state(backend, variant, tmp_path):
    settings = VARIANTS[variant] | {"optimizer": "adam"}
    whole = supernet(backend, **settings)
    whole.odds = np.arange(1.0, 1 + len(SPACE))
    losses(whole, 6)
    restored = supernet(backend, rng=9, **settings)
    restored.set_state(whole.get_state())
    whole.save(tmp_path / "agent")
    others = [restored, pickle.loads(pickle.dumps(whole)), copy.copy(whole), type(whole).load(tmp_path / "agent")]
    expected = losses(whole, 5)
    for other in others:
        np.testing.assert_array_equal(losses(other, 5), expected)
        np.testing.assert_equal(other.get_state(), whole.get_state())


@BACKENDS
def test_another_learning_rate_or_optimizer_trains_the_shared_layers_on(backend):
    """Oracle: a supernet made with the new settings, and given the state of the one that is switched."""
    for new in ({"learning_rate": 1e-4}, {"optimizer": "sgd", "learning_rate": 0.01}):
        switched = supernet(backend, optimizer="adam", learning_rate=1e-2)
        losses(switched, 4)
        settings = replace(switched.settings, **new)
        switched.switch_optimizer(settings)
        made = supernet(backend, **new if "optimizer" in new else {"optimizer": "adam"} | new)
        made.set_state(switched.get_state())
        assert made.settings == switched.settings == settings
        np.testing.assert_array_equal(losses(switched, 4), losses(made, 4))
        np.testing.assert_array_equal(switched.shared.parameters, made.shared.parameters)
        again = supernet(backend, optimizer="adam", learning_rate=1e-2)
        again.switch_network(again.network, None, settings)
        assert again.settings == settings


@pytest.mark.quick_only(backend="native")
@BACKENDS
def test_another_network_may_act_while_the_paths_learn(backend):
    """Oracle: a stand-in equal to the largest path, which never learns, plays what that path plays."""
    frozen = {"warm_up": 10_000}  # nothing learns
    plain, replaced = supernet(backend, **frozen), supernet(backend, **frozen)
    replaced.act_with(replaced.path("2x16-relu"))
    np.testing.assert_array_equal(losses(replaced, 3), losses(plain, 3))
    acting = supernet(backend)
    acting.act_with(acting.path("1x4-tanh"))
    before = acting.shared.parameters
    losses(acting, 5)
    assert str(acting.stand_in.architecture) == "1x4-tanh"
    assert (acting.shared.parameters != before).any()
    restored = supernet(backend, rng=9)
    restored.set_state(acting.get_state())
    np.testing.assert_array_equal(losses(acting, 3), losses(restored, 3))
    assert acting.updates == restored.updates > 0


@BACKENDS
def test_a_path_is_a_network_of_its_own(backend):
    agent = supernet(backend)
    one = agent.path("1x4-tanh")
    one.weights[0][...] = 9
    assert (agent.shared.weights[0] != 9).all()
    with pytest.raises(ValueError, match="5x4-relu is not in the supernet; its largest is 2x16-relu"):
        agent.path("5x4-relu")


@BACKENDS
def test_what_cannot_be_is_refused(backend):
    with pytest.raises(ValueError, match="paths must be at least 3 with sampling sandwich"):
        supernet(backend, paths=2)
    agent = supernet(backend)
    with pytest.raises(ValueError, match="network must be 2x16-relu, the supernet's largest path; got 1x4-tanh"):
        agent.switch_network(agent.path("1x4-tanh"))
    with pytest.raises(ValueError, match="network must be a single one, not a sum"):
        agent.switch_network(agent.network.plus([(agent.path("1x4-tanh"), 1)]))
    with pytest.raises(ValueError, match="one optimizer trains all paths of a supernet"):
        supernet(backend, SearchSpace(["2x8-relu", "2x16-relu"]).trained(("adam", "sgd"), ()))
    with pytest.raises(ValueError, match="odds must be numbers >= 0"):
        agent.odds = -np.ones(len(SPACE))
    with pytest.raises(ValueError, match="the state is of the supernet"):
        agent.set_state(supernet(backend, paths=3).get_state())
    state = agent.get_state()
    state["supernet"]["shared"] = state["supernet"]["shared"][:-1]
    with pytest.raises(ValueError, match="parameters"):
        agent.set_state(state)


@BACKENDS
def test_a_loss_that_is_not_finite_changes_nothing(backend):
    agent = supernet(backend, paths=6, warm_up=10_000)
    agent.run_episodes(2)
    agent.shared.weights[-1][...] = np.inf
    before, updates = agent.shared.weights[0].copy(), agent.updates
    with pytest.raises(NonFiniteError, match="loss"):
        agent.learn()
    np.testing.assert_array_equal(agent.shared.weights[0], before)
    assert agent.updates == updates


def test_a_supernet_of_unequal_layers_has_room_for_every_head():
    plan = SupernetPlan(SearchSpace(["1x64-relu", "3x16-tanh", "8,32-relu"]))
    assert str(plan.whole) == "64,32,64-tanh"
    assert [plan.head(one) for one in plan.space] == [0, 2, 1]
    assert SupernetPlan(**plan.get_state()).get_state() == plan.get_state()


def test_the_largest_and_the_smallest_path_differ():
    plan = SupernetPlan(["1x4-relu", "1x4-tanh"])
    assert (plan.largest, plan.smallest, plan.drawn) == (0, 1, 2)
    paper = SupernetPlan(SearchSpace.paper())
    assert [str(paper.space[k]) for k in (paper.largest, paper.smallest)] == ["4x128-relu", "2x32-relu"]


def test_the_core_takes_only_paths_that_it_contains():
    shared, largest = NetworkCore((4, 8, 8, 4), "relu"), NetworkCore((4, 8, 8, 2), "relu")
    for sizes, head in [((4, 9, 2), 0), ((4, 8, 8, 8, 2), 0), ((3, 8, 2), 0), ((4, 8, 2), 2)]:
        with pytest.raises(ValueError, match="is not contained in layers of sizes"):
            SupernetCore(shared, [largest, NetworkCore(sizes, "relu")], [1, head], 0, 1, 2, True, True)
    core = SupernetCore(shared, [largest], [1], 0, 0, 1, True, True)
    with pytest.raises(ValueError, match="path must be from 0 to 0; got 1"):
        core.read(1)
