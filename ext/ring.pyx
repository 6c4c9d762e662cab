"""NumPy's own indexing, assignment and `np.random.randint`, compiled for replay buffers of other packages.

`draw`, `take` and `put` are equal to the line of NumPy in their docstrings, errors included: what is not an array of
plain numbers (steps, lanes, ...) whose values are contiguous, is left to that line. `walk` gathers what n-step returns
are made of.
"""

import numpy as np

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int64_t
from numpy cimport (
    NPY_FLOAT32, NPY_INT64, PyArray_BYTES, PyArray_CheckExact, PyArray_DATA, PyArray_DIM, PyArray_DIMS, PyArray_EMPTY,
    PyArray_ISBEHAVED, PyArray_ISCARRAY_RO, PyArray_ITEMSIZE, PyArray_NDIM, PyArray_STRIDE, PyArray_TYPE, PyTypeNum_ISBOOL,
    PyTypeNum_ISNUMBER, import_array, ndarray, npy_intp,
)
from numpy.random cimport bitgen_t
from nasdqn_fast._core.ndq cimport (
    ndq_ring, ndq_ring_draw, ndq_ring_episodes, ndq_ring_put, ndq_ring_take, ndq_ring_walk, ndq_ring_walks,
)

import_array()

_global_generator = np.random.get_bit_generator  # a function: np.random.set_bit_generator can replace the generator

cdef enum:
    MAX_DIMENSIONS = 16


def draw(int64_t low, int64_t high, int64_t n):
    """np.random.randint(low, high, n), of NumPy's global generator."""
    cdef int64_t span = high - low - 1
    cdef npy_intp size = n
    if low < 0 or high <= low or span >= 0xffffffff or n < 0:
        return np.random.randint(low, high, n)
    generator = _global_generator()
    cdef bitgen_t *bitgen = <bitgen_t *>PyCapsule_GetPointer(generator.capsule, "BitGenerator")
    cdef ndarray drawn = PyArray_EMPTY(1, &size, NPY_INT64, 0)
    with generator.lock:
        ndq_ring_draw(bitgen, low, span, n, <int64_t *>PyArray_DATA(drawn))
    return drawn


def take(array, steps, lanes):
    """array[steps, lanes]."""
    cdef ndq_ring ring
    cdef npy_intp shape[MAX_DIMENSIONS]
    cdef ndarray taken
    if not (describe(array, &ring) and is_indices(steps) and is_indices(lanes)
            and PyArray_DIM(<ndarray>steps, 0) == PyArray_DIM(<ndarray>lanes, 0)):
        return array[steps, lanes]
    cdef int k, n_dims = PyArray_NDIM(<ndarray>array) - 1
    cdef int64_t n = PyArray_DIM(<ndarray>steps, 0)
    shape[0] = n
    for k in range(1, n_dims):
        shape[k] = PyArray_DIM(<ndarray>array, k + 1)
    taken = PyArray_EMPTY(n_dims, shape, PyArray_TYPE(<ndarray>array), 0)
    if not ndq_ring_take(&ring, <const int64_t *>PyArray_DATA(<ndarray>steps),
                         <const int64_t *>PyArray_DATA(<ndarray>lanes), n, PyArray_BYTES(taken)):
        return array[steps, lanes]  # raises
    return taken


def put(array, int64_t step, values):
    """array[step] = values."""
    cdef ndq_ring ring
    if (0 <= step and describe(array, &ring) and step < ring.steps and PyArray_CheckExact(values)
            and fits(<ndarray>array, <ndarray>values)):
        ndq_ring_put(&ring, step, PyArray_BYTES(<ndarray>values))
    else:
        array[step] = values


def can_walk(rewards, dones, timeouts, steps):
    """Whether `walk` takes these arrays."""
    cdef ndq_ring_episodes episodes
    return bool(describe_episodes(rewards, dones, timeouts, &episodes) and is_indices(steps))


def walk(rewards, dones, timeouts, steps, lanes, int64_t length, int64_t newest):
    """Walks from array[steps, lanes] through the episodes of Stable-Baselines3's replay buffer, for n-step returns.

    On the ring the last step is followed by the first one. A step that is done or timed out ends its episode, and the
    newest one, after which the oldest ones lie, counts as timed out if it is neither.

    Args:
        rewards, dones, timeouts: float32 (steps, lanes), arrays or views of the same shape.
        steps, lanes: int64 (n,), contiguous: where the walks begin.
        length: steps of a walk, at least 1.
        newest: the step added last; negative, it is counted from the end.

    Returns:
        rewards, float32 (n, length), of all steps of the walks, beyond the ends of episodes, too; float32 (n, length),
        1 up to the end of the episode and 0 beyond it; float32 (n, 1), how many ones these are; float32 (n, 1), whether
        the episode terminated with the last of them: done, and not timed out; int64 (n,), that last step.

    Raises:
        ValueError: arrays that `can_walk` does not take, or a length below 1.
        IndexError: a lane out of range.
    """
    cdef ndq_ring_episodes episodes
    cdef ndq_ring_walks to
    if not (describe_episodes(rewards, dones, timeouts, &episodes) and is_indices(steps) and is_indices(lanes)
            and PyArray_DIM(<ndarray>steps, 0) == PyArray_DIM(<ndarray>lanes, 0) and length >= 1):
        raise ValueError(
            "a walk needs three arrays of float32 of one shape, int64 indices as many as lanes, and a length of at "
            "least 1; use can_walk"
        )
    cdef npy_intp shape[2]
    shape[0], shape[1] = PyArray_DIM(<ndarray>steps, 0), length
    cdef ndarray walked = PyArray_EMPTY(2, shape, NPY_FLOAT32, 0), within = PyArray_EMPTY(2, shape, NPY_FLOAT32, 0)
    cdef ndarray last = PyArray_EMPTY(1, shape, NPY_INT64, 0)
    shape[1] = 1
    cdef ndarray n_within = PyArray_EMPTY(2, shape, NPY_FLOAT32, 0), ended = PyArray_EMPTY(2, shape, NPY_FLOAT32, 0)
    episodes.newest = newest
    to.rewards, to.within = <float *>PyArray_DATA(walked), <float *>PyArray_DATA(within)
    to.n_within, to.ended = <float *>PyArray_DATA(n_within), <float *>PyArray_DATA(ended)
    to.last = <int64_t *>PyArray_DATA(last)
    if not ndq_ring_walk(&episodes, <const int64_t *>PyArray_DATA(<ndarray>steps),
                         <const int64_t *>PyArray_DATA(<ndarray>lanes), shape[0], length, &to):
        raise IndexError(f"a lane is out of range; there are {episodes.rewards.lanes}")
    return walked, within, n_within, ended, last


cdef bint describe_episodes(rewards, dones, timeouts, ndq_ring_episodes *episodes) noexcept:
    """Whether they are float32 (steps, lanes) of one shape, not empty; if so, `episodes` is set but for `newest`."""
    return (
        describe_numbers(rewards, &episodes.rewards)
        and describe_numbers(dones, &episodes.dones)
        and describe_numbers(timeouts, &episodes.timeouts)
        and episodes.dones.steps == episodes.rewards.steps == episodes.timeouts.steps > 0
        and episodes.dones.lanes == episodes.rewards.lanes == episodes.timeouts.lanes
    )


cdef bint describe_numbers(array, ndq_ring *ring) noexcept:
    return (
        describe(array, ring) and PyArray_NDIM(<ndarray>array) == 2 and PyArray_TYPE(<ndarray>array) == NPY_FLOAT32
    )


cdef bint describe(array, ndq_ring *ring) noexcept:
    """Whether it is an array that the C functions can read and write; if so, `ring` is set."""
    cdef ndarray a
    cdef int k
    if not PyArray_CheckExact(array):
        return False
    a = array
    cdef int n_dims = PyArray_NDIM(a)
    if not (2 <= n_dims <= MAX_DIMENSIONS and PyArray_ISBEHAVED(a) and is_plain(a)):
        return False
    ring.bytes = PyArray_ITEMSIZE(a)
    for k in range(n_dims - 1, 1, -1):
        if PyArray_DIM(a, k) != 1 and PyArray_STRIDE(a, k) != ring.bytes:
            return False
        ring.bytes *= PyArray_DIM(a, k)
    ring.data = PyArray_BYTES(a)
    ring.steps, ring.step_stride = PyArray_DIM(a, 0), PyArray_STRIDE(a, 0)
    ring.lanes, ring.lane_stride = PyArray_DIM(a, 1), PyArray_STRIDE(a, 1)
    return True


cdef bint is_plain(ndarray a) noexcept:
    return PyTypeNum_ISNUMBER(PyArray_TYPE(a)) or PyTypeNum_ISBOOL(PyArray_TYPE(a))


cdef bint is_indices(array) noexcept:
    return (
        PyArray_CheckExact(array)
        and PyArray_NDIM(<ndarray>array) == 1
        and PyArray_TYPE(<ndarray>array) == NPY_INT64
        and PyArray_ISCARRAY_RO(<ndarray>array)
    )


cdef bint fits(ndarray array, ndarray values) noexcept:
    """Whether `values` are what one step holds, in its type, without gaps."""
    cdef int k
    if not (PyArray_TYPE(values) == PyArray_TYPE(array) and PyArray_ISCARRAY_RO(values)
            and PyArray_NDIM(values) == PyArray_NDIM(array) - 1):
        return False
    for k in range(PyArray_NDIM(values)):
        if PyArray_DIM(values, k) != PyArray_DIM(array, k + 1):
            return False
    return True
