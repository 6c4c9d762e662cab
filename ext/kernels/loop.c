#include "loop.h"

#include <math.h>
#include <string.h>

/* Of the next episode, or, if it follows the steps, of the next step. */
static double epsilon(const ndq_loop *loop)
{
    if (loop->epsilon_steps > 0.0) {
        const double share = (double)loop->steps / loop->epsilon_steps;
        return loop->epsilon_start + (loop->epsilon_end - loop->epsilon_start) * (share < 1.0 ? share : 1.0);
    }
    const double decayed = loop->epsilon_start * pow(loop->epsilon_decay, (double)loop->episodes);
    return decayed > loop->epsilon_end ? decayed : loop->epsilon_end;
}

/* Begins an episode. Of environments that are stepped together it is only marked: `reset_marked` begins all at once. */
static void reset_lane(ndq_loop *loop, int64_t lane)
{
    const ndq_env *env = &loop->env;
    for (int u = 0; u < env->reset_uniforms; u++) loop->uniforms[u] = ndq_uniform(loop->env_rng);
    loop->begins[lane] = env->reset_lanes != NULL;
    if (env->reset_lanes) {
        loop->seeds[lane] = loop->uniforms[0];
    } else {
        env->reset(env->context, env->params, loop->uniforms, loop->states + lane * env->state_size,
                   loop->obs + lane * env->observation_size);
    }
    loop->lanes[lane] = (ndq_lane){.epsilon = epsilon(loop)};
    ndq_population_begin_episode(loop->population, lane);
}

/* Epsilon-greedy, lane by lane; a network is asked only where the draw wants it. */
static void act(ndq_loop *loop)
{
    const int32_t A = loop->env.n_actions;
    const int by_steps = loop->epsilon_steps > 0.0;
    const double now = by_steps ? epsilon(loop) : 0.0;
    const int at_random = loop->steps < loop->random_steps;
    int greedy = 0;
    for (int64_t i = 0; i < loop->n_lanes; i++) {
        const int explore = at_random || ndq_uniform(loop->policy_rng) < (by_steps ? now : loop->lanes[i].epsilon);
        loop->actions[i] = explore ? (int64_t)ndq_bounded(loop->policy_rng, (uint32_t)A)
                                   : -1 - ndq_population_draw_actor(loop->population, loop->policy_rng, i);
        greedy |= !explore;
    }
    if (!greedy) return;
    if (loop->population->n > 1) {
        for (int64_t i = 0; i < loop->n_lanes; i++) {
            if (loop->actions[i] >= 0) continue;
            const ndq_learner *actor = loop->population->learners[-1 - loop->actions[i]];
            const float *obs = loop->obs + i * loop->env.observation_size;
            ndq_net_forward_row(actor->net, actor->params, obs, loop->q);
            loop->actions[i] = ndq_best_of(loop->q, A);
        }
        return;
    }
    if (loop->n_lanes == 1)
        ndq_net_forward_row(loop->net, loop->params, loop->obs, loop->q);
    else
        ndq_forward_rows(loop->net, loop->params, loop->obs, loop->n_lanes, loop->q);
    for (int64_t i = 0; i < loop->n_lanes; i++) {
        if (loop->actions[i] < 0) loop->actions[i] = ndq_best_of(loop->q + i * A, A);
    }
}

static int finite_floats(const float *x, int64_t n)
{
    for (int64_t i = 0; i < n; i++)
        if (!isfinite(x[i])) return 0;
    return 1;
}

static ndq_status reset_marked(ndq_loop *loop)
{
    const ndq_env *env = &loop->env;
    int any = 0;
    if (!env->reset_lanes) return NDQ_DONE;
    for (int64_t i = 0; i < loop->n_lanes; i++) any |= loop->begins[i];
    if (any && env->reset_lanes(env->context, loop->begins, loop->seeds, loop->obs)) return NDQ_FAILED_ENV;
    return finite_floats(loop->obs, loop->n_lanes * env->observation_size) ? NDQ_DONE : NDQ_BAD_OBSERVATION;
}

/* The flags of lane i's environment; if all are stepped together, that was done before. */
static int32_t step_env(ndq_loop *loop, int64_t i, float *next, double *reward)
{
    const ndq_env *env = &loop->env;
    if (env->step_lanes) {
        *reward = loop->rewards[i];
        return loop->flags[i];
    }
    for (int u = 0; u < env->step_uniforms; u++) loop->uniforms[u] = ndq_uniform(loop->env_rng);
    return env->step(env->context, env->params, loop->uniforms, loop->states + i * env->state_size, loop->actions[i],
                     next, reward);
}

/* linked: whether the lane's preceding step is known to be in the memory, as many rows ago as have been stored since. */
static ndq_status step_lane(ndq_loop *loop, int64_t i, int linked)
{
    const ndq_env *env = &loop->env;
    const int64_t I = env->observation_size;
    ndq_lane *lane = loop->lanes + i;
    float *obs = loop->obs + i * I, *next = loop->next_obs + i * I;
    double reward = 0.0;
    const int32_t flags = step_env(loop, i, next, &reward);
    if (flags & NDQ_ENV_ERROR) return NDQ_FAILED_ENV;
    if (!finite_floats(next, I)) return NDQ_BAD_OBSERVATION;
    if (loop->begins[i]) { /* no transition */
        loop->begins[i] = loop->flags[i] = 0;
        ndq_population_begin_episode(loop->population, i); /* its action was none */
        memcpy(obs, next, I * sizeof(float));
        return NDQ_DONE;
    }
    if (!isfinite((float)reward)) return NDQ_BAD_REWARD;
    lane->length++;
    lane->reward_sum += reward;
    const int truncated = flags & NDQ_ENV_TRUNCATED || lane->length >= env->max_episode_steps;
    loop->flags[i] = flags & NDQ_TERMINATED ? NDQ_ROW_TERMINATED : truncated ? NDQ_ROW_TRUNCATED : 0;
    if (loop->population->n)
        ndq_learners_add(loop->population->learners, loop->population->n, obs, (int32_t)loop->actions[i], (float)reward, next,
                         loop->flags[i], linked && lane->length > 1 ? loop->n_rows - loop->rows[i] : 0);
    loop->rows[i] = loop->n_rows++;
    memcpy(obs, next, I * sizeof(float));
    return NDQ_DONE;
}

static int stop_wanted(const ndq_loop *loop) { return loop->stop && ndq_stop_reason(loop->stop); }

/* The number of the vector step that was made last. */
static int64_t vector_steps(const ndq_loop *loop) { return loop->steps / loop->n_lanes - loop->counts_from_0; }

static int learning_is_due(const ndq_loop *loop)
{
    const int64_t n = vector_steps(loop);
    return loop->population->n && n * loop->n_lanes >= loop->warm_up && n % loop->train_every == 0;
}

/* The updates of a phase count for the lanes in equal parts, one after the other, so that every lane learns as much as it
 * steps. */
static ndq_status learn(ndq_loop *loop)
{
    const int64_t a_lane = (loop->phase_updates + loop->n_lanes - 1) / loop->n_lanes;
    while (loop->step_updates < loop->phase_updates) {
        const int64_t lane = loop->step_updates / a_lane;
        if (stop_wanted(loop)) return NDQ_STOPPED;
        if (!loop->population->learners[0]->replay->size) break; /* emptied from Python after a stop */
        const double loss = ndq_population_update(loop->population);
        if (!isfinite(loss)) return NDQ_BAD_LOSS;
        loop->lanes[lane].loss_sum += loss;
        loop->lanes[lane].n_losses++;
        loop->step_updates++;
        if (loop->population->has_chosen) return NDQ_CHOSEN;
    }
    return NDQ_DONE;
}

static int finite_block(const ndq_net *net, const float *params)
{
    return net->kernels->all_finite(params, net->offsets[net->n_layers]);
}

static int finite_learners(const ndq_loop *loop)
{
    for (int64_t k = 0; k < loop->population->n; k++)
        if (!finite_block(loop->population->learners[k]->net, loop->population->learners[k]->params)) return 0;
    return 1;
}

/* All episodes that have ended are counted, also if an environment fails to begin the next one. */
static ndq_status end_episodes(ndq_loop *loop)
{
    ndq_status status = NDQ_DONE;
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
            .actor = ndq_population_actor(loop->population, i),
        };
        if (++loop->episodes == loop->last_episode || status != NDQ_DONE) continue;
        loop->failed_episode = loop->episodes + 1;
        reset_lane(loop, i);
        if (!finite_floats(loop->obs + i * loop->env.observation_size, loop->env.observation_size))
            status = NDQ_BAD_OBSERVATION;
    }
    if (any && status == NDQ_DONE) status = reset_marked(loop);
    if (status != NDQ_DONE) return status;
    loop->failed_episode = loop->episodes; /* of weights, which are looked at when it has ended */
    return any && !finite_learners(loop) ? NDQ_BAD_WEIGHTS : NDQ_DONE;
}

/* In vector steps, as Stable-Baselines3 counts. */
static int target_is_due(const ndq_loop *loop)
{
    const int64_t every = loop->target_every / loop->n_lanes;
    return loop->target_every && vector_steps(loop) % (every > 1 ? every : 1) == 0;
}

static void move_target(ndq_loop *loop)
{
    if (loop->population->n && target_is_due(loop)) ndq_population_update_target(loop->population);
}

/* Takes what the next actions are chosen by into the statistics, as VecNormalize of Stable-Baselines3 does: an episode's
 * last observation is not among it, the first one of the next is. */
static void observe(ndq_loop *loop)
{
    const int64_t I = loop->env.observation_size;
    int64_t n = 0;
    if (!loop->normalizes || !loop->net->normalizer) return;
    for (int64_t i = 0; i < loop->n_lanes; i++)
        if (!loop->begins[i]) memcpy(loop->next_obs + I * n++, loop->obs + I * i, I * sizeof(float));
    if (n) ndq_normalizer_update(loop->net->normalizer, loop->next_obs, n);
}

static ndq_status step_lanes(ndq_loop *loop)
{
    ndq_status status;
    const ndq_env *env = &loop->env;
    const ndq_replay *replay = loop->population->n ? loop->population->learners[0]->replay : NULL;
    const int linked = replay && replay->version == loop->replay_version;
    act(loop);
    if (env->step_lanes && env->step_lanes(env->context, loop->actions, loop->next_obs, loop->rewards, loop->flags))
        return NDQ_FAILED_ENV;
    for (int64_t i = 0; i < loop->n_lanes; i++)
        if ((status = step_lane(loop, i, linked)) != NDQ_DONE) return status;
    if (replay) loop->replay_version = replay->version;
    loop->steps += loop->n_lanes;
    loop->step_updates = 0;
    for (int64_t k = 0; k < loop->population->n; k++) loop->population->learners[k]->steps = loop->steps;
    if (!loop->moves_after) move_target(loop);
    return NDQ_DONE;
}

/* Begins a vector step, or continues one that was stopped before an update, or after. */
static ndq_status vector_step(ndq_loop *loop)
{
    ndq_status status;
    if (loop->step_updates < 0 && (status = step_lanes(loop)) != NDQ_DONE) return status;
    if (loop->population->has_chosen) return NDQ_CHOSEN;
    if (learning_is_due(loop) && (status = learn(loop)) != NDQ_DONE) return status;
    if (loop->moves_after) move_target(loop);
    loop->step_updates = -1;
    if ((status = end_episodes(loop)) == NDQ_DONE) observe(loop);
    return status;
}

static ndq_status start(ndq_loop *loop)
{
    ndq_status status;
    for (int64_t i = 0; i < loop->n_lanes; i++) reset_lane(loop, i);
    if ((status = reset_marked(loop)) != NDQ_DONE) return status;
    loop->started = 1;
    if (!finite_floats(loop->obs, loop->n_lanes * loop->env.observation_size)) return NDQ_BAD_OBSERVATION;
    observe(loop);
    return NDQ_DONE;
}

static ndq_status run(ndq_loop *loop, int64_t n, ndq_episode *out, int64_t *n_out)
{
    ndq_status status;
    *n_out = 0;
    loop->failed_episode = loop->episodes + 1;
    for (int64_t k = 0; k < loop->population->n; k++) ndq_learner_begin(loop->population->learners[k]);
    if (!loop->population->n && !finite_block(loop->net, loop->params))
        return NDQ_BAD_WEIGHTS; /* they do not change in play; in learning they are looked at after each episode */
    if (!loop->started && (status = start(loop)) != NDQ_DONE) return status;
    for (;;) {
        const int64_t take = loop->n_ended < n - *n_out ? loop->n_ended : n - *n_out;
        memcpy(out + *n_out, loop->ended, take * sizeof *out);
        loop->n_ended -= take;
        memmove(loop->ended, loop->ended + take, loop->n_ended * sizeof *out);
        *n_out += take;
        if (*n_out == n) return NDQ_DONE;
        if (loop->last_step && loop->steps >= loop->last_step && loop->step_updates < 0) return NDQ_DONE;
        if (stop_wanted(loop)) return NDQ_STOPPED;
        if (loop->population->has_chosen) return NDQ_CHOSEN;
        loop->failed_episode = loop->episodes + 1;
        if ((status = vector_step(loop)) != NDQ_DONE) return status;
    }
}

ndq_status ndq_run(ndq_loop *loop, int64_t n, ndq_episode *out, int64_t *n_out)
{
    const ndq_status status = run(loop, n, out, n_out);
    if (status > NDQ_CHOSEN) { /* an error */
        loop->started = 0;
        loop->step_updates = -1;
    }
    return status;
}
