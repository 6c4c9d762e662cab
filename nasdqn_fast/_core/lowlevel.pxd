"""The C functions of `nasdqn_fast.lowlevel`; cimport them from there."""

from libc.stdint cimport int32_t, int64_t
from numpy.random cimport bitgen_t

from nasdqn_fast._core.ndq cimport ndq_batch, ndq_env, ndq_loss, ndq_net, ndq_replay


cdef void net_forward(const ndq_net *net, const float *parameters, const float *observations, int64_t n,
                      float *q) noexcept nogil
cdef double net_loss_and_gradient(const ndq_net *net, const float *parameters, const float *observations,
                                  const int64_t *actions, const float *targets, int64_t n, ndq_loss loss, float delta,
                                  float *gradient) noexcept nogil
cdef void env_step(const ndq_env *env, int64_t n, const double *uniforms, double *states, const int64_t *actions,
                   float *observations, double *rewards, int32_t *flags) noexcept nogil
cdef ndq_replay replay_over(float *rows, int64_t n, int64_t observation_size) noexcept nogil
cdef void replay_add(ndq_replay *replay, const float *observation, int32_t action, float reward,
                     const float *next_observation, int32_t flags, int64_t follows) noexcept nogil
cdef void replay_draw(const ndq_replay *replay, bitgen_t *rng, int64_t n, int64_t *slots) noexcept nogil
cdef void replay_follow(const ndq_replay *replay, const int64_t *slots, int64_t n, int64_t n_step, double gamma,
                        float *returns, float *discounts, int64_t *last) noexcept nogil
cdef void replay_read(const ndq_replay *replay, const int64_t *slots, const int64_t *last, int64_t n,
                      const ndq_batch *to) noexcept nogil
