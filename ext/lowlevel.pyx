"""What other packages' extensions call: C functions behind capsules, and the replay memory over a caller's array.

The C functions of ext/kernels are linked into modules of this package and cannot be found from outside of it. Cython
looks up the functions declared in lowlevel.pxd when it imports this module, so that a `cimport` of them is all it takes.
"""

import numpy as np

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int32_t, int64_t
from numpy.random cimport bitgen_t

from nasdqn_fast._core.batch_arrays cimport BatchArrays
from nasdqn_fast._core.ndq cimport (
    ndq_at_successor, ndq_batch, ndq_env, ndq_env_advance, ndq_forward_rows, ndq_loss, ndq_loss_and_gradient, ndq_net,
    ndq_replay, ndq_replay_add, ndq_replay_add_batch, ndq_replay_draw, ndq_replay_follow, ndq_replay_over,
    ndq_replay_read, ndq_replay_stride, ndq_row, ndq_row_flags, ndq_row_successor,
)

from nasdqn_fast.types import Batch


cdef void net_forward(const ndq_net *net, const float *parameters, const float *observations, int64_t n,
                      float *q) noexcept nogil:
    ndq_forward_rows(net, parameters, observations, n, q)


cdef double net_loss_and_gradient(const ndq_net *net, const float *parameters, const float *observations,
                                  const int64_t *actions, const float *targets, int64_t n, ndq_loss loss, float delta,
                                  float *gradient) noexcept nogil:
    return ndq_loss_and_gradient(net, parameters, observations, actions, targets, NULL, n, loss, delta, gradient)


cdef void env_step(const ndq_env *env, int64_t n, const double *uniforms, double *states, const int64_t *actions,
                   float *observations, double *rewards, int32_t *flags) noexcept nogil:
    ndq_env_advance(env, n, 1, uniforms, states, actions, observations, rewards, flags)


cdef ndq_replay replay_over(float *rows, int64_t n, int64_t observation_size) noexcept nogil:
    cdef ndq_replay replay = ndq_replay_over(rows, n, observation_size)
    replay.size = n
    return replay


cdef void replay_add(ndq_replay *replay, const float *observation, int32_t action, float reward,
                     const float *next_observation, int32_t flags, int64_t follows) noexcept nogil:
    ndq_replay_add(replay, observation, action, reward, next_observation, flags, follows)


cdef void replay_draw(const ndq_replay *replay, bitgen_t *rng, int64_t n, int64_t *slots) noexcept nogil:
    ndq_replay_draw(replay, rng, n, slots)


cdef void replay_follow(const ndq_replay *replay, const int64_t *slots, int64_t n, int64_t n_step, double gamma,
                        float *returns, float *discounts, int64_t *last) noexcept nogil:
    ndq_replay_follow(replay, slots, n, n_step, gamma, returns, discounts, last)


cdef void replay_read(const ndq_replay *replay, const int64_t *slots, const int64_t *last, int64_t n,
                      const ndq_batch *to) noexcept nogil:
    ndq_replay_read(replay, slots, last, n, to)


def stride(int64_t observation_size):
    """Floats in a row."""
    return ndq_replay_stride(observation_size)


def pack(batch, const int32_t[::1] successors, int64_t observation_size):
    """Rows of n transitions, which have been checked, and of their successors."""
    cdef int64_t n = len(batch), i
    rows = np.zeros((n, ndq_replay_stride(observation_size)), np.float32)
    if n == 0:
        return rows
    cdef float[:, ::1] view = rows
    cdef ndq_replay replay = replay_over(&view[0, 0], n, observation_size)
    cdef BatchArrays arrays = BatchArrays(batch)
    replay.size = 0
    ndq_replay_add_batch(&replay, &arrays.at, 0, n)
    cdef int32_t[:, ::1] integers = rows.view(np.int32)
    for i in range(n):
        integers[i, ndq_at_successor(&replay)] = successors[i]
    return rows


def unpack(const float[:, ::1] rows, int64_t observation_size):
    """The transitions in rows, as a `Batch`, and their successors, int32 (n,)."""
    cdef int64_t n = rows.shape[0]
    cdef const int64_t[::1] slots = np.arange(n)
    batch, successors = Batch.empty(n, observation_size), np.empty(n, np.int32)
    if n == 0:
        return batch, successors
    cdef ndq_replay replay = replay_over(<float *>&rows[0, 0], n, observation_size)
    cdef BatchArrays arrays = BatchArrays(batch)
    cdef int32_t[::1] found = successors
    ndq_replay_read(&replay, &slots[0], &slots[0], n, &arrays.at)
    for i in range(n):
        found[i] = ndq_row_successor(&replay, ndq_row(&replay, i))
    return batch, successors


def sample(const float[:, ::1] rows, int64_t n, rng, int64_t observation_size, int64_t n_step, double gamma):
    """n of the transitions in rows, of which there is one at least, and their n-step returns.

    Returns:
        a `Batch`, and the discounts, float32 (n,).

    Raises:
        ValueError: a successor lies outside of the rows.
    """
    cdef ndq_replay replay = replay_over(<float *>&rows[0, 0], rows.shape[0], observation_size)
    cdef bitgen_t *bits = <bitgen_t *>PyCapsule_GetPointer(rng.bit_generator.capsule, "BitGenerator")
    cdef int64_t[::1] slots = np.empty(n, np.int64), last = np.empty(n, np.int64)
    batch, factors = Batch.empty(n, observation_size), np.empty(n, np.float32)
    cdef BatchArrays arrays = BatchArrays(batch)
    cdef float[::1] returns = np.empty(n, np.float32), discounts = factors
    cdef int64_t lost
    lock = rng.bit_generator.lock
    with lock, nogil:
        ndq_replay_draw(&replay, bits, n, &slots[0])
    if n_step == 1:
        with nogil:
            ndq_replay_read(&replay, &slots[0], &slots[0], n, &arrays.at)
        factors[:] = gamma
        return batch, factors
    with nogil:
        lost = first_lost(&replay, &slots[0], n, n_step)
        if lost < 0:
            ndq_replay_follow(&replay, &slots[0], n, n_step, gamma, &returns[0], &discounts[0], &last[0])
            ndq_replay_read(&replay, &slots[0], &last[0], n, &arrays.at)
    if lost >= 0:
        raise ValueError(
            f"the successor of row {lost} must be in [0, {replay.capacity}), "
            f"got {ndq_row_successor(&replay, ndq_row(&replay, lost))}; make rows with replay_pack"
        )
    batch.rewards[:] = returns
    return batch, factors


cdef int64_t first_lost(const ndq_replay *replay, const int64_t *slots, int64_t n, int64_t n_step) noexcept nogil:
    """The first row on the way from the slots whose successor is none of the rows; -1 if there is none.

    The rows are a caller's, and C would follow any number out of them.
    """
    cdef int64_t i, k, slot
    cdef int32_t rows
    for i in range(n):
        slot = slots[i]
        for k in range(1, n_step):
            rows = ndq_row_successor(replay, ndq_row(replay, slot))
            if rows == 0 or ndq_row_flags(replay, ndq_row(replay, slot)):
                break
            if rows < 0 or rows >= replay.capacity:
                return slot
            slot = (slot + rows) % replay.capacity
    return -1
