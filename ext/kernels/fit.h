/* Gradient steps towards given Q-values. */
#ifndef NDQ_FIT_H
#define NDQ_FIT_H

#include "network.h"
#include "optimizer_step.h"

/* `steps` steps of the optimizer, each on a minibatch of `batch` rows of x (N, I) and q (N, A); mean loss of the last
 * minibatch before its step. If a loss is not finite, it is returned at once, and the step not taken. gradient: a
 * parameter block whose padding is zero. rows: (steps, batch), each in [0, N). weight: of differences between actions. */
double ndq_fit(const ndq_net *net, float *params, float *gradient, ndq_optimizer *optimizer, const float *x,
               const float *q, const int64_t *rows, int64_t steps, int64_t batch, float weight);

#endif
