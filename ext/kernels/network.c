#include "network.h"

#include <math.h>
#include <string.h>

void ndq_add_base(const ndq_net *net, int n)
{
    float *q = ndq_h(net, net->n_layers);
    for (int32_t k = 0; k < net->n_base; k++) {
        const ndq_net *frozen = net->base[k].net;
        const float *more = ndq_h(frozen, frozen->n_layers), sign = net->base[k].sign;
        memcpy(ndq_h(frozen, 0), ndq_h(net, 0), net->sizes[0] * NDQ_PANEL * sizeof(float));
        frozen->kernels->forward(frozen, net->base[k].params, n);
        for (int64_t a = 0; a < net->sizes[net->n_layers]; a++)
            for (int b = 0; b < n; b++) q[a * NDQ_PANEL + b] += sign * more[a * NDQ_PANEL + b];
    }
}

void ndq_add_base_row(const ndq_net *net, const float *observation, float *q)
{
    for (int32_t k = 0; k < net->n_base; k++) {
        const ndq_net *frozen = net->base[k].net;
        float *more = ndq_h(frozen, frozen->n_layers); /* which has room for a padded row */
        frozen->kernels->forward_row(frozen, net->base[k].params, observation, more);
        for (int64_t a = 0; a < net->sizes[net->n_layers]; a++) q[a] += net->base[k].sign * more[a];
    }
}

void ndq_forward_rows(const ndq_net *net, const float *params, const float *x, int64_t n, float *q)
{
    const int64_t I = net->sizes[0], A = net->sizes[net->n_layers];
    const float *out = ndq_h(net, net->n_layers);
    for (int64_t start = 0; start < n; start += NDQ_PANEL) {
        const int rows = n - start < NDQ_PANEL ? (int)(n - start) : NDQ_PANEL;
        for (int b = 0; b < rows; b++) ndq_put(net, b, x + (start + b) * I);
        ndq_net_forward(net, params, rows);
        for (int b = 0; b < rows; b++)
            for (int64_t a = 0; a < A; a++) q[(start + b) * A + a] = out[a * NDQ_PANEL + b];
    }
}

double ndq_td_error(const ndq_net *net, const int64_t *actions, const float *targets, const float *weights, int n,
                    int64_t batch, ndq_loss kind, float delta, float *errors)
{
    const int64_t A = net->sizes[net->n_layers];
    const float *q = ndq_h(net, net->n_layers);
    float *d = net->d[0];
    double loss = 0.0;
    memset(d, 0, A * NDQ_PANEL * sizeof(float)); /* an action not taken has no error */
    for (int b = 0; b < n; b++) {
        const int64_t at = actions[b] * NDQ_PANEL + b;
        const float error = q[at] - targets[b];
        if (errors) errors[b] = error;
        loss += ndq_loss_of(kind, delta, error, weights ? weights[b] : 1.0f, (float)batch, &d[at]);
    }
    return loss;
}

double ndq_loss_and_gradient(const ndq_net *net, const float *params, const float *x, const int64_t *actions,
                             const float *targets, const float *weights, int64_t n, ndq_loss kind, float delta,
                             float *gradient)
{
    double loss = 0.0;
    for (int64_t start = 0; start < n; start += NDQ_PANEL) {
        const int rows = n - start < NDQ_PANEL ? (int)(n - start) : NDQ_PANEL;
        for (int b = 0; b < rows; b++) ndq_put(net, b, x + (start + b) * net->sizes[0]);
        ndq_net_forward(net, params, rows);
        loss += ndq_td_error(net, actions + start, targets + start, weights ? weights + start : NULL, rows, n, kind,
                             delta, NULL);
        net->kernels->backward(net, params, gradient, rows, start > 0, NULL);
    }
    return loss / n;
}
