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
    int is_far;         /* C, or what it starts from, is beyond the second-level cache: fetch_tile */
    const float *next;  /* what the product after this one reads, to be fetched meanwhile: fetch_next; or NULL */
    int64_t next_lines; /* cache lines of it, one after another */
} gemm;

enum { LINE = 16 }; /* floats in a cache line */

/* Both are inlined by force: GCC takes a function that only prefetches for one without effect, and drops the call. */

/* Asks for the tile below the one at row i, vector j, from which its sums will go on: the processor foresees walks along
 * a row, and not this step to another row, most often on another page, every few lines. Past the last row nothing is
 * read: a prefetch of any address is harmless. */
INLINE void fetch_tile(const int MR, const int NR, const gemm *g, int64_t i, int64_t j)
{
    const float *row = (g->start ? g->start : g->c) + (i + MR) * g->ldc + j * VL;
#pragma GCC unroll 12
    for (int ii = 0; ii < MR; ii++, row += g->ldc)
#pragma GCC unroll 4
        for (int at = 0; at < NR * VL; at += LINE) __builtin_prefetch(row + at, 1);
}

/* Asks for the part of `next` that is due with `rows` rows of C from i on, so that all of it is on its way when C is done. */
INLINE void fetch_next(const gemm *g, int64_t i, int64_t rows)
{
    const int64_t a_row = (g->next_lines + g->m - 1) / g->m;
    const int64_t end = (i + rows) * a_row < g->next_lines ? (i + rows) * a_row : g->next_lines;
    for (int64_t at = i * a_row; at < end; at++) __builtin_prefetch(g->next + at * LINE, 0, 2);
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

/* Rows i.., vectors j..: MR x NR vectors of C. Called with constants only, so that every loop over them unrolls. */
INLINE void tile(const int MR, const int NR, const gemm *g, int64_t i, int64_t j)
{
    const int64_t a_row = g->a_row, a_k = g->a_k, ldb = g->ldb, ldc = g->ldc, K = g->k;
    const float *a = g->a + i * a_row;
    const float *b = g->b + j * VL;
    float *c = g->c + i * ldc + j * VL;
    vf sum[TILE_VECTORS];
    if (g->start) {
        const float *start = g->start + i * ldc + j * VL;
#pragma GCC unroll 32
        for (int t = 0; t < MR * NR; t++) sum[t] = vf_load(start + t / NR * ldc + t % NR * VL);
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
            if (g->is_far) fetch_tile(MR, NR, g, i, j);                                                               \
            if (g->next) fetch_next(g, i, MR);                                                                        \
            tile(MR, NR, g, i, j);                                                                                    \
        }                                                                                                             \
        switch (g->m - i) { REST_##MR(NR) }                                                                           \
    }
#define REST(MR, NR)                                                                                                  \
    case MR: tile(MR, NR, g, i, j); break;
#define REST_6(NR) REST(1, NR) REST(2, NR) REST(3, NR) REST(4, NR) REST(5, NR)
#define REST_12(NR) REST_6(NR) REST(6, NR) REST(7, NR) REST(8, NR) REST(9, NR) REST(10, NR) REST(11, NR)

/* One column of tiles half a vector of AVX-512 wide, from float `at` of the rows on; narrow.c. */
void NDQ_NAME(ndq_narrow_column)(const gemm *g, int64_t at);

#endif
