/* An environment as the loop sees it: function pointers over C arrays (compiled by Numba, or by anything else), and how
 * much memory and how many uniforms they want. It owns no generator and no clock: the caller hands it uniforms in
 * [0, 1) and counts the steps. */
#ifndef NDQ_ENV_H
#define NDQ_ENV_H

#include <stdint.h>

/* `context` is the environment's own, as `state` of NumPy's bitgen_t is the generator's; functions that keep everything
 * in `state` ignore it. All lanes of a loop share it, and all loops that are given the same ndq_env. */
typedef void (*ndq_env_reset)(void *context, const double *params, const double *uniforms, double *state, float *obs);
/* Returns flags: a compiled callback cannot raise. */
typedef int32_t (*ndq_env_step)(void *context, const double *params, const double *uniforms, double *state,
                                int64_t action, float *obs, double *reward);

/* One step of n episodes, n <= lockstep_lanes; arrays of n rows, flags (n). */
typedef void (*ndq_env_lockstep)(void *context, const double *params, const double *uniforms, double *states,
                                 const int64_t *actions, float *obs, double *rewards, int32_t *flags, int64_t n);

/* All episodes of a loop at once, of environments that are no pure functions, as those in Python: the context holds them.
 * Both return 0, or NDQ_ENV_ERROR. A reset is of the lanes that are marked in `begins`, each with a uniform for a seed; it
 * leaves the mark of a lane whose episode only the next step will begin, whatever the action. */
typedef int32_t (*ndq_env_reset_lanes)(void *context, int32_t *begins, const double *uniforms, float *obs);
typedef int32_t (*ndq_env_step_lanes)(void *context, const int64_t *actions, float *obs, double *rewards,
                                      int32_t *flags);

enum { NDQ_TERMINATED = 1, NDQ_ENV_ERROR = 2, NDQ_ENV_TRUNCATED = 4 };

typedef struct {
    ndq_env_reset reset;
    ndq_env_step step;
    ndq_env_lockstep lockstep; /* NULL: episodes are stepped one by one */
    int64_t lockstep_lanes;
    ndq_env_reset_lanes reset_lanes; /* with step_lanes in place of reset and step; else both are NULL */
    ndq_env_step_lanes step_lanes;
    void *context;
    const double *params;
    int32_t state_size, observation_size, n_actions, reset_uniforms, step_uniforms;
    int64_t max_episode_steps;
} ndq_env;

/* `steps` steps of n episodes, n at a time in lockstep where there is a function for it; what is written is what the
 * last step made. uniforms (steps, n, step_uniforms), actions (steps, n), the others (n, ...). */
void ndq_env_advance(const ndq_env *env, int64_t n, int64_t steps, const double *uniforms, double *states,
                     const int64_t *actions, float *obs, double *rewards, int32_t *flags);

#endif
