"""Networks as ONNX models: ONNX's checker and evaluator and ONNX Runtime get the Q-values and actions of ours."""

import numpy as np
import pytest

onnx = pytest.importorskip("onnx", reason="onnx is not installed")

from nasdqn_fast.engine import backends  # noqa: E402
from nasdqn_fast.interop.onnx import OPSET, check, save, to_model  # noqa: E402

STATE = {"count": 12.5, "mean": np.array([0.1, -2, 0, 1e-40]), "variance": np.array([4, 0.01, 0, 1.0])}


def made(architecture="17,8-relu", *, backend="native", normalizing=False):
    network = backends.find(backend).QNetwork(architecture, 4, 3, rng=1)
    for biases in network.biases:
        biases[:] = np.linspace(-1, 1, len(biases))
    network.set_normalizer_state(STATE if normalizing else None)
    return network


def run_by_evaluator(path, observations):
    with np.errstate(over="ignore"):  # it is NumPy
        return onnx.reference.ReferenceEvaluator(str(path)).run(None, {"observations": observations})


def run_by_runtime(path, observations):
    runtime = pytest.importorskip("onnxruntime", reason="onnxruntime is not installed")
    return runtime.InferenceSession(str(path)).run(None, {"observations": observations})


@pytest.mark.parametrize("run", [run_by_evaluator, run_by_runtime])
@pytest.mark.parametrize("normalizing", [False, True])
@pytest.mark.parametrize("architecture", ["1x1-relu", "17,8-leaky_relu", "4x128-tanh"])
def test_a_model_gives_the_same_q_values_and_actions(run, architecture, normalizing, tmp_path):
    network = made(architecture, normalizing=normalizing)
    save(network, tmp_path / "network.onnx")
    for n in (1, 64, 0):  # any batch
        observations = np.random.default_rng(n).normal(0, 3, (n, 4)).astype(np.float32)
        q_values, actions = run(tmp_path / "network.onnx", observations)
        assert (q_values.dtype, q_values.shape, actions.dtype) == (np.float32, (n, 3), np.int64)
        np.testing.assert_allclose(q_values, network.forward(observations), rtol=1e-5, atol=1e-5)
        np.testing.assert_array_equal(actions, network.predict(observations))


@pytest.mark.parametrize("run", [run_by_evaluator, run_by_runtime])
def test_observations_beyond_the_normalizers_limits_and_equal_q_values(run, tmp_path):
    network = made(normalizing=True)
    for weights in network.weights[2:]:
        weights[:] = 0
    network.biases[2][:] = 1
    save(network, tmp_path / "network.onnx")
    q_values, actions = run(tmp_path / "network.onnx", np.full((2, 4), 3e38, np.float32))
    assert q_values.tolist() == [[1, 1, 1]] * 2
    assert actions.tolist() == [0, 0], "the lowest of equals"


def test_the_file_says_what_it_takes_and_gives(tmp_path):
    save(made(), tmp_path / "network.onnx")
    model = onnx.load(tmp_path / "network.onnx")
    assert [(entry.domain, entry.version) for entry in model.opset_import] == [("", OPSET)]
    (given,) = model.graph.input
    assert (given.name, given.type.tensor_type.elem_type) == ("observations", onnx.TensorProto.FLOAT)
    assert [dim.dim_param or dim.dim_value for dim in given.type.tensor_type.shape.dim] == ["batch", 4]
    assert [out.name for out in model.graph.output] == ["q_values", "action"]
    assert {"layers.0.weight", "layers.2.bias"} <= {tensor.name for tensor in model.graph.initializer}


def test_equal_networks_of_either_backend_give_equal_files(tmp_path):
    for backend in backends.NAMES:
        save(made(backend=backend, normalizing=True), tmp_path / backend)
    first, *others = ((tmp_path / backend).read_bytes() for backend in backends.NAMES)
    assert all(other == first for other in others)


def test_a_model_of_another_network_is_found_out():
    network, other = made(), made("17,8-tanh")
    other.parameters = network.parameters
    with pytest.raises(RuntimeError, match="the ONNX model's Q-values differ from the network's by"):
        check(to_model(other), network)


def test_a_network_that_has_diverged_is_not_written(tmp_path):
    network = made()
    network.biases[2][:] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        save(network, tmp_path / "network.onnx")
    assert not list(tmp_path.iterdir())
