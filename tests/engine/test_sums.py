"""A network to whose Q-values those of frozen ones are added: plasticity injection (Nikishin et al. 2023)."""

import copy
import pickle

import numpy as np
import pytest

from nasdqn_fast import envs
from nasdqn_fast.engine import agent as agent_module
from nasdqn_fast.engine import backends
from nasdqn_fast.errors import InputError
from nasdqn_fast.reference.network import QNetwork as Twin

ADDED = [("9,17-tanh", -1), ("2x32-relu", 1), ("1x5-leaky_relu", 1)]
STATES = np.random.default_rng(0).normal(size=(150, 3)).astype(np.float32)


def parts(engine, architecture="3x16-relu", sizes=(3, 3), **options):
    """A network, and those that are added, with their signs."""
    make = [engine.QNetwork(text, *sizes, i, **options) for i, (text, _) in enumerate(ADDED, start=1)]
    network = engine.QNetwork(architecture, *sizes, 0, **options)
    return network, [(one, sign) for one, (_, sign) in zip(make, ADDED, strict=True)]


def sum_of(engine, *args, **options):
    network, added = parts(engine, *args, **options)
    return network.plus(added)


def normalizer(network):
    """Statistics that no network starts with."""
    statistics = network.normalizer_type(3)
    statistics.update((STATES * [1, 3, 5] + [0, 1, 2]).astype(np.float32))
    return statistics


@pytest.mark.parametrize("normalizes", [False, True])
@pytest.mark.parametrize("n", [1, 64, 150])
def test_q_is_the_sum_of_the_networks_q(engine, n, normalizes):
    """Oracle: the networks one by one; one observation at a time, a panel, and parts of one."""
    network, added = parts(engine)
    total = network.plus(added)
    if normalizes:
        for one in (total, network, *(one for one, _ in added)):
            one.normalizer = normalizer(one)
    expected = network.forward(STATES[:n]) + sum(sign * one.forward(STATES[:n]) for one, sign in added)
    np.testing.assert_allclose(total.forward(STATES[:n]), expected, atol=1e-5)
    assert not np.allclose(expected, network.forward(STATES[:n]), atol=0.1)


@pytest.mark.parametrize("architecture", ["2x8-relu", "2x64-relu", "4x32-relu", "1x3-tanh", "64,17,3-leaky_relu"])
def test_an_injected_network_has_the_old_q_to_the_bit(engine, architecture):
    """Whatever the two architectures: the new network less its copy is nothing, and the old one is left."""
    old, new = engine.QNetwork("2x32-relu", 3, 3, 1), engine.QNetwork(architecture, 3, 3, 2)
    injected = new.plus([(new, -1), (old, 1)])
    np.testing.assert_array_equal(injected.forward(STATES), old.forward(STATES))
    assert injected.architecture == new.architecture
    again = engine.QNetwork("1x9-tanh", 3, 3, 3)  # on top of the sum
    np.testing.assert_array_equal(again.plus([(again, -1), (injected, 1)]).forward(STATES), injected.forward(STATES))


def test_the_gradient_is_that_of_the_learning_part_alone():
    """Oracle: central differences of the loss in float64."""
    total = sum_of(backends.find("numpy"), "5,4-tanh", dtype=np.float64)
    rng = np.random.default_rng(1)
    batch = STATES[:40].astype(np.float64), rng.integers(3, size=40), rng.normal(size=40) * 3
    loss, gradient = total.loss_and_gradient(*batch)
    start, h = total.parameters, 1e-6
    assert len(gradient.parameters) == len(start)
    for i in range(len(start)):
        losses = []
        for sign in (1, -1):
            moved = start.copy()
            moved[i] += sign * h
            total.parameters = moved
            losses.append(total.loss_and_gradient(*batch)[0])
        assert gradient.parameters[i] == pytest.approx((losses[0] - losses[1]) / (2 * h), abs=1e-8)
    total.parameters = start
    assert loss != pytest.approx(total.alone().loss_and_gradient(*batch)[0], rel=0.01)


@pytest.mark.usefixtures("cpu_target")
@pytest.mark.parametrize("loss", ["huber", "mse"])
def test_the_kernels_compute_the_twins_loss_and_gradient(loss):
    native, twin = (sum_of(backends.find(backend)) for backend in backends.NAMES)
    rng = np.random.default_rng(1)
    batch = STATES, rng.integers(3, size=150), rng.normal(size=150).astype(np.float32)
    (ours, our_gradient), (theirs, their_gradient) = (
        one.loss_and_gradient(*batch, loss=loss) for one in (native, twin)
    )
    assert ours == pytest.approx(theirs, rel=1e-6)
    np.testing.assert_allclose(our_gradient.parameters, their_gradient.parameters, atol=1e-5)


def test_both_backends_fit_a_sum(engine):
    """Oracle: the same steps by a network without a base, towards what the base leaves to it."""
    network, added = parts(engine)
    q = np.random.default_rng(1).normal(size=(150, 3)).astype(np.float32)
    rest = q - sum(sign * one.forward(STATES) for one, sign in added)
    rows = np.random.default_rng(2).integers(150, size=(30, 70))
    total = network.plus(added)
    for one, wanted in ((total, q), (network, rest.astype(np.float32))):
        one.fit(STATES, wanted, rows, one.optimizer_type("adam", 1e-3))
    np.testing.assert_allclose(total.parameters, network.parameters, atol=1e-4)


def test_what_is_added_is_copied(engine):
    network, added = parts(engine)
    total = network.plus(added)
    before = total.forward(STATES)
    network.weights[0][...] = 7
    for one, _ in (*added, *total.base):
        one.weights[0][...] = 7
    np.testing.assert_array_equal(total.forward(STATES), before)


@pytest.mark.parametrize(
    "duplicate", [copy.copy, copy.deepcopy, lambda x: x.copy(), lambda x: pickle.loads(pickle.dumps(x))]
)
def test_a_copy_is_the_same_sum(engine, duplicate):
    total = sum_of(engine)
    total.normalizer = normalizer(total)
    other = duplicate(total)
    np.testing.assert_array_equal(other.forward(STATES), total.forward(STATES))
    assert repr(other) == repr(total)
    assert "3x16-relu - 9,17-tanh + 2x32-relu + 1x5-leaky_relu, 3 -> 3" in repr(total)
    other.weights[0][...] = 7
    assert not np.array_equal(other.forward(STATES), total.forward(STATES))
    assert not total.alone().base
    assert not total.like("2x8-relu").base


@pytest.mark.parametrize("normalizes", [False, True])
@pytest.mark.parametrize("reader", backends.NAMES)
def test_a_sum_is_saved_and_loaded(engine, reader, normalizes, tmp_path):
    total = sum_of(engine)
    total.normalizer = normalizer(total) if normalizes else None
    total.save(tmp_path / "sum.safetensors")
    loaded = backends.find(reader).QNetwork.load(tmp_path / "sum.safetensors")
    np.testing.assert_allclose(loaded.forward(STATES), total.forward(STATES), atol=1e-5)
    assert repr(loaded) == repr(total)
    with pytest.raises(ValueError, match="an npz archive holds no sum of networks; give the file a name that ends in"):
        total.save(tmp_path / "sum.npz")
    assert not (tmp_path / "sum.npz").exists()


def test_a_file_of_a_sum_that_is_not_finite_or_lacks_a_network_is_refused(engine, tmp_path):
    network, added = parts(engine)
    added[0][0].weights[0][0, 0] = np.nan
    with pytest.raises(ValueError, match="weights_0 is not finite"):
        network.plus(added).save(tmp_path / "sum.safetensors")
    network.plus(added[1:]).save(tmp_path / "sum.safetensors")
    content = (tmp_path / "sum.safetensors").read_bytes()
    (tmp_path / "sum.safetensors").write_bytes(content.replace(b"+2x32-relu", b"+3x32-relu"))
    with pytest.raises(InputError, match="damaged or foreign network file"):
        engine.QNetwork.load(tmp_path / "sum.safetensors")


@pytest.mark.parametrize(
    ("base", "message"),
    [
        (lambda net: [(net.like("1x2-relu"), 2)], "the sign of a network in base must be 1 or -1; got 2"),
        (lambda net: [(type(net)("1x2-relu", 3, 4), 1)], "base must map 3 numbers to 3 Q-values, .* got 3 to 4"),
        (lambda net: [("1x2-relu", 1)], "base must be a QNetwork"),
    ],
)
def test_what_cannot_be_added_is_refused(engine, base, message):
    network, _ = parts(engine)
    with pytest.raises((TypeError, ValueError), match=message):
        network.plus(base(network))


CASES = {
    "the paper's agent": {},
    "plain DQN": {"double": False, "horizon_is": "truncated"},
    "lanes, n-step returns, statistics": {"num_envs": 3, "n_step": 3, "normalize_observations": True},
    "prioritized draws, two panels": {"replay_sampling": "prioritized", "batch_size": 100},
    "Adam, Polyak averaging": {"optimizer": "adam", "target_tau": 0.3, "target_every": 5},
}


def agent_of(engine, environment="cartpole", **settings):
    """An agent in the middle of its training, with an injected network."""
    settings = {"warm_up": 100, "replay_capacity": 400, "batch_size": 32, "target_every": 60} | settings
    agent = engine.DQNAgent(envs.make(environment, max_episode_steps=30), "2x8-relu", rng=1, **settings)
    agent.run_episodes(12)
    old, new = agent.network, agent.network.like("9,17-tanh", 5)
    agent.switch_network(new.plus([(new, -1), (old, 1)]))
    return agent


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_the_kernels_learn_and_act_as_the_twin(settings):
    native, twin = (agent_of(backends.find(backend), **settings) for backend in backends.NAMES)
    twin.set_state(native.get_state())
    frozen = [network.parameters for network, _ in native.network.base]
    start = native.network.parameters
    for _ in range(4):
        ours, theirs = native.run_episodes(1), twin.run_episodes(1)
        np.testing.assert_array_equal(ours.returns, theirs.returns)
        np.testing.assert_allclose(ours.losses, theirs.losses, rtol=1e-4)
    np.testing.assert_allclose(native.network.parameters, twin.network.parameters, atol=1e-5)
    np.testing.assert_allclose(native.target.parameters, twin.target.parameters, atol=1e-5)
    assert np.abs(native.network.parameters - start).max() > 1e-4
    for agent in (native, twin):
        for (network, _), before in zip(agent.network.base, frozen, strict=True):
            np.testing.assert_array_equal(network.parameters, before)
    played = [agent.play_episodes(5, rng=3).returns for agent in (native, twin)]
    np.testing.assert_array_equal(*played)


@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_targets_of_a_sum_that_are_kept_are_those_computed_anew(settings, monkeypatch):
    def curve():
        agent = agent_of(backends.find("native"), "inverted-pendulum", **settings)
        return agent.run_episodes(6).losses, agent.network.parameters

    keeping = curve()
    make = agent_module.LearnerCore
    monkeypatch.setattr(agent_module, "LearnerCore", lambda *args: make(*args, caches_targets=False))
    np.testing.assert_equal(curve(), keeping)


@pytest.mark.quick_only(engine="native")
@pytest.mark.quick_only(settings=CASES["plain DQN"])
@pytest.mark.parametrize("settings", CASES.values(), ids=CASES)
def test_an_agent_with_a_sum_continues_to_the_bit(engine, settings, tmp_path, assert_equal_runs):
    """By its state, a file and a pickle, against the run that was left alone."""
    whole = agent_of(engine, **settings)
    whole.run_episodes(2)
    others = [
        agent_of(engine, **settings),
        type(whole).load(_saved(whole, tmp_path)),
        pickle.loads(pickle.dumps(whole)),
    ]
    others[0].set_state(whole.get_state())
    expected = whole.run_episodes(3)
    for other in others:
        np.testing.assert_array_equal(other.run_episodes(3).losses, expected.losses)
        assert_equal_runs(other, whole)
        assert repr(other.network) == repr(other.target) == repr(whole.network)


def _saved(agent, folder):
    agent.save(folder / "agent.npz")
    return folder / "agent.npz"


def test_a_population_keeps_the_sums_of_its_networks(engine):
    networks = [sum_of(engine, "2x8-relu", (4, 2)), engine.QNetwork("1x4-tanh", 4, 2)]
    settings = {"warm_up": 20, "batch_size": 8, "target_every": 20, "replay_capacity": 100}
    first, second = (engine.DQNPopulation("cartpole", copy.deepcopy(networks), rng=1, **settings) for _ in range(2))
    first.run_episodes(1)
    second.set_state(first.get_state())
    assert [repr(m.network) for m in second.members] == [repr(m.network) for m in first.members]
    np.testing.assert_array_equal(first.learn(), second.learn())


def test_a_state_whose_base_does_not_fit_is_refused(engine):
    agent = agent_of(engine)
    state = agent.get_state()
    for changed, message in (
        ({"sign": 0.5}, "sign of a network in base"),
        ({"architecture": "900x900-relu"}, "parameters in base are not those of"),
        ({"parameters": np.full_like(state["base"][0]["parameters"], np.nan)}, "base"),
    ):
        with pytest.raises(ValueError, match=message):
            agent.set_state(state | {"base": [state["base"][0] | changed]})


def test_a_sum_has_no_form_in_other_libraries(engine):
    onnx = pytest.importorskip("nasdqn_fast.interop.onnx")
    with pytest.raises(InputError, match=r"is a sum of 4 networks .* has no form outside this package; take one"):
        onnx.to_model(sum_of(engine))


def test_the_twin_is_float64_where_it_is_asked_to_be():
    total = sum_of(backends.find("numpy"), dtype=np.float64)
    assert isinstance(total, Twin)
    assert total.forward(STATES.astype(np.float64)).dtype == np.float64
