"""The arrays of a `Batch` as C sees them."""

import numpy as np

from libc.stdint cimport int64_t, uint8_t
from numpy cimport PyArray_DATA, import_array, ndarray

from nasdqn_fast.transitions import FIELDS

import_array()


cdef class BatchArrays:
    """Their addresses. As long as it refers to the arrays, they are not freed, and NumPy refuses to resize them."""

    def __cinit__(self, batch, *args):
        cdef list arrays = [np.asarray(getattr(batch, name)) for name in FIELDS]
        self.batch, self.arrays = batch, arrays
        self.at.observations = <float *>PyArray_DATA(<ndarray>arrays[0])
        self.at.actions = <int64_t *>PyArray_DATA(<ndarray>arrays[1])
        self.at.rewards = <float *>PyArray_DATA(<ndarray>arrays[2])
        self.at.next_observations = <float *>PyArray_DATA(<ndarray>arrays[3])
        self.at.terminated = <uint8_t *>PyArray_DATA(<ndarray>arrays[4])
        self.at.truncated = <uint8_t *>PyArray_DATA(<ndarray>arrays[5])
