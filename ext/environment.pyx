"""A compiled environment, stepped one at a time or in batches."""

import numpy as np

from libc.stdint cimport int32_t, int64_t, intptr_t
from nasdqn_fast._core.ndq cimport (
    NDQ_ENV_ERROR, NDQ_TERMINATED, ndq_env, ndq_env_advance, ndq_env_lockstep, ndq_env_reset, ndq_env_step,
)
from numpy cimport PyArray_DATA, ndarray

from nasdqn_fast.envs._compiler.lockstep import LANES
from nasdqn_fast.errors import step_failed
from nasdqn_fast.validation import check_actions, check_array, check_int


cdef class EnvironmentCore:
    """One environment's functions, parameters and sizes; holds no state of an episode.

    Args:
        environment: a `nasdqn_fast.envs.Environment`; compiled if it is not yet.

    Raises:
        InputError: Numba cannot compile its functions.
    """

    def __cinit__(self, environment):
        kernel = environment.kernel
        self.environment = environment
        self.compiled = environment.compiled()
        self.params = environment.params
        self.env.reset = <ndq_env_reset><intptr_t>self.compiled.reset_address
        self.env.step = <ndq_env_step><intptr_t>self.compiled.step_address
        self.env.params = &self.params[0] if self.params.shape[0] else NULL
        self.env.state_size = kernel.state_size
        self.env.observation_size = kernel.observation_size
        self.env.n_actions = kernel.n_actions
        self.env.reset_uniforms = kernel.reset_uniforms
        self.env.step_uniforms = kernel.step_uniforms
        self.env.max_episode_steps = environment.max_episode_steps
        self.env.lockstep_lanes = LANES

    def __reduce__(self):
        return type(self), (self.environment,)

    def reset(self, uniforms, state, observation):
        """Starts an episode.

        Args:
            uniforms: float64 (reset_uniforms,), in [0, 1).
            state: float64 (state_size,), written.
            observation: float32 (observation_size,), written.

        Raises:
            TypeError, ValueError: wrong type, dtype or shape; nowhere to write.
        """
        uniforms = check_array("uniforms", uniforms, (self.env.reset_uniforms,), np.float64)
        state = written("state", state, (self.env.state_size,), np.float64)
        observation = written("observation", observation, (self.env.observation_size,), np.float32)
        self.env.reset(
            self.env.context, self.env.params, <const double *>data(uniforms), <double *>data(state),
            <float *>data(observation),
        )

    def step(self, uniforms, state, action, observation):
        """One step.

        Args:
            uniforms: float64 (step_uniforms,), in [0, 1).
            state: float64 (state_size,), read and written.
            action: int in [0, n_actions).
            observation: float32 (observation_size,), written.

        Returns:
            reward (float), terminated (bool).

        Raises:
            TypeError, ValueError: wrong type, dtype or shape; nowhere to write; no such action.
            StepError: the environment reported an error.
        """
        cdef double reward = 0.0
        cdef int64_t chosen = check_int("action", action, 0, self.env.n_actions - 1)
        uniforms = check_array("uniforms", uniforms, (self.env.step_uniforms,), np.float64)
        state = written("state", state, (self.env.state_size,), np.float64)
        observation = written("observation", observation, (self.env.observation_size,), np.float32)
        flags = self.env.step(
            self.env.context, self.env.params, <const double *>data(uniforms), <double *>data(state), chosen,
            <float *>data(observation), &reward,
        )
        if flags & NDQ_ENV_ERROR:
            raise step_failed(self.environment.kernel.name)
        return reward, bool(flags & NDQ_TERMINATED)

    def step_batch(self, states, actions, uniforms, observations, rewards, flags):
        """One step of n independent episodes, without the GIL; each comes to what `step` makes of it, to the last bit.

        The first call compiles a loop over episodes around the environment's step, or loads it from disk.

        Args:
            states: float64 (n, state_size), read and written.
            actions: integers (n,), in [0, n_actions).
            uniforms: float64 (n, step_uniforms), in [0, 1).
            observations: float32 (n, observation_size), written.
            rewards: float64 (n,), written.
            flags: int32 (n,), written: 1 terminated, 2 the environment reported an error, and
                then the episode's other numbers mean nothing.

        Raises:
            TypeError, ValueError: wrong type, dtype or shape; nowhere to write; no such action.
        """
        n = len(states)
        actions = check_actions(actions, n, self.env.n_actions)
        uniforms = check_array("uniforms", uniforms, (n, self.env.step_uniforms), np.float64)
        self.run(states, actions, uniforms, observations, rewards, flags, n, 1)

    def step_sequence(self, states, actions, uniforms, observations, rewards, flags):
        """T steps of n independent episodes in one call, without the GIL; for n = 1 by the pointer that training calls.

        It continues after a termination: what is written is what the last step made.

        Args:
            states, observations, rewards, flags: as `step_batch`'s.
            actions: integers (T, n), in [0, n_actions).
            uniforms: float64 (T, n, step_uniforms), in [0, 1).

        Raises:
            TypeError, ValueError: as `step_batch`'s.
        """
        n, steps = len(states), len(actions)
        actions = check_actions(np.ravel(actions), steps * n, self.env.n_actions)
        uniforms = check_array("uniforms", uniforms, (steps, n, self.env.step_uniforms), np.float64)
        self.run(states, actions, uniforms, observations, rewards, flags, n, steps)

    cdef run(
        self, states, actions, uniforms, observations, rewards, flags, Py_ssize_t n, Py_ssize_t steps
    ):
        """Steps, once actions and uniforms are checked; checks what it writes to."""
        cdef ndq_env *env = &self.env
        cdef const int64_t *c_actions = <const int64_t *>data(actions)
        cdef const double *c_uniforms = <const double *>data(uniforms)
        cdef double *c_states = <double *>data(written("states", states, (n, env.state_size), np.float64))
        cdef float *c_obs = <float *>data(written("observations", observations, (n, env.observation_size), np.float32))
        cdef double *c_rewards = <double *>data(written("rewards", rewards, (n,), np.float64))
        cdef int32_t *c_flags = <int32_t *>data(written("flags", flags, (n,), np.int32))
        if n > 1 and not self.lockstep_tried:
            self.compile_lockstep()
        with nogil:
            ndq_env_advance(env, n, steps, c_uniforms, c_states, c_actions, c_obs, c_rewards, c_flags)

    cdef compile_lockstep(self):
        self.lockstep_code = self.environment.compiled_lockstep(self.compiled)
        self.lockstep_tried = True
        if self.lockstep_code is not None:
            self.env.lockstep = <ndq_env_lockstep><intptr_t>self.lockstep_code.addresses["lockstep"]


cdef void *data(array):
    return PyArray_DATA(<ndarray>array)


cdef object written(str name, array, tuple shape, dtype):
    """The array itself, once it is known that C can write into it."""
    if check_array(name, array, shape, dtype) is not array or not array.flags.writeable:
        raise ValueError(f"{name} is written to, so it must be C-contiguous and writable; pass np.empty({shape}, ...)")
    return array
