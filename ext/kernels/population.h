/* Networks that learn from one memory. No allocation, no lock, no Python in it. Either towards one target, a copy of the
 * network whose loss was least: AdaDQN (Vincent, Wahren, Peters, Belousov & D'Eramo 2025, arXiv:2405.16195),
 *
 *     L_k = sum over the updates since the target was chosen of 1/2 mean (Q_k(s, a) - y)^2
 *     target <- a copy of the network k of the least L_k, whenever the target moves; all L_k begin again at 0
 *     P(k acts) = 1 / (L_k + 1e-6) / sum_j 1 / (L_j + 1e-6), drawn for every greedy action
 *
 * or, with targets of their own, each as if it were alone; then the caller chooses who acts, and who learns no more.
 *
 * Every network learns from the same minibatches. A population of one is a plain learner: it draws and chooses nothing. */
#ifndef NDQ_POPULATION_H
#define NDQ_POPULATION_H

#include "learner.h"

typedef struct {
    ndq_learner **learners; /* (n) over one memory; all have the slots and weights of the first, which draws them */
    int64_t n;
    int64_t chosen;         /* the learner whose target is the target of all; with targets of their own, the one that acts */
    int32_t own_targets;    /* each learner's `valuer` is NULL, and its target follows its network */
    uint8_t *retired;       /* (n) with targets of their own: learns no more */
    double *losses;         /* (n) L_k */
    int64_t n_losses;       /* updates in each of these sums */
    int32_t has_chosen;     /* a target was chosen since this was 0; whoever takes notice resets it */
    double *last_losses;    /* (n) mean losses of an update, by which it was chosen */
    int64_t *acted;         /* (lanes, n) greedy actions of each in the lane's episode */
    int64_t failed;         /* whose loss was not finite, after an update that says so */
} ndq_population;

/* One update of every network from one minibatch, and the move of the target when one is due by updates; mean of the
 * networks' losses. The target's own network sets the priorities. If a loss is not finite it is returned: networks
 * before that one have learned, and with one network nothing has changed but the position of `rng`. */
double ndq_population_update(ndq_population *population);

/* Chooses the target, if anything was learned since the last choice, and moves it towards its network. */
void ndq_population_update_target(ndq_population *population);

/* The network that acts in a lane, drawn and counted. One alone needs no draw; 0 of none. */
int64_t ndq_population_draw_actor(ndq_population *population, bitgen_t *rng, int64_t lane);

void ndq_population_begin_episode(ndq_population *population, int64_t lane);

/* The network that has acted most often in the lane's episode, the first of equals; if none has, that of the target. */
int64_t ndq_population_actor(const ndq_population *population, int64_t lane);

#endif
