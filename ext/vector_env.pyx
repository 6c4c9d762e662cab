"""Many episodes of a compiled environment, for Gymnasium's vector interface: each with its generator and its clock."""

import numpy as np

from cpython.pycapsule cimport PyCapsule_GetPointer
from libc.stdint cimport int32_t, int64_t, uint8_t
from nasdqn_fast._core.environment cimport EnvironmentCore
from nasdqn_fast._core.ndq cimport (
    NDQ_RESET_BY_CALLER, NDQ_RESET_NEXT_STEP, NDQ_RESET_SAME_STEP, ndq_vector_env, ndq_vector_env_can,
    ndq_vector_env_reset, ndq_vector_env_step, ndq_vector_step,
)
from numpy cimport (
    NPY_INT64, PyArray_DATA, PyArray_DIM, PyArray_ISCARRAY_RO, PyArray_NDIM, PyArray_TYPE, ndarray,
)
from numpy.random cimport bitgen_t

from nasdqn_fast.errors import step_failed
from nasdqn_fast.validation import check_actions

# By the values of gymnasium.vector.AutoresetMode.
_MODES = {"NextStep": NDQ_RESET_NEXT_STEP, "SameStep": NDQ_RESET_SAME_STEP, "Disabled": NDQ_RESET_BY_CALLER}


cdef class VectorEnvCore:
    """n rows, each an episode that draws from a generator of its own.

    Args:
        core: the environment.
        n: rows, >= 1.
        mode: when a row that has ended is reset: "NextStep", "SameStep", or "Disabled".
        copy: whether every call returns observations in memory of their own.

    Attributes:
        states: float64 (n, state_size), replaced by every step.
        observations: float32 (n, observation_size), what the last call returned.
        lengths: int64 (n,) steps of the episodes so far.
        ended: bool (n,) rows whose episode has ended and that have not been reset.
        generators: list of n, each None until it is set.
    """

    cdef EnvironmentCore core
    cdef ndq_vector_env vector
    cdef readonly ndarray states
    cdef readonly ndarray lengths
    cdef readonly ndarray ended
    cdef readonly list generators
    cdef readonly ndarray observations
    cdef ndarray rngs
    cdef ndarray uniforms
    cdef ndarray flags
    cdef bint copy

    def __cinit__(self, EnvironmentCore core not None, int64_t n, str mode, bint copy):
        self.core, self.copy = core, copy
        self.generators = [None] * n
        self.states = np.zeros((n, self.core.env.state_size))
        self.observations = np.zeros((n, self.core.env.observation_size), np.float32)
        self.lengths, self.ended = np.zeros(n, np.int64), np.zeros(n, bool)
        self.rngs, self.flags = np.zeros(n, np.intp), np.zeros(n, np.int32)
        self.uniforms = np.zeros(max(n * self.core.env.step_uniforms, self.core.env.reset_uniforms, 1))
        self.vector.env, self.vector.n, self.vector.mode = &core.env, n, _MODES[mode]
        self.vector.rngs = <bitgen_t **>PyArray_DATA(self.rngs)
        self.vector.lengths = <int64_t *>PyArray_DATA(self.lengths)
        self.vector.ended = <uint8_t *>PyArray_DATA(self.ended)
        self.vector.uniforms = <double *>PyArray_DATA(self.uniforms)
        self.vector.flags = <int32_t *>PyArray_DATA(self.flags)
        if n > 1:
            core.compile_lockstep()

    def __reduce__(self):
        raise TypeError("a VectorEnvCore holds addresses; pickle what owns it")

    def set_generator(self, Py_ssize_t row, generator):
        """Gives a row the generator that it draws from."""
        (<bitgen_t **>PyArray_DATA(self.rngs))[row] = <bitgen_t *>PyCapsule_GetPointer(
            generator.bit_generator.capsule, "BitGenerator"
        )
        self.generators[row] = generator

    def reset(self, rows, start=None):
        """Begins an episode in some rows, each of which has a generator.

        Args:
            rows: indices.
            start: the function (uniforms, state, observation) that begins it; None takes the environment's own.

        Returns:
            observations float32 (n, observation_size) of all rows.
        """
        cdef int64_t row
        self.own_memory()
        for row in rows:
            if start is None:
                ndq_vector_env_reset(
                    &self.vector, row, <double *>PyArray_DATA(self.states), <float *>PyArray_DATA(self.observations)
                )
            else:
                uniforms = self.generators[row].random(self.core.env.reset_uniforms)
                start(uniforms, self.states[row], self.observations[row])
                self.lengths[row], self.ended[row] = 0, False
        return self.observations

    def restore(self, states, observations, lengths, ended):
        """Restores arrays that were read from the attributes, and from what `reset` or `step` returned."""
        self.states[...], self.observations[...] = states, observations
        self.lengths[...], self.ended[...] = lengths, ended

    def set_states(self, states):
        """Sets the states, float64 (n, state_size); clocks and observations stay."""
        self.states = np.array(states)

    def step(self, actions):
        """One step of all rows.

        Args:
            actions: integers (n,), in [0, n_actions).

        Returns:
            observations float32 (n, observation_size), rewards float64 (n,), terminated and truncated bool (n,), and the
            last observations of the rows that "SameStep" has reset, in an array as the first; None in other modes.

        Raises:
            TypeError, ValueError: actions of the wrong type or shape; no such action.
            StepError: the environment reported an error; names the first row.
        """
        cdef ndq_vector_step step
        cdef int64_t n = self.vector.n, failed
        cdef ndarray chosen = self.checked(actions)
        cdef ndarray rewards = np.empty(n), terminated = np.empty(n, bool), truncated = np.empty(n, bool)
        cdef object last = None
        self.states = self.states.copy()
        if self.copy:
            self.observations = np.empty_like(self.observations)  # all rows are written
        step.last_obs = NULL
        if self.vector.mode == NDQ_RESET_SAME_STEP:
            last = np.zeros_like(self.observations)
            step.last_obs = <float *>PyArray_DATA(<ndarray>last)
        step.states = <double *>PyArray_DATA(self.states)
        step.actions = <const int64_t *>PyArray_DATA(chosen)
        step.obs = <float *>PyArray_DATA(self.observations)
        step.rewards = <double *>PyArray_DATA(rewards)
        step.terminated = <uint8_t *>PyArray_DATA(terminated)
        step.truncated = <uint8_t *>PyArray_DATA(truncated)
        with nogil:
            failed = ndq_vector_env_step(&self.vector, &step)
        if failed >= 0:
            raise step_failed(self.core.environment.kernel.name, f"in row {failed}")
        return self.observations, rewards, terminated, truncated, last

    cdef ndarray checked(self, actions):
        """The actions as int64 (n,). Those that Gymnasium's spaces sample are looked at in C, in an eighth of the time."""
        if type(actions) is ndarray and PyArray_TYPE(<ndarray>actions) == NPY_INT64 and (
            PyArray_NDIM(<ndarray>actions) == 1 and PyArray_ISCARRAY_RO(<ndarray>actions)
            and PyArray_DIM(<ndarray>actions, 0) == self.vector.n
            and ndq_vector_env_can(&self.vector, <const int64_t *>PyArray_DATA(<ndarray>actions))
        ):
            return <ndarray>actions
        return check_actions(actions, self.vector.n, self.core.env.n_actions)

    cdef own_memory(self):
        """Leaves the arrays that were handed out to those who have them."""
        self.states = self.states.copy()
        if self.copy:
            self.observations = self.observations.copy()
