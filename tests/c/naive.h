/* The textbook's network in double precision, one number at a time: the oracle of network.c. */
#ifndef NAIVE_H
#define NAIVE_H

#include "mlp.h"

/* Q values (A) of one observation with parameters `params`, laid out as the network's. */
void naive_forward(const mlp *network, const double *params, const float *observation, double *q);

/* Mean loss of n transitions, each multiplied by its weight, if there are weights. */
double naive_loss(const mlp *network, const double *params, const float *x, const int64_t *actions,
                  const float *targets, const float *weights, int64_t n, ndq_loss kind, double delta);

#endif
