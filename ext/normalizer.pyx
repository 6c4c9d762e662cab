"""Running statistics of observations, with their memory."""

import numpy as np

from libc.stdint cimport int64_t
from nasdqn_fast._core.ndq cimport ndq_normalizer_refresh, ndq_normalizer_update


cdef class NormalizerCore:
    """Mean and variance of the observations seen; a network that uses it applies them to its observations.

    Args:
        size: numbers in an observation.
    """

    def __cinit__(self, int64_t size, *args, **kwargs):
        self._statistics = np.zeros((2, size))
        self._applied = np.zeros((2, size), np.float32)
        mean, variance = self._statistics
        center, scale = self._applied
        self.normalizer.size = size
        self.normalizer.mean = <double *><size_t>mean.ctypes.data
        self.normalizer.variance = <double *><size_t>variance.ctypes.data
        self.normalizer.center = <float *><size_t>center.ctypes.data
        self.normalizer.scale = <float *><size_t>scale.ctypes.data

    @property
    def size(self):
        """Numbers in an observation."""
        return self.normalizer.size

    @property
    def count(self):
        """Observations so far, and the weight of the mean and variance it started with."""
        return self.normalizer.count

    @property
    def mean(self):
        """A copy, float64 (size,)."""
        return self._statistics[0].copy()

    @property
    def variance(self):
        """A copy, float64 (size,)."""
        return self._statistics[1].copy()

    def _update(self, observations):
        """Takes observations, float32 (n, size), n >= 1, into the statistics."""
        cdef const float[:, ::1] rows = observations
        ndq_normalizer_update(&self.normalizer, &rows[0, 0], rows.shape[0])

    def _set(self, double count, mean, variance):
        """Continues from these statistics."""
        self.normalizer.count = count
        self._statistics[0], self._statistics[1] = mean, variance
        ndq_normalizer_refresh(&self.normalizer)
