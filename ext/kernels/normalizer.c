#include "normalizer.h"

#include <math.h>

/* Added to the variance, so that a number that never changes is not divided by zero. */
#define EPSILON 1e-8
/* Means of smaller size are applied as zero: as float32 they could be subnormal. */
#define TINY_MEAN 1e-30

void ndq_normalizer_refresh(ndq_normalizer *s)
{
    for (int64_t i = 0; i < s->size; i++) {
        s->center[i] = fabs(s->mean[i]) < TINY_MEAN ? 0.0f : (float)s->mean[i];
        s->scale[i] = (float)(1.0 / sqrt(s->variance[i] + EPSILON));
    }
}

/* The statistics of two sets from those of each (Chan, Golub & LeVeque 1983). */
void ndq_normalizer_update(ndq_normalizer *s, const float *rows, int64_t n)
{
    const double total = s->count + (double)n;
    for (int64_t i = 0; i < s->size; i++) {
        double mean = 0.0, squares = 0.0;
        for (int64_t k = 0; k < n; k++) mean += rows[k * s->size + i];
        mean /= (double)n;
        for (int64_t k = 0; k < n; k++) {
            const double from_mean = rows[k * s->size + i] - mean;
            squares += from_mean * from_mean;
        }
        const double delta = mean - s->mean[i];
        squares += s->variance[i] * s->count + delta * delta * s->count * (double)n / total;
        s->mean[i] += delta * (double)n / total;
        s->variance[i] = squares / total;
    }
    s->count = total;
    ndq_normalizer_refresh(s);
}
