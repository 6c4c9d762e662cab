/* Prioritized experience replay, proportional (Schaul, Quan, Antonoglou & Silver 2016, arXiv:1511.05952):
 *
 *     p_i = (|TD error| + epsilon)^alpha, P(i) = p_i / sum_k p_k, w_i = (N P(i))^-beta / max_j w_j
 *
 * The maximum is that of the minibatch, in which N and the sum cancel: w_i = (min_j p_j / p_i)^beta. The memory keeps
 * p_i, the exponent applied. It must have priorities, and hold a transition. */
#ifndef NDQ_PRIORITIZED_H
#define NDQ_PRIORITIZED_H

#include "replay.h"

/* Bounds of a stored priority: each transition can be drawn, none has a subnormal priority, and their sum is finite. */
#define NDQ_LEAST_PRIORITY 1e-30
#define NDQ_LARGEST_PRIORITY 1e38

/* n slots, one of each n-th part of the sum of all priorities (the stratified draws of the paper's appendix B.2.1), and
 * the weights of their losses. The draws are Generator.random(n). */
void ndq_prioritized_draw(const ndq_replay *r, bitgen_t *rng, int64_t n, double beta, int64_t *slots, float *weights);

/* Sets the priorities of n slots to (|error| + epsilon)^alpha. */
void ndq_prioritized_update(ndq_replay *r, const int64_t *slots, const float *errors, int64_t n, float alpha,
                            float epsilon);

/* Sets the priorities of n slots to values that are no NaN, each moved to the bounds. */
void ndq_prioritized_set(ndq_replay *r, const int64_t *slots, const double *priorities, int64_t n);

#endif
