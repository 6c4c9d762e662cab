#include "naive.h"

#include <math.h>
#include <string.h>

enum { WIDEST = 512 };

static double activated(int32_t activation, double z)
{
    if (activation == NDQ_TANH) return tanh(z);
    return z > 0.0 ? z : activation == NDQ_LEAKY_RELU ? 0.01 * z : 0.0;
}

void naive_forward(const mlp *network, const double *params, const float *observation, double *q)
{
    const ndq_net *net = &network->net;
    double x[WIDEST], y[WIDEST];
    for (int64_t i = 0; i < net->sizes[0]; i++) x[i] = observation[i];
    for (int l = 0; l < net->n_layers; l++) {
        const int64_t I = net->sizes[l], O = net->sizes[l + 1];
        for (int64_t o = 0; o < O; o++) {
            double z = params[mlp_index(network, l, I, o)];
            for (int64_t i = 0; i < I; i++) z += x[i] * params[mlp_index(network, l, i, o)];
            y[o] = l + 1 < net->n_layers ? activated(net->activation, z) : z;
        }
        memcpy(x, y, O * sizeof *x);
    }
    memcpy(q, x, net->sizes[net->n_layers] * sizeof *q);
}

double naive_loss(const mlp *network, const double *params, const float *x, const int64_t *actions,
                  const float *targets, const float *weights, int64_t n, ndq_loss kind, double delta)
{
    double loss = 0.0, q[WIDEST];
    for (int64_t i = 0; i < n; i++) {
        naive_forward(network, params, x + i * network->net.sizes[0], q);
        const double size = fabs(q[actions[i]] - targets[i]);
        loss += (weights ? weights[i] : 1.0) * (kind == NDQ_MSE ? size * size
                                                : size <= delta ? 0.5 * size * size : delta * (size - 0.5 * delta));
    }
    return loss / n;
}
