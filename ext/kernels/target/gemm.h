/* C (M, N) = epilogue(A (M, K) B (K, N)): the one matrix product of the engine.
 *
 * Vectorised over N: rows of B and C are contiguous, aligned and padded to a whole number of vectors, which are computed
 * with the rest. A is read one number at a time, through any strides, and spread over a vector, so that A may
 * stand for itself or for its transpose. */
#ifndef NDQ_GEMM_H
#define NDQ_GEMM_H

#include "tile.h"

DEFINE_COLUMN(1, 12)
#if defined(__AVX512F__) || defined(__aarch64__)
DEFINE_COLUMN(2, 12)
DEFINE_COLUMN(4, 6)
enum { WIDEST = 4, ROWS_OF_WIDEST = 6 };
#else
DEFINE_COLUMN(2, 6)
enum { WIDEST = 2, ROWS_OF_WIDEST = 6 };
#endif

static void gemm_run(const gemm *g)
{
    const int64_t n_vectors = (g->n + VL - 1) / VL;
    const int is_narrow = VECTOR_BITS == 512 && (g->n - 1) % VL < VL / 2; /* half of the last vector would do */
    const int64_t whole = n_vectors - is_narrow;
    int64_t j = 0;
#if defined(__AVX512F__) || defined(__aarch64__)
    for (; j + 4 <= whole; j += 4) column_4(g, j);
#endif
    for (; j + 2 <= whole; j += 2) column_2(g, j);
    for (; j < whole; j++) column_1(g, j);
    if (is_narrow) NDQ_NAME(ndq_narrow_column)(g, j * VL);
}

/* The same with A beyond the second-level cache, its rows of one k one after another: by blocks of k, the sums going on
 * from what lies in C, so that a block of A is fetched row by row, in advance, and once for all columns. */
static void gemm_run_far(const gemm *g)
{
    enum { BLOCK = 64, LONGEST = BLOCK * 3 / 2 };
    for (int64_t k = 0, length; k < g->k; k += length) {
        const int64_t left = g->k - k;
        length = left < LONGEST ? left : BLOCK;
        gemm block = *g;
        block.a += k * g->a_k;
        block.b += k * g->ldb;
        block.k = length;
        if (k) block.start = g->c;
        if (length < left) {
            const int64_t after = left - length;
            const int64_t next_lines = (after < LONGEST ? after : BLOCK) * g->a_k / LINE;
            block.end = (epilogue){.kind = STORE};
            block.n_ahead = 1; /* the next block, shared out among the rows of C */
            block.ahead_lines = (next_lines + g->m - 1) / g->m;
            block.ahead_row = block.ahead_lines * LINE;
            block.ahead[0] = block.a + length * g->a_k - ROWS_OF_WIDEST * block.ahead_row;
        }
        gemm_run(&block);
    }
}

/* A product whose C does not stay in the second-level cache: its tiles ask for what those below them read. The processor
 * foresees walks along a row, and not this step to another row, most often on another page, every few lines. */
static void ask_ahead(gemm *g)
{
    if (g->start) g->ahead[g->n_ahead++] = g->start;
    if (g->start != g->c) g->ahead[g->n_ahead++] = g->c;
    if (g->end.m) {
        g->ahead[g->n_ahead++] = g->end.m;
        g->ahead[g->n_ahead++] = g->end.v;
    }
    g->ahead_row = g->ldc;
    g->ahead_lines = (WIDEST * VL + LINE - 1) / LINE;
}

#endif
