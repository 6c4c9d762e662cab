"""Numba: the whole loop compiled, products by SciPy's OpenBLAS."""

from nasdqn_fast.benchmarking.peers import _setting


def version() -> str | None:
    return _setting.version("numba", "scipy")


def __getattr__(name: str) -> type[_setting.PeerTraining]:
    return _setting.training(__name__, name, "_numba_loop")
