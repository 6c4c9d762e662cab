"""Environments in Python, for the compiled loop: takes the GIL for a step, and converts what that returns."""

import numpy as np

from libc.stdint cimport INT64_MAX, int32_t, int64_t, uint8_t
from libc.string cimport memcpy, memset
from nasdqn_fast._core.ndq cimport NDQ_ENV_ERROR, NDQ_ENV_TRUNCATED, NDQ_TERMINATED, ndq_env
from numpy cimport (
    NPY_DOUBLE, NPY_FLOAT, PyArray_CheckExact, PyArray_DATA, PyArray_DIM, PyArray_ISCARRAY_RO, PyArray_NDIM,
    PyArray_TYPE, import_array, ndarray,
)

from nasdqn_fast.envs.python.vector_play import VectorPlay

import_array()


cdef class PythonLanes:
    """The environments of one loop.

    Args:
        environment: a `nasdqn_fast.envs.python.PythonEnvironment`.
        n: how many.
        play: those in play, or the rows of a vector environment, a `VectorPlay`; None: none is yet.

    Attributes:
        error: what the last call that failed has raised.
    """

    def __cinit__(self, environment, int64_t n=1, play=None):
        self.environment = environment
        self.play = environment.play(n) if play is None else play
        self.is_vector = isinstance(self.play, VectorPlay)
        self.n, self.steps = n, [self.play.stepping(i) if self.play.in_progress else None for i in range(n)]
        # What the space's own `sample` returns, made once.
        self.actions = [np.int64(environment.first_action + action) for action in range(environment.n_actions)]
        self.is_one_hot = environment.first_observation is not None
        self.first_observation = environment.first_observation or 0
        self.env.context = <void *>self
        self.env.reset_lanes, self.env.step_lanes = reset_lanes, step_lanes
        self.env.state_size, self.env.reset_uniforms = environment.kernel.state_size, 1
        self.env.observation_size, self.env.n_actions = environment.observation_size, environment.n_actions
        # Its own time limit tells by itself when an episode is truncated.
        self.env.max_episode_steps = INT64_MAX if self.play.limit is None else self.play.limit

    def __reduce__(self):
        """A copy has environments of its own."""
        return type(self), (self.environment, self.n)

    def take_error(self):
        """What the last call that failed has raised, once."""
        error, self.error = self.error, None
        return error

    cdef int reset(self, int32_t *begins, const double *uniforms, float *observations) except -1:
        cdef int64_t i
        if self.is_vector:
            return self.reset_rows(begins, uniforms, observations)
        for i in range(self.n):
            if begins[i]:
                started = self.play.reset(i, uniforms[i])
                self.steps[i] = self.play.stepping(i)
                self.write(started, observations + i * self.env.observation_size)
                begins[i] = 0
        return 0

    cdef int reset_rows(self, int32_t *begins, const double *uniforms, float *observations) except -1:
        cdef int64_t i, size = self.env.observation_size
        rows, waiting = self.play.reset(
            np.array([begins[i] for i in range(self.n)], bool), np.array([uniforms[i] for i in range(self.n)])
        )
        for i in range(self.n):
            if begins[i] and not waiting[i]:
                memcpy(observations + i * size, <float *>PyArray_DATA(<ndarray>rows) + i * size, size * sizeof(float))
                begins[i] = 0
        return 0

    cdef int step(self, const int64_t *actions, float *observations, double *rewards, int32_t *flags) except -1:
        cdef int64_t i
        if self.is_vector:
            return self.step_rows(actions, observations, rewards, flags)
        for i in range(self.n):
            result = self.steps[i](self.actions[actions[i]])
            if type(result) is not tuple or len(<tuple>result) != 5:
                result = tuple(self.environment.unpacked(result, "step"))
            self.write((<tuple>result)[0], observations + i * self.env.observation_size)
            rewards[i] = (<tuple>result)[1]
            flags[i] = NDQ_TERMINATED if (<tuple>result)[2] else NDQ_ENV_TRUNCATED if (<tuple>result)[3] else 0
        return 0

    cdef int step_rows(
        self, const int64_t *actions, float *observations, double *rewards, int32_t *flags
    ) except -1:
        cdef int64_t i
        cdef const uint8_t *terminated
        cdef const uint8_t *truncated
        chosen = np.empty(self.n, np.int64)  # a new one: the environment may keep it
        memcpy(PyArray_DATA(<ndarray>chosen), actions, self.n * sizeof(int64_t))
        rows, received, over, out_of_time = self.play.step(chosen)
        memcpy(observations, PyArray_DATA(<ndarray>rows), self.n * self.env.observation_size * sizeof(float))
        memcpy(rewards, PyArray_DATA(<ndarray>received), self.n * sizeof(double))
        terminated, truncated = <uint8_t *>PyArray_DATA(<ndarray>over), <uint8_t *>PyArray_DATA(<ndarray>out_of_time)
        for i in range(self.n):
            flags[i] = NDQ_TERMINATED if terminated[i] else NDQ_ENV_TRUNCATED if truncated[i] else 0
        return 0

    cdef int write(self, object observation, float *to) except -1:
        """An observation as the network sees it; those of the usual types without a call of NumPy."""
        cdef int64_t i, size = self.env.observation_size
        cdef const double *wide
        if self.is_one_hot:
            i = observation - self.first_observation if isinstance(observation, (int, np.integer)) else -1
            if 0 <= i < size:
                memset(to, 0, size * sizeof(float))
                to[i] = 1.0
                return 0
        elif (PyArray_CheckExact(observation) and PyArray_NDIM(<ndarray>observation) == 1
                and PyArray_DIM(<ndarray>observation, 0) == size and PyArray_ISCARRAY_RO(<ndarray>observation)):
            if PyArray_TYPE(<ndarray>observation) == NPY_FLOAT:
                memcpy(to, PyArray_DATA(<ndarray>observation), size * sizeof(float))
                return 0
            if PyArray_TYPE(<ndarray>observation) == NPY_DOUBLE:
                wide = <const double *>PyArray_DATA(<ndarray>observation)
                for i in range(size):
                    to[i] = <float>wide[i]
                return 0
        converted = self.environment.observation(observation)
        memcpy(to, PyArray_DATA(<ndarray>converted), size * sizeof(float))
        return 0


cdef int32_t reset_lanes(
    void *context, int32_t *begins, const double *uniforms, float *observations
) noexcept with gil:
    lanes = <PythonLanes>context
    try:
        lanes.reset(begins, uniforms, observations)
        return 0
    except BaseException as error:  # KeyboardInterrupt, too: the loop stops, and raises it
        lanes.error = error
        return NDQ_ENV_ERROR


cdef int32_t step_lanes(
    void *context, const int64_t *actions, float *observations, double *rewards, int32_t *flags
) noexcept with gil:
    lanes = <PythonLanes>context
    try:
        lanes.step(actions, observations, rewards, flags)
        return 0
    except BaseException as error:
        lanes.error = error
        return NDQ_ENV_ERROR
