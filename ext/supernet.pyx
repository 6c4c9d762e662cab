"""A network that contains others, for a learner to train."""

import numpy as np

from libc.stdint cimport int64_t
from nasdqn_fast._core.block cimport ParameterBlock
from nasdqn_fast._core.exclusive cimport Exclusive
from nasdqn_fast._core.ndq cimport NDQ_PANEL, ndq_path, ndq_supernet_read
from nasdqn_fast._core.network cimport NetworkCore

from nasdqn_fast._core.block import aligned_zeros


cdef class SupernetCore(Exclusive):
    """The shared layers, and the paths through them; see `supernet.h`.

    Args:
        shared: the network of the shared layers, whose last one has the heads side by side.
        paths: a network for each path, which is written to.
        heads: number of each path's head, from 0.
        largest, smallest: numbers of paths.
        drawn: paths of an update.
        sandwich: the largest and the smallest are always among them.
        distill: all but the largest learn the largest one's values.

    Raises:
        ValueError: a path is not contained in the shared layers.
    """

    def __cinit__(self, NetworkCore shared not None, paths, heads, int64_t largest, int64_t smallest, int64_t drawn,
                  sandwich, distill):
        cdef int64_t k, n = len(paths)
        cdef NetworkCore path
        cdef ParameterBlock gradient
        self.what = "supernet"
        self.shared, self.paths = shared, tuple(paths)
        self._gradients = tuple(ParameterBlock(path.block.sizes) for path in self.paths)
        self._memory = {
            "paths": np.zeros(n * sizeof(ndq_path), np.uint8),
            "odds": np.ones(n),
            "drawn": np.zeros(n, np.int64),
            "times": np.zeros(n, np.int64),
            "losses": np.zeros(n),
            "gradient": ParameterBlock(shared.block.sizes),
            "teacher": aligned_zeros((self.paths[0].block.sizes[-1], NDQ_PANEL)),
        }
        gradient = self._memory["gradient"]
        self.supernet.net, self.supernet.params = &shared.net, shared.block.data
        self.supernet.gradient = gradient.data
        self.supernet.paths = <ndq_path *><size_t>self._memory["paths"].ctypes.data
        self.supernet.odds = <double *><size_t>self._memory["odds"].ctypes.data
        self.supernet.drawn = <int64_t *><size_t>self._memory["drawn"].ctypes.data
        self.supernet.times = <int64_t *><size_t>self._memory["times"].ctypes.data
        self.supernet.losses = <double *><size_t>self._memory["losses"].ctypes.data
        self.supernet.teacher = <float *><size_t>self._memory["teacher"].ctypes.data
        for k in range(n):
            path, gradient = self.paths[k], self._gradients[k]
            _require_contained(path.block.sizes, heads[k], shared.block.sizes)
            self.supernet.paths[k] = ndq_path(
                &path.net, path.block.data, gradient.data, heads[k] * path.block.sizes[-1]
            )
        self.supernet.n_paths, self.supernet.n_drawn = n, drawn
        self.supernet.largest, self.supernet.smallest = largest, smallest
        self.supernet.is_sandwich, self.supernet.distills = sandwich, distill
        self.read(largest)

    def use_odds(self, odds):
        """Draws paths with probabilities proportional to these, float64 (n,), from now on; at first all are one."""
        self.require_idle()
        self._memory["odds"][...] = odds

    def read(self, int64_t path):
        """Reads a path's weights from the shared ones into its network."""
        if not 0 <= path < self.supernet.n_paths:
            raise ValueError(f"path must be from 0 to {self.supernet.n_paths - 1}; got {path}")
        self.enter()
        try:
            ndq_supernet_read(&self.supernet, path)
        finally:
            self.leave()


def _require_contained(sizes, head, shared):
    """C reads and writes by these sizes."""
    hidden, room = sizes[1:-1], shared[1:-1]
    contained = len(hidden) <= len(room) and all(n <= limit for n, limit in zip(hidden, room))
    contained &= hidden[-1] <= room[-1] and sizes[0] == shared[0] and 0 <= head < shared[-1] // sizes[-1]
    if not contained:
        raise ValueError(f"a path of sizes {sizes} with head {head} is not contained in layers of sizes {shared}")
