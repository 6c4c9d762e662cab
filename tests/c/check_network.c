/* Forward pass and gradient against naive.c: odd widths, every activation, batches around the panel's 64 columns. */
#include <math.h>

#include "check.h"
#include "generator.h"
#include "memory.h"
#include "naive.h"

static float *random_floats(int64_t n, uint64_t seed)
{
    float *x = TAKE(float, n);
    for (int64_t i = 0; i < n; i++) x[i] = generator_signed(&seed);
    return x;
}

static double *as_doubles(const float *x, int64_t n)
{
    double *copy = TAKE(double, n);
    for (int64_t i = 0; i < n; i++) copy[i] = x[i];
    return copy;
}

/* A batch against the oracle, and each row alone against the batch: the same bits. */
static void check_forward(mlp *network, int64_t n)
{
    const int64_t I = network->net.sizes[0], A = network->net.sizes[network->net.n_layers];
    float *x = random_floats(n * I, (uint64_t)n), *q = TAKE(float, n * A), *alone = TAKE(float, ndq_pad(A));
    double *params = as_doubles(network->params, mlp_length(network)), *expected = TAKE(double, A);
    ndq_forward_rows(&network->net, network->params, x, n, q);
    for (int64_t i = 0; i < n; i++) {
        network->net.kernels->forward_row(&network->net, network->params, x + i * I, alone);
        for (int64_t a = 0; a < A; a++) CHECK(alone[a] == q[i * A + a]);
        if (i % 64 > 2) continue; /* the first columns of each panel; the oracle is slow under valgrind */
        naive_forward(network, params, x + i * I, expected);
        for (int64_t a = 0; a < A; a++) CHECK(fabs(q[i * A + a] - expected[a]) < 1e-5);
    }
    memory_give(x), memory_give(q), memory_give(alone), memory_give(params), memory_give(expected);
}

/* Against central differences; a kink of the activation within 1e-6 of the weight would show as an error. */
static void check_gradient(mlp *network, int64_t n, ndq_loss kind, int is_weighted)
{
    const double step = 1e-6, delta = 0.5;
    const int64_t length = mlp_length(network), A = network->net.sizes[network->net.n_layers];
    float *x = random_floats(n * network->net.sizes[0], 5), *targets = random_floats(n, 6);
    float *gradient = ZEROS(float, length);
    int64_t *actions = TAKE(int64_t, n);
    double *params = as_doubles(network->params, length);
    float *weights = is_weighted ? random_floats(n, 7) : NULL;
    for (int64_t i = 0; i < n; i++) actions[i] = i % A;
    const double loss = ndq_loss_and_gradient(&network->net, network->params, x, actions, targets, weights, n, kind,
                                              (float)delta, gradient);
    CHECK(fabs(loss - naive_loss(network, params, x, actions, targets, weights, n, kind, delta)) < 1e-5);
    for (int l = 0; l < network->net.n_layers; l++)
        for (int64_t i = 0; i <= network->net.sizes[l]; i++)
            for (int64_t o = 0; o < ndq_pad(network->net.sizes[l + 1]); o++) {
                const int64_t at = mlp_index(network, l, i, o);
                if (o >= network->net.sizes[l + 1]) {
                    CHECK(gradient[at] == 0.0f); /* padding */
                    continue;
                }
                const double kept = params[at];
                params[at] = kept + step;
                const double above = naive_loss(network, params, x, actions, targets, weights, n, kind, delta);
                params[at] = kept - step;
                const double below = naive_loss(network, params, x, actions, targets, weights, n, kind, delta);
                params[at] = kept;
                CHECK(fabs(gradient[at] - (above - below) / (2.0 * step)) < 1e-5);
            }
    memory_give(x), memory_give(targets), memory_give(gradient), memory_give(actions), memory_give(params);
    memory_give(weights);
}

void check_network(const ndq_kernels *kernels)
{
    static const struct {
        int n_layers;
        int64_t sizes[4];
    } shapes[] = {{1, {2, 3}}, {2, {1, 130, 1}}, {3, {5, 33, 7, 17}}, {3, {3, 1, 63, 2}}};
    static const int64_t sizes_of_batches[] = {0, 1, 63, 64, 65, 1000};
    const int64_t small[] = {3, 9, 5, 2};
    const int64_t wide[] = {3, 370, 391, 2}; /* a layer multiplied by blocks: is_far in dense.c */
    for (int32_t activation = NDQ_RELU; activation <= NDQ_LEAKY_RELU; activation++) {
        mlp network;
        for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
            mlp_make(&network, kernels, activation, shapes[s].sizes, shapes[s].n_layers, s + 1);
            for (size_t b = 0; b < sizeof sizes_of_batches / sizeof *sizes_of_batches; b++)
                check_forward(&network, sizes_of_batches[b]);
            mlp_free(&network);
        }
        mlp_make(&network, kernels, activation, wide, 3, 8);
        check_forward(&network, 70);
        mlp_free(&network);
        mlp_make(&network, kernels, activation, small, 3, 9);
        for (int is_weighted = 0; is_weighted < 2; is_weighted++) {
            check_gradient(&network, 1, NDQ_HUBER, is_weighted);
            check_gradient(&network, 66, NDQ_HUBER, is_weighted);
            check_gradient(&network, 66, NDQ_MSE, is_weighted);
        }
        mlp_free(&network);
    }
}
