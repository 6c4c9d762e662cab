/* The whole loop, each claim by two ways to one result. */
#include <math.h>
#include <string.h>

#include "agent.h"
#include "check.h"
#include "environments.h"
#include "memory.h"

enum { EPISODES = 8 };

static const double wide[LINE_PARAMS] = {[LINE_WIDTH] = INFINITY}, narrow[LINE_PARAMS] = {[LINE_WIDTH] = 2.0};

/* Episodes by ndq_run, in one block of exactly n. */
static ndq_episode *episodes_of(agent *a, int64_t n)
{
    ndq_episode *out = TAKE(ndq_episode, n);
    int64_t n_out;
    CHECK(ndq_run(&a->loop, n, out, &n_out) == NDQ_DONE && n_out == n);
    return out;
}

static void check_padding(const agent *a)
{
    const ndq_net *net = &a->network.net;
    for (int l = 0; l < net->n_layers; l++)
        for (int64_t i = 0; i <= net->sizes[l]; i++)
            for (int64_t o = net->sizes[l + 1]; o < ndq_pad(net->sizes[l + 1]); o++)
                CHECK(a->network.params[mlp_index(&a->network, l, i, o)] == 0.0f);
}

/* The memory wraps, updates happen, the target is copied; a second agent in two calls ends where the first did. */
static void check_parts_equal_whole(const agent_settings *settings)
{
    agent *whole = agent_make(settings), *parts = agent_make(settings);
    ndq_episode *all = episodes_of(whole, EPISODES), *first = episodes_of(parts, 3);
    ndq_episode *rest = episodes_of(parts, EPISODES - 3);
    agent_check_episodes_equal(all, first, 3);
    agent_check_episodes_equal(all + 3, rest, EPISODES - 3);
    agent_check_equal(whole, parts);
    CHECK(whole->loop.steps > settings->capacity && whole->replay.size == settings->capacity);
    CHECK(whole->learner.updates > settings->target_every);
    check_padding(whole);
    memory_give(all), memory_give(first), memory_give(rest);
    agent_free(whole), agent_free(parts);
}

/* Also when the memory was cut and the target written to between two runs. */
static void check_cached_targets_change_nothing(agent_settings settings)
{
    agent *agents[2];
    for (int caches = 0; caches < 2; caches++) {
        settings.caches_targets = caches;
        agent *a = agents[caches] = agent_make(&settings);
        memory_give(episodes_of(a, 3));
        agent_prune(a, 5);
        memory_give(episodes_of(a, 2));
        a->target[0] += 0.25f;
        memory_give(episodes_of(a, 3));
    }
    agent_check_equal(agents[0], agents[1]);
    agent_free(agents[0]), agent_free(agents[1]);
}

/* A generator that stops the loop with each draw. */
typedef struct {
    bitgen_t inner;
    ndq_stop *stop;
} stopping;

static uint32_t stop_and_draw(void *state)
{
    stopping *s = state;
    ndq_stop_set(s->stop, 1);
    return s->inner.next_uint32(s->inner.state);
}

static double stop_and_draw_double(void *state)
{
    stopping *s = state;
    ndq_stop_set(s->stop, 1);
    return s->inner.next_double(s->inner.state);
}

/* Stopped after each update, most of them in the middle of a step, and run again each time. */
static void check_stops_change_nothing(const agent_settings *settings)
{
    agent *straight = agent_make(settings), *stopped = agent_make(settings);
    ndq_episode *expected = episodes_of(straight, EPISODES), *out = TAKE(ndq_episode, EPISODES);
    ndq_stop stop = {0};
    stopping draws = {stopped->bitgens[2], &stop};
    bitgen_t rng = {.state = &draws, .next_uint32 = stop_and_draw, .next_double = stop_and_draw_double};
    int64_t done = 0, n_out, stops = 0;
    stopped->learner.rng = &rng;
    stopped->loop.stop = &stop;
    ndq_status status;
    do {
        ndq_stop_set(&stop, 0);
        status = ndq_run(&stopped->loop, EPISODES - done, out + done, &n_out);
        CHECK(status == NDQ_DONE || status == NDQ_STOPPED);
        done += n_out;
        stops += status == NDQ_STOPPED;
    } while (status == NDQ_STOPPED);
    CHECK(stops >= stopped->learner.updates - 1 && stops > 4 && done == EPISODES);
    agent_check_episodes_equal(expected, out, EPISODES);
    agent_check_equal(straight, stopped);
    memory_give(expected), memory_give(out);
    agent_free(straight), agent_free(stopped);
}

/* A loop that has no memory to learn from changes no weight; episodes end by themselves or at the limit. */
static void check_play(const agent_settings *settings)
{
    agent *a = agent_make(settings), *untouched = agent_make(settings);
    a->population.n = 0;
    ndq_episode *out = episodes_of(a, EPISODES);
    for (int i = 0; i < EPISODES; i++)
        CHECK(out[i].length >= 1 && out[i].length <= settings->env.max_episode_steps && isnan(out[i].mean_loss));
    CHECK(!memcmp(a->network.params, untouched->network.params, mlp_length(&a->network) * sizeof(float)));
    CHECK(a->learner.updates == 0 && a->replay.size == 0);
    memory_give(out);
    agent_free(a), agent_free(untouched);
}

/* After the last episode no draw is made for another. */
static void check_last_episode(agent_settings settings)
{
    settings.n_lanes = 1;
    settings.env = counter_environment(100, NULL);
    settings.last_episode = EPISODES;
    agent *a = agent_make(&settings);
    ndq_episode *out = episodes_of(a, EPISODES);
    for (int i = 0; i < EPISODES; i++) CHECK(out[i].length == 6 && out[i].reward_sum == 6.0);
    CHECK(a->loop.steps == 6 * EPISODES && a->loop.obs[0] == 1.0f); /* the sixth observation: not reset */
    memory_give(out);
    agent_free(a);
}

/* An environment with state of its own behind its context: every call of a loop meets it. */
static void check_context(agent_settings settings)
{
    counter_calls calls = {0};
    settings.n_lanes = 1;
    settings.env = counter_environment(100, &calls);
    agent *a = agent_make(&settings);
    ndq_episode *out = episodes_of(a, EPISODES);
    CHECK(calls.steps == a->loop.steps && calls.resets == EPISODES + 1);
    for (int64_t i = 0; i < EPISODES; i++) CHECK(out[i].reward_sum == 6.0 * (6 * i) + 21.0); /* 1 + ... + 6 */
    memory_give(out);
    agent_free(a);
}

static void count_together(void *context, const double *params, const double *uniforms, double *states,
                           const int64_t *actions, float *obs, double *rewards, int32_t *flags, int64_t n)
{
    counter_calls *calls = context;
    (void)params, (void)uniforms, (void)actions;
    calls->resets++; /* here: calls in lockstep */
    for (int64_t i = 0; i < n; i++) {
        obs[i] = (float)++states[i];
        rewards[i] = (double)n;
        flags[i] = 0;
    }
}

/* Episodes are stepped in groups of lockstep_lanes; one that is left over alone, one by one. */
static void check_advance(void)
{
    counter_calls calls = {0};
    ndq_env env = counter_environment(100, &calls);
    double states[5] = {0}, rewards[5];
    float obs[5];
    int64_t actions[20] = {0};
    int32_t flags[5];
    env.lockstep = count_together;
    env.lockstep_lanes = 2;
    ndq_env_advance(&env, 5, 2, NULL, states, actions, obs, rewards, flags);
    CHECK(calls.resets == 4 && calls.steps == 2);
    for (int i = 0; i < 5; i++) CHECK(states[i] == 2.0 && flags[i] == 0 && rewards[i] == 2.0);
    env.lockstep = NULL;
    ndq_env_advance(&env, 5, 4, NULL, states, actions, obs, rewards, flags);
    CHECK(calls.resets == 4 && calls.steps == 22);
    for (int i = 0; i < 5; i++) CHECK(states[i] == 6.0 && flags[i] == NDQ_TERMINATED && rewards[i] == 18.0 + i);
}

/* Batches around the panel, from a memory of one transition and a full one. */
static void check_update(agent_settings settings)
{
    const int64_t batches[] = {1, 63, 64, 65, 130};
    for (size_t i = 0; i < sizeof batches / sizeof *batches; i++) {
        settings.batch_size = batches[i];
        agent *a = agent_make(&settings);
        ndq_replay_add(&a->replay, (float[]){0.1f, 0.2f, 0.3f}, 2, 1.0f, (float[]){0.4f, 0.5f, 0.6f},
                       NDQ_ROW_TERMINATED, 0);
        ndq_learner_begin(&a->learner);
        CHECK(isfinite(ndq_population_update(&a->population)));
        memory_give(episodes_of(a, EPISODES));
        const int64_t updates = a->learner.updates;
        ndq_learner_begin(&a->learner);
        CHECK(isfinite(ndq_population_update(&a->population)) && a->learner.updates == updates + 1);
        agent_free(a);
    }
}

/* Lets another agent's learner learn from the memory, minibatches and target of this one. */
static void add_learner(agent *a, agent *b)
{
    b->learner.replay = &a->replay;
    b->learner.slots = a->learner.slots;
    b->learner.weights = a->learner.weights;
    a->learners[1] = &b->learner;
    a->learner.valuer = b->learner.valuer = &a->learner;
    a->population.n = 2;
}

/* Two of the same weights compute the same, and the first is always chosen. */
static void check_equal_learners(const agent_settings *settings)
{
    agent *a = agent_make(settings), *b = agent_make(settings);
    int64_t *own_slots = b->learner.slots;
    float *own_weights = b->learner.weights;
    add_learner(a, b);
    ndq_replay_add(&a->replay, (float[]){0.1f, 0.2f, 0.3f}, 2, 1.0f, (float[]){0.4f, 0.5f, 0.6f}, 0, 0);
    for (int64_t k = 0; k < a->population.n; k++) ndq_learner_begin(a->learners[k]);
    for (int i = 0; i < 2 * settings->target_every; i++) CHECK(isfinite(ndq_population_update(&a->population)));
    CHECK(a->population.has_chosen && a->population.chosen == 0 && a->last_losses[0] == a->last_losses[1]);
    CHECK(!memcmp(b->network.params, a->network.params, mlp_length(&a->network) * sizeof(float)));
    CHECK(a->learner.updates == b->learner.updates);
    b->learner.slots = own_slots, b->learner.weights = own_weights;
    agent_free(a), agent_free(b);
}

/* Episodes of two networks with different layers. Each choice is of the least loss, and makes the target a copy. */
static void play_population(agent *a, const agent *b)
{
    const mlp *networks[] = {&a->network, &b->network};
    const float *targets[] = {a->target, b->target};
    ndq_population *p = &a->population;
    ndq_episode out[EPISODES];
    int64_t played = 0, n_out, choices = 0;
    while (played < EPISODES) {
        const ndq_status status = ndq_run(&a->loop, EPISODES - played, out + played, &n_out);
        CHECK(status == NDQ_DONE || status == NDQ_CHOSEN);
        for (int64_t i = played; i < played + n_out; i++) CHECK(out[i].actor == 0 || out[i].actor == 1);
        played += n_out;
        if (status == NDQ_DONE) continue;
        CHECK(p->has_chosen && p->n_losses == 0 && p->losses[0] == 0.0 && p->losses[1] == 0.0);
        CHECK(p->last_losses[p->chosen] <= p->last_losses[1 - p->chosen]);
        CHECK(!memcmp(targets[p->chosen], networks[p->chosen]->params, mlp_length(networks[p->chosen]) * sizeof(float)));
        CHECK(a->learner.valuer == a->learners[p->chosen] && b->learner.valuer == a->learner.valuer);
        CHECK(ndq_run(&a->loop, 1, out, &n_out) == NDQ_CHOSEN && n_out == 0);
        p->has_chosen = 0;
        choices++;
    }
    CHECK(choices > 1 && a->learner.updates == b->learner.updates);
}

/* Keeping the target's values changes nothing here, either. */
static void check_population(agent_settings settings)
{
    agent *pairs[2][2];
    for (int caches = 0; caches < 2; caches++) {
        agent_settings other = settings;
        other.widths[0] = 3, other.widths[1] = 21, other.seed += 1;
        settings.caches_targets = other.caches_targets = caches;
        agent *a = pairs[caches][0] = agent_make(&settings), *b = pairs[caches][1] = agent_make(&other);
        int64_t *own_slots = b->learner.slots;
        float *own_weights = b->learner.weights;
        add_learner(a, b);
        play_population(a, b);
        b->learner.slots = own_slots, b->learner.weights = own_weights;
    }
    agent_check_equal(pairs[0][0], pairs[1][0]);
    for (int i = 0; i < 2; i++) {
        const agent *one = pairs[0][i], *two = pairs[1][i];
        CHECK(!memcmp(one->network.params, two->network.params, mlp_length(&one->network) * sizeof(float)));
        agent_free(pairs[0][i]), agent_free(pairs[1][i]);
    }
}

static void check_settings(agent_settings settings)
{
    check_parts_equal_whole(&settings);
    check_cached_targets_change_nothing(settings);
    check_stops_change_nothing(&settings);
    check_play(&settings);
    check_last_episode(settings);
    check_context(settings);
    check_update(settings);
    check_equal_learners(&settings);
    check_population(settings);
}

/* Every observation but those that end episodes is in the statistics, which stops and a cache do not change. */
static void check_normalized(agent_settings settings)
{
    settings.normalizes = 1;
    check_parts_equal_whole(&settings);
    check_cached_targets_change_nothing(settings);
    check_stops_change_nothing(&settings);
    check_play(&settings);
    check_update(settings);
    agent *a = agent_make(&settings);
    memory_give(episodes_of(a, EPISODES));
    CHECK(a->normalizer.count == NDQ_NORMALIZER_PRIOR + (double)(a->loop.steps + settings.n_lanes));
    for (int64_t i = 0; i < a->normalizer.size; i++) CHECK(a->normalizer.variance[i] > 0.0);
    agent_free(a);
}

void check_loop(const ndq_kernels *kernels)
{
    const ndq_env truncates = line_environment(wide, 13), terminates = line_environment(narrow, 1000);
    check_advance();
    check_settings(agent_sgd_settings(kernels, truncates));
    check_settings(agent_sgd_settings(kernels, terminates));
    check_settings(agent_adam_settings(kernels, truncates));
    check_settings(agent_adam_settings(kernels, terminates));
    check_normalized(agent_sgd_settings(kernels, truncates));
    check_normalized(agent_adam_settings(kernels, terminates));
}

void check_targets_agree(const ndq_kernels *first, const ndq_kernels *second)
{
    const ndq_env env = line_environment(narrow, 13);
    const agent_settings of_first[] = {agent_sgd_settings(first, env), agent_adam_settings(first, env)};
    for (int i = 0; i < 2; i++) {
        agent_settings of_second = of_first[i];
        of_second.kernels = second;
        agent *a = agent_make(&of_first[i]), *b = agent_make(&of_second);
        memory_give(episodes_of(a, EPISODES)), memory_give(episodes_of(b, EPISODES));
        agent_check_equal(a, b);
        agent_free(a), agent_free(b);
    }
}
