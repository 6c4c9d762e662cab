/* Rows of numbers, wherever each of them lies, turned into columns. With the half vectors of AVX-512, whose shuffles
 * run two at a time where those of whole ones run one. */
#define NDQ_HALF_VECTORS
#include "target.h"
#include "vec.h"

/* Four numbers, from column c on, of every fourth row: of rows[0] and, in vectors of 8, rows[4]. */
INLINE vf fours(const float *const *rows, int64_t c)
{
#if VECTOR_BITS == 256
    return (vf)_mm256_insertf128_ps(_mm256_castps128_ps256(_mm_load_ps(rows[0] + c)), _mm_load_ps(rows[4] + c), 1);
#else
    return vf_load(rows[0] + c);
#endif
}

/* In each four lanes of the result: lanes i, j, k, l of the same eight, four of `a` and then four of `b`. */
#define LANE(n, i) ((i) % 4 + (i) / 4 * VL + 4 * (n))
#define FOUR_LANES(n, i, j, k, l) LANE(n, i), LANE(n, j), LANE(n, k), LANE(n, l)
#if VECTOR_BITS == 256
#define LANES(...) FOUR_LANES(0, __VA_ARGS__), FOUR_LANES(1, __VA_ARGS__)
#else
#define LANES(...) FOUR_LANES(0, __VA_ARGS__)
#endif
#if defined(__clang__)
#define SHUFFLE(a, b, ...) __builtin_shufflevector(a, b, LANES(__VA_ARGS__))
#else
#define SHUFFLE(a, b, ...) __builtin_shuffle(a, b, (vi){LANES(__VA_ARGS__)})
#endif

/* out[c * ldo + i] = rows[i][c], i < VL, c < columns rounded up to 4. Rows are aligned to 16 bytes, out to a vector. */
INLINE void strip(float *out, int64_t ldo, const float *const rows[VL], int64_t columns)
{
    for (int64_t c = 0; c < columns; c += 4, out += 4 * ldo) {
        /* Four lanes of `a` are row 0 or 4, of `b` row 1 or 5, ...: 4 by 4 numbers to turn in each four lanes. */
        const vf a = fours(rows, c), b = fours(rows + 1, c), d = fours(rows + 2, c), e = fours(rows + 3, c);
        const vf ab_low = SHUFFLE(a, b, 0, 4, 1, 5), ab_high = SHUFFLE(a, b, 2, 6, 3, 7);
        const vf de_low = SHUFFLE(d, e, 0, 4, 1, 5), de_high = SHUFFLE(d, e, 2, 6, 3, 7);
        vf_store(out, SHUFFLE(ab_low, de_low, 0, 1, 4, 5));
        vf_store(out + ldo, SHUFFLE(ab_low, de_low, 2, 3, 6, 7));
        vf_store(out + 2 * ldo, SHUFFLE(ab_high, de_high, 0, 1, 4, 5));
        vf_store(out + 3 * ldo, SHUFFLE(ab_high, de_high, 2, 3, 6, 7));
    }
}

void NDQ_NAME(ndq_transpose)(float *out, const float *in, int64_t rows, int64_t n)
{
    enum { BLOCK = 16 }; /* columns: a cache line of `in`, and so few of `out` that strips meet them in the cache */
    for (int64_t c = 0; c < n; c += BLOCK)
        for (int64_t r = 0; r < rows; r += VL) {
            const float *from[VL];
            for (int i = 0; i < VL; i++) from[i] = in + (r + i) * NDQ_PANEL + c;
            strip(out + c * rows + r, rows, from, BLOCK);
        }
}

void NDQ_NAME(ndq_gather)(float *panel, const float *const rows[NDQ_PANEL], int64_t columns)
{
    for (int b = 0; b < NDQ_PANEL; b += VL) strip(panel + b, NDQ_PANEL, rows + b, columns);
}
