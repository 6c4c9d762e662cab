#include "population.h"

#include <math.h>
#include <string.h>

#define NDQ_LEAST_LOSS 1e-6

/* Of the minibatch that was learned last; an importance weight counts as in the loss that is minimized. */
static double half_squared_error(const ndq_learner *l)
{
    double sum = 0.0;
    for (int64_t b = 0; b < l->batch_size; b++) {
        const double error = l->errors[b], weight = l->is_prioritized ? l->weights[b] : 1.0;
        sum += weight * (0.5 * error * error);
    }
    return sum / l->batch_size;
}

double ndq_population_update(ndq_population *p)
{
    const ndq_learner *first = p->learners[0];
    double loss = 0.0;
    int64_t learned = 0;
    ndq_learner_draw(p->learners[0]);
    for (int64_t k = 0; k < p->n; k++) {
        if (p->retired[k]) {
            p->learners[k]->updates++; /* the count of all, by which targets move */
            continue;
        }
        const double own = ndq_learner_learn(p->learners[k]);
        p->failed = k;
        if (!isfinite(own)) return own;
        loss += own;
        learned++;
        if (p->n > 1) p->losses[k] += half_squared_error(p->learners[k]);
    }
    p->n_losses++;
    ndq_learner_prioritize(p->learners[p->chosen]);
    if (first->target_every && first->updates % first->target_every == 0) ndq_population_update_target(p);
    return loss / learned;
}

static void choose(ndq_population *p)
{
    p->chosen = 0;
    for (int64_t k = 1; k < p->n; k++)
        if (p->losses[k] < p->losses[p->chosen]) p->chosen = k;
    for (int64_t k = 0; k < p->n; k++) {
        p->learners[k]->valuer = p->learners[p->chosen];
        p->last_losses[k] = p->losses[k] / p->n_losses;
        p->losses[k] = 0.0;
    }
    p->n_losses = 0;
    p->has_chosen = 1;
}

void ndq_population_update_target(ndq_population *p)
{
    if (p->own_targets) {
        for (int64_t k = 0; k < p->n; k++)
            if (!p->retired[k]) ndq_learner_update_target(p->learners[k]);
        return;
    }
    if (p->n > 1 && p->n_losses) choose(p);
    ndq_learner_update_target(p->learners[p->chosen]);
}

static double fitness(const ndq_population *p, int64_t k) { return 1.0 / (p->losses[k] + NDQ_LEAST_LOSS); }

int64_t ndq_population_draw_actor(ndq_population *p, bitgen_t *rng, int64_t lane)
{
    if (p->n <= 1) return 0;
    if (p->own_targets) {
        p->acted[lane * p->n + p->chosen]++;
        return p->chosen;
    }
    double sum = 0.0;
    for (int64_t k = 0; k < p->n; k++) sum += fitness(p, k);
    double left = ndq_uniform(rng) * sum;
    int64_t actor = 0;
    while (actor < p->n - 1 && (left -= fitness(p, actor)) >= 0.0) actor++;
    p->acted[lane * p->n + actor]++;
    return actor;
}

void ndq_population_begin_episode(ndq_population *p, int64_t lane)
{
    if (p->n > 1) memset(p->acted + lane * p->n, 0, p->n * sizeof *p->acted);
}

int64_t ndq_population_actor(const ndq_population *p, int64_t lane)
{
    if (p->n <= 1) return 0;
    const int64_t *acted = p->acted + lane * p->n;
    int64_t most = 0;
    for (int64_t k = 1; k < p->n; k++)
        if (acted[k] > acted[most]) most = k;
    return acted[most] ? most : p->chosen;
}
