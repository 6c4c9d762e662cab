/* A learner: a network, its optimizer, and the update that trains it from a replay memory. No allocation, no lock, no
 * Python in it. Several learners may share one memory. */
#ifndef NDQ_LEARNER_H
#define NDQ_LEARNER_H

#include "network.h"
#include "optimizer_step.h"
#include "prioritized.h"
#include "replay.h"

/* Q(s', .; w-) of stored transitions: the target stands still between two moves, in which time a transition is drawn
 * many times. Row of a slot: the epoch it belongs to (an integer in a float's place), then A values. */
typedef struct {
    float *rows;             /* (capacity, stride); NULL: no cache, the values are computed each time */
    int64_t stride;
    uint32_t epoch;          /* rows of other epochs are void; never 0, which no row has */
    int64_t ahead;           /* slots before it have been in the cache in this epoch */
    float *target;           /* a parameter block: the target that this epoch's rows were computed with */
    int64_t replay_version;  /* of the memory, when the cache was last known to agree with it */
} ndq_target_cache;

typedef struct ndq_learner {
    const ndq_net *net;
    float *params, *target, *gradient; /* parameter blocks; the gradient's padding is zero */
    ndq_optimizer *optimizer;
    ndq_replay *replay;
    bitgen_t *rng;                     /* of the minibatch's draws */

    float huber_delta;
    double gamma;
    int64_t n_step;                    /* rewards in a target; 1: the one of the transition that is drawn */
    double learning_rate;              /* at the first step, if rate_steps is not 0 */
    int64_t rate_steps;                /* environment steps in which it falls to zero in a line; 0: it is the optimizer's */
    int64_t steps;                     /* of the environment so far */
    ndq_loss loss;
    int64_t batch_size;
    struct ndq_learner *valuer;        /* whose target values the next states, which may have other layers; NULL: its own */
    struct ndq_supernet *supernet;     /* whose largest path the network is, and which learns in its place; NULL: none */
    int64_t target_every;              /* updates; 0: the target is moved by the loop, or not at all */
    float target_tau;                  /* how far it goes towards the network; 1: it becomes a copy */
    int32_t horizon_is_terminal;
    int32_t is_double;                 /* the target's action is the online network's choice, not the target's own */
    int32_t is_prioritized;            /* draws follow the memory's priorities, which it must have; otherwise uniform */
    float priority_alpha, priority_epsilon;
    double priority_beta;              /* at the first step, if beta_steps is not 0 */
    int64_t beta_steps;                /* environment steps in which it rises to 1 in a line; 0: it is constant */

    /* The minibatch, a panel of NDQ_PANEL transitions at a time. */
    int64_t *slots;  /* (batch_size) drawn from the memory */
    float *batch;    /* (stride of the memory, NDQ_PANEL) drawn rows, each a column; observations normalized */
    int64_t *actions;/* (NDQ_PANEL) */
    float *targets;  /* (NDQ_PANEL) */
    float *weights;  /* (batch_size) factors of the losses; used if it is prioritized */
    float *errors;   /* (batch_size) Q(s, a) - y */
    int64_t *last;   /* (NDQ_PANEL) slots of the rows with which returns of n_step rewards end */
    float *after;    /* their panel, as `batch`; `batch` itself where n_step is 1, and each row is its own last */
    float *discounts;/* (NDQ_PANEL) factor of the value after the last row */

    ndq_target_cache cache;
    int64_t updates;
} ndq_learner;

/* Draws a minibatch from the memory, which must not be empty: slots and, by priority, weights. */
void ndq_learner_draw(ndq_learner *learner);

/* Puts n transitions of the minibatch, from the start-th on, into the panels, with their actions and targets y. */
void ndq_learner_prepare(ndq_learner *learner, int64_t start, int n);

/* One update of Double DQN (van Hasselt, Guez & Silver 2016), or of plain DQN, from the minibatch; its mean loss before the
 * update, with the weights of prioritized draws. If that is not finite, nothing changes. */
double ndq_learner_learn(ndq_learner *learner);

/* Gives the transitions of the minibatch the priorities of their errors, if it is prioritized. */
void ndq_learner_prioritize(ndq_learner *learner);

/* Moves the target towards the network by target_tau (Polyak averaging), or copies it. */
void ndq_learner_update_target(ndq_learner *learner);

/* To be called once before updates: finds out what was written since the last one, from outside, into the memory or
 * through a view of the target's weights. */
void ndq_learner_begin(ndq_learner *learner);

/* Stores a transition in the memory that the learners share, as ndq_replay_add, and voids what their caches hold of the
 * slot. */
void ndq_learners_add(ndq_learner *const *learners, int64_t n_learners, const float *observation, int32_t action,
                      float reward, const float *next, int32_t flags, int64_t follows);

#endif
