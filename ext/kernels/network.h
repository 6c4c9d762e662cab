/* Whole batches through a network, panel by panel: what the classes and the loop call. */
#ifndef NDQ_NETWORK_H
#define NDQ_NETWORK_H

#include "ndq.h"
#include "normalizer.h"

#include <math.h>

/* Adds the Q-values of the network's base to those of n columns, after `forward`; h[0] is as it was then. */
void ndq_add_base(const ndq_net *net, int n);

/* The same, of one observation, not normalized, to q (A). */
void ndq_add_base_row(const ndq_net *net, const float *observation, float *q);

/* As the kernels of these names do, of the network with its base. */
static inline void ndq_net_forward(const ndq_net *net, const float *params, int n)
{
    net->kernels->forward(net, params, n);
    if (net->n_base) ndq_add_base(net, n);
}

static inline void ndq_net_forward_row(const ndq_net *net, const float *params, const float *observation, float *q)
{
    net->kernels->forward_row(net, params, observation, q);
    if (net->n_base) ndq_add_base_row(net, observation, q);
}

/* q (n, A) of x (n, I), rows contiguous. */
void ndq_forward_rows(const ndq_net *net, const float *params, const float *x, int64_t n, float *q);

typedef enum { NDQ_HUBER, NDQ_MSE } ndq_loss;

/* Mean loss of Q(s, a) against given targets; its gradient is written to a parameter block, whose padding is zero and
 * stays so. delta is Huber's. weights (n) are factors of the transitions' losses; NULL: ones. */
double ndq_loss_and_gradient(const ndq_net *net, const float *params, const float *x, const int64_t *actions,
                             const float *targets, const float *weights, int64_t n, ndq_loss kind, float delta,
                             float *gradient);

/* The action of the largest of A values, the lowest of equals. */
static inline int32_t ndq_best_of(const float *values, int64_t A)
{
    int32_t best = 0;
    for (int32_t a = 1; a < A; a++)
        if (values[a] > values[best]) best = a;
    return best;
}

/* Puts one observation into column b of the panel, normalized. */
static inline void ndq_put(const ndq_net *net, int b, const float *observation)
{
    float *h = ndq_h(net, 0) + b;
    for (int64_t i = 0; i < net->sizes[0]; i++)
        h[i * NDQ_PANEL] = net->normalizer ? ndq_normalized(net->normalizer, i, observation[i]) : observation[i];
}

/* The loss of one error, times its weight: Huber's (Huber 1964), or its square. Writes the derivative of a mean over
 * `share` of these. */
static inline double ndq_loss_of(ndq_loss kind, float delta, float error, float weight, float share, float *slope)
{
    const float size = fabsf(error);
    if (kind == NDQ_MSE) {
        *slope = weight * (2.0f * error) / share;
        return weight * ((double)error * error);
    }
    *slope = weight * (error > delta ? delta : error < -delta ? -delta : error) / share;
    return weight * (size <= delta ? 0.5 * error * error : delta * (size - 0.5 * delta));
}

/* After `forward` of n columns: writes dL/dQ of the mean over `batch` transitions, ready for `backward`, and
 * returns the sum of the losses. actions, targets and weights (n); weights may be NULL, and so may errors (n), to which
 * Q(s, a) - y is written. */
double ndq_td_error(const ndq_net *net, const int64_t *actions, const float *targets, const float *weights, int n,
                    int64_t batch, ndq_loss kind, float delta, float *errors);

#endif
