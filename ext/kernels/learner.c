/* Double DQN with a target network, as nasdqn_fast/reference/agent.py writes it down in NumPy:
 *
 *     y = r + gamma Q(s', argmax_a Q(s', a; w); w-), and y = r where the episode is over
 *     (without Double DQN, y = r + gamma max_a Q(s', a; w-))
 *     (with n-step returns, r is a sum of up to n_step rewards, s' follows the last, and gamma is a power of itself)
 *     w <- one step of the optimizer on the gradient of mean Huber(Q(s, a; w) - y)
 *     w- <- tau w + (1 - tau) w- after every target_every updates, or steps
 */
#include "learner.h"

#include "supernet.h"

#include <math.h>
#include <string.h>

static size_t block_bytes(const ndq_net *net) { return net->offsets[net->n_layers] * sizeof(float); }

/* Field `at` of the transitions in a panel, one float a transition. */
static const float *field(const float *panel, int64_t at) { return panel + at * NDQ_PANEL; }

/* Puts the transitions of n slots side by side: field f of all of them is row f of the panel. */
static void gather(const ndq_learner *l, const int64_t *slots, int n, float *panel)
{
    const float *rows[NDQ_PANEL];
    for (int b = 0; b < NDQ_PANEL; b++) rows[b] = ndq_row(l->replay, slots[b < n ? b : 0]);
    l->net->kernels->gather(panel, rows, ndq_row_floats(l->replay));
}

/* Of the observations in the panels, those that an update needs. */
static void normalize(const ndq_learner *l)
{
    if (!l->net->normalizer) return;
    ndq_normalize_columns(l->net->normalizer, l->batch, NDQ_PANEL);
    ndq_normalize_columns(l->net->normalizer, l->after + ndq_at_next(l->replay) * NDQ_PANEL, NDQ_PANEL);
}

/* Puts n drawn transitions into the panel, with their returns as rewards, and the rows with which these end into
 * `after`; the slots of the latter. */
static const int64_t *gather_returns(const ndq_learner *l, const int64_t *slots, int n)
{
    gather(l, slots, n, l->batch);
    if (l->n_step == 1) return slots;
    float *rewards = l->batch + ndq_at_reward(l->replay) * NDQ_PANEL;
    ndq_replay_follow(l->replay, slots, n, l->n_step, l->gamma, rewards, l->discounts, l->last);
    gather(l, l->last, n, l->after);
    return l->last;
}

static void forward(const ndq_learner *l, const float *params, const float *observations, int n)
{
    memcpy(ndq_h(l->net, 0), observations, l->replay->observation_size * NDQ_PANEL * sizeof(float));
    ndq_net_forward(l->net, params, n);
}

static float *target_cache_row(const ndq_target_cache *cache, int64_t slot) { return cache->rows + slot * cache->stride; }

/* Voids all rows: the target is another. */
static void target_cache_invalidate(ndq_target_cache *cache, const float *target, size_t bytes)
{
    memcpy(cache->target, target, bytes);
    if (++cache->epoch == 0) cache->epoch = 1;
    cache->ahead = 0;
}

/* Marks a row as one of this epoch, so that a slot drawn twice is computed once; whether it was not one yet. */
static int target_cache_mark(const ndq_target_cache *cache, float *row)
{
    if ((uint32_t)ndq_row_int(row) == cache->epoch) return 0;
    memcpy(row, &cache->epoch, sizeof cache->epoch);
    return 1;
}

/* Computes the rows of n drawn slots that are not of this epoch, in one forward pass; `next`: the panel of their next
 * observations. Columns that would be left over in its vectors are given to slots that will be drawn later, if most of
 * them will in this epoch. */
static void target_cache_fill(ndq_learner *l, const float *next, const int64_t *slots, int n)
{
    enum { TOGETHER = NDQ_PAD }; /* columns computed in the time of one, on the widest CPU target */
    const ndq_net *net = l->net;
    const ndq_replay *replay = l->replay;
    ndq_target_cache *cache = &l->cache;
    const float *q = ndq_h(net, net->n_layers);
    float *x = ndq_h(net, 0), *rows[NDQ_PANEL];
    int missing = 0;
    for (int b = 0; b < n; b++) {
        float *row = target_cache_row(cache, slots[b]);
        if (!target_cache_mark(cache, row)) continue;
        for (int64_t i = 0; i < net->sizes[0]; i++) x[i * NDQ_PANEL + missing] = next[i * NDQ_PANEL + b];
        rows[missing++] = row;
    }
    if (!missing) return;
    if (l->target_every >= (replay->size + l->batch_size - 1) / l->batch_size)
        for (; missing % TOGETHER && cache->ahead < replay->size; cache->ahead++) {
            float *row = target_cache_row(cache, cache->ahead);
            if (!target_cache_mark(cache, row)) continue;
            ndq_put(net, missing, ndq_row_next(replay, ndq_row(replay, cache->ahead)));
            rows[missing++] = row;
        }
    ndq_net_forward(net, l->target, missing);
    for (int i = 0; i < missing; i++)
        for (int64_t a = 0; a < net->sizes[net->n_layers]; a++) rows[i][1 + a] = q[a * NDQ_PANEL + i];
}

/* Actions and targets y of n drawn transitions, which are in the panels; `last`: slots of the rows in `after`. */
static void td_targets(ndq_learner *l, const int64_t *last, int n)
{
    ndq_learner *valuer = l->valuer ? l->valuer : l;
    const ndq_net *net = l->net, *target_net = valuer->net;
    const ndq_replay *replay = l->replay;
    const int is_cached = valuer->cache.rows && !net->normalizer; /* the values change with the statistics */
    const float *q = ndq_h(target_net, target_net->n_layers), *next = field(l->after, ndq_at_next(replay));
    const float *rewards = field(l->batch, ndq_at_reward(replay)), *flags = field(l->after, ndq_at_flags(replay));
    const float *actions = field(l->batch, ndq_at_action(replay));
    /* The paper's horizon ends the episode for the learner too (y = r); the usual reading is that only a
     * termination does (Pardo et al. 2018). */
    const int32_t over = NDQ_ROW_TERMINATED | (l->horizon_is_terminal ? NDQ_ROW_TRUNCATED : 0);
    _Alignas(64) int32_t best[NDQ_PANEL];
    if (is_cached) target_cache_fill(valuer, next, last, n);
    if (l->is_double) {
        forward(l, l->params, next, n);
        net->kernels->best(net, best);
    } else if (is_cached)
        for (int b = 0; b < n; b++)
            best[b] = ndq_best_of(target_cache_row(&valuer->cache, last[b]) + 1, net->sizes[net->n_layers]);
    if (!is_cached) {
        forward(valuer, valuer->target, next, n);
        if (!l->is_double) target_net->kernels->best(target_net, best);
    }
    for (int b = 0; b < n; b++) {
        const float *row = is_cached ? target_cache_row(&valuer->cache, last[b]) : NULL;
        const float value = row ? row[1 + best[b]] : q[best[b] * NDQ_PANEL + b];
        const float bootstrapped = rewards[b] + l->discounts[b] * value;
        l->targets[b] = ndq_row_int(flags + b) & over ? rewards[b] : bootstrapped;
        l->actions[b] = ndq_row_int(actions + b);
    }
}

/* A target whose weight stays zero would fall to subnormal numbers, with which some processors multiply a hundred times
 * slower; the twin does the same. */
static void move_target(ndq_learner *l)
{
    const int64_t n = l->net->offsets[l->net->n_layers];
    for (int64_t i = 0; i < n; i++) {
        const float moved = l->target[i] + l->target_tau * (l->params[i] - l->target[i]);
        l->target[i] = fabsf(moved) < NDQ_TINY_TARGET ? 0.0f : moved;
    }
}

void ndq_learner_update_target(ndq_learner *l)
{
    if (l->target_tau == 1.0f)
        memcpy(l->target, l->params, block_bytes(l->net));
    else
        move_target(l);
    if (l->cache.rows) target_cache_invalidate(&l->cache, l->target, block_bytes(l->net));
}

/* Rises from its first value to 1 in a line. */
static double priority_beta(const ndq_learner *l)
{
    if (!l->beta_steps) return l->priority_beta;
    const double share = (double)l->steps / (double)l->beta_steps;
    return l->priority_beta + (1.0 - l->priority_beta) * (share < 1.0 ? share : 1.0);
}

void ndq_learner_draw(ndq_learner *l)
{
    if (l->is_prioritized)
        ndq_prioritized_draw(l->replay, l->rng, l->batch_size, priority_beta(l), l->slots, l->weights);
    else
        ndq_replay_draw(l->replay, l->rng, l->batch_size, l->slots);
}

void ndq_learner_prioritize(ndq_learner *l)
{
    if (!l->is_prioritized) return;
    ndq_prioritized_update(l->replay, l->slots, l->errors, l->batch_size, l->priority_alpha, l->priority_epsilon);
}

void ndq_learner_prepare(ndq_learner *l, int64_t start, int n)
{
    const int64_t *last = gather_returns(l, l->slots + start, n);
    normalize(l);
    td_targets(l, last, n);
}

double ndq_learner_learn(ndq_learner *l)
{
    const ndq_net *net = l->net;
    const int64_t batch = l->batch_size;
    ndq_descent descent;
    if (l->rate_steps) {
        const double left = 1.0 - (double)l->steps / (double)l->rate_steps;
        l->optimizer->learning_rate = (float)(l->learning_rate * (left > 0.0 ? left : 0.0));
    }
    if (l->supernet) {
        const double loss = ndq_supernet_learn(l->supernet, l);
        l->updates += isfinite(loss);
        return loss;
    }
    int descends = 0; /* whether the step is taken in the pass that makes the last panel's gradient */
    double loss = 0.0;
    for (int64_t start = 0; start < batch; start += NDQ_PANEL) {
        const int n = batch - start < NDQ_PANEL ? (int)(batch - start) : NDQ_PANEL;
        const int is_last = start + n == batch;
        ndq_learner_prepare(l, start, n);
        forward(l, l->params, l->batch, n);
        loss += ndq_td_error(net, l->actions, l->targets, l->is_prioritized ? l->weights + start : NULL, n, batch,
                             l->loss, l->huber_delta, l->errors + start);
        if (!isfinite(loss)) return loss / batch; /* before any step: network and optimizer are as they were */
        if (is_last) descends = ndq_optimizer_descent(l->optimizer, l->params, &descent);
        net->kernels->backward(net, l->params, l->gradient, n, start > 0, descends ? &descent : NULL);
    }
    if (!descends)
        ndq_optimizer_step(l->optimizer, net->kernels, l->params, l->gradient, net->offsets[net->n_layers]);
    l->updates++;
    return loss / batch;
}

void ndq_learner_begin(ndq_learner *l)
{
    ndq_target_cache *cache = &l->cache;
    const size_t bytes = block_bytes(l->net);
    if (!cache->rows) return;
    if (cache->replay_version == l->replay->version && !memcmp(cache->target, l->target, bytes)) return;
    cache->replay_version = l->replay->version;
    target_cache_invalidate(cache, l->target, bytes);
}

void ndq_learners_add(ndq_learner *const *learners, int64_t n_learners, const float *observation, int32_t action,
                      float reward, const float *next, int32_t flags, int64_t follows)
{
    ndq_replay *replay = learners[0]->replay;
    const int64_t slot = replay->next;
    ndq_replay_add(replay, observation, action, reward, next, flags, follows);
    for (int64_t i = 0; i < n_learners; i++) {
        ndq_target_cache *cache = &learners[i]->cache;
        if (!cache->rows) continue;
        *target_cache_row(cache, slot) = 0.0f; /* epoch 0: void */
        cache->replay_version = replay->version;
    }
}
