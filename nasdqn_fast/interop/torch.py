"""Networks as PyTorch modules, and back (extra ``[torch]``)."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import numpy as np

from nasdqn_fast.engine.base_network import BaseNetwork
from nasdqn_fast.engine.base_normalizer import EPSILON, LIMIT, BaseNormalizer
from nasdqn_fast.engine.network import QNetwork
from nasdqn_fast.errors import InputError
from nasdqn_fast.extras import optional
from nasdqn_fast.space import LEAKY_SLOPE, Architecture
from nasdqn_fast.validation import check_instance

torch = optional("torch", "torch")
nn: Any = torch.nn

ACTIVATIONS = {"relu": nn.ReLU, "tanh": nn.Tanh, "leaky_relu": nn.LeakyReLU}  # whose slope is LEAKY_SLOPE by default
_EXPECTED = (
    "an nn.Sequential of nn.Linear with one kind of nn.ReLU, nn.Tanh or "
    f"nn.LeakyReLU({LEAKY_SLOPE}) between, in float32"
)


class Normalize(nn.Module):  # type: ignore[misc]
    """clip((x - mean) / sqrt(variance + 1e-8), -10, 10), as a network's normalizer; it does not learn.

    Args:
        normalizer: whose statistics become the buffers ``mean``, ``variance`` and ``count``, float64.
    """

    mean: Any
    variance: Any
    count: Any

    def __init__(self, normalizer: BaseNormalizer) -> None:
        super().__init__()
        for name, value in normalizer.get_state().items():
            self.register_buffer(name, torch.tensor(value, dtype=torch.float64))

    def forward(self, x: Any) -> Any:
        """Normalized observations, of the dtype of x."""
        scale = 1 / torch.sqrt(self.variance.double() + EPSILON)
        return ((x - self.mean.to(x.dtype)) * scale.to(x.dtype)).clamp(-LIMIT, LIMIT)


def to_module(network: BaseNetwork) -> Any:
    """The network as a PyTorch module, float32, with parameters of its own.

    Args:
        network: of either backend.

    Returns:
        ``nn.Sequential`` of `Normalize`, if the network has a normalizer, then ``nn.Linear`` and activations in turn.
        Its Q-values differ from the network's by rounding only.

    Raises:
        InputError: the network is a sum.
    """
    check_instance("network", network, BaseNetwork, "pass a QNetwork")
    network.check_alone()
    activation = ACTIVATIONS[network.architecture.activation]
    modules: list[Any] = [] if network.normalizer is None else [Normalize(network.normalizer)]
    for i, (weights, biases) in enumerate(zip(network.weights, network.biases, strict=True)):
        if i:
            modules.append(activation())
        linear = nn.utils.skip_init(nn.Linear, *weights.shape)  # without draws of PyTorch's generator
        with torch.no_grad():
            linear.weight.copy_(torch.from_numpy(np.array(weights.T, np.float32)))
            linear.bias.copy_(torch.from_numpy(np.array(biases, np.float32)))
        modules.append(linear)
    return nn.Sequential(*modules)


def from_module(module: Any) -> QNetwork:
    """The network that computes what a PyTorch module does; parameters are copied.

    Args:
        module: as `to_module` returns it, or any multilayer perceptron of that form, on any device: an
            ``nn.Sequential``, which may hold others, of ``nn.Linear`` with one kind of activation between. A layer
            without a bias gets zeros.

    Raises:
        InputError: no such module; the message says where.
    """
    if not isinstance(module, nn.Sequential):
        raise _refusal(f"got {type(module).__name__}")
    parts = list(_flat(module))
    normalize = parts.pop(0) if parts and isinstance(parts[0], Normalize) else None
    linears, between = parts[::2], parts[1::2]
    if len(linears) < 2 or len(linears) != len(between) + 1:
        raise _refusal(f"got {' '.join(type(part).__name__ for part in parts) or 'nothing'}")
    for part in linears:
        if type(part) is not nn.Linear:
            raise _refusal(f"got {part} where a layer should be")
        if part.weight.dtype != torch.float32:
            raise _refusal(f"got weights of {part.weight.dtype}; pass module.float()")
    kinds = [_activation(part) for part in between]
    if len(set(kinds)) != 1:
        raise _refusal(f"got {' and '.join(sorted(set(kinds)))} in one network")
    for before, after in itertools.pairwise(linears):
        if before.out_features != after.in_features:
            raise _refusal(f"got a layer of {before.out_features} outputs before one of {after.in_features} inputs")
    architecture = Architecture(tuple(linear.out_features for linear in linears[:-1]), kinds[0])
    network = QNetwork(architecture, linears[0].in_features, linears[-1].out_features, None)
    for linear, weights, biases in zip(linears, network.weights, network.biases, strict=True):
        weights[...] = _array(linear.weight).T
        biases[...] = 0 if linear.bias is None else _array(linear.bias)
    if normalize is not None:
        state = {"mean": _array(normalize.mean.double()), "variance": _array(normalize.variance.double())}
        try:
            network.set_normalizer_state(state | {"count": normalize.count.item()})
        except (TypeError, ValueError) as error:
            raise InputError(f"the module's statistics of observations are not valid: {error}") from error
    return network


def _flat(module: Any) -> Iterator[Any]:
    for part in module:
        if isinstance(part, nn.Sequential):
            yield from _flat(part)
        else:
            yield part


def _activation(part: Any) -> str:
    for name, kind in ACTIVATIONS.items():
        if type(part) is kind and getattr(part, "negative_slope", LEAKY_SLOPE) == LEAKY_SLOPE:
            return name
    raise _refusal(f"got {part} where an activation should be")


def _array(tensor: Any) -> np.ndarray:
    array: np.ndarray = tensor.detach().cpu().numpy()
    return array


def _refusal(got: str) -> InputError:
    return InputError(f"module must be {_EXPECTED}; {' '.join(got.split())}")
