"""The parameters of a network as one aligned block, and everything laid out like them."""

import math

import numpy as np

from libc.stdint cimport int64_t, uintptr_t
from nasdqn_fast._core.ndq cimport NDQ_PAD, ndq_pad

from nasdqn_fast.errors import out_of_memory
from nasdqn_fast.memory import promise
from nasdqn_fast.validation import check_array


cdef extern from *:
    """
    #ifdef __linux__
    #include <sys/mman.h>
    static void ndq_advise_huge_pages(void *start, size_t n) { madvise(start, n, MADV_HUGEPAGE); }
    #else
    static void ndq_advise_huge_pages(void *start, size_t n) { (void)start; (void)n; }
    #endif
    """
    void ndq_advise_huge_pages(void *start, size_t n)

cdef enum:
    LINE = 64  # bytes of a cache line, and of the widest vector
    HUGE_PAGE = 1 << 21  # bytes; the kernel gives them only where they are asked for, and to whole ones
    LARGE = 1 << 20


def aligned_zeros(shape, dtype=np.float32):
    """Zeros on the boundary of a cache line; of a megabyte or more, in huge pages where the system has them.

    With pages of 4 KiB the translation of addresses takes up to 3 % of an update of layers of 512 units and more.

    Raises:
        InputError: more memory than there is.
    """
    cdef object n_bytes = math.prod(map(int, np.atleast_1d(shape))) * np.dtype(dtype).itemsize
    cdef object align = HUGE_PAGE if n_bytes >= LARGE else LINE
    cdef object whole = n_bytes + -n_bytes % align
    try:
        raw = np.zeros(whole + align, np.uint8)
    except (MemoryError, ValueError, OverflowError):
        raise out_of_memory(n_bytes) from None
    promise(raw, n_bytes)
    offset = -raw.ctypes.data % align
    if n_bytes >= LARGE:
        ndq_advise_huge_pages(<void *><uintptr_t>(raw.ctypes.data + offset), whole)
    return raw[offset:offset + n_bytes].view(dtype).reshape(shape)


cdef class ParameterBlock:
    """Weights and biases, or anything of their shape: a gradient, a moment of Adam.

    One float32 block: layer l is (n_in + 1) rows, the last of them the bias, each padded with zeros to a multiple
    of 16 floats. No view and no vector shows the padding.

    Args:
        sizes: units of every layer, input and output included.

    Attributes:
        weights: writable views (n_in, n_out), one a layer.
        biases: writable views (n_out,), one a layer.
    """

    def __cinit__(self, sizes):
        self.sizes = tuple(sizes)
        shapes = [(n_in + 1, n_out) for n_in, n_out in zip(self.sizes, self.sizes[1:])]
        self.array = aligned_zeros(sum(rows * <object>ndq_pad(n_out) for rows, n_out in shapes))
        self.length = len(self.array)
        cdef float[::1] view = self.array
        self.data = &view[0]
        self.weights, self.biases, self.padding = [], [], []
        start = 0
        for rows, n_out in shapes:
            end = start + rows * ndq_pad(n_out)
            layer = self.array[start:end].reshape(rows, ndq_pad(n_out))
            self.weights.append(layer[:rows - 1, :n_out])
            self.biases.append(layer[rows - 1, :n_out])
            self.padding.append(layer[:, n_out:])
            start = end

    cdef bint holds(self, ParameterBlock other):
        """Whether `other` has the same layout."""
        return self.sizes == other.sizes

    cdef int clear_padding(self) except -1:
        """Zero again, after an infinite activation times zero made it NaN."""
        for padding in self.padding:
            padding[...] = 0
        return 0

    @property
    def parameters(self):
        """float32 (P,), read-only copy: W0 row by row, b0, W1, ...; assigning sets them."""
        parts = [part.ravel() for pair in zip(self.weights, self.biases) for part in pair]
        vector = np.concatenate(parts)
        vector.flags.writeable = False
        return vector

    @parameters.setter
    def parameters(self, value):
        count = sum(view.size for view in self.weights + self.biases)
        value = check_array("parameters", value, (count,), np.float32)
        self.clear_padding()
        start = 0
        for pair in zip(self.weights, self.biases):
            for view in pair:
                view[...] = value[start:start + view.size].reshape(view.shape)
                start += view.size

    def __reduce__(self):
        return _restored, (type(self), self.sizes, self.parameters)


def _restored(kind, sizes, parameters):
    block = kind(sizes)
    block.parameters = parameters
    return block
