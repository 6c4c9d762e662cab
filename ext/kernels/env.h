/* An environment as the loop sees it: two function pointers over C arrays (compiled by Numba, or
 * by anything else), and how much memory and how many uniforms they want. It owns no generator
 * and no clock: the caller hands it uniforms in [0, 1) and counts the steps. */
#ifndef NDQ_ENV_H
#define NDQ_ENV_H

#include <stdint.h>

typedef void (*ndq_env_reset)(const double *params, const double *uniforms, double *state, float *obs);
/* Returns flags: a compiled callback cannot raise. */
typedef int32_t (*ndq_env_step)(const double *params, const double *uniforms, double *state, int64_t action,
                                float *obs, double *reward);

/* One step of n episodes, n at most what the maker of the function says; arrays of n rows, flags (n). */
typedef void (*ndq_env_lockstep)(const double *params, const double *uniforms, double *states, const int64_t *actions,
                                 float *obs, double *rewards, int32_t *flags, int64_t n);

enum { NDQ_TERMINATED = 1, NDQ_ENV_ERROR = 2 };

typedef struct {
    ndq_env_reset reset;
    ndq_env_step step;
    const double *params;
    int32_t state_size, observation_size, n_actions, reset_uniforms, step_uniforms;
    int64_t max_episode_steps;
} ndq_env;

#endif
