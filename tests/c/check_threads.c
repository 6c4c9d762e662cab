/* Two threads, an agent each: all that they share is constant, and neither changes what the other computes. */
#include <pthread.h>
#include <stdatomic.h>

#include "agent.h"
#include "check.h"
#include "environments.h"
#include "memory.h"

enum { THREADS = 2, EPISODES = 12 };

typedef struct {
    agent *learner;
    ndq_episode *out;
    atomic_int *arrived; /* NULL: nobody to wait for */
} work;

static void *learn(void *context)
{
    work *w = context;
    int64_t n_out;
    if (w->arrived)
        for (++*w->arrived; *w->arrived < THREADS;) continue; /* so that both do run at the same time */
    CHECK(ndq_run(&w->learner->loop, EPISODES, w->out, &n_out) == NDQ_DONE && n_out == EPISODES);
    return NULL;
}

static work work_for(const agent_settings *settings, atomic_int *arrived)
{
    return (work){agent_make(settings), TAKE(ndq_episode, EPISODES), arrived};
}

static void check_threads_equal_turns(const agent_settings settings[THREADS])
{
    pthread_t threads[THREADS];
    work together[THREADS], in_turn[THREADS];
    atomic_int arrived = 0;
    for (int i = 0; i < THREADS; i++) {
        in_turn[i] = work_for(&settings[i], NULL);
        together[i] = work_for(&settings[i], &arrived);
        learn(&in_turn[i]);
    }
    for (int i = 0; i < THREADS; i++) CHECK(pthread_create(&threads[i], NULL, learn, &together[i]) == 0);
    for (int i = 0; i < THREADS; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    for (int i = 0; i < THREADS; i++) {
        agent_check_equal(in_turn[i].learner, together[i].learner);
        agent_check_episodes_equal(in_turn[i].out, together[i].out, EPISODES);
        memory_give(in_turn[i].out), memory_give(together[i].out);
        agent_free(in_turn[i].learner), agent_free(together[i].learner);
    }
}

static void *play_until_stopped(void *context)
{
    agent *a = context;
    ndq_episode out;
    int64_t n_out;
    CHECK(ndq_run(&a->loop, 1, &out, &n_out) == NDQ_STOPPED && n_out == 0);
    return NULL;
}

/* Episodes without an end, stopped by a flag of another thread. */
static void check_stop_from_outside(agent_settings settings)
{
    pthread_t threads[THREADS];
    agent *agents[THREADS];
    ndq_stop stop = {0};
    const double endless[LINE_PARAMS] = {[LINE_WIDTH] = 1e300};
    settings.env = line_environment(endless, INT64_MAX);
    for (int i = 0; i < THREADS; i++) {
        agents[i] = agent_make(&settings);
        agents[i]->loop.stop = &stop;
        CHECK(pthread_create(&threads[i], NULL, play_until_stopped, agents[i]) == 0);
    }
    ndq_stop_set(&stop, 1);
    for (int i = 0; i < THREADS; i++) {
        CHECK(pthread_join(threads[i], NULL) == 0);
        CHECK(agents[i]->loop.started);
        agent_free(agents[i]);
    }
}

void check_threads(const ndq_kernels *kernels)
{
    const double params[LINE_PARAMS] = {[LINE_WIDTH] = 0.7};
    const ndq_env env = line_environment(params, 13);
    const agent_settings sgd = agent_sgd_settings(kernels, env), adam = agent_adam_settings(kernels, env);
    check_threads_equal_turns((agent_settings[THREADS]){sgd, adam});
    check_threads_equal_turns((agent_settings[THREADS]){sgd, sgd});
    check_stop_from_outside(sgd);
}
