/* The multilayer perceptron: forward, forward of one row, backward. See ndq.h for the layout.
 *
 *   h[l + 1] = act(W[l]^T h[l]), the last row of h[l] being ones and the last of W[l] the bias; no act at the head
 *   dL/dW[l] = h[l] d[l]^T,   d[l - 1] = (W[l] d[l]) * act'(h[l])          (paper 2.2.1, 2.2.3)
 *
 * act' is written with the outputs h, so that no pre-activation is kept: h > 0 iff z > 0 for both ReLUs,
 * and tanh' = 1 - h^2. */
#include <string.h>

#include "gemm.h"
#include "normalizer.h"
#include "tanh.h"
#include "target.h"

static float negative_slope(const ndq_net *net) { return net->activation == NDQ_LEAKY_RELU ? 0.01f : 0.0f; }

static epilogue_kind forward_kind(const ndq_net *net)
{
    switch (net->activation) {
    case NDQ_RELU: return RELU;
    case NDQ_LEAKY_RELU: return LEAKY;
    default: return STORE; /* tanh has a pass of its own */
    }
}

/* Whether a layer is so large that its weights may have left a second-level cache of 1 or 2 MB for the gradient, the
 * target, the moments and the other layers when they are next used. */
static int is_far(const ndq_net *net, int l)
{
    enum { FAR = 1 << 15 }; /* floats: 128 KB */
    return net->offsets[l + 1] - net->offsets[l] >= FAR;
}

static int64_t vectors(int64_t n) { return (n + VL - 1) / VL; }

void NDQ_NAME(ndq_forward)(const ndq_net *net, const float *params, int n)
{
    for (int l = 0; l < net->n_layers; l++) {
        const int64_t I = net->sizes[l], O = net->sizes[l + 1];
        const int hidden = l + 1 < net->n_layers, is_tanh = net->activation == NDQ_TANH;
        float *out = ndq_h(net, l + 1);
        const gemm product = {
            .c = out, .ldc = NDQ_PANEL,
            .a = params + net->offsets[l], .a_row = 1, .a_k = ndq_pad(O),
            .b = ndq_h(net, l), .ldb = NDQ_PANEL,
            .m = O, .n = n, .k = I + 1,
            .end = {.kind = hidden ? forward_kind(net) : STORE, .slope = negative_slope(net)},
        };
        if (is_far(net, l))
            gemm_run_far(&product);
        else
            gemm_run(&product);
        if (hidden && is_tanh)
            for (int64_t o = 0; o < O; o++)
                for (int64_t j = 0; j < vectors(n); j++) {
                    float *at = out + o * NDQ_PANEL + j * VL;
                    vf_store(at, vf_tanh(vf_load(at)));
                }
    }
}

/* y = W^T (x, 1), V vectors of it from vector j on. */
INLINE void row_times_matrix(const int V, const float *x, const float *w, int64_t ldw, int64_t I, int64_t j, float *y)
{
    vf sum[8];
    w += j * VL;
#pragma GCC unroll 8
    for (int v = 0; v < V; v++) sum[v] = (vf){0};
    for (int64_t i = 0; i <= I; i++, w += ldw) {
        const vf xi = vf_set(x[i]);
#pragma GCC unroll 8
        for (int v = 0; v < V; v++) sum[v] += xi * vf_load(w + v * VL);
    }
#pragma GCC unroll 8
    for (int v = 0; v < V; v++) vf_store(y + (j + v) * VL, sum[v]);
}

void NDQ_NAME(ndq_forward_row)(const ndq_net *net, const float *params, const float *observation, float *q)
{
    const vf slope = vf_set(negative_slope(net));
    float *x = net->row[0], *y = net->row[1];
    memcpy(x, observation, net->sizes[0] * sizeof(float));
    if (net->normalizer) ndq_normalize_row(net->normalizer, x);
    for (int l = 0; l < net->n_layers; l++) {
        const int64_t I = net->sizes[l], ldw = ndq_pad(net->sizes[l + 1]), V = ldw / VL;
        const int hidden = l + 1 < net->n_layers;
        const float *w = params + net->offsets[l];
        x[I] = 1.0f;
        if (!hidden) y = q;
        int64_t j = 0;
        for (; j + 8 <= V; j += 8) row_times_matrix(8, x, w, ldw, I, j, y);
        for (; j + 4 <= V; j += 4) row_times_matrix(4, x, w, ldw, I, j, y);
        for (; j < V; j++) row_times_matrix(1, x, w, ldw, I, j, y);
        if (hidden)
            for (int64_t v = 0; v < V; v++) {
                const vf z = vf_load(y + v * VL);
                vf_store(y + v * VL, net->activation == NDQ_TANH ? vf_tanh(z) : vf_leaky(z, z, slope));
            }
        float *swap = x;
        x = y;
        y = swap;
    }
}

void NDQ_NAME(ndq_backward)(const ndq_net *net, const float *params, float *gradient, int n, int accumulate,
                            const ndq_descent *descent)
{
    float *d = net->d[0], *d_below = net->d[1];
    for (int l = net->n_layers - 1; l >= 0; l--) {
        const int64_t I = net->sizes[l], O = net->sizes[l + 1], ldw = ndq_pad(O), offset = net->offsets[l];
        if (l > 0) /* before a descent changes the weights */
            gemm_run(&(gemm){
                .c = d_below, .ldc = NDQ_PANEL,
                .a = params + offset, .a_row = ldw, .a_k = 1,
                .b = d, .ldb = NDQ_PANEL,
                .m = I, .n = n, .k = O,
                .end = {.kind = net->activation == NDQ_TANH ? BACK_TANH : BACK_LEAKY,
                        .slope = negative_slope(net), .h = ndq_h(net, l)},
            });
        /* What is written to padding columns of the gradient comes from here: zeros. */
        memset(d + O * NDQ_PANEL, 0, (ldw - O) * NDQ_PANEL * sizeof(float));
        NDQ_NAME(ndq_transpose)(net->d_rows, d, ldw, n);
        gemm weights = {
            .c = gradient + offset, .ldc = ldw,
            .a = ndq_h(net, l), .a_row = NDQ_PANEL, .a_k = 1,
            .b = net->d_rows, .ldb = ldw,
            .m = I + 1, .n = O, .k = n,
            .start = accumulate ? gradient + offset : NULL,
            .end = {.kind = STORE},
        };
        if (descent) {
            weights.c = descent->params + offset;
            weights.end = (epilogue){DESCEND, .learning_rate = descent->learning_rate, .clip = descent->clip};
            if (descent->m)
                weights.end = (epilogue){DESCEND_ADAM, .m = descent->m + offset, .v = descent->v + offset,
                                         .adam = &descent->adam};
        }
        if (is_far(net, l)) ask_ahead(&weights);
        gemm_run(&weights);
        float *swap = d;
        d = d_below;
        d_below = swap;
    }
}
