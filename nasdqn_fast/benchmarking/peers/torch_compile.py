"""PyTorch compiled: update and next action in one graph, called once a step."""

from nasdqn_fast.benchmarking.peers import _setting


def version() -> str | None:
    return _setting.version("torch")


def __getattr__(name: str) -> type[_setting.PeerTraining]:
    return _setting.training(__name__, name, "_torch_compile_loop")
