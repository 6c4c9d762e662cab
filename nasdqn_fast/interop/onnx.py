"""Networks as ONNX models, written with the ``onnx`` package alone (extra ``[onnx]``).

Input: ``observations``, float32 (batch, observation_size), as the environment gives them, or one-hot where it gives
numbers of a Discrete space; a normalizer is part of the graph. Outputs: ``q_values``, float32 (batch, n_actions), and
``action``, int64 (batch,), the greedy one, the lowest of equals.
"""

from __future__ import annotations

import os
from typing import Any

import numpy as np

from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.engine.base_normalizer import LIMIT
from nasdqn_fast.extras import optional
from nasdqn_fast.space import LEAKY_SLOPE
from nasdqn_fast.storage.atomic import replacing
from nasdqn_fast.validation import check_instance

OPSET, IR_VERSION = 17, 8  # of 2022: runtimes read what is older than they are
TOLERANCE = 1e-5  # of a Q-value, relative to the largest of its row where that is above 1
_ACTIVATIONS: dict[str, tuple[str, dict[str, float]]] = {
    "relu": ("Relu", {}),
    "tanh": ("Tanh", {}),
    "leaky_relu": ("LeakyRelu", {"alpha": LEAKY_SLOPE}),
}


def to_model(network: BaseNetwork) -> Any:
    """The network as an ``onnx.ModelProto``; equal networks give equal models.

    Args:
        network: of either backend; float64 is rounded to float32.

    Raises:
        MissingExtra: the ``onnx`` package is not installed.
        InputError: the network is a sum.
    """
    check_instance("network", network, BaseNetwork, "pass a QNetwork")
    network.check_alone()
    onnx: Any = optional("onnx", "onnx")
    make, numpy_helper = onnx.helper, onnx.numpy_helper
    nodes: list[Any] = []
    constants: dict[str, Any] = {}
    flowing = "observations"
    if network.normalizer is not None:
        center, scale = network.normalizer.center_and_scale(np.float32)
        constants |= {"normalizer.center": center, "normalizer.scale": scale}
        constants |= {"normalizer.low": np.float32(-LIMIT), "normalizer.high": np.float32(LIMIT)}
        nodes += [
            make.make_node("Sub", [flowing, "normalizer.center"], ["centered"]),
            make.make_node("Mul", ["centered", "normalizer.scale"], ["scaled"]),
            make.make_node("Clip", ["scaled", "normalizer.low", "normalizer.high"], ["normalized"]),
        ]
        flowing = "normalized"
    operator, attributes = _ACTIVATIONS[network.architecture.activation]
    depth = network.architecture.depth
    for i, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True)):
        parts = [f"layers.{i}.weight", f"layers.{i}.bias"]
        constants |= dict(zip(parts, (weights.T, biases), strict=True))
        out = f"layers.{i}" if i < depth else "q_values"
        nodes.append(make.make_node("Gemm", [flowing, *parts], [out], transB=1))
        flowing = out
        if i < depth:
            flowing = f"{out}.{network.architecture.activation}"
            nodes.append(make.make_node(operator, [out], [flowing], **attributes))
    nodes.append(make.make_node("ArgMax", ["q_values"], ["action"], axis=1, keepdims=0))
    number, index = onnx.TensorProto.FLOAT, onnx.TensorProto.INT64
    graph = make.make_graph(
        nodes,
        "q_network",
        [make.make_tensor_value_info("observations", number, ["batch", network.observation_size])],
        [
            make.make_tensor_value_info("q_values", number, ["batch", network.n_actions]),
            make.make_tensor_value_info("action", index, ["batch"]),
        ],
        [
            numpy_helper.from_array(np.ascontiguousarray(array, np.float32).reshape(np.shape(array)), name)
            for name, array in constants.items()
        ],
    )
    model = make.make_model(
        graph, producer_name="nasdqn-fast", ir_version=IR_VERSION, opset_imports=[make.make_opsetid("", OPSET)]
    )
    make.set_model_props(model, {"architecture": str(network.architecture)})
    return model


def save(network: BaseNetwork, path: str | os.PathLike[str]) -> None:
    """Writes the network as an ONNX file, which replaces one of that name, once `check` has passed.

    Raises:
        MissingExtra: the ``onnx`` package is not installed.
        ValueError: its Q-values are not finite; nothing was written.
        OSError: the folder is missing or not writable.
    """
    model = to_model(network)
    check(model, network)
    with replacing(path, durable=True) as file:
        file.write(model.SerializeToString(deterministic=True))


def check(model: Any, network: BaseNetwork) -> None:
    """Validates a model with ONNX's checker, and its outputs with ONNX's reference evaluator.

    Args:
        model: as `to_model` returns it.
        network: what it must compute, on 32 observations that are drawn once and for all.

    Raises:
        onnx.checker.ValidationError, RuntimeError: it does not.
        ValueError: the network's Q-values are not finite.
    """
    onnx: Any = optional("onnx", "onnx")
    onnx.checker.check_model(model, full_check=True)
    observations = np.random.default_rng(0).normal(size=(32, network.observation_size)).astype(np.float32)
    if network.normalizer is not None:  # where observations are
        mean, variance = network.normalizer.mean, network.normalizer.variance
        observations = (mean + np.sqrt(variance) * observations).astype(np.float32)
    expected = network.q_values(observations)
    if not np.isfinite(expected).all():
        raise ValueError("the network's Q-values are not finite: it has diverged")
    evaluator = optional("onnx.reference", "onnx").ReferenceEvaluator(model)
    q_values, actions = evaluator.run(None, {"observations": observations})
    errors = np.abs(q_values - expected) / np.maximum(1, np.abs(expected).max(axis=1, keepdims=True))
    if errors.max() > TOLERANCE or (actions != q_values.argmax(axis=1)).any():
        raise RuntimeError(f"the ONNX model's Q-values differ from the network's by {errors.max():.2g}")
