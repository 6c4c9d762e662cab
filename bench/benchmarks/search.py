"""What searching costs: one switch and its parts, and its share of a run."""

import functools

from nasdqn_fast import plugins
from nasdqn_fast.benchmarking.case import Case
from nasdqn_fast.benchmarking.groups import overhead, switch
from nasdqn_fast.extras import MissingExtra

from .common import session


@functools.cache
def prepared(part: str, name: str) -> Case:
    """A case that is made once: filling its memory takes longer than the switch."""
    return {"transfer": switch.transfer, "whole": functools.partial(switch.whole, "nas-dqn")}[part](name)


class Switch:
    params = (plugins.names("transfers"),)
    param_names = ("transfer",)
    # A second switch in a row would find the network switched already and the memory pruned.
    number, warmup_time = 1, 0

    def setup(self, transfer: str) -> None:
        for part in ("transfer", "whole"):
            prepared(part, transfer).prepare()

    def time_transfer(self, transfer: str) -> None:
        prepared("transfer", transfer).run(1)

    def time_whole_switch(self, transfer: str) -> None:
        prepared("whole", transfer).run(1)


class Controller:
    params = (plugins.names("controllers"),)
    param_names = ("controller",)
    # Some remember all they were told: each repeat is of a new one, and as long as a run.
    number, warmup_time = switch.CONSULTATIONS, 0

    def setup(self, controller: str) -> None:
        try:
            self.case = switch.consult(controller)
        except MissingExtra as error:
            raise NotImplementedError(str(error)) from error  # asv leaves it out

    def time_ask_and_tell(self, controller: str) -> None:
        self.case.run(1)


class Overhead:
    """Of a short run with many switches, so the share is larger than that of a run of 2,000 episodes."""

    params = (overhead.METHODS,)
    param_names = ("method",)

    def track_search_overhead(self, method: str) -> float:
        return overhead.compare(session(), method, episodes=30, switch_every=10).share

    track_search_overhead.unit = "share of the wall time"
