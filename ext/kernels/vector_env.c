#include "vector_env.h"

#include <string.h>

void ndq_vector_env_reset(const ndq_vector_env *v, int64_t row, double *states, float *obs)
{
    const ndq_env *env = v->env;
    for (int u = 0; u < env->reset_uniforms; u++) v->uniforms[u] = ndq_uniform(v->rngs[row]);
    env->reset(env->context, env->params, v->uniforms, states + row * env->state_size,
               obs + row * env->observation_size);
    v->lengths[row] = 0;
    v->ended[row] = 0;
}

int ndq_vector_env_can(const ndq_vector_env *v, const int64_t *actions)
{
    const uint64_t n_actions = (uint64_t)v->env->n_actions;
    int outside = 0;
    for (int64_t i = 0; i < v->n; i++) outside |= (uint64_t)actions[i] >= n_actions;
    return !outside;
}

/* Rows that will be reset draw nothing, as they would draw nothing alone. */
static void draw(const ndq_vector_env *v)
{
    const int32_t U = v->env->step_uniforms;
    if (!U) return;
    for (int64_t i = 0; i < v->n; i++)
        for (int32_t u = 0; u < U; u++) v->uniforms[i * U + u] = v->ended[i] ? 0.0 : ndq_uniform(v->rngs[i]);
}

int64_t ndq_vector_env_step(const ndq_vector_env *v, const ndq_vector_step *s)
{
    const ndq_env *env = v->env;
    const int64_t I = env->observation_size;
    int64_t failed = -1;
    draw(v);
    /* Rows that have ended are stepped, too: cheaper than leaving them out, and what comes of it is written over. */
    ndq_env_advance(env, v->n, 1, v->uniforms, s->states, s->actions, s->obs, s->rewards, v->flags);
    for (int64_t i = 0; i < v->n; i++) {
        if (v->ended[i]) {
            s->rewards[i] = 0.0;
            s->terminated[i] = s->truncated[i] = 0;
            ndq_vector_env_reset(v, i, s->states, s->obs);
            continue;
        }
        if (v->flags[i] & NDQ_ENV_ERROR && failed < 0) failed = i;
        s->terminated[i] = v->flags[i] & NDQ_TERMINATED;
        s->truncated[i] = ++v->lengths[i] >= env->max_episode_steps;
        v->ended[i] = s->terminated[i] | s->truncated[i];
        if (v->ended[i] && v->mode == NDQ_RESET_SAME_STEP) {
            memcpy(s->last_obs + i * I, s->obs + i * I, I * sizeof(float));
            ndq_vector_env_reset(v, i, s->states, s->obs);
        }
    }
    return failed;
}
