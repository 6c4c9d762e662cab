/* A learner on the loop with all its memory, and the comparison of two. */
#ifndef AGENT_H
#define AGENT_H

#include "loop.h"
#include "mlp.h"

enum { AGENT_HIDDEN = 2, AGENT_LEARNERS = 2 };

typedef struct {
    const ndq_kernels *kernels;
    ndq_env env;
    int64_t widths[AGENT_HIDDEN];
    int32_t activation, optimizer;
    int64_t n_lanes, batch_size, capacity, n_step, updates_per_step, target_every, last_episode;
    int caches_targets, horizon_is_terminal, is_prioritized, normalizes;
    uint64_t seed;
} agent_settings;

typedef struct {
    mlp network;
    float *target;
    ndq_optimizer optimizer;
    ndq_replay replay;
    ndq_sum_tree priorities; /* used if it is prioritized */
    ndq_normalizer normalizer; /* of size 0, if observations are not normalized */
    uint64_t random[3]; /* states of the environment's, the policy's and the learner's generators */
    bitgen_t bitgens[3];
    ndq_learner learner;
    ndq_learner *learners[AGENT_LEARNERS];
    double losses[AGENT_LEARNERS], last_losses[AGENT_LEARNERS];
    uint8_t retired[AGENT_LEARNERS];
    ndq_population population; /* of the learner alone, until a test adds another */
    ndq_loop loop; /* points into this struct, which therefore must not move */
} agent;

enum { AGENT_WARM_UP = 20 };

/* Two that share nothing in their settings, on an environment of the caller's. */
agent_settings agent_sgd_settings(const ndq_kernels *kernels, ndq_env env);
agent_settings agent_adam_settings(const ndq_kernels *kernels, ndq_env env);

agent *agent_make(const agent_settings *settings);
void agent_free(agent *a);

/* Keeps the newest n transitions. */
void agent_prune(agent *a, int64_t n);

/* Everything that a run reads again is the same, bit for bit: weights, moments, transitions, lanes, generators. */
void agent_check_equal(const agent *a, const agent *b);

/* n episodes of `a` are those of `b`, bit for bit. */
void agent_check_episodes_equal(const ndq_episode *a, const ndq_episode *b, int64_t n);

#endif
