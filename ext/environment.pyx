"""A compiled environment, stepped one at a time or in batches."""

from libc.stdint cimport int32_t, int64_t, intptr_t

import numpy as np

from nasdqn_fast._core.ndq cimport NDQ_ENV_ERROR, NDQ_TERMINATED, ndq_env, ndq_env_reset, ndq_env_step


cdef void step_batch(const ndq_env *env, Py_ssize_t n, const double *uniforms, double *states, const int64_t *actions,
                     float *observations, double *rewards, int32_t *flags) noexcept nogil:
    cdef Py_ssize_t i
    for i in range(n):
        flags[i] = env.step(env.params, uniforms + i * env.step_uniforms, states + i * env.state_size, actions[i],
                            observations + i * env.observation_size, rewards + i)


cdef class EnvironmentCore:
    """One environment's functions, parameters and sizes; holds no state of an episode.

    Args:
        environment: a `nasdqn_fast.envs.Environment`; compiled if it is not yet.

    Raises:
        InputError: Numba cannot compile its functions.
    """

    def __init__(self, environment):
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

    def reset(self, uniforms, state, observation):
        """Starts an episode.

        Args:
            uniforms: float64 (reset_uniforms,), in [0, 1).
            state: float64 (state_size,), written.
            observation: float32 (observation_size,), written.

        Raises:
            TypeError, ValueError: wrong type, dtype or shape, or not contiguous.
        """
        self.env.reset(
            self.env.params,
            <const double *>address("uniforms", uniforms, np.float64, (self.env.reset_uniforms,), False),
            <double *>address("state", state, np.float64, (self.env.state_size,), True),
            <float *>address("observation", observation, np.float32, (self.env.observation_size,), True),
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
            TypeError, ValueError: wrong type, dtype or shape, not contiguous, or no such action.
            RuntimeError: the environment reported an error.
        """
        cdef double reward = 0.0
        cdef int32_t flags
        cdef int64_t chosen = action
        if not 0 <= chosen < self.env.n_actions:
            raise ValueError(f"action must be in [0, {self.env.n_actions}), got {action}")
        flags = self.env.step(
            self.env.params,
            <const double *>address("uniforms", uniforms, np.float64, (self.env.step_uniforms,), False),
            <double *>address("state", state, np.float64, (self.env.state_size,), True),
            chosen,
            <float *>address("observation", observation, np.float32, (self.env.observation_size,), True),
            &reward,
        )
        if flags & NDQ_ENV_ERROR:
            raise RuntimeError(f"environment {self.environment.kernel.name} reported an error in step")
        return reward, bool(flags & NDQ_TERMINATED)

    def step_batch(self, states, actions, uniforms, observations, rewards, flags):
        """One step of n independent episodes, without the GIL.

        Args:
            states: float64 (n, state_size), read and written.
            actions: int64 (n,), in [0, n_actions).
            uniforms: float64 (n, step_uniforms), in [0, 1).
            observations: float32 (n, observation_size), written.
            rewards: float64 (n,), written.
            flags: int32 (n,), written: bit 0 terminated, bit 1 the environment reported an error.

        Raises:
            TypeError, ValueError: wrong type, dtype or shape, not contiguous, or no such action.
        """
        cdef Py_ssize_t n = len(actions)
        cdef const int64_t *c_actions = <const int64_t *>address("actions", actions, np.int64, (n,), False)
        cdef double *c_states = <double *>address("states", states, np.float64, (n, self.env.state_size), True)
        cdef const double *c_uniforms = <const double *>address(
            "uniforms", uniforms, np.float64, (n, self.env.step_uniforms), False
        )
        cdef float *c_observations = <float *>address(
            "observations", observations, np.float32, (n, self.env.observation_size), True
        )
        cdef double *c_rewards = <double *>address("rewards", rewards, np.float64, (n,), True)
        cdef int32_t *c_flags = <int32_t *>address("flags", flags, np.int32, (n,), True)
        if n and not (0 <= actions.min() and actions.max() < self.env.n_actions):
            raise ValueError(f"actions must be in [0, {self.env.n_actions}), got {actions.min()} to {actions.max()}")
        with nogil:
            step_batch(&self.env, n, c_uniforms, c_states, c_actions, c_observations, c_rewards, c_flags)


cdef void *address(str name, array, dtype, tuple shape, bint written) except? NULL:
    """Where a C-contiguous array begins, once its type, dtype and shape are what C will take them for."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a NumPy array, got {type(array).__name__}")
    if array.dtype != dtype or array.shape != shape or not array.flags.c_contiguous:
        raise ValueError(
            f"{name} must be C-contiguous {np.dtype(dtype)} of shape {shape}; got {array.dtype} {array.shape}"
        )
    if written and not array.flags.writeable:
        raise ValueError(f"{name} is written to, got a read-only array")
    return <void *><intptr_t>array.ctypes.data
