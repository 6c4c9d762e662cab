"""A sum tree: memory, checks, one C call a method."""

import numpy as np

from libc.stdint cimport int64_t
from nasdqn_fast._core.ndq cimport (
    ndq_sum_tree_find, ndq_sum_tree_plan, ndq_sum_tree_rebuild, ndq_sum_tree_set, ndq_sum_tree_total,
)

from nasdqn_fast._core.block import aligned_zeros
from nasdqn_fast.validation import check_all_finite, check_array, check_int, check_slots


cdef class SumTree:
    """n numbers >= 0, zeros at first, and the sums by which one of them is found.

    Args:
        n: how many, at most 2^32 - 1.

    Raises:
        TypeError, ValueError: n of the wrong type or out of range.
        InputError: more memory than there is.
    """

    def __cinit__(self, n):
        cdef double[::1] nodes
        self.n = check_int("n", n, 1, 2**32 - 1)
        nodes = self._nodes = aligned_zeros(ndq_sum_tree_plan(&self.tree, self.n), np.float64)
        self.tree.nodes = &nodes[0]

    def __len__(self):
        return self.n

    @property
    def leaves(self):
        """float64 (n,), a view of the numbers; call `rebuild` after writing to it."""
        return self._nodes[:self.n]

    @property
    def total(self):
        """Their sum."""
        return ndq_sum_tree_total(&self.tree)

    def set(self, leaves, values):
        """Sets some of them.

        Args:
            leaves: integers (k,) in [0, n).
            values: float64 (k,), finite and >= 0; of a leaf that is named twice, the last one stays.
        """
        cdef int64_t[::1] at = check_slots("leaves", leaves, self.n)
        cdef const double[::1] numbers = check_all_finite(
            "values", check_array("values", values, (len(leaves),), np.float64)
        )
        if (np.asarray(numbers) < 0).any():
            raise ValueError("values must be >= 0")
        if at.shape[0]:
            ndq_sum_tree_set(&self.tree, &at[0], &numbers[0], at.shape[0])

    def rebuild(self):
        """Makes all sums anew."""
        ndq_sum_tree_rebuild(&self.tree)

    def find(self, x):
        """int64 (k,): for each number the first leaf up to which the leaves' sum exceeds it.

        Args:
            x: float64 (k,), in [0, total); others find leaves that are not zero.

        Raises:
            ValueError: all leaves are zero.
        """
        cdef const double[::1] numbers = check_all_finite("x", check_array("x", x, (len(x),), np.float64))
        cdef int64_t[::1] found
        out = np.empty(len(x), np.int64)
        found = out
        if not self.total > 0:
            raise ValueError("all leaves are zero")
        if numbers.shape[0]:
            ndq_sum_tree_find(&self.tree, &numbers[0], numbers.shape[0], &found[0])
        return out
