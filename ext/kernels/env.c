#include "env.h"

static void advance(const ndq_env *env, int64_t n, const double *uniforms, double *states, const int64_t *actions,
                    float *obs, double *rewards, int32_t *flags)
{
    for (int64_t i = 0, size; i < n; i += size) {
        const double *u = uniforms + i * env->step_uniforms;
        double *state = states + i * env->state_size;
        float *o = obs + i * env->observation_size;
        size = n - i < env->lockstep_lanes ? n - i : env->lockstep_lanes;
        if (env->lockstep && size > 1) {
            env->lockstep(env->context, env->params, u, state, actions + i, o, rewards + i, flags + i, size);
        } else {
            size = 1;
            flags[i] = env->step(env->context, env->params, u, state, actions[i], o, rewards + i);
        }
    }
}

void ndq_env_advance(const ndq_env *env, int64_t n, int64_t steps, const double *uniforms, double *states,
                     const int64_t *actions, float *obs, double *rewards, int32_t *flags)
{
    for (int64_t t = 0; t < steps; t++)
        advance(env, n, uniforms + t * n * env->step_uniforms, states, actions + t * n, obs, rewards, flags);
}
