#include "agent.h"

#include <string.h>

#include "check.h"
#include "generator.h"
#include "memory.h"

agent_settings agent_sgd_settings(const ndq_kernels *kernels, ndq_env env)
{
    return (agent_settings){
        .kernels = kernels, .env = env, .widths = {17, 5}, .activation = NDQ_RELU,
        .optimizer = NDQ_SGD, .n_lanes = 1, .batch_size = 65, .capacity = 37, .n_step = 1, .updates_per_step = 1,
        .target_every = 7,
        .caches_targets = 1, .seed = 1,
    };
}

agent_settings agent_adam_settings(const ndq_kernels *kernels, ndq_env env)
{
    return (agent_settings){
        .kernels = kernels, .env = env, .widths = {9, 35}, .activation = NDQ_TANH,
        .optimizer = NDQ_ADAM, .n_lanes = 3, .batch_size = 33, .capacity = 50, .n_step = 3, .updates_per_step = 2,
        .target_every = 11, .horizon_is_terminal = 1, .is_prioritized = 1, .seed = 2,
    };
}

static void make_memory(agent *a, const agent_settings *s)
{
    const int64_t length = mlp_length(&a->network), stride = ndq_replay_stride(s->env.observation_size);
    const int is_adam = s->optimizer == NDQ_ADAM;
    a->target = TAKE(float, length);
    memcpy(a->target, a->network.params, length * sizeof(float));
    a->optimizer = (ndq_optimizer){
        .kind = s->optimizer, .learning_rate = 0.01f, .clip = 1.0f, .beta1 = 0.9f, .beta2 = 0.999f, .epsilon = 1e-8f,
        .m = is_adam ? ZEROS(float, length) : NULL, .v = is_adam ? ZEROS(float, length) : NULL,
    };
    a->replay = (ndq_replay){
        .rows = TAKE(float, s->capacity * stride), .capacity = s->capacity, .stride = stride,
        .observation_size = s->env.observation_size, .largest_action = -1, .largest_priority = 1.0,
    };
    if (!s->is_prioritized) return;
    const int64_t doubles = ndq_sum_tree_plan(&a->priorities, s->capacity);
    a->priorities.nodes = ZEROS(double, doubles);
    a->replay.priorities = &a->priorities;
}

static void make_normalizer(agent *a, const agent_settings *s)
{
    if (!s->normalizes) return;
    const int64_t I = s->env.observation_size;
    a->normalizer = (ndq_normalizer){
        .size = I, .count = NDQ_NORMALIZER_PRIOR, .mean = ZEROS(double, I), .variance = ZEROS(double, I),
        .center = TAKE(float, I), .scale = TAKE(float, I),
    };
    for (int64_t i = 0; i < I; i++) a->normalizer.variance[i] = 1.0;
    ndq_normalizer_refresh(&a->normalizer);
    a->network.net.normalizer = &a->normalizer;
}

static void make_learner(agent *a, const agent_settings *s)
{
    const int64_t length = mlp_length(&a->network), cache_stride = ndq_row_stride(1 + s->env.n_actions);
    a->learner = (ndq_learner){
        .net = &a->network.net,
        .params = a->network.params, .target = a->target, .gradient = ZEROS(float, length),
        .optimizer = &a->optimizer, .replay = &a->replay, .rng = &a->bitgens[2],
        .gamma = 0.95, .n_step = s->n_step, .huber_delta = 1.0f,
        .batch_size = s->batch_size, .target_every = s->target_every, .horizon_is_terminal = s->horizon_is_terminal,
        .is_double = 1, .target_tau = 1.0f,
        .is_prioritized = s->is_prioritized, .priority_alpha = 0.6f, .priority_epsilon = 1e-6f, .priority_beta = 0.4,
        .beta_steps = 100, .weights = TAKE(float, s->batch_size), .errors = TAKE(float, s->batch_size),
        .slots = TAKE(int64_t, s->batch_size),
        .batch = TAKE(float, a->replay.stride * NDQ_PANEL),
        .actions = TAKE(int64_t, NDQ_PANEL), .targets = TAKE(float, NDQ_PANEL),
        .last = TAKE(int64_t, NDQ_PANEL), .discounts = TAKE(float, NDQ_PANEL),
        .cache = {
            .rows = s->caches_targets ? ZEROS(float, s->capacity * cache_stride) : NULL, .stride = cache_stride,
            .target = TAKE(float, length), .replay_version = -1,
        },
    };
    a->learner.after = s->n_step == 1 ? a->learner.batch : TAKE(float, a->replay.stride * NDQ_PANEL);
    for (int b = 0; b < NDQ_PANEL; b++) a->learner.discounts[b] = (float)a->learner.gamma;
}

static void make_population(agent *a, const agent_settings *s)
{
    a->learners[0] = &a->learner;
    for (int i = 0; i < AGENT_LEARNERS; i++) a->losses[i] = a->retired[i] = 0;
    a->population = (ndq_population){
        .learners = a->learners, .n = 1, .losses = a->losses, .last_losses = a->last_losses,
        .retired = a->retired,
        .acted = ZEROS(int64_t, s->n_lanes * AGENT_LEARNERS),
    };
}

static void make_loop(agent *a, const agent_settings *s)
{
    const ndq_env *env = &s->env;
    const int64_t n = s->n_lanes;
    const int32_t n_uniforms =
        env->reset_uniforms > env->step_uniforms ? env->reset_uniforms : env->step_uniforms;
    a->loop = (ndq_loop){
        .env = *env, .net = &a->network.net, .params = a->network.params, .population = &a->population,
        .normalizes = s->normalizes, .env_rng = &a->bitgens[0], .policy_rng = &a->bitgens[1],
        .warm_up = AGENT_WARM_UP, .train_every = 1, .phase_updates = n * s->updates_per_step,
        .epsilon_start = 1.0, .epsilon_decay = 0.8, .epsilon_end = 0.1,
        .n_lanes = n, .lanes = TAKE(ndq_lane, n),
        .states = TAKE(double, n * env->state_size),
        .obs = TAKE(float, n * env->observation_size), .next_obs = TAKE(float, n * env->observation_size),
        .q = TAKE(float, n * env->n_actions + ndq_pad(env->n_actions)),
        .actions = TAKE(int64_t, n), .flags = TAKE(int32_t, n), .uniforms = TAKE(double, n_uniforms),
        .begins = TAKE(int32_t, n), .seeds = TAKE(double, n), .rows = TAKE(int64_t, n),
        .ended = TAKE(ndq_episode, n), .step_updates = -1, .replay_version = -1, .last_episode = s->last_episode,
    };
}

agent *agent_make(const agent_settings *s)
{
    agent *a = TAKE(agent, 1);
    const int64_t sizes[] = {s->env.observation_size, s->widths[0], s->widths[1], s->env.n_actions};
    mlp_make(&a->network, s->kernels, s->activation, sizes, AGENT_HIDDEN + 1, s->seed);
    for (int i = 0; i < 3; i++) {
        a->random[i] = s->seed * 3 + i;
        a->bitgens[i] = generator_bitgen(&a->random[i]);
    }
    a->normalizer = (ndq_normalizer){0};
    make_memory(a, s);
    make_normalizer(a, s);
    make_learner(a, s);
    make_population(a, s);
    make_loop(a, s);
    return a;
}

void agent_free(agent *a)
{
    ndq_loop *loop = &a->loop;
    ndq_learner *learner = &a->learner;
    void *const blocks[] = {
        a->target, a->optimizer.m, a->optimizer.v, a->replay.rows, learner->gradient, learner->slots, learner->batch,
        learner->actions, learner->targets, learner->weights, learner->errors, learner->last, learner->discounts,
        learner->after == learner->batch ? NULL : learner->after, learner->cache.rows, learner->cache.target,
        loop->lanes, loop->states, loop->obs, loop->next_obs, loop->q, loop->actions, loop->flags, loop->uniforms,
        loop->begins, loop->seeds, loop->rows, loop->ended, a->population.acted, a->normalizer.mean, a->normalizer.variance,
        a->normalizer.center, a->normalizer.scale,
    };
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) memory_give(blocks[i]);
    if (a->replay.priorities) memory_give(a->priorities.nodes);
    mlp_free(&a->network);
    memory_give(a);
}

void agent_prune(agent *a, int64_t n)
{
    int64_t *kept = TAKE(int64_t, n);
    float *scratch = TAKE(float, n * a->replay.stride);
    for (int64_t i = 0; i < n; i++) kept[i] = a->replay.size - n + i;
    ndq_replay_keep(&a->replay, kept, n, scratch);
    memory_give(scratch);
    memory_give(kept);
}

static int same(const void *a, const void *b, int64_t bytes) { return !memcmp(a, b, bytes); }

static void check_replay_equal(const ndq_replay *a, const ndq_replay *b)
{
    CHECK(a->size == b->size && a->next == b->next);
    for (int64_t i = 0; i < a->size; i++) /* what lies between the end of a row and the next one is never written */
        CHECK(same(ndq_row(a, i), ndq_row(b, i), ndq_row_floats(a) * sizeof(float)));
    if (!a->priorities) return;
    CHECK(same(a->priorities->nodes, b->priorities->nodes, a->size * sizeof(double)));
    CHECK(a->largest_priority == b->largest_priority);
}

void agent_check_equal(const agent *a, const agent *b)
{
    const ndq_loop *x = &a->loop, *y = &b->loop;
    const int64_t block = mlp_length(&a->network) * sizeof(float);
    CHECK(same(a->network.params, b->network.params, block));
    CHECK(same(a->target, b->target, block));
    CHECK(a->optimizer.steps == b->optimizer.steps);
    if (a->optimizer.kind == NDQ_ADAM)
        CHECK(same(a->optimizer.m, b->optimizer.m, block) && same(a->optimizer.v, b->optimizer.v, block));
    check_replay_equal(&a->replay, &b->replay);
    CHECK(a->normalizer.count == b->normalizer.count);
    if (a->normalizer.size) {
        const int64_t bytes = a->normalizer.size * sizeof(double);
        CHECK(same(a->normalizer.mean, b->normalizer.mean, bytes));
        CHECK(same(a->normalizer.variance, b->normalizer.variance, bytes));
    }
    CHECK(same(a->random, b->random, sizeof a->random));
    CHECK(x->steps == y->steps && a->learner.updates == b->learner.updates && x->episodes == y->episodes);
    CHECK(x->started == y->started && x->n_ended == y->n_ended && x->step_updates == y->step_updates);
    CHECK(same(x->lanes, y->lanes, x->n_lanes * sizeof *x->lanes));
    CHECK(same(x->states, y->states, x->n_lanes * x->env.state_size * sizeof(double)));
    CHECK(same(x->obs, y->obs, x->n_lanes * x->env.observation_size * sizeof(float)));
    agent_check_episodes_equal(x->ended, y->ended, x->n_ended);
}

void agent_check_episodes_equal(const ndq_episode *a, const ndq_episode *b, int64_t n)
{
    CHECK(same(a, b, n * sizeof *a));
}
