/* A network with its memory, each array of ndq.h in a block of its own. */
#ifndef MLP_H
#define MLP_H

#include "network.h"

typedef struct {
    ndq_net net;
    int64_t *plan[3]; /* sizes, offsets, h_offsets */
    float *params;
} mlp;

/* Random weights; padding zero. `sizes` (n_layers + 1): inputs, widths, actions. */
void mlp_make(mlp *network, const ndq_kernels *kernels, int32_t activation, const int64_t *sizes, int n_layers,
              uint64_t seed);
void mlp_free(mlp *network);

/* Floats in a parameter block. */
int64_t mlp_length(const mlp *network);

/* Where in the block the weight from input i to output o of layer l is; i = sizes[l] is the bias. */
int64_t mlp_index(const mlp *network, int l, int64_t i, int64_t o);

#endif
