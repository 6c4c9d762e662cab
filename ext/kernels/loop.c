#include "loop.h"

#include <math.h>
#include <string.h>

/* n drawn transitions side by side: field f of all of them is row f of loop->batch. */
static void gather(const ndq_loop *loop, const int64_t *slots, int n)
{
    const float *rows[NDQ_PANEL];
    for (int b = 0; b < NDQ_PANEL; b++) rows[b] = ndq_row(loop->replay, slots[b < n ? b : 0]);
    loop->net->kernels->gather(loop->batch, rows, ndq_row_floats(loop->replay));
}

static const float *field(const ndq_loop *loop, int64_t at) { return loop->batch + at * NDQ_PANEL; }

static void forward(const ndq_loop *loop, const float *observations, int n)
{
    memcpy(ndq_h(loop->net, 0), observations, loop->replay->observation_size * NDQ_PANEL * sizeof(float));
    loop->net->kernels->forward(loop->net, loop->params, n);
}

static void begin_epoch(ndq_loop *loop)
{
    if (++loop->epoch == 0) loop->epoch = 1;
    loop->ahead = 0;
}

/* What was written from Python since the last call, through a view of the target's weights or into the replay, is
 * found here; within a call only the loop itself writes. */
static void distrust_known(ndq_loop *loop)
{
    const size_t bytes = loop->net->offsets[loop->net->n_layers] * sizeof(float);
    if (!loop->known) return;
    if (loop->known_version == loop->replay->version && !memcmp(loop->known_target, loop->target, bytes)) return;
    loop->known_version = loop->replay->version;
    memcpy(loop->known_target, loop->target, bytes);
    begin_epoch(loop);
}

static void copy_target(ndq_loop *loop)
{
    const size_t bytes = loop->net->offsets[loop->net->n_layers] * sizeof(float);
    memcpy(loop->target, loop->params, bytes);
    if (!loop->known) return;
    memcpy(loop->known_target, loop->params, bytes);
    begin_epoch(loop);
}

static float *known_row(const ndq_loop *loop, int64_t slot) { return loop->known + slot * loop->known_stride; }

/* Whether the row of a slot is to be computed; from now on it counts as known, so that a slot drawn twice is computed once. */
static int claim(const ndq_loop *loop, float *row)
{
    if ((uint32_t)ndq_row_int(row) == loop->epoch) return 0;
    memcpy(row, &loop->epoch, sizeof loop->epoch);
    return 1;
}

/* Makes sure that the rows of n drawn slots are of this epoch: one forward pass over those that are not. Columns that
 * would be left over in its vectors are given to slots that will be drawn later, if most of them will in this epoch. */
static void know(ndq_loop *loop, const int64_t *slots, int n)
{
    enum { TOGETHER = NDQ_PAD }; /* columns computed in the time of one, on the widest CPU target */
    const ndq_net *net = loop->net;
    const ndq_replay *replay = loop->replay;
    const float *q = ndq_h(net, net->n_layers), *next = field(loop, ndq_at_next(replay));
    float *x = ndq_h(net, 0), *rows[NDQ_PANEL];
    int unknown = 0;
    for (int b = 0; b < n; b++) {
        float *row = known_row(loop, slots[b]);
        if (!claim(loop, row)) continue;
        for (int64_t i = 0; i < net->sizes[0]; i++) x[i * NDQ_PANEL + unknown] = next[i * NDQ_PANEL + b];
        rows[unknown++] = row;
    }
    if (!unknown) return;
    if (loop->target_every >= (replay->size + loop->batch_size - 1) / loop->batch_size)
        for (; unknown % TOGETHER && loop->ahead < replay->size; loop->ahead++) {
            float *row = known_row(loop, loop->ahead);
            if (!claim(loop, row)) continue;
            ndq_put(net, unknown, ndq_row_next(replay, ndq_row(replay, loop->ahead)));
            rows[unknown++] = row;
        }
    net->kernels->forward(net, loop->target, unknown);
    for (int i = 0; i < unknown; i++)
        for (int64_t a = 0; a < loop->env.n_actions; a++) rows[i][1 + a] = q[a * NDQ_PANEL + i];
}

/* y = r + gamma Q(s', argmax_a Q(s', a; w); w-), and r alone where nothing follows; for n drawn transitions. */
static void targets_of(ndq_loop *loop, const int64_t *slots, int n)
{
    const ndq_net *net = loop->net;
    const ndq_replay *replay = loop->replay;
    const float *q = ndq_h(net, net->n_layers);
    /* The paper's horizon ends the episode for the learner too (y = r); the usual reading is that only a
     * termination does (Pardo et al. 2018). */
    const int32_t ends = NDQ_ROW_TERMINATED | (loop->horizon_is_terminal ? NDQ_ROW_TRUNCATED : 0);
    const float *rewards = field(loop, ndq_at_reward(replay)), *flags = field(loop, ndq_at_flags(replay));
    const float *actions = field(loop, ndq_at_action(replay));
    _Alignas(64) int32_t best[NDQ_PANEL];
    if (loop->known) know(loop, slots, n);
    forward(loop, field(loop, ndq_at_next(replay)), n);
    net->kernels->best(net, best);
    if (!loop->known) net->kernels->forward(net, loop->target, n); /* h[0] still holds s' */
    for (int b = 0; b < n; b++) {
        const float next = loop->known ? known_row(loop, slots[b])[1 + best[b]] : q[best[b] * NDQ_PANEL + b];
        const float bootstrapped = rewards[b] + loop->gamma * next;
        loop->batch_targets[b] = ndq_row_int(flags + b) & ends ? rewards[b] : bootstrapped;
        loop->batch_actions[b] = ndq_row_int(actions + b);
    }
}

static double update(ndq_loop *loop)
{
    const ndq_net *net = loop->net;
    const int64_t batch = loop->batch_size, n_params = net->offsets[net->n_layers];
    ndq_descent descent;
    const int descends = ndq_optimizer_descent(loop->optimizer, loop->params, &descent);
    double loss = 0.0;
    ndq_replay_draw(loop->replay, loop->replay_rng, batch, loop->slots);
    for (int64_t start = 0; start < batch; start += NDQ_PANEL) {
        const int n = batch - start < NDQ_PANEL ? (int)(batch - start) : NDQ_PANEL;
        gather(loop, loop->slots + start, n);
        targets_of(loop, loop->slots + start, n);
        forward(loop, loop->batch, n);
        loss += ndq_td_error(net, loop->batch_actions, loop->batch_targets, n, batch, loop->loss,
                             loop->huber_delta);
        const int is_last = start + n == batch;
        net->kernels->backward(net, loop->params, loop->gradient, n, start > 0, descends && is_last ? &descent : NULL);
    }
    if (!descends) ndq_optimizer_step(loop->optimizer, net->kernels, loop->params, loop->gradient, n_params);
    loop->work++;
    if (++loop->updates % loop->target_every == 0) copy_target(loop);
    return loss / batch;
}

double ndq_update(ndq_loop *loop)
{
    distrust_known(loop);
    return update(loop);
}

static void reset_lane(ndq_loop *loop, int64_t lane)
{
    const ndq_env *env = &loop->env;
    for (int u = 0; u < env->reset_uniforms; u++) loop->uniforms[u] = ndq_uniform(loop->env_rng);
    env->reset(env->params, loop->uniforms, loop->states + lane * env->state_size,
               loop->obs + lane * env->observation_size);
    const double decayed = loop->epsilon_start * pow(loop->epsilon_decay, (double)loop->episodes);
    loop->lanes[lane] = (ndq_lane){.epsilon = decayed > loop->epsilon_end ? decayed : loop->epsilon_end};
}

/* Epsilon-greedy, lane by lane; the network is asked only where the draw wants it. */
static void act(ndq_loop *loop)
{
    const int32_t A = loop->env.n_actions;
    int greedy = 0;
    for (int64_t i = 0; i < loop->n_lanes; i++) {
        const int explore = ndq_uniform(loop->policy_rng) < loop->lanes[i].epsilon;
        loop->actions[i] = explore ? (int64_t)ndq_bounded(loop->policy_rng, (uint32_t)A) : -1;
        greedy |= !explore;
    }
    if (!greedy) return;
    if (loop->n_lanes == 1)
        loop->net->kernels->forward_row(loop->net, loop->params, loop->obs, loop->q);
    else
        ndq_forward_rows(loop->net, loop->params, loop->obs, loop->n_lanes, loop->q);
    for (int64_t i = 0; i < loop->n_lanes; i++) {
        if (loop->actions[i] >= 0) continue;
        const float *q = loop->q + i * A;
        int64_t best = 0;
        for (int32_t a = 1; a < A; a++)
            if (q[a] > q[best]) best = a;
        loop->actions[i] = best;
    }
}

static int finite_floats(const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return 0;
    return 1;
}

static ndq_status step_lane(ndq_loop *loop, int64_t i)
{
    const ndq_env *env = &loop->env;
    const int64_t I = env->observation_size;
    ndq_lane *lane = loop->lanes + i;
    float *obs = loop->obs + i * I, *next = loop->next_obs + i * I;
    double reward = 0.0;
    for (int u = 0; u < env->step_uniforms; u++) loop->uniforms[u] = ndq_uniform(loop->env_rng);
    const int32_t flags = env->step(env->params, loop->uniforms, loop->states + i * env->state_size,
                                    loop->actions[i], next, &reward);
    if (flags & NDQ_ENV_ERROR) return NDQ_FAILED_ENV;
    if (!finite_floats(next, I)) return NDQ_BAD_OBSERVATION;
    if (!isfinite((float)reward)) return NDQ_BAD_REWARD;
    lane->length++;
    lane->reward_sum += reward;
    loop->flags[i] = flags & NDQ_TERMINATED                      ? NDQ_ROW_TERMINATED
                     : lane->length >= env->max_episode_steps    ? NDQ_ROW_TRUNCATED
                                                                 : 0;
    if (loop->replay) {
        if (loop->known) *known_row(loop, loop->replay->next) = 0.0f; /* epoch 0: void */
        ndq_replay_add(loop->replay, obs, (int32_t)loop->actions[i], (float)reward, next, loop->flags[i]);
        loop->known_version = loop->replay->version;
    }
    memcpy(obs, next, I * sizeof(float));
    return NDQ_DONE;
}

/* Update j of a vector step counts for lane j / updates_per_step, so that every lane learns as much as it steps. */
static ndq_status learn(ndq_loop *loop)
{
    for (int64_t i = 0; i < loop->n_lanes; i++)
        for (int64_t u = 0; u < loop->updates_per_step; u++) {
            const double loss = update(loop);
            if (!isfinite(loss)) return NDQ_BAD_LOSS;
            loop->lanes[i].loss_sum += loss;
            loop->lanes[i].n_losses++;
        }
    return NDQ_DONE;
}

static ndq_status end_episodes(ndq_loop *loop)
{
    const ndq_net *net = loop->net;
    int any = 0;
    for (int64_t i = 0; i < loop->n_lanes; i++) {
        const ndq_lane *lane = loop->lanes + i;
        if (!loop->flags[i]) continue;
        any = 1;
        loop->ended[loop->n_ended++] = (ndq_episode){
            .reward_sum = lane->reward_sum,
            .mean_loss = lane->n_losses ? lane->loss_sum / lane->n_losses : NAN,
            .epsilon = lane->epsilon,
            .length = lane->length,
        };
        if (++loop->episodes == loop->last_episode) continue;
        reset_lane(loop, i);
        loop->failed_episode = loop->episodes + 1;
        if (!finite_floats(loop->obs + i * loop->env.observation_size, loop->env.observation_size))
            return NDQ_BAD_OBSERVATION;
    }
    loop->failed_episode = loop->episodes; /* of weights, which are looked at when it has ended */
    if (any && loop->replay && !net->kernels->all_finite(loop->params, net->offsets[net->n_layers]))
        return NDQ_BAD_WEIGHTS;
    return NDQ_DONE;
}

static ndq_status vector_step(ndq_loop *loop)
{
    ndq_status status;
    act(loop);
    for (int64_t i = 0; i < loop->n_lanes; i++)
        if ((status = step_lane(loop, i)) != NDQ_DONE) return status;
    loop->steps += loop->n_lanes;
    loop->work += loop->n_lanes;
    if (loop->replay && loop->steps >= loop->warm_up && (status = learn(loop)) != NDQ_DONE) return status;
    return end_episodes(loop);
}

static ndq_status start(ndq_loop *loop)
{
    for (int64_t i = 0; i < loop->n_lanes; i++) reset_lane(loop, i);
    loop->started = 1;
    return finite_floats(loop->obs, loop->n_lanes * loop->env.observation_size) ? NDQ_DONE : NDQ_BAD_OBSERVATION;
}

/* Asks `poll` at most every 50 ms: it may have to wait for another thread, which no step should. */
static int stop_wanted(ndq_loop *loop)
{
    enum { CLOCK_EVERY = 16 }; /* reading the clock costs 25 ns, a step with an update of the smallest network 5 us */
    struct timespec now;
    if (loop->work < CLOCK_EVERY) return 0;
    loop->work = 0;
    clock_gettime(CLOCK_MONOTONIC, &now);
    if ((now.tv_sec - loop->polled.tv_sec) * 1000 + (now.tv_nsec - loop->polled.tv_nsec) / 1000000 < 50) return 0;
    loop->polled = now;
    return loop->poll(loop->context);
}

static ndq_status run(ndq_loop *loop, int64_t n, ndq_episode *out, int64_t *n_out)
{
    const ndq_net *net = loop->net;
    ndq_status status;
    *n_out = 0;
    loop->failed_episode = loop->episodes + 1;
    if (loop->replay)
        distrust_known(loop);
    else if (!net->kernels->all_finite(loop->params, net->offsets[net->n_layers]))
        return NDQ_BAD_WEIGHTS; /* they do not change in play; in learning they are looked at after each episode */
    if (!loop->started && (status = start(loop)) != NDQ_DONE) return status;
    for (;;) {
        const int64_t take = loop->n_ended < n - *n_out ? loop->n_ended : n - *n_out;
        memcpy(out + *n_out, loop->ended, take * sizeof *out);
        loop->n_ended -= take;
        memmove(loop->ended, loop->ended + take, loop->n_ended * sizeof *out);
        *n_out += take;
        if (*n_out == n) return NDQ_DONE;
        if (stop_wanted(loop)) return NDQ_STOPPED;
        loop->failed_episode = loop->episodes + 1;
        if ((status = vector_step(loop)) != NDQ_DONE) return status;
    }
}

ndq_status ndq_run(ndq_loop *loop, int64_t n, ndq_episode *out, int64_t *n_out)
{
    const ndq_status status = run(loop, n, out, n_out);
    if (status != NDQ_DONE && status != NDQ_STOPPED) loop->started = 0;
    return status;
}
