"""The training loop: act, step, store, sample, learn."""

import numpy as np

from nasdqn_fast import DQNAgent
from nasdqn_fast._core import cpu
from nasdqn_fast.benchmarking.groups import training_step
from nasdqn_fast.benchmarking.same_result import fingerprint
from nasdqn_fast.benchmarking.setting import OPTIMIZERS
from nasdqn_fast.space import Architecture

from .common import NAMES, measured


class Training:
    params = (NAMES, (10_000, 1_000_000))
    param_names = ("architecture", "replay_capacity")

    def setup(self, architecture: str, replay_capacity: int) -> None:
        self.case = training_step.case(Architecture.parse(architecture), replay_capacity)

    def time_episode(self, architecture: str, replay_capacity: int) -> None:
        self.case.run(1)


class Optimizers:
    params = (NAMES, OPTIMIZERS)
    param_names = ("architecture", "optimizer")

    def setup(self, architecture: str, optimizer: str) -> None:
        self.case = training_step.case(Architecture.parse(architecture), optimizer=optimizer)

    def time_episode(self, architecture: str, optimizer: str) -> None:
        self.case.run(1)


class Prioritized:
    def setup(self) -> None:
        self.case = training_step.case(training_step.PRIORITIZED, replay_sampling="prioritized")

    def time_episode(self) -> None:
        self.case.run(1)


class Memory:
    params = ((NAMES[0], NAMES[2]), (10_000, 1_000_000))  # the smallest and the largest network
    param_names = ("architecture", "replay_capacity")

    def peakmem_episode(self, architecture: str, replay_capacity: int) -> None:
        training_step.case(Architecture.parse(architecture), replay_capacity).run(1)


class Rate:
    params = (NAMES,)
    param_names = ("architecture",)

    def setup(self, architecture: str) -> None:
        self.figure = measured(training_step.case(Architecture.parse(architecture)))

    def track_steps_per_second(self, architecture: str) -> float:
        return self.figure.value

    track_steps_per_second.unit = "steps/s"

    def track_roofline_share(self, architecture: str) -> float | None:
        return self.figure.share

    track_roofline_share.unit = "share of the FMA peak"


class Subnormals:
    """Numbers too small for full speed: on some processors a few of them cost more than all the rest."""

    params = (NAMES, OPTIMIZERS)
    param_names = ("architecture", "optimizer")

    def track_subnormal_share(self, architecture: str, optimizer: str) -> float:
        agent = DQNAgent("inverted-pendulum", architecture, optimizer=optimizer, rng=0)
        agent.run_episodes(30)
        state = agent.optimizer.get_state()
        hidden, activations = agent.replay.sample(64).observations, []
        for weights, bias in zip(agent.network.weights, agent.network.biases, strict=True):
            activations.append(hidden @ weights + bias)
            hidden = np.maximum(activations[-1], 0) if "relu" in architecture else np.tanh(activations[-1])
        numbers = [state["m"], state["v"], agent.network.parameters, *map(np.ravel, activations)]
        return max(subnormal_share(array) for array in numbers)

    track_subnormal_share.unit = "share"


def subnormal_share(array: np.ndarray) -> float:
    """Of all numbers, those that are subnormal in float32."""
    return float(np.mean((array != 0) & (np.abs(array) < np.finfo(np.float32).tiny))) if array.size else 0.0


class SameResult:
    """Another number than before means that arithmetic has changed: so must a golden value, and the changelog."""

    params = (NAMES, ("baseline", "avx2", "avx512"))
    param_names = ("architecture", "cpu_target")

    def track_same_result(self, architecture: str, cpu_target: str) -> float:
        if cpu_target not in cpu.available():
            return float("nan")  # asv's way to say that there is none
        cpu.select(cpu_target)
        return fingerprint(Architecture.parse(architecture))

    track_same_result.unit = "fingerprint"
