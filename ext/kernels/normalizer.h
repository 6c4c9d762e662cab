/* Running mean and variance of observations, and the observations made of mean 0 and variance 1 by them:
 *
 *     x <- clip((x - mean) / sqrt(variance + 1e-8), -10, 10)
 *
 * as VecNormalize of Stable-Baselines3 has it. Statistics are float64; networks apply them in float32. Sizes: I numbers
 * in an observation. All arrays (I), of the caller. */
#ifndef NDQ_NORMALIZER_H
#define NDQ_NORMALIZER_H

#include <stdint.h>

enum { NDQ_NORMALIZED_LIMIT = 10 };
/* Weight of the mean 0 and the variance 1 that the statistics start with. */
#define NDQ_NORMALIZER_PRIOR 1e-4

typedef struct ndq_normalizer {
    int64_t size; /* I */
    double count; /* observations so far, and the prior's weight */
    double *mean, *variance;
    float *center, *scale; /* what is applied: (x - center) scale */
} ndq_normalizer;

/* Takes n observations, rows (n, I), into the statistics. */
void ndq_normalizer_update(ndq_normalizer *s, const float *rows, int64_t n);

/* Computes center and scale from mean and variance. */
void ndq_normalizer_refresh(ndq_normalizer *s);

/* A difference, a product and two comparisons: nothing that could be fused, so that the bits are everywhere the same. */
static inline float ndq_normalized(const ndq_normalizer *s, int64_t i, float x)
{
    const float z = (x - s->center[i]) * s->scale[i], limit = NDQ_NORMALIZED_LIMIT;
    return z > limit ? limit : z < -limit ? -limit : z;
}

/* One observation, in place. */
static inline void ndq_normalize_row(const ndq_normalizer *s, float *x)
{
    for (int64_t i = 0; i < s->size; i++) x[i] = ndq_normalized(s, i, x[i]);
}

/* n observations, number i of all of them in the row x + i n, in place. */
static inline void ndq_normalize_columns(const ndq_normalizer *s, float *x, int64_t n)
{
    for (int64_t i = 0; i < s->size; i++) {
        const float center = s->center[i], scale = s->scale[i], limit = NDQ_NORMALIZED_LIMIT;
        for (int64_t b = 0; b < n; b++) {
            const float z = (x[i * n + b] - center) * scale;
            x[i * n + b] = z > limit ? limit : z < -limit ? -limit : z;
        }
    }
}

#endif
