"""Replay memory: adding and sampling, from Python and in bulk, beside the time of a cache miss."""

from nasdqn_fast.benchmarking.groups import replay
from nasdqn_fast.benchmarking.setting import CAPACITY, filled_replay


class Replay:
    params = ((CAPACITY, replay.LARGE),)
    param_names = ("capacity",)

    def setup(self, capacity: int) -> None:
        memory = filled_replay(capacity)
        self.add, self.add_bulk = replay.add(memory), replay.add_bulk(memory)
        self.sample, self.sample_bulk = replay.sample(memory), replay.sample_bulk(memory)
        self.misses = replay.misses(capacity)

    def time_add(self, capacity: int) -> None:
        self.add.run(1)

    def time_add_1024(self, capacity: int) -> None:
        self.add_bulk.run(1)

    def time_sample_64(self, capacity: int) -> None:
        self.sample.run(1)

    def time_sample_65536(self, capacity: int) -> None:
        self.sample_bulk.run(1)

    def time_65536_cache_lines(self, capacity: int) -> None:
        self.misses.run(1)


class Prioritized:
    params = ((CAPACITY, replay.PRIORITIZED),)
    param_names = ("capacity",)

    def setup(self, capacity: int) -> None:
        memory = filled_replay(capacity)
        self.sample, self.set = replay.sample_prioritized(memory), replay.set_priorities(memory)

    def time_sample_64(self, capacity: int) -> None:
        self.sample.run(1)

    def time_set_64(self, capacity: int) -> None:
        self.set.run(1)
