/* A network that contains others: its paths are slices of it, and an update moves nothing outside of them. */
#include <math.h>
#include <string.h>

#include "agent.h"
#include "check.h"
#include "environments.h"
#include "memory.h"
#include "supernet.h"

static const double wide[LINE_PARAMS] = {[LINE_WIDTH] = INFINITY};

enum { PATHS = 2, NARROW = 3 };

typedef struct {
    agent *a; /* its network is the largest path, with the second head */
    mlp shared, small;
    ndq_path paths[PATHS];
    double odds[PATHS], losses[PATHS];
    int64_t drawn[PATHS], times[PATHS];
    ndq_optimizer optimizer;
    ndq_supernet supernet;
} family;

static void family_make(family *f, const agent_settings *settings, int is_sandwich, int distills)
{
    const ndq_env env = settings->env;
    const int64_t I = env.observation_size, A = env.n_actions;
    const int64_t all[] = {I, settings->widths[0], settings->widths[1], 2 * A}, few[] = {I, NARROW, A};
    f->a = agent_make(settings);
    mlp_make(&f->shared, settings->kernels, settings->activation, all, 3, 5);
    mlp_make(&f->small, settings->kernels, NDQ_LEAKY_RELU, few, 2, 6);
    const int64_t length = mlp_length(&f->shared);
    f->paths[0] = (ndq_path){&f->a->network.net, f->a->network.params, f->a->learner.gradient, A};
    f->paths[1] = (ndq_path){&f->small.net, f->small.params, ZEROS(float, mlp_length(&f->small)), 0};
    f->odds[0] = f->odds[1] = 1.0;
    f->optimizer = f->a->optimizer;
    if (f->optimizer.m) f->optimizer.m = ZEROS(float, length), f->optimizer.v = ZEROS(float, length);
    f->supernet = (ndq_supernet){
        .net = &f->shared.net, .params = f->shared.params, .gradient = TAKE(float, length), .paths = f->paths,
        .n_paths = PATHS, .largest = 0, .smallest = 1, .n_drawn = PATHS, .is_sandwich = is_sandwich,
        .distills = distills, .odds = f->odds, .drawn = f->drawn, .times = f->times, .losses = f->losses,
        .teacher = TAKE(float, A * NDQ_PANEL),
    };
    f->a->learner.optimizer = &f->optimizer;
    f->a->learner.supernet = &f->supernet;
    ndq_supernet_read(&f->supernet, 0);
}

static void family_free(family *f)
{
    if (f->optimizer.m) memory_give(f->optimizer.m), memory_give(f->optimizer.v);
    memory_give(f->paths[1].gradient), memory_give(f->supernet.gradient), memory_give(f->supernet.teacher);
    mlp_free(&f->shared), mlp_free(&f->small);
    agent_free(f->a);
}

/* Claims that a path is its part of the shared layers, and marks this part. */
static void check_path(const family *f, const mlp *path, int64_t head, uint8_t *covered)
{
    const ndq_net *own = &path->net, *net = &f->shared.net;
    for (int l = 0; l < own->n_layers; l++) {
        const int is_head = l == own->n_layers - 1, at = is_head ? net->n_layers - 1 : l;
        const float scale = sqrtf((float)net->sizes[at] / (float)own->sizes[l]);
        for (int64_t i = 0; i <= own->sizes[l]; i++)
            for (int64_t o = 0; o < own->sizes[l + 1]; o++) {
                const int is_bias = i == own->sizes[l];
                const int64_t from = mlp_index(&f->shared, at, is_bias ? net->sizes[at] : i, o + (is_head ? head : 0));
                const float expected = is_bias ? f->shared.params[from] : scale * f->shared.params[from];
                CHECK(path->params[mlp_index(path, l, i, o)] == expected);
                covered[from] = 1;
            }
    }
}

static void check_family(const agent_settings *settings, int is_sandwich, int distills)
{
    family f;
    family_make(&f, settings, is_sandwich, distills);
    const int64_t length = mlp_length(&f.shared), updates = 5;
    float *before = TAKE(float, length);
    uint8_t *covered = ZEROS(uint8_t, length);
    memcpy(before, f.shared.params, length * sizeof(float));
    for (int i = 0; i < settings->capacity + 2; i++)
        ndq_replay_add(&f.a->replay, (float[]){0.1f * i, 0.2f, 0.3f}, i % 2, 1.0f, (float[]){0.4f, 0.5f, 0.1f * i}, 0, 0);
    ndq_learner_begin(&f.a->learner);
    for (int i = 0; i < updates; i++) CHECK(isfinite(ndq_population_update(&f.a->population)));
    CHECK(f.a->learner.updates == updates);
    for (int k = 0; k < PATHS; k++) ndq_supernet_read(&f.supernet, k);
    check_path(&f, &f.a->network, settings->env.n_actions, covered);
    check_path(&f, &f.small, 0, covered);
    int64_t moved = 0;
    for (int64_t i = 0; i < length; i++) {
        moved += f.shared.params[i] != before[i];
        CHECK(covered[i] || f.shared.params[i] == before[i]);
    }
    CHECK(moved > 0);
    memory_give(before), memory_give(covered);
    family_free(&f);
}

void check_supernet(const ndq_kernels *kernels)
{
    const ndq_env env = line_environment(wide, 13);
    const agent_settings settings[] = {agent_sgd_settings(kernels, env), agent_adam_settings(kernels, env)};
    for (int i = 0; i < 2; i++)
        for (int rule = 0; rule < 4; rule++) check_family(&settings[i], rule & 1, rule >> 1);
}
