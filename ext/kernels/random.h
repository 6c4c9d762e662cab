/* Draws from NumPy's bit generators, equal to Generator.random() and Generator.integers(n) draw for draw. */
#ifndef NDQ_RANDOM_H
#define NDQ_RANDOM_H

#include <numpy/random/bitgen.h>
#include <stdint.h>

static inline double ndq_uniform(bitgen_t *g) { return g->next_double(g->state); }

/* [0, n), 1 <= n < 2^32 (Lemire 2019, arXiv:1805.10941); n = 1 draws nothing. */
static inline uint32_t ndq_bounded(bitgen_t *g, uint32_t n)
{
    if (n == 1) return 0;
    uint64_t product = (uint64_t)g->next_uint32(g->state) * n;
    if ((uint32_t)product < n) {
        const uint32_t threshold = -n % n;
        while ((uint32_t)product < threshold) product = (uint64_t)g->next_uint32(g->state) * n;
    }
    return product >> 32;
}

#endif
