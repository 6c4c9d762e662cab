"""JAX, the whole loop compiled, as in PureJaxRL."""

from nasdqn_fast.benchmarking.peers import _setting


def version() -> str | None:
    return _setting.version("jax", "jaxlib")


def __getattr__(name: str) -> type[_setting.PeerTraining]:
    return _setting.training(__name__, name, "_jax_scan_loop")
