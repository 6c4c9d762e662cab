"""PyTorch, eager and lean: autograd for the loss alone, clip and SGD fused over one vector."""

from nasdqn_fast.benchmarking.peers import _setting


def version() -> str | None:
    return _setting.version("torch")


def __getattr__(name: str) -> type[_setting.PeerTraining]:
    return _setting.training(__name__, name, "_torch_eager_loop")
