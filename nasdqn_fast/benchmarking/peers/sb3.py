"""Stable-Baselines3's DQN as it comes."""

from nasdqn_fast.benchmarking.peers import _setting


def version() -> str | None:
    return _setting.version("stable-baselines3", "torch")


def __getattr__(name: str) -> type[_setting.PeerTraining]:
    return _setting.training(__name__, name, "_sb3_loop")
