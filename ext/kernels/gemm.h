/* C (M, N) = epilogue(A (M, K) B (K, N)), or epilogue(C + A B): the one matrix product of the engine.
 *
 * Vectorised over N: B and C rows are contiguous, aligned, a whole number of vectors. A is read one number at a time,
 * through any strides, and spread over a vector, so that A may stand for itself or for its transpose.
 * A tile of C stays in registers while k runs; sums over k ascend. */
#ifndef NDQ_GEMM_H
#define NDQ_GEMM_H

#include <string.h>

#include "vec.h"

typedef enum { STORE, LEAKY, BACK_LEAKY, BACK_TANH } epilogue_kind;

typedef struct {
    epilogue_kind kind;
    float slope;    /* of the negative side, for LEAKY and BACK_LEAKY */
    const float *h; /* outputs of the activation, laid out as C, for BACK_* */
} epilogue;

typedef struct {
    float *c;
    const float *a, *b;
    int64_t ldc, a_row, a_k, ldb; /* strides in floats */
    int64_t m, n_vectors, k;
    int accumulate; /* go on from what C holds: a sum over two panels is then one sum in order */
    epilogue end;
} gemm;

/* Rows i.., vectors j..: MR x NR vectors of C. Called with constants only, so that every loop over them unrolls. */
INLINE void tile(const int MR, const int NR, const gemm *g, int64_t i, int64_t j)
{
    const int64_t a_row = g->a_row, a_k = g->a_k, ldb = g->ldb, ldc = g->ldc, K = g->k;
    const float *a = g->a + i * a_row;
    const float *b = g->b + j * VL;
    float *c = g->c + i * ldc + j * VL;
    vf sum[TILE_VECTORS];
    if (g->accumulate) {
#pragma GCC unroll 32
        for (int t = 0; t < MR * NR; t++) sum[t] = vf_load(c + t / NR * ldc + t % NR * VL);
    } else {
#pragma GCC unroll 32
        for (int t = 0; t < MR * NR; t++) sum[t] = (vf){0};
    }
    for (int64_t k = 0; k < K; k++) {
        vf bk[4];
#pragma GCC unroll 4
        for (int jj = 0; jj < NR; jj++) bk[jj] = vf_load(b + jj * VL);
#pragma GCC unroll 32
        for (int ii = 0; ii < MR; ii++) {
            vf aik = vf_set(a[ii * a_row]);
#pragma GCC unroll 4
            for (int jj = 0; jj < NR; jj++) sum[ii * NR + jj] += aik * bk[jj];
        }
        a += a_k;
        b += ldb;
    }
    const vf slope = vf_set(g->end.slope);
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
    case LEAKY: FOR_TILE(vf_leaky(x, x, slope));
    case BACK_LEAKY: FOR_TILE(vf_leaky(vf_load(h + at), x, slope));
    case BACK_TANH: FOR_TILE(x * (1.0f - vf_load(h + at) * vf_load(h + at)));
    }
#undef FOR_TILE
}

/* One column of tiles, NR vectors wide: tiles of MR rows, then one of what is left. */
#define DEFINE_COLUMN(NR, MR)                                                                                         \
    static void column_##NR(const gemm *g, int64_t j)                                                                 \
    {                                                                                                                 \
        int64_t i = 0;                                                                                                \
        for (; i + MR <= g->m; i += MR) tile(MR, NR, g, i, j);                                                        \
        switch (g->m - i) { REST_##MR(NR) }                                                                           \
    }
#define REST(MR, NR)                                                                                                  \
    case MR: tile(MR, NR, g, i, j); break;
#define REST_6(NR) REST(1, NR) REST(2, NR) REST(3, NR) REST(4, NR) REST(5, NR)
#define REST_12(NR) REST_6(NR) REST(6, NR) REST(7, NR) REST(8, NR) REST(9, NR) REST(10, NR) REST(11, NR)

DEFINE_COLUMN(1, 12)
#if defined(__AVX512F__) || defined(__aarch64__)
DEFINE_COLUMN(2, 12)
DEFINE_COLUMN(4, 6)
#else
DEFINE_COLUMN(2, 6)
#endif

static void gemm_run(const gemm *g)
{
    int64_t j = 0;
#if defined(__AVX512F__) || defined(__aarch64__)
    for (; j + 4 <= g->n_vectors; j += 4) column_4(g, j);
#endif
    for (; j + 2 <= g->n_vectors; j += 2) column_2(g, j);
    for (; j < g->n_vectors; j++) column_1(g, j);
}

#endif
