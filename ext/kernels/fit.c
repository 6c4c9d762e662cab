/* Least squares on all Q-values of given states, by gradient steps: how one network takes over what another knows.
 *
 *     L = mean over states of  e^2 + weight mean_a (e_a - e)^2,   e_a = Q(s, a; w) - q_a,   e = mean_a e_a
 *
 * Q is a large value that all actions have in common, and small differences between them, which alone make the policy:
 * hence the weight (docs/transfers.md). */
#include "fit.h"

#include <math.h>

/* After `forward` of n columns: writes dL/dQ, as ndq_td_error does, and returns the sum of the losses. */
static double fit_error(const ndq_net *net, const float *q, const int64_t *rows, int n, int64_t batch, float weight)
{
    const int64_t A = net->sizes[net->n_layers];
    const float *out = ndq_h(net, net->n_layers);
    float *d = net->d[0];
    const float scale = 2.0f / ((float)A * (float)batch);
    double loss = 0.0;
    for (int b = 0; b < n; b++) {
        const float *wanted = q + rows[b] * A;
        float mean = 0.0f, spread = 0.0f;
        for (int64_t a = 0; a < A; a++) mean += out[a * NDQ_PANEL + b] - wanted[a];
        mean /= (float)A;
        for (int64_t a = 0; a < A; a++) {
            const float off = out[a * NDQ_PANEL + b] - wanted[a] - mean;
            spread += off * off;
            d[a * NDQ_PANEL + b] = scale * (mean + weight * off);
        }
        loss += (double)mean * mean + (double)weight * spread / (double)A;
    }
    /* Columns beyond n have no error. */
    for (int64_t a = 0; a < A; a++)
        for (int b = n; b < NDQ_PANEL; b++) d[a * NDQ_PANEL + b] = 0.0f;
    return loss;
}

double ndq_fit(const ndq_net *net, float *params, float *gradient, ndq_optimizer *optimizer, const float *x,
               const float *q, const int64_t *rows, int64_t steps, int64_t batch, float weight)
{
    double loss = 0.0;
    for (int64_t step = 0; step < steps; step++, rows += batch) {
        loss = 0.0;
        for (int64_t start = 0; start < batch; start += NDQ_PANEL) {
            const int n = batch - start < NDQ_PANEL ? (int)(batch - start) : NDQ_PANEL;
            for (int b = 0; b < n; b++) ndq_put(net, b, x + rows[start + b] * net->sizes[0]);
            ndq_net_forward(net, params, n);
            loss += fit_error(net, q, rows + start, n, batch, weight);
            if (!isfinite(loss)) return loss; /* before the step */
            net->kernels->backward(net, params, gradient, n, start > 0, NULL);
        }
        ndq_optimizer_step(optimizer, net->kernels, params, gradient, net->offsets[net->n_layers]);
    }
    return loss / (double)batch;
}
