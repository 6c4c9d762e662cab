#include "mlp.h"

#include <math.h>
#include <string.h>

#include "generator.h"
#include "memory.h"

int64_t mlp_length(const mlp *network) { return network->net.offsets[network->net.n_layers]; }

int64_t mlp_index(const mlp *network, int l, int64_t i, int64_t o)
{
    return network->net.offsets[l] + i * ndq_pad(network->net.sizes[l + 1]) + o;
}

static void randomise(mlp *network, uint64_t seed)
{
    const ndq_net *net = &network->net;
    for (int l = 0; l < net->n_layers; l++) {
        const float scale = sqrtf(3.0f / net->sizes[l]);
        for (int64_t i = 0; i <= net->sizes[l]; i++)
            for (int64_t o = 0; o < net->sizes[l + 1]; o++)
                network->params[mlp_index(network, l, i, o)] = scale * generator_signed(&seed);
    }
}

void mlp_make(mlp *network, const ndq_kernels *kernels, int32_t activation, const int64_t *sizes, int n_layers,
              uint64_t seed)
{
    ndq_net *net = &network->net;
    int64_t widest = 0, n_h = 0;
    for (int p = 0; p < 3; p++) network->plan[p] = ZEROS(int64_t, n_layers + 1);
    memcpy(network->plan[0], sizes, (n_layers + 1) * sizeof *sizes);
    for (int l = 0; l <= n_layers; l++) {
        if (ndq_pad(sizes[l]) > widest) widest = ndq_pad(sizes[l]);
        if (l < n_layers) network->plan[1][l + 1] = network->plan[1][l] + (sizes[l] + 1) * ndq_pad(sizes[l + 1]);
        network->plan[2][l] = n_h;
        n_h += (sizes[l] + 1) * NDQ_PANEL;
    }
    *net = (ndq_net){
        .kernels = kernels, .n_layers = n_layers, .activation = activation,
        .sizes = network->plan[0], .offsets = network->plan[1], .h_offsets = network->plan[2],
        .h = TAKE(float, n_h),
        .d = {TAKE(float, widest * NDQ_PANEL), TAKE(float, widest * NDQ_PANEL)},
        .d_rows = TAKE(float, NDQ_PANEL * widest),
        .row = {TAKE(float, widest + NDQ_PAD), TAKE(float, widest + NDQ_PAD)},
    };
    /* Columns that no batch has filled are computed too, whatever they hold; nothing may depend on it. */
    for (int64_t i = 0; i < n_h; i++) net->h[i] = NAN;
    for (int l = 0; l <= n_layers; l++)
        for (int b = 0; b < NDQ_PANEL; b++) ndq_h(net, l)[sizes[l] * NDQ_PANEL + b] = 1.0f;
    network->params = ZEROS(float, mlp_length(network));
    randomise(network, seed);
}

void mlp_free(mlp *network)
{
    float *const blocks[] = {network->net.h, network->net.d[0], network->net.d[1], network->net.d_rows,
                             network->net.row[0], network->net.row[1], network->params};
    for (size_t i = 0; i < sizeof blocks / sizeof *blocks; i++) memory_give(blocks[i]);
    for (int p = 0; p < 3; p++) memory_give(network->plan[p]);
}
