/* A tile of the matrix product: it stays in registers while k runs; sums over k ascend. See gemm.h. */
#ifndef NDQ_TILE_H
#define NDQ_TILE_H

#include "adam.h"
#include "target.h"
#include "vec.h"

typedef enum { STORE, RELU, LEAKY, BACK_LEAKY, BACK_TANH, DESCEND, DESCEND_ADAM } epilogue_kind;

/* What becomes of a sum on its way to C. */
typedef struct {
    epilogue_kind kind;
    float slope;               /* of the negative side, for LEAKY and BACK_LEAKY */
    const float *h;            /* outputs of the activation, laid out as C, for BACK_* */
    float learning_rate, clip; /* for DESCEND: C holds parameters, and the sum is their gradient */
    float *m, *v;              /* for DESCEND_ADAM, as for DESCEND: the moments, laid out as C */
    const ndq_adam *adam;
} epilogue;

typedef struct {
    float *c;
    const float *a, *b;
    int64_t ldc, a_row, a_k, ldb; /* strides in floats */
    int64_t m, n, k;
    const float *start; /* what the sums go on from, laid out as C: a sum over two panels is one sum in order; or NULL */
    epilogue end;
    /* Operands beyond the second-level cache: a tile asks, a few lines every few k, for the rows of each that the tile
     * below it goes with, `ahead_lines` lines a row. Past the last row nothing is read: a prefetch of any address is
     * harmless. */
    const float *ahead[4]; /* what goes with row 0 of C */
    int n_ahead;           /* 0: everything is near */
    int64_t ahead_row, ahead_lines;
} gemm;

enum { LINE = 16 }; /* floats in a cache line */

/* n steps of k: adds *a times *b to the sums, and moves both along. */
INLINE void multiply(const int MR, const int NR, const gemm *g, const float **a, const float **b, int64_t n, vf *sum)
{
    for (; n > 0; n--) {
        vf bk[4];
#pragma GCC unroll 4
        for (int jj = 0; jj < NR; jj++) bk[jj] = vf_load(*b + jj * VL);
#pragma GCC unroll 32
        for (int ii = 0; ii < MR; ii++) {
            vf aik = vf_set((*a)[ii * g->a_row]);
#pragma GCC unroll 4
            for (int jj = 0; jj < NR; jj++) sum[ii * NR + jj] += aik * bk[jj];
        }
        *a += g->a_k;
        *b += g->ldb;
    }
}

/* One step of Adam on a tile. Its loop is not unrolled, or this would be most of the code of every tile. */
INLINE void adam_tile(const int MR, const int NR, const gemm *g, int64_t offset, const vf *sum)
{
    vf gradient[TILE_VECTORS];
#pragma GCC unroll 32
    for (int t = 0; t < MR * NR; t++) gradient[t] = sum[t];
#pragma GCC unroll 1
    for (int ii = 0; ii < MR; ii++) {
#pragma GCC unroll 4
        for (int jj = 0; jj < NR; jj++) {
            const int64_t at = offset + ii * g->ldc + jj * VL;
            const vf w = vf_load(g->c + at);
            vf_store(g->c + at, adam_moved(w, gradient[ii * NR + jj], g->end.m + at, g->end.v + at, g->end.adam));
        }
    }
}

/* Rows i.., vectors j..: MR x NR vectors of C. Called with constants only, so that every loop over them unrolls. With
 * ASKS it fetches ahead, spread over the whole sum: all at once, it would wait for a free line buffer. */
INLINE void tile(const int MR, const int NR, const int ASKS, const gemm *g, int64_t i, int64_t j)
{
    const int64_t ldc = g->ldc;
    const float *a = g->a + i * g->a_row;
    const float *b = g->b + j * VL;
    float *c = g->c + i * ldc + j * VL;
    int64_t left = g->k;
    vf sum[TILE_VECTORS];
    if (g->start) {
        const float *start = g->start + i * ldc + j * VL;
#pragma GCC unroll 32
        for (int t = 0; t < MR * NR; t++) sum[t] = vf_load(start + t / NR * ldc + t % NR * VL);
    } else {
#pragma GCC unroll 32
        for (int t = 0; t < MR * NR; t++) sum[t] = (vf){0};
    }
    if (ASKS) {
        const int64_t steps = g->k / (g->n_ahead * MR);
        for (int s = 0; s < g->n_ahead; s++) {
            const float *row = g->ahead[s] + (i + MR) * g->ahead_row + j * VL;
            for (int ii = 0; ii < MR; ii++, row += g->ahead_row, left -= steps) {
                for (int64_t line = 0; line < g->ahead_lines; line++) __builtin_prefetch(row + line * LINE);
                multiply(MR, NR, g, &a, &b, steps, sum);
            }
        }
    }
    multiply(MR, NR, g, &a, &b, left, sum);
    const vf slope = vf_set(g->end.slope), learning_rate = vf_set(g->end.learning_rate);
    const float *h = g->end.h ? g->end.h + i * ldc + j * VL : NULL; /* nothing may be added to a null pointer */
#define FOR_TILE(value)                                                                                               \
    _Pragma("GCC unroll 32") for (int ii = 0; ii < MR; ii++)                                                          \
    {                                                                                                                 \
        _Pragma("GCC unroll 4") for (int jj = 0; jj < NR; jj++)                                                       \
        {                                                                                                             \
            const int64_t at = ii * ldc + jj * VL;                                                                    \
            const vf x = sum[ii * NR + jj];                                                                           \
            vf_store(c + at, value);                                                                                  \
        }                                                                                                             \
    }                                                                                                                 \
    break
    switch (g->end.kind) {
    case STORE: FOR_TILE(x);
    case RELU: FOR_TILE(vf_relu(x));
    case LEAKY: FOR_TILE(vf_leaky(x, x, slope));
    case BACK_LEAKY: FOR_TILE(vf_leaky(vf_load(h + at), x, slope));
    case BACK_TANH: FOR_TILE(x * (1.0f - vf_load(h + at) * vf_load(h + at)));
    case DESCEND: FOR_TILE(vf_load(c + at) - learning_rate * vf_clip(x, g->end.clip));
    case DESCEND_ADAM: adam_tile(MR, NR, g, i * ldc + j * VL, sum); break;
    }
#undef FOR_TILE
}

/* One column of tiles, NR vectors wide: tiles of MR rows, then one of what is left. */
#define DEFINE_COLUMN(NR, MR)                                                                                         \
    static void column_##NR(const gemm *g, int64_t j)                                                                 \
    {                                                                                                                 \
        int64_t i = 0;                                                                                                \
        for (; i + MR <= g->m; i += MR) {                                                                             \
            if (g->n_ahead)                                                                                           \
                tile(MR, NR, 1, g, i, j);                                                                             \
            else                                                                                                      \
                tile(MR, NR, 0, g, i, j);                                                                             \
        }                                                                                                             \
        switch (g->m - i) { REST_##MR(NR) }                                                                           \
    }
#define REST(MR, NR)                                                                                                  \
    case MR: tile(MR, NR, 0, g, i, j); break;
#define REST_6(NR) REST(1, NR) REST(2, NR) REST(3, NR) REST(4, NR) REST(5, NR)
#define REST_12(NR) REST_6(NR) REST(6, NR) REST(7, NR) REST(8, NR) REST(9, NR) REST(10, NR) REST(11, NR)

/* One column of tiles half a vector of AVX-512 wide, from float `at` of the rows on; narrow.c. */
void NDQ_NAME(ndq_narrow_column)(const gemm *g, int64_t at);

#endif
