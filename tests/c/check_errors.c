/* What goes wrong is reported as what it is, in the right episode, and the loop continues once the cause is gone. */
#include <math.h>

#include "agent.h"
#include "check.h"
#include "environments.h"
#include "memory.h"

enum { LIMIT = 13, BEFORE = 4, AFTER = 3 };

/* A run of `n` episodes that must end with `status`. */
static void run(agent *a, int64_t n, ndq_status status)
{
    ndq_episode *out = TAKE(ndq_episode, n);
    int64_t n_out;
    CHECK(ndq_run(&a->loop, n, out, &n_out) == status);
    if (status == NDQ_DONE)
        CHECK(n_out == n);
    else
        CHECK(n_out < n && !a->loop.started && a->loop.failed_episode > a->loop.episodes - a->loop.n_lanes);
    memory_give(out);
}

/* What had ended before an error is reported after it, then the episodes that begin anew in all lanes. */
static void check_goes_on(agent *a)
{
    const int64_t reported = a->loop.episodes - a->loop.n_ended;
    run(a, AFTER, NDQ_DONE);
    CHECK(a->loop.episodes - a->loop.n_ended == reported + AFTER);
}

static void check_environment_faults(const agent_settings *settings, double *params)
{
    static const struct {
        line_fault fault;
        ndq_status status;
    } faults[] = {{STEP_ERROR, NDQ_FAILED_ENV},
                  {NAN_OBSERVATION, NDQ_BAD_OBSERVATION},
                  {NAN_REWARD, NDQ_BAD_REWARD},
                  {NAN_RESET, NDQ_BAD_OBSERVATION}};
    agent *a = agent_make(settings);
    params[LINE_FAULT] = NAN_RESET;
    run(a, 1, NDQ_BAD_OBSERVATION); /* in the first reset of all */
    CHECK(a->loop.steps == 0 && a->loop.failed_episode == 1);
    params[LINE_FAULT] = SOUND;
    run(a, BEFORE, NDQ_DONE);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) {
        params[LINE_FAULT] = faults[i].fault;
        params[LINE_FAULT_AT] = 5;
        run(a, LIMIT, faults[i].status);
        /* Lanes that ended after the one that failed are counted, too. */
        CHECK(a->loop.failed_episode <= a->loop.episodes + 1);
        CHECK(a->loop.failed_episode > a->loop.episodes + 1 - a->loop.n_lanes);
        params[LINE_FAULT] = SOUND;
        check_goes_on(a);
    }
    agent_free(a);
}

/* Weights are looked at when an episode ends or, where nothing is learned, when a run begins; losses at each update. */
static void check_weights(agent_settings settings)
{
    settings.n_lanes = 1; /* so that an episode ends before anything is learned */
    agent *a = agent_make(&settings);
    const float sound = a->network.params[0];
    a->network.params[0] = NAN;
    run(a, 2, NDQ_BAD_WEIGHTS);
    CHECK(a->loop.episodes == 1 && a->loop.failed_episode == 1 && a->learner.updates == 0);
    a->population.n = 0;
    run(a, 1, NDQ_BAD_WEIGHTS);
    CHECK(a->loop.episodes == 1);
    a->population.n = 1;
    a->network.params[0] = sound;
    run(a, BEFORE, NDQ_DONE);
    float *weights = TAKE(float, mlp_length(&a->network));
    for (int64_t i = 0; i < mlp_length(&a->network); i++) weights[i] = a->network.params[i];
    a->network.params[0] = NAN;
    run(a, 1, NDQ_BAD_LOSS);
    for (int64_t i = 0; i < mlp_length(&a->network); i++) a->network.params[i] = weights[i];
    if (settings.optimizer == NDQ_ADAM) /* the NaN has reached them */
        for (int64_t i = 0; i < mlp_length(&a->network); i++) a->optimizer.m[i] = a->optimizer.v[i] = 0.0f;
    check_goes_on(a);
    memory_give(weights);
    agent_free(a);
}

static void check_settings(agent_settings (*settings_for)(const ndq_kernels *, ndq_env), const ndq_kernels *kernels)
{
    double params[LINE_PARAMS] = {[LINE_WIDTH] = INFINITY};
    const agent_settings settings = settings_for(kernels, line_environment(params, LIMIT));
    check_environment_faults(&settings, params);
    check_weights(settings);
}

void check_errors(const ndq_kernels *kernels)
{
    check_settings(agent_sgd_settings, kernels);
    check_settings(agent_adam_settings, kernels);
}
