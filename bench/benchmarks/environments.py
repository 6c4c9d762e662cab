"""Environment steps, every environment in the folder."""

from nasdqn_fast import plugins
from nasdqn_fast.benchmarking.groups import environments


class Environment:
    params = (plugins.names("environments"),)
    param_names = ("environment",)

    def setup(self, environment: str) -> None:
        self.single = environments.single(environment)
        self.lockstep = {n: environments.lockstep(environment, n) for n in environments.LOCKSTEP}
        self.compiled = {n: environments.compiled(environment, n) for n in (1, *environments.LOCKSTEP)}
        self.played = environments.played(environment)

    def time_step(self, environment: str) -> None:
        self.single.run(1)

    def time_64_in_lockstep(self, environment: str) -> None:
        self.lockstep[64].run(1)

    def time_4096_in_lockstep(self, environment: str) -> None:
        self.lockstep[4_096].run(1)

    def time_one_at_a_time_in_compiled_code(self, environment: str) -> None:
        self.compiled[1].run(1)

    def time_64_in_lockstep_in_compiled_code(self, environment: str) -> None:
        self.compiled[64].run(1)

    def time_4096_in_lockstep_in_compiled_code(self, environment: str) -> None:
        self.compiled[4_096].run(1)

    def time_episode_with_1x1(self, environment: str) -> None:
        self.played.run(1)
