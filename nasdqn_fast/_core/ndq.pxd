"""What Cython knows of ext/kernels/*.h."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint32_t
from numpy.random cimport bitgen_t


cdef extern from "normalizer.h" nogil:
    ctypedef struct ndq_normalizer:
        int64_t size
        double count
        double *mean
        double *variance
        float *center
        float *scale

    void ndq_normalizer_update(ndq_normalizer *s, const float *rows, int64_t n)
    void ndq_normalizer_refresh(ndq_normalizer *s)


cdef extern from "ndq.h" nogil:
    enum:
        NDQ_PANEL
        NDQ_PAD
        NDQ_RELU
        NDQ_TANH
        NDQ_LEAKY_RELU

    ctypedef struct ndq_kernels:
        const char *name

        int64_t (*peak)(int64_t n, float *result) noexcept nogil

    ctypedef struct ndq_frozen

    ctypedef struct ndq_net:
        const ndq_kernels *kernels
        int32_t n_layers
        int32_t activation
        const int64_t *sizes
        const int64_t *offsets
        const int64_t *h_offsets
        float *h
        float *d[2]
        float *d_rows
        float *row[2]
        ndq_normalizer *normalizer
        const ndq_frozen *base
        int32_t n_base

    ctypedef struct ndq_frozen:
        const ndq_net *net
        const float *params
        float sign

    int64_t ndq_pad(int64_t n)


cdef extern from "ring.h" nogil:
    ctypedef struct ndq_ring:
        char *data
        int64_t steps
        int64_t lanes
        int64_t step_stride
        int64_t lane_stride
        int64_t bytes

    ctypedef struct ndq_ring_episodes:
        ndq_ring rewards
        ndq_ring dones
        ndq_ring timeouts
        int64_t newest

    ctypedef struct ndq_ring_walks:
        float *rewards
        float *within
        float *n_within
        float *ended
        int64_t *last

    void ndq_ring_draw(bitgen_t *g, int64_t low, uint32_t span, int64_t n, int64_t *to)
    int ndq_ring_take(const ndq_ring *r, const int64_t *steps, const int64_t *lanes, int64_t n, char *to)
    void ndq_ring_put(const ndq_ring *r, int64_t step, const char *values)
    int ndq_ring_walk(const ndq_ring_episodes *r, const int64_t *steps, const int64_t *lanes, int64_t n, int64_t length,
                      const ndq_ring_walks *to)


cdef extern from "dispatch.h" nogil:
    enum:
        NDQ_MAX_TARGETS
    int ndq_available(const ndq_kernels **tables)


cdef extern from "network.h" nogil:
    void ndq_forward_rows(const ndq_net *net, const float *params, const float *x, int64_t n, float *q)
    ctypedef enum ndq_loss:
        NDQ_HUBER
        NDQ_MSE
    double ndq_loss_and_gradient(const ndq_net *net, const float *params, const float *x, const int64_t *actions,
                                 const float *targets, const float *weights, int64_t n, ndq_loss kind, float delta,
                                 float *gradient)


cdef extern from "sum_tree.h" nogil:
    ctypedef struct ndq_sum_tree:
        double *nodes

    int64_t ndq_sum_tree_plan(ndq_sum_tree *t, int64_t n)
    double ndq_sum_tree_total(const ndq_sum_tree *t)
    void ndq_sum_tree_set(ndq_sum_tree *t, const int64_t *leaves, const double *values, int64_t n)
    void ndq_sum_tree_rebuild(ndq_sum_tree *t)
    void ndq_sum_tree_find(const ndq_sum_tree *t, const double *x, int64_t n, int64_t *leaves)


cdef extern from "replay.h" nogil:
    enum:
        NDQ_ROW_TERMINATED
        NDQ_ROW_TRUNCATED

    ctypedef struct ndq_replay:
        float *rows
        int64_t capacity
        int64_t size
        int64_t next
        int64_t stride
        int64_t observation_size
        int64_t version
        int32_t largest_action
        ndq_sum_tree *priorities
        double largest_priority

    int64_t ndq_row_stride(int64_t floats)
    int64_t ndq_replay_stride(int64_t observation_size)
    bint ndq_all_finite(const float *x, int64_t n)
    ndq_replay ndq_replay_over(float *rows, int64_t capacity, int64_t observation_size)
    void ndq_replay_add(ndq_replay *r, const float *observation, int32_t action, float reward, const float *next,
                        int32_t flags, int64_t follows)
    void ndq_replay_draw(const ndq_replay *r, bitgen_t *rng, int64_t n, int64_t *slots)
    void ndq_replay_follow(const ndq_replay *r, const int64_t *slots, int64_t n, int64_t n_step, double gamma,
                           float *returns, float *discounts, int64_t *last)
    ctypedef struct ndq_batch:
        float *observations
        float *next_observations
        int64_t *actions
        float *rewards
        uint8_t *terminated
        uint8_t *truncated

    void ndq_replay_read(const ndq_replay *r, const int64_t *slots, const int64_t *last, int64_t n,
                         const ndq_batch *to)
    void ndq_replay_add_batch(ndq_replay *r, const ndq_batch *batch, int64_t follows, int64_t n)
    int ndq_replay_holds(ndq_replay *r, int32_t action)
    void ndq_replay_keep(ndq_replay *r, const int64_t *kept, int64_t n, float *scratch)
    float *ndq_row(const ndq_replay *r, int64_t slot)
    const float *ndq_row_next(const ndq_replay *r, const float *row)
    float ndq_row_reward(const ndq_replay *r, const float *row)
    int32_t ndq_row_action(const ndq_replay *r, const float *row)
    int32_t ndq_row_flags(const ndq_replay *r, const float *row)
    int32_t ndq_row_successor(const ndq_replay *r, const float *row)
    int64_t ndq_at_successor(const ndq_replay *r)


cdef extern from "prioritized.h" nogil:
    double NDQ_LEAST_PRIORITY
    double NDQ_LARGEST_PRIORITY
    void ndq_prioritized_draw(const ndq_replay *r, bitgen_t *rng, int64_t n, double beta, int64_t *slots, float *weights)
    void ndq_prioritized_set(ndq_replay *r, const int64_t *slots, const double *priorities, int64_t n)


cdef extern from "env.h" nogil:
    enum:
        NDQ_TERMINATED
        NDQ_ENV_ERROR
        NDQ_ENV_TRUNCATED

    ctypedef void (*ndq_env_reset)(void *context, const double *params, const double *uniforms, double *state,
                                   float *obs) noexcept nogil
    ctypedef int32_t (*ndq_env_step)(void *context, const double *params, const double *uniforms, double *state,
                                     int64_t action, float *obs, double *reward) noexcept nogil
    ctypedef void (*ndq_env_lockstep)(void *context, const double *params, const double *uniforms, double *states,
                                      const int64_t *actions, float *obs, double *rewards, int32_t *flags,
                                      int64_t n) noexcept nogil

    ctypedef int32_t (*ndq_env_reset_lanes)(void *context, int32_t *begins, const double *uniforms,
                                            float *obs) noexcept nogil
    ctypedef int32_t (*ndq_env_step_lanes)(void *context, const int64_t *actions, float *obs, double *rewards,
                                           int32_t *flags) noexcept nogil

    ctypedef struct ndq_env:
        ndq_env_reset reset
        ndq_env_step step
        ndq_env_lockstep lockstep
        int64_t lockstep_lanes
        ndq_env_reset_lanes reset_lanes
        ndq_env_step_lanes step_lanes
        void *context
        const double *params
        int32_t state_size
        int32_t observation_size
        int32_t n_actions
        int32_t reset_uniforms
        int32_t step_uniforms
        int64_t max_episode_steps

    void ndq_env_advance(const ndq_env *env, int64_t n, int64_t steps, const double *uniforms, double *states,
                         const int64_t *actions, float *obs, double *rewards, int32_t *flags)


cdef extern from "vector_env.h" nogil:
    ctypedef enum ndq_reset_mode:
        NDQ_RESET_NEXT_STEP
        NDQ_RESET_SAME_STEP
        NDQ_RESET_BY_CALLER

    ctypedef struct ndq_vector_env:
        const ndq_env *env
        ndq_reset_mode mode
        int64_t n
        bitgen_t **rngs
        int64_t *lengths
        uint8_t *ended
        double *uniforms
        int32_t *flags

    ctypedef struct ndq_vector_step:
        double *states
        const int64_t *actions
        float *obs
        float *last_obs
        double *rewards
        uint8_t *terminated
        uint8_t *truncated

    void ndq_vector_env_reset(const ndq_vector_env *v, int64_t row, double *states, float *obs)
    bint ndq_vector_env_can(const ndq_vector_env *v, const int64_t *actions)
    int64_t ndq_vector_env_step(const ndq_vector_env *v, const ndq_vector_step *step)


cdef extern from "optimizer_step.h" nogil:
    enum:
        NDQ_SGD
        NDQ_ADAM
    ctypedef enum ndq_clip_by:
        NDQ_CLIP_ELEMENT
        NDQ_CLIP_NORM
        NDQ_CLIP_NONE

    ctypedef struct ndq_optimizer:
        int32_t kind
        ndq_clip_by clip_by
        float learning_rate
        float clip
        float beta1
        float beta2
        float epsilon
        int64_t steps
        float *m
        float *v

    void ndq_optimizer_step(ndq_optimizer *o, const ndq_kernels *k, float *params, float *gradient, int64_t n)


cdef extern from "fit.h" nogil:
    double ndq_fit(const ndq_net *net, float *params, float *gradient, ndq_optimizer *optimizer, const float *x,
                   const float *q, const int64_t *rows, int64_t steps, int64_t batch, float weight)


cdef extern from "supernet.h" nogil:
    ctypedef struct ndq_path:
        const ndq_net *net
        float *params
        float *gradient
        int64_t head

    ctypedef struct ndq_supernet:
        const ndq_net *net
        float *params
        float *gradient
        ndq_path *paths
        int64_t n_paths
        int64_t largest
        int64_t smallest
        int64_t n_drawn
        int32_t is_sandwich
        int32_t distills
        double *odds
        int64_t *drawn
        int64_t *times
        double *losses
        float *teacher

    void ndq_supernet_read(const ndq_supernet *supernet, int64_t path)


cdef extern from "learner.h" nogil:
    ctypedef struct ndq_target_cache:
        float *rows
        int64_t stride
        uint32_t epoch
        int64_t ahead
        float *target
        int64_t replay_version

    ctypedef struct ndq_learner:
        const ndq_net *net
        float *params
        float *target
        float *gradient
        ndq_optimizer *optimizer
        ndq_replay *replay
        bitgen_t *rng
        float huber_delta
        double gamma
        int64_t n_step
        double learning_rate
        int64_t rate_steps
        int64_t steps
        ndq_loss loss
        int64_t batch_size
        ndq_learner *valuer
        ndq_supernet *supernet
        int64_t target_every
        float target_tau
        int32_t horizon_is_terminal
        int32_t is_double
        int32_t is_prioritized
        float priority_alpha
        float priority_epsilon
        double priority_beta
        int64_t beta_steps
        int64_t *slots
        float *batch
        int64_t *actions
        float *targets
        float *weights
        float *errors
        int64_t *last
        float *after
        float *discounts
        ndq_target_cache cache
        int64_t updates

    void ndq_learner_begin(ndq_learner *learner)


cdef extern from "population.h" nogil:
    ctypedef struct ndq_population:
        ndq_learner **learners
        int64_t n
        int64_t chosen
        int32_t own_targets
        uint8_t *retired
        double *losses
        int64_t n_losses
        int32_t has_chosen
        double *last_losses
        int64_t *acted
        int64_t failed

    double ndq_population_update(ndq_population *population)


cdef extern from "stop.h" nogil:
    ctypedef struct ndq_stop:
        pass

    int ndq_stop_reason(ndq_stop *stop)
    void ndq_stop_set(ndq_stop *stop, int reason)


cdef extern from "loop.h" nogil:
    ctypedef struct ndq_lane:
        double reward_sum
        double loss_sum
        double epsilon
        int64_t length
        int64_t n_losses

    ctypedef struct ndq_episode:
        double reward_sum
        double mean_loss
        double epsilon
        int64_t length
        int64_t actor

    ctypedef enum ndq_status:
        NDQ_DONE
        NDQ_STOPPED
        NDQ_CHOSEN
        NDQ_FAILED_ENV
        NDQ_BAD_OBSERVATION
        NDQ_BAD_REWARD
        NDQ_BAD_LOSS
        NDQ_BAD_WEIGHTS

    ctypedef struct ndq_loop:
        ndq_env env
        const ndq_net *net
        const float *params
        ndq_population *population
        int32_t normalizes
        bitgen_t *env_rng
        bitgen_t *policy_rng
        int64_t random_steps
        int64_t warm_up
        int64_t train_every
        int64_t phase_updates
        int64_t target_every
        int32_t moves_after
        int32_t counts_from_0
        double epsilon_start
        double epsilon_decay
        double epsilon_end
        double epsilon_steps
        int64_t n_lanes
        ndq_lane *lanes
        double *states
        float *obs
        float *next_obs
        float *q
        int64_t *actions
        double *rewards
        int32_t *flags
        double *uniforms
        int32_t *begins
        double *seeds
        int64_t *rows
        int64_t n_rows
        ndq_episode *ended
        int64_t n_ended
        int32_t started
        int64_t replay_version
        int64_t last_step
        int64_t last_episode
        int64_t failed_episode
        int64_t steps
        int64_t episodes
        int64_t step_updates
        ndq_stop *stop

    ndq_status ndq_run(ndq_loop *loop, int64_t n, ndq_episode *out, int64_t *n_out)
