"""Forward passes, and learning steps: a sample of 64 and a Double-DQN update."""

from nasdqn_fast.benchmarking.groups import forward, learning_step
from nasdqn_fast.space import Architecture

from .common import NAMES, measured


class Forward:
    params = (NAMES, forward.ROWS)
    param_names = ("architecture", "batch")

    def setup(self, architecture: str, batch: int) -> None:
        self.case = forward.case(Architecture.parse(architecture), batch)

    def time_forward(self, architecture: str, batch: int) -> None:
        self.case.run(1)


class Learn:
    params = (NAMES,)
    param_names = ("architecture",)

    def setup(self, architecture: str) -> None:
        self.case = learning_step.case(Architecture.parse(architecture))

    def time_learn(self, architecture: str) -> None:
        self.case.run(1)

    def track_roofline_share(self, architecture: str) -> float | None:
        return measured(self.case).share

    track_roofline_share.unit = "share of the FMA peak"


class LearnSupernet:
    def setup(self) -> None:
        self.case = learning_step.supernet_case()

    def time_learn(self) -> None:
        self.case.run(1)

    def track_roofline_share(self) -> float | None:
        return measured(self.case).share

    track_roofline_share.unit = "share of the FMA peak"
