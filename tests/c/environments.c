#include "environments.h"

#include <math.h>
#include <stddef.h>

/* State: place, speed, steps of this episode. */
static void line_observe(const double *state, float *obs)
{
    obs[0] = (float)state[0];
    obs[1] = (float)state[1];
    obs[2] = (float)(state[0] * state[1]);
}

static void line_reset(void *context, const double *params, const double *uniforms, double *state, float *obs)
{
    (void)context;
    state[0] = uniforms[0] - 0.5;
    state[1] = 0.2 * (uniforms[1] - 0.5);
    state[2] = 0.0;
    line_observe(state, obs);
    if (params[LINE_FAULT] == NAN_RESET) obs[2] = NAN;
}

static int32_t line_step(void *context, const double *params, const double *uniforms, double *state, int64_t action,
                         float *obs, double *reward)
{
    (void)context;
    state[1] += 0.1 * (double)(action - 1) + 0.05 * (uniforms[0] - 0.5);
    state[0] += state[1];
    state[2] += 1.0;
    line_observe(state, obs);
    *reward = 1.0 - fabs(state[0]);
    if (state[2] == params[LINE_FAULT_AT]) {
        if (params[LINE_FAULT] == STEP_ERROR) return NDQ_ENV_ERROR;
        if (params[LINE_FAULT] == NAN_OBSERVATION) obs[0] = NAN;
        if (params[LINE_FAULT] == NAN_REWARD) *reward = NAN;
    }
    return fabs(state[0]) > params[LINE_WIDTH] ? NDQ_TERMINATED : 0;
}

ndq_env line_environment(const double params[LINE_PARAMS], int64_t max_episode_steps)
{
    return (ndq_env){
        .reset = line_reset, .step = line_step, .params = params,
        .state_size = 3, .observation_size = 3, .n_actions = 3, .reset_uniforms = 2, .step_uniforms = 1,
        .max_episode_steps = max_episode_steps,
    };
}

static void counter_reset(void *context, const double *params, const double *uniforms, double *state, float *obs)
{
    counter_calls *calls = context;
    (void)params, (void)uniforms;
    if (calls) calls->resets++;
    state[0] = 0.0;
    obs[0] = 0.0f;
}

static int32_t counter_step(void *context, const double *params, const double *uniforms, double *state, int64_t action,
                            float *obs, double *reward)
{
    counter_calls *calls = context;
    (void)params, (void)uniforms, (void)action;
    if (calls) calls->steps++;
    state[0] += 1.0;
    obs[0] = (float)state[0] / 6.0f;
    *reward = calls ? (double)calls->steps : 1.0;
    return state[0] == 6.0 ? NDQ_TERMINATED : 0;
}

ndq_env counter_environment(int64_t max_episode_steps, counter_calls *calls)
{
    return (ndq_env){
        .reset = counter_reset, .step = counter_step, .context = calls, .params = NULL,
        .state_size = 1, .observation_size = 1, .n_actions = 1, .reset_uniforms = 0, .step_uniforms = 0,
        .max_episode_steps = max_episode_steps,
    };
}
